//! Requests of operators to the running server, under `/admin/`: one file a resource. These routes
//! exist on the admin socket only, not on the public port.

use acme::message::body;
use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;

use super::json::json;
use super::problem::{AdminFailure, not_allowed};
use crate::listen::PeerCredentials;
use crate::service::{Error, Operator, Services};

mod eab;
mod permits;
mod reload;
mod renewal;

/// The routes, without their prefix.
pub(super) fn routes() -> Router<Services> {
    Router::new()
        .route("/reload", post(reload::reload))
        .route("/acme/eab/{provisioner}", get(eab::list).post(eab::add))
        .route(
            "/acme/eab/{provisioner}/{id}",
            get(eab::called).delete(eab::remove),
        )
        .route(
            "/acme/permits/{provisioner}",
            get(permits::list).post(permits::add),
        )
        .route("/acme/permits/{provisioner}/{id}", delete(permits::remove))
        .route(
            "/acme/renewal",
            get(renewal::list).post(renewal::set).delete(renewal::clear),
        )
        .route("/acme/renewal/{serial}", delete(renewal::clear_one))
}

/// Admits operators only.
pub(super) async fn authenticate(mut request: Request, next: Next) -> Response {
    let credentials = request.extensions().get::<PeerCredentials>().copied();
    match credentials.filter(|credentials| credentials.is_operator()) {
        Some(credentials) => {
            let operator = Operator::at_the_socket(credentials.uid());
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        None => {
            let who = credentials.map_or_else(|| "the caller".to_owned(), |it| it.to_string());
            AdminFailure::from(Error::Unproven(format!(
                "{who} is neither root nor the user that the server runs as: run the command as \
                 one of them, for example with sudo"
            )))
            .into_response()
        }
    }
}

/// A handler that takes an [`Operator`] runs for operators only.
impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = AdminFailure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| {
            Error::Unproven("only an operator may do this, through the admin socket".to_owned())
                .into()
        })
    }
}

/// A request's body, read as JSON.
struct Body<T>(T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = AdminFailure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let body = axum::body::to_bytes(request.into_body(), MOST).await;
        let body = body.map_err(|error| Error::BadRequest(format!("the body: {error}")))?;
        let read = body::read(&body);
        let read = read.map_err(|error| Error::BadRequest(format!("the body: {error}")))?;
        Ok(Self(read))
    }
}

/// The longest body, in bytes.
const MOST: usize = 1 << 20;

pub(super) async fn unknown(request: Request) -> AdminFailure {
    let path = request.uri().path().to_owned();
    Error::NotFound(format!(
        "this server knows no {path}: step and step-ca are of different versions"
    ))
    .into()
}

pub(super) async fn wrong_method(method: Method, request: Request) -> Response {
    not_allowed(&method, request.uri().path())
}
