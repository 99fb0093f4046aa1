//! `GET /provisioners`, a page at a time, and the encrypted keys of those that have one.

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use ca::api::{EncryptedKey, Page, Provisioners};
use serde::Deserialize;

use super::json;
use crate::http::problem::StepFailure;
use crate::http::request::Snapshot;
use crate::service::Error;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    cursor: String,
    #[serde(default)]
    limit: String,
}

pub(super) async fn list(
    Snapshot(config): Snapshot,
    Query(asked): Query<Asked>,
) -> Result<Response, StepFailure> {
    let page = Page::parse(&asked.cursor, &asked.limit)
        .map_err(|why| Error::BadRequest(why.to_string()))?;
    let body = Provisioners::page(&config.authority.provisioners, page);
    Ok(json(StatusCode::OK, &body))
}

pub(super) async fn encrypted_key(
    Snapshot(config): Snapshot,
    Path(kid): Path<String>,
) -> Result<Response, StepFailure> {
    let key = config.authority.encrypted_key(&kid);
    let key = key.ok_or_else(|| Error::NotFound(ca::words::NOT_FOUND.to_owned()))?;
    let body = EncryptedKey {
        key: key.to_owned(),
    };
    Ok(json(StatusCode::OK, &body))
}
