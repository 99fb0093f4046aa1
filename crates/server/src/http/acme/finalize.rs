//! Finalize over HTTP (RFC 8555 §7.4).

use acme::message::order::Finalize;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::Answer;
use super::order::show;
use super::signed::{self, Signed};
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ResourcePath;
use crate::service::Service;

pub(super) async fn finalize(
    State(service): State<Service>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let Signed {
        at,
        account,
        verified,
    } = request;
    let id = signed::id(&id, "order")?;
    let caa_identity = service.caa_identity(at.provisioner.name(), at.account_url(&account));
    let csr = verified.json::<Finalize>()?.der()?;
    let order = service
        .finalize((&account, caa_identity), id, csr, at.request_id.clone())
        .await?;
    Ok(show(StatusCode::OK, &at.links, &order))
}
