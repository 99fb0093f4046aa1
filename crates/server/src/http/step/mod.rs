//! The step API over HTTP: what the `step` command line calls, at `/` and at `/1.0/`.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::json::json;
use super::problem::StepFailure;
use crate::service::{Error, Services};

mod health;
mod provisioners;
mod renew;
mod roots;
mod version;

/// The routes, without their prefix.
pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/health", get(health::show))
        .route("/version", get(version::show))
        .route("/root/{sha}", get(roots::one))
        .route("/roots", get(roots::all))
        .route("/roots.pem", get(roots::all_pem))
        .route("/intermediates", get(roots::intermediates))
        .route("/intermediates.pem", get(roots::intermediates_pem))
        .route("/federation", get(roots::federation))
        .route("/provisioners", get(provisioners::list))
        .route(
            "/provisioners/{kid}/encrypted-key",
            get(provisioners::encrypted_key),
        )
        .route("/renew", post(renew::renew))
        .route("/re-sign", post(renew::renew))
        .route("/rekey", post(renew::rekey))
        .route("/sign", post(tokens_later))
        .route("/revoke", post(revocation_later))
        .route("/crl", get(no_crl))
}

async fn tokens_later(_body: Bytes) -> StepFailure {
    Error::NotYet(
        "JWK tokens come later: this server issues by ACME and renews so far. \
         Use an ACME provisioner (`step ca provisioner add acme --type ACME`).",
    )
    .into()
}

async fn revocation_later(_body: Bytes) -> StepFailure {
    Error::NotYet(
        "Revocation by the step API comes later: this server revokes by ACME so far, \
         as ACME clients do (RFC 8555 §7.6).",
    )
    .into()
}

async fn no_crl() -> StepFailure {
    Error::NotFound(ca::words::NOT_FOUND.to_owned()).into()
}

/// Certificates as one PEM file.
fn pem_file(certificates: &[pki::Certificate]) -> Response {
    let pem: String = certificates.iter().map(pki::Certificate::to_pem).collect();
    ([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response()
}
