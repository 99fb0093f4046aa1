//! `POST /renew` and `/rekey`, by mutual TLS.

use acme::message::body;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use ca::api::{RekeyRequest, SignResponse};
use ca::config::Config;
use pki::Certificate;

use super::json;
use crate::http::links::Links;
use crate::http::problem::StepFailure;
use crate::http::request::{Received, Snapshot};
use crate::listen::Peer;
use crate::service::{Error, NativeService, RenewalRequest};

pub(super) async fn renew(
    State(native): State<NativeService>,
    Snapshot(config): Snapshot,
    Renewal(request): Renewal,
) -> Result<Response, StepFailure> {
    let certificate = native.renew(&config, request).await?;
    Ok(answer(&native, &config, &certificate))
}

pub(super) async fn rekey(
    State(native): State<NativeService>,
    Snapshot(config): Snapshot,
    Renewal(request): Renewal,
    bytes: Bytes,
) -> Result<Response, StepFailure> {
    let asked: RekeyRequest = body::read(&bytes)
        .map_err(|why| Error::BadRequest(format!("the body is not a rekey request: {why}")))?;
    let csr = csr(&asked.csr)?;
    let certificate = native.rekey(&config, request, &csr).await?;
    Ok(answer(&native, &config, &certificate))
}

/// What a renewal rests on: the certificate that the peer proved to hold by TLS, and the host that
/// it asked for.
pub(super) struct Renewal(RenewalRequest);

impl<S: Sync> FromRequestParts<S> for Renewal {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StatusCode> {
        let received = Received::from_request_parts(parts, state).await?;
        let shown = parts.extensions.get::<Peer>();
        let shown = shown.and_then(|peer| peer.certificates.first());
        Ok(Self(RenewalRequest {
            presented: shown.map(|der| der.as_ref().to_vec()),
            request_id: received.id().to_owned(),
            account_url: Box::new(move |provisioner, account| {
                Links::new(received.layout(), received.base(), provisioner).account(account)
            }),
        }))
    }
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
