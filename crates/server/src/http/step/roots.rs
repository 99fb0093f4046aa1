//! Certificates that clients trust: roots, intermediates, and federated roots.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::{Certificates, Root};
use pki::Certificate;

use super::{json, pem_file};
use crate::http::problem::StepFailure;
use crate::service::{Error, NativeService};

/// One root by its fingerprint: `step ca bootstrap` asks for it before it trusts the server.
pub(super) async fn one(
    State(native): State<NativeService>,
    Path(sha): Path<String>,
) -> Result<Response, StepFailure> {
    let sha = sha.replace('-', "").to_ascii_lowercase();
    let found = Root::find(native.roots(), &sha).or_else(|| Root::find(native.federated(), &sha));
    let root = found.ok_or_else(|| Error::NotFound(ca::words::root_not_found(&sha)))?;
    Ok(json(StatusCode::OK, &Root { ca: root.to_pem() }))
}

pub(super) async fn all(State(native): State<NativeService>) -> Response {
    list(native.roots())
}

pub(super) async fn all_pem(State(native): State<NativeService>) -> Response {
    pem_file(native.roots())
}

pub(super) async fn intermediates(State(native): State<NativeService>) -> Response {
    list(native.chain())
}

pub(super) async fn intermediates_pem(State(native): State<NativeService>) -> Response {
    pem_file(native.chain())
}

pub(super) async fn federation(State(native): State<NativeService>) -> Response {
    list(&[native.roots(), native.federated()].concat())
}

/// Answered with 201, as smallstep's step-ca does and its clients expect.
fn list(certificates: &[Certificate]) -> Response {
    json(StatusCode::CREATED, &Certificates::new(certificates))
}
