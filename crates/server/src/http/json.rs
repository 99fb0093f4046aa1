//! JSON answers: the one place where a body becomes JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A body as smallstep's step-ca writes it in the step and admin APIs: compact, with a final newline.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut text = serde_json::to_vec(body).unwrap_or_default();
    text.push(b'\n');
    (status, [(header::CONTENT_TYPE, JSON)], text).into_response()
}

/// A compact body of this media type, as ACME has it.
pub(super) fn compact(
    status: StatusCode,
    media_type: &'static str,
    body: &impl Serialize,
) -> Response {
    let text = serde_json::to_vec(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, media_type)], text).into_response()
}

/// The media type of JSON without a more specific one.
pub(super) const JSON: &str = "application/json";
