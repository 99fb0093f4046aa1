//! ACME over HTTP (RFC 8555): the routes of a provisioner, and the headers that all answers share.

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use super::base::base;
use super::foreign_hosts::ForeignHosts;
use super::json::{JSON, compact};
use super::problem::{AcmeFailure, document};
use super::request::{Snapshot, Target};
use super::url_layout::{Mount, UrlLayout};
use crate::service::{Error, Nonces, Services};

mod accept;
mod account;
mod authorization;
mod certificate;
mod challenge;
mod directory;
mod finalize;
mod key_change;

mod nonce;
mod order;
mod renewal;
mod revocation;
mod signed;
mod unknown_account;

/// The routes of every ACME provisioner, at the paths of `layout`.
pub(super) fn routes(services: &Services, layout: &'static UrlLayout) -> Router<Services> {
    let renewal_info = format!("{}/{{name}}", layout.renewal_info);
    let directory = get(directory::show).post(directory::read);
    let resources = Router::new()
        .route(layout.directory, directory)
        .route(layout.new_nonce, get(nonce::show).post(nonce::read))
        .route(layout.new_account, post(account::create))
        .route(layout.account, post(account::update))
        .route(layout.orders, post(account::orders))
        .route(layout.new_order, post(order::create))
        .route(layout.new_authz, post(authorization::create))
        .route(layout.order, post(order::read))
        .route(layout.finalize, post(finalize::finalize))
        .route(layout.authorization, post(authorization::update))
        .route(layout.challenge, post(challenge::answer))
        .route(layout.certificate, post(certificate::read))
        .route(layout.alternate, post(certificate::alternate))
        .route(layout.issuer, post(certificate::issuer))
        .route(&renewal_info, get(renewal::show))
        .route(layout.revoke_cert, post(revocation::revoke))
        .route(layout.key_change, post(key_change::change))
        .method_not_allowed_fallback(wrong_method)
        .layer(Extension(ForeignHosts::default()));
    let headers = middleware::from_fn_with_state(services.nonces.clone(), headers);
    match layout.mount {
        Mount::Root { .. } => resources.layer(headers),
        Mount::PerProvisioner(prefixes) => {
            let resources = resources.fallback(unknown).layer(headers);
            let mut all = Router::new();
            for prefix in prefixes {
                all = all.nest(prefix, resources.clone());
            }
            all
        }
    }
}

async fn unknown() -> AcmeFailure {
    Error::NotFound("There is no such resource; the directory names those there are.".to_owned())
        .into()
}

async fn wrong_method(method: Method) -> Response {
    let detail = format!("{method} is not allowed here: read resources by POST-as-GET.");
    document(&acme::Problem::malformed(detail).with_status(405))
}

/// Adds the headers of every answer: a fresh nonce to a POST's (RFC 8555 §6.5), a link to the
/// directory (§7.1), no caching, and access for pages of any origin (§6.1).
async fn headers(
    State(nonces): State<Arc<Nonces>>,
    Snapshot(config): Snapshot,
    Extension(layout): Extension<&'static UrlLayout>,
    Extension(target): Extension<Target>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    if method == Method::OPTIONS {
        return preflight();
    }
    let (parts, body) = request.into_parts();
    let index = layout.directory_above(&base(&parts, &config), &target.path);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let is_directory = target.path.ends_with(layout.directory);
    let out = response.headers_mut();
    if let Some(index) = index.filter(|_| !is_directory)
        && let Ok(link) = HeaderValue::from_str(&format!("<{index}>;rel=\"index\""))
    {
        out.append(header::LINK, link);
    }
    let wants_nonce = method == Method::POST || target.path.ends_with(layout.new_nonce);
    if wants_nonce
        && let Ok(nonce) = nonces.fresh().await
        && let Ok(nonce) = HeaderValue::from_str(&nonce)
    {
        out.insert(REPLAY_NONCE, nonce);
    }
    if !(is_directory && method != Method::POST) {
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    cors(out);
    response
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let out = response.headers_mut();
    cors(out);
    out.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST"),
    );
    out.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Content-Type"),
    );
    response
}

fn cors(out: &mut HeaderMap) {
    out.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    out.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Link, Location, Replay-Nonce, Retry-After"),
    );
}

/// A JSON answer, extended header by header.
struct Answer(Response);

impl Answer {
    fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self(compact(status, JSON, body))
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers_mut().append(name, value);
        }
        self
    }

    /// Adds the URL of the resource.
    fn location(self, url: &str) -> Self {
        self.header(header::LOCATION, url)
    }

    /// Adds a link to the parent of the resource.
    fn up(self, url: &str) -> Self {
        self.header(header::LINK, &format!("<{url}>;rel=\"up\""))
    }

    /// Adds when to ask again, only while something is pending.
    fn retry_while(self, pending: bool) -> Self {
        if pending {
            return self.header(header::RETRY_AFTER, "1");
        }
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        self.0
    }
}

const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");
