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
use crate::http::base::base;
use crate::http::links::Links;
use crate::http::problem::StepFailure;
use crate::http::request::{RequestId, Snapshot};
use crate::http::url_layout::UrlLayout;
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
        let Snapshot(config) = Snapshot::from_request_parts(parts, state).await?;
        let extensions = &parts.extensions;
        let layout = extensions.get::<&'static UrlLayout>().copied();
        let layout = layout.ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        let shown = extensions.get::<Peer>();
        let shown = shown.and_then(|peer| peer.certificates.first());
        let id = extensions.get::<RequestId>();
        let base = base(parts, &config);
        Ok(Self(RenewalRequest {
            presented: shown.map(|der| der.as_ref().to_vec()),
            account_url: Box::new(move |provisioner, account| {
                Links::new(layout, &base, provisioner).account(account)
            }),
            request_id: id.map(|id| id.0.clone()).unwrap_or_default(),
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
