//! `GET /version`.

use axum::http::StatusCode;
use axum::response::Response;
use ca::api::Version;

use super::json;

pub(super) async fn show() -> Response {
    let body = Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        require_client_authentication: false,
    };
    json(StatusCode::OK, &body)
}
