//! `POST /admin/reload`: reads the configuration files again at once.

use acme::message::body;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::admin::ReloadRequest;

use super::json;
use crate::http::problem::AdminFailure;
use crate::service::{Admin, Error, Operator};

/// Without a body, nothing is accepted that needs the operator's consent.
pub(super) async fn reload(
    State(admin): State<Admin>,
    operator: Operator,
    bytes: Bytes,
) -> Result<Response, AdminFailure> {
    let request = match bytes.is_empty() {
        true => ReloadRequest::default(),
        false => body::read(&bytes)
            .map_err(|error| Error::BadRequest(format!("the body cannot be read: {error}")))?,
    };
    let reloaded = admin.reload(request, &operator).await?;
    Ok(json(StatusCode::OK, &reloaded))
}
