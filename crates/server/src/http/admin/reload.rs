//! `POST /admin/reload`: reads the configuration files again at once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json;
use crate::http::problem::AdminFailure;
use crate::service::{Admin, Operator};

pub(super) async fn reload(
    State(admin): State<Admin>,
    operator: Operator,
) -> Result<Response, AdminFailure> {
    let reloaded = admin.reload(&operator).await?;
    Ok(json(StatusCode::OK, &reloaded))
}
