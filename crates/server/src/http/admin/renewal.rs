//! `/admin/acme/renewal`: the operator's renewal windows (RFC 9773 §4.2).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::admin::{RenewalCleared, RenewalSetting};

use super::{Body, json};
use crate::http::problem::AdminFailure;
use crate::http::request::Snapshot;
use crate::service::{Admin, Operator};

pub(super) async fn list(
    State(admin): State<Admin>,
    _: Operator,
) -> Result<Response, AdminFailure> {
    Ok(json(StatusCode::OK, &admin.renewal_windows().await?))
}

pub(super) async fn set(
    State(admin): State<Admin>,
    Snapshot(config): Snapshot,
    operator: Operator,
    Body(asked): Body<RenewalSetting>,
) -> Result<Response, AdminFailure> {
    admin
        .set_renewal_window(&config, &operator, asked.clone())
        .await?;
    Ok(json(StatusCode::CREATED, &asked))
}

pub(super) async fn clear(
    State(admin): State<Admin>,
    operator: Operator,
) -> Result<Response, AdminFailure> {
    let cleared = admin.clear_renewal_windows(&operator, None).await?;
    Ok(json(StatusCode::OK, &RenewalCleared { cleared }))
}

pub(super) async fn clear_one(
    State(admin): State<Admin>,
    operator: Operator,
    Path(serial): Path<String>,
) -> Result<Response, AdminFailure> {
    let cleared = admin
        .clear_renewal_windows(&operator, Some(&serial))
        .await?;
    Ok(json(StatusCode::OK, &RenewalCleared { cleared }))
}
