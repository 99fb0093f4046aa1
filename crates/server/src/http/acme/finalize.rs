//! Finalize over HTTP (RFC 8555 §7.4).

use acme::message::order::Finalize;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::Answer;
use super::order::show;
use super::signed::{self, Signed};
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ResourcePath;
use crate::service::{AcmeService, Finalization};

pub(super) async fn finalize(
    State(acme): State<AcmeService>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let finalization = Finalization {
        order: signed::id(&id, "order")?,
        csr: request.verified.json::<Finalize>()?.der()?,
        account_url: request.at.account_url(&request.account),
        request_id: request.at.request_id.clone(),
    };
    let order = acme.finalize(request.caller()?, finalization).await?;
    Ok(show(StatusCode::OK, &request.at.links, &order))
}
