//! Certificates over HTTP (RFC 8555 §7.4.2): a PEM chain, leaf first, no root.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::signed::{self, Signed};
use crate::http::problem::AcmeFailure;
use crate::service::Service;

pub(super) async fn read(
    State(service): State<Service>,
    Path((_, id)): Path<(String, String)>,
    request: Signed,
) -> Result<Response, AcmeFailure> {
    request.verified.empty()?;
    let id = signed::id(&id, "certificate")?;
    let chain = service.certificate(&request.account, id).await?;
    let pem: String = chain
        .iter()
        .map(|der| pki::pem::encode("CERTIFICATE", der))
        .collect();
    let kind = [(header::CONTENT_TYPE, "application/pem-certificate-chain")];
    Ok((kind, pem).into_response())
}
