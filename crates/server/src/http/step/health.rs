//! `GET /health`: whether the server serves, and known problems that do not stop it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::Health;

use super::json;
use crate::service::NativeService;

/// `status` stays `ok` while certificates are issued: health probes restart a server that reports anything else.
pub(super) async fn show(State(native): State<NativeService>) -> Response {
    let problems = native.configuration_fault().map(|fault| {
        let fault = fault.replace('\n', "; ");
        format!("the configuration files were not taken over: {fault}")
    });
    json(StatusCode::OK, &Health::ok(problems.into_iter().collect()))
}
