//! What the outside sees: routes, status codes and headers. Decisions are not here.

use axum::Extension;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};

use crate::service::Service;

mod acme;
mod admin;
mod base;
mod links;
mod problem;
mod request;
mod step;
mod url_layout;

pub(crate) use self::url_layout::{STEP_CA, UrlLayout};

/// Every route of the HTTPS port, with the ACME API at the paths of `layout`.
pub(crate) fn router(service: Service, layout: &'static UrlLayout) -> Router {
    Router::new()
        .merge(step::routes())
        .nest("/1.0", step::routes())
        .merge(acme::routes(&service, layout))
        .fallback(page_not_found)
        .layer(Extension(layout))
        .layer(DefaultBodyLimit::max(MAX_STEP_BODY))
        .layer(middleware::from_fn_with_state(
            service.clone(),
            request::observe,
        ))
        .with_state(service)
}

/// Every route of the admin socket; `layout` is the HTTPS port's.
pub(crate) fn operator_router(service: Service, layout: &'static UrlLayout) -> Router {
    Router::new()
        .nest("/admin", admin::routes())
        .fallback(admin::unknown)
        .method_not_allowed_fallback(admin::wrong_method)
        .layer(Extension(layout))
        .layer(middleware::from_fn(admin::admit))
        .layer(DefaultBodyLimit::max(MAX_STEP_BODY))
        .layer(middleware::from_fn_with_state(
            service.clone(),
            request::observe,
        ))
        .with_state(service)
}

/// What smallstep's step-ca answers for a path that does not exist; scripts compare it.
async fn page_not_found() -> Response {
    (
        StatusCode::NOT_FOUND,
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        "404 page not found\n",
    )
        .into_response()
}

/// Bodies of the step API hold a request and a token at most.
const MAX_STEP_BODY: usize = 64 * 1024;

#[cfg(test)]
mod tests;
