//! `/admin/acme/eab/{provisioner}`: external account keys.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::admin::eab::NewKey;
use serde::Deserialize;

use super::{Body, json};
use crate::http::base::configured;
use crate::http::problem::AdminFailure;
use crate::http::request::{Received, Snapshot};
use crate::service::{Admin, Error, Operator};

/// The requested page; an empty value means the default.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    limit: String,
}

pub(super) async fn add(
    State(admin): State<Admin>,
    received: Received,
    Path(provisioner): Path<String>,
    operator: Operator,
    Body(asked): Body<NewKey>,
) -> Result<Response, AdminFailure> {
    let config = received.configuration();
    let mut key = admin
        .add_external_key(config, &operator, &provisioner, asked)
        .await?;
    let base = format!("https://{}", configured(config));
    key.directory = received.layout().directory_url(&base, &provisioner);
    Ok(json(StatusCode::CREATED, &key))
}

pub(super) async fn list(
    State(admin): State<Admin>,
    Snapshot(config): Snapshot,
    Path(provisioner): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, AdminFailure> {
    let limit = match asked.limit.as_str() {
        "" => DEFAULT_LIMIT,
        text => text
            .parse()
            .ok()
            .filter(|limit| *limit > 0)
            .ok_or_else(|| {
                Error::BadRequest(format!("limit '{text}' is not a whole number above 0"))
            })?,
    };
    let limit = limit.min(MAX_LIMIT);
    let keys = admin
        .external_keys(&config, &provisioner, &asked.cursor, limit)
        .await?;
    Ok(json(StatusCode::OK, &keys))
}

pub(super) async fn called(
    State(admin): State<Admin>,
    Snapshot(config): Snapshot,
    Path((provisioner, reference)): Path<(String, String)>,
) -> Result<Response, AdminFailure> {
    let keys = admin
        .external_key_called(&config, &provisioner, &reference)
        .await?;
    Ok(json(StatusCode::OK, &keys))
}

pub(super) async fn remove(
    State(admin): State<Admin>,
    Snapshot(config): Snapshot,
    Path((provisioner, id)): Path<(String, String)>,
    operator: Operator,
) -> Result<Response, AdminFailure> {
    let removed = admin
        .remove_external_key(&config, &operator, &provisioner, &id)
        .await?;
    Ok(json(StatusCode::OK, &removed))
}

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;
