//! `/admin/acme/permits/{provisioner}`: names that an operator gives without a challenge.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::admin::permit::{NewPermits, Permits};

use super::{Body, json};
use crate::http::problem::AdminFailure;
use crate::http::request::Snapshot;
use crate::service::{Admin, Operator};

pub(super) async fn add(
    State(admin): State<Admin>,
    Snapshot(config): Snapshot,
    Path(provisioner): Path<String>,
    operator: Operator,
    Body(asked): Body<NewPermits>,
) -> Result<Response, AdminFailure> {
    let made = admin.add_permits(&config, &operator, &provisioner, &asked);
    let permits = made.await?;
    Ok(json(StatusCode::CREATED, &Permits { permits }))
}

pub(super) async fn list(
    State(admin): State<Admin>,
    Snapshot(config): Snapshot,
    Path(provisioner): Path<String>,
) -> Result<Response, AdminFailure> {
    let permits = admin.permits(&config, &provisioner).await?;
    Ok(json(StatusCode::OK, &Permits { permits }))
}

pub(super) async fn remove(
    State(admin): State<Admin>,
    Path((provisioner, id)): Path<(String, String)>,
    operator: Operator,
) -> Result<Response, AdminFailure> {
    let removed = admin.remove_permit(&operator, &provisioner, &id).await?;
    Ok(json(StatusCode::OK, &removed))
}
