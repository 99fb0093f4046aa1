//! ACME over HTTP (RFC 8555): the routes of a provisioner, and the headers that all answers share.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::Serialize;
use tower::ServiceExt;

use super::json::{JSON, compact};
use super::problem::{AcmeFailure, document};
use super::request::Received;
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
pub(super) fn routes(layout: &'static UrlLayout) -> Router<Services> {
    match layout.mount {
        Mount::Root { .. } => resources(layout, ""),
        Mount::PerProvisioner(prefixes) => prefixes.iter().fold(Router::new(), |all, prefix| {
            all.merge(resources(layout, prefix))
                .route(prefix, any(unknown))
                .route(&format!("{prefix}/"), any(unknown))
                .route(&format!("{prefix}/{{*rest}}"), any(unknown))
        }),
    }
}

/// The routes of one provisioner, whole: to nest them would make every request pay for its prefix.
fn resources(layout: &'static UrlLayout, prefix: &str) -> Router<Services> {
    let at = |path: &str| format!("{prefix}{path}");
    let directory = get(directory::show).post(directory::read);
    Router::new()
        .route(&at(layout.directory), directory)
        .route(&at(layout.new_nonce), get(nonce::show).post(nonce::read))
        .route(&at(layout.new_account), post(account::create))
        .route(&at(layout.account), post(account::update))
        .route(&at(layout.orders), post(account::orders))
        .route(&at(layout.new_order), post(order::create))
        .route(&at(layout.new_authz), post(authorization::create))
        .route(&at(layout.order), post(order::read))
        .route(&at(layout.finalize), post(finalize::finalize))
        .route(&at(layout.authorization), post(authorization::update))
        .route(&at(layout.challenge), post(challenge::answer))
        .route(&at(layout.certificate), post(certificate::read))
        .route(&at(layout.alternate), post(certificate::alternate))
        .route(&at(layout.issuer), post(certificate::issuer))
        .route(
            &at(&format!("{}/{{name}}", layout.renewal_info)),
            get(renewal::show),
        )
        .route(&at(layout.revoke_cert), post(revocation::revoke))
        .route(&at(layout.key_change), post(key_change::change))
        .method_not_allowed_fallback(wrong_method)
}

async fn unknown() -> AcmeFailure {
    Error::NotFound("There is no such resource; the directory names those there are.".to_owned())
        .into()
}

async fn wrong_method(method: Method) -> Response {
    let detail = format!("{method} is not allowed here: read resources by POST-as-GET.");
    document(&acme::Problem::malformed(detail).with_status(405))
}

/// An answer of the ACME API, whatever it is.
pub(super) struct Answering<'a> {
    layout: &'static UrlLayout,
    method: &'a Method,
    path: &'a str,
}

impl<'a> Answering<'a> {
    /// None if the API has nothing at this path.
    pub(super) fn new(
        layout: &'static UrlLayout,
        method: &'a Method,
        path: &'a str,
    ) -> Option<Self> {
        layout.serves(path).then_some(Self {
            layout,
            method,
            path,
        })
    }

    /// Answers by the routes, or says to a page of another origin what it may do (RFC 8555 §6.1).
    pub(super) async fn answer(
        &self,
        routes: Router,
        request: Request,
    ) -> Result<Response, Infallible> {
        match *self.method {
            Method::OPTIONS => Ok(preflight()),
            _ => routes.oneshot(request).await,
        }
    }

    /// Adds the headers of every answer: a fresh nonce to a POST's (RFC 8555 §6.5), a link to the
    /// directory (§7.1), no caching, and access for pages of any origin (§6.1).
    pub(super) async fn complete(
        &self,
        mut response: Response,
        received: &Received,
        nonces: &Nonces,
    ) -> Response {
        if *self.method == Method::OPTIONS {
            return response;
        }
        let (layout, out) = (self.layout, response.headers_mut());
        out.reserve(HEADERS);
        let is_directory = self.path.ends_with(layout.directory);
        if !is_directory
            && let Some(index) = layout.directory_above(received.base(), self.path)
            && let Ok(link) = HeaderValue::try_from(format!("<{index}>;rel=\"index\""))
        {
            out.append(header::LINK, link);
        }
        let wants_nonce = *self.method == Method::POST || self.path.ends_with(layout.new_nonce);
        if wants_nonce
            && let Ok(nonce) = nonces.fresh().await
            && let Ok(nonce) = HeaderValue::try_from(nonce)
        {
            out.insert(REPLAY_NONCE, nonce);
        }
        if !(is_directory && *self.method != Method::POST) {
            out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        cors(out);
        response
    }
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

/// The headers that are added to an answer of the ACME API.
const HEADERS: usize = 6;
const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");
