//! `POST /renew` and `/rekey`, by mutual TLS.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::{RekeyRequest, SignResponse};
use ca::config::Config;
use pki::Certificate;

use super::json;
use crate::http::problem::StepFailure;
use crate::http::request::{RequestId, Snapshot};
use crate::listen::Peer;
use crate::service::{Error, NativeService};

pub(super) async fn renew(
    State(native): State<NativeService>,
    Snapshot(config): Snapshot,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
) -> Result<Response, StepFailure> {
    let certificate = native.renew(&config, shown(&peer), request.0).await?;
    Ok(answer(&native, &config, &certificate))
}

pub(super) async fn rekey(
    State(native): State<NativeService>,
    Snapshot(config): Snapshot,
    Extension(peer): Extension<Peer>,
    Extension(request): Extension<RequestId>,
    body: Bytes,
) -> Result<Response, StepFailure> {
    let asked: RekeyRequest = serde_json::from_slice(&body)
        .map_err(|why| Error::BadRequest(format!("the body is not a rekey request: {why}")))?;
    let csr = csr(&asked.csr)?;
    let certificate = native.rekey(&config, shown(&peer), &csr, request.0).await?;
    Ok(answer(&native, &config, &certificate))
}

/// The certificate that the peer proved to hold by TLS.
fn shown(peer: &Peer) -> Option<&[u8]> {
    peer.certificates.first().map(AsRef::as_ref)
}

fn csr(pem: &str) -> Result<Vec<u8>, Error> {
    let missing = || Error::BadRequest("missing csr".to_owned());
    let blocks = pki::pem::parse(pem.as_bytes()).map_err(|_| missing())?;
    let first = blocks.into_iter().next().ok_or_else(missing)?;
    Ok(first.der)
}

/// The leaf, what issued it, and both as a chain.
fn answer(native: &NativeService, config: &Config, certificate: &Certificate) -> Response {
    let body = SignResponse::new(certificate, native.chain(), &config.tls);
    json(StatusCode::CREATED, &body)
}
