//! `GET /health`: whether the server serves, and what is not in order although it does.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::Health;

use super::json;
use crate::service::NativeService;

/// `status` stays `ok` while certificates are issued: probes restart a server that says otherwise.
pub(super) async fn show(State(native): State<NativeService>) -> Response {
    let problems = native.configuration_fault().map(|fault| {
        let fault = fault.replace('\n', "; ");
        format!("the configuration files were not taken over: {fault}")
    });
    json(StatusCode::OK, &Health::ok(problems.into_iter().collect()))
}
