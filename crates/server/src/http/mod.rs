//! The HTTP interface: routes, status codes and headers. Decisions are made elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};

use crate::service::{
    AccountService, AcmeService, Admin, NativeService, Nonces, Revocations, Services, Validator,
};

mod acme;
mod admin;
mod base;
mod foreign_hosts;
mod json;
mod links;
mod problem;
mod request;
mod step;
mod url_layout;

use self::request::Observed;
pub(crate) use self::url_layout::{STEP_CA, UrlLayout};

/// Every route of the HTTPS port, with the ACME API at the paths of `layout`.
pub(crate) fn router(services: Services, layout: &'static UrlLayout) -> Router {
    let step = step::routes().layer(DefaultBodyLimit::max(MAX_STEP_BODY));
    let routes = Router::new()
        .merge(step.clone())
        .nest("/1.0", step)
        .merge(acme::routes(layout))
        .fallback(page_not_found);
    observed(services, layout, routes)
}

/// Every route of the admin socket; `layout` is the HTTPS port's.
pub(crate) fn operator_router(services: Services, layout: &'static UrlLayout) -> Router {
    let routes = Router::new()
        .nest("/admin", admin::routes())
        .fallback(admin::unknown)
        .method_not_allowed_fallback(admin::wrong_method)
        .layer(middleware::from_fn(admin::authenticate))
        .layer(DefaultBodyLimit::max(MAX_STEP_BODY));
    observed(services, layout, routes)
}

/// One layer around all routes: a layer of axum is boxed for each route, and each costs every request.
fn observed(services: Services, layout: &'static UrlLayout, routes: Router<Services>) -> Router {
    let routes = routes.with_state(services.clone());
    Router::new().fallback_service(Observed::new(services, layout, routes))
}

/// Lets a handler ask for the component that it uses, and no other.
macro_rules! components {
    ($($field:ident: $component:ty),+ $(,)?) => {$(
        impl FromRef<Services> for $component {
            fn from_ref(services: &Services) -> Self {
                services.$field.clone()
            }
        }
    )+};
}

components! {
    accounts: AccountService,
    acme: AcmeService,
    admin: Admin,
    native: NativeService,
    nonces: Arc<Nonces>,
    revocations: Revocations,
    validator: Validator,
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

/// Maximum length of a body of the step API, in bytes: a request and a token.
const MAX_STEP_BODY: usize = 64 * 1024;

#[cfg(test)]
mod tests;
