//! What clients trust: roots, intermediates, and befriended roots.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::{Certificates, Root};
use pki::Certificate;

use super::{json, pem_file};
use crate::http::problem::StepFailure;
use crate::service::{Error, Service};

/// One root by its fingerprint: what `step ca bootstrap` asks before it trusts anybody.
pub(super) async fn one(
    State(service): State<Service>,
    Path(sha): Path<String>,
) -> Result<Response, StepFailure> {
    let sha = sha.replace('-', "").to_ascii_lowercase();
    let found = Root::find(service.roots(), &sha).or_else(|| Root::find(service.federated(), &sha));
    let root = found.ok_or_else(|| Error::NotFound(ca::words::root_not_found(&sha)))?;
    Ok(json(StatusCode::OK, &Root { ca: root.to_pem() }))
}

pub(super) async fn all(State(service): State<Service>) -> Response {
    list(service.roots())
}

pub(super) async fn all_pem(State(service): State<Service>) -> Response {
    pem_file(service.roots())
}

pub(super) async fn intermediates(State(service): State<Service>) -> Response {
    list(service.chain())
}

pub(super) async fn intermediates_pem(State(service): State<Service>) -> Response {
    pem_file(service.chain())
}

pub(super) async fn federation(State(service): State<Service>) -> Response {
    list(&[service.roots(), service.federated()].concat())
}

/// The original answers these with 201, and its clients look for it.
fn list(certificates: &[Certificate]) -> Response {
    json(StatusCode::CREATED, &Certificates::new(certificates))
}
