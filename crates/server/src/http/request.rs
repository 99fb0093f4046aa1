//! What is done around every request, in one layer: an id, the configuration that it takes, one log line, and the
//! headers that all answers of the ACME API share.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use ca::config::Config;
use tower::{Service, ServiceExt};
use uuid::Uuid;

use super::acme::Answering;
use super::base::base;
use super::foreign_hosts::ForeignHosts;
use super::url_layout::UrlLayout;
use crate::listen::{Peer, PeerCredentials};
use crate::service::Services;

/// What a request has from its arrival to its end.
#[derive(Clone)]
pub(super) struct Received(Arc<Inner>);

struct Inner {
    id: String,
    config: Arc<Config>,
    base: String,
    layout: &'static UrlLayout,
    foreign_hosts: ForeignHosts,
}

impl Received {
    /// The id of the request, shown to the client, in the log and in the audit entry.
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }

    /// `https://host[:port]` for the URLs of the answer.
    pub(super) fn base(&self) -> &str {
        &self.0.base
    }

    /// The paths of the ACME API.
    pub(super) fn layout(&self) -> &'static UrlLayout {
        self.0.layout
    }

    /// The hosts that clients have asked for and that are none of the server's.
    pub(super) fn foreign_hosts(&self) -> &ForeignHosts {
        &self.0.foreign_hosts
    }

    /// The configuration in force when the request arrived; it is the request's to its end.
    pub(super) fn configuration(&self) -> &Arc<Config> {
        &self.0.config
    }

    fn of(parts: &Parts) -> Result<&Self, StatusCode> {
        let found = parts.extensions.get::<Self>();
        found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl<S: Sync> FromRequestParts<S> for Received {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Self::of(parts).cloned()
    }
}

/// The configuration of the request; see [`Received::configuration`].
#[derive(Clone)]
pub(super) struct Snapshot(pub(super) Arc<Config>);

impl<S: Sync> FromRequestParts<S> for Snapshot {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Received::of(parts).map(|received| Self(Arc::clone(received.configuration())))
    }
}

/// The cause of an error, for the log line; the answer may say less.
#[derive(Clone, Debug)]
pub(super) struct Fault(pub(super) String);

/// All routes, and what is done around them.
#[derive(Clone)]
pub(super) struct Observed {
    services: Services,
    layout: &'static UrlLayout,
    foreign_hosts: ForeignHosts,
    routes: Router,
}

impl Observed {
    /// These routes, with the ACME API at the paths of `layout` if they have it.
    pub(super) fn new(services: Services, layout: &'static UrlLayout, routes: Router) -> Self {
        Self {
            services,
            layout,
            foreign_hosts: ForeignHosts::default(),
            routes,
        }
    }

    /// Gives the request an id, which the client gets too, answers it, and logs the answer.
    async fn answer(self, mut request: Request) -> Response {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let received = self.received(&parts);
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let (protocol, agent) = (
            parts.version,
            parts.headers.get(header::USER_AGENT).cloned(),
        );
        let remote = remote(&parts);
        request = Request::from_parts(parts, body);
        request.extensions_mut().insert(received.clone());
        let mut response = match Answering::new(self.layout, &method, uri.path()) {
            Some(acme) => {
                let Ok(response) = acme.answer(self.routes, request).await;
                acme.complete(response, &received, &self.services.nonces)
                    .await
            }
            None => {
                let Ok(response) = self.routes.oneshot(request).await;
                response
            }
        };
        if let Ok(value) = HeaderValue::from_str(received.id()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        let line = Line {
            id: received.id(),
            method: method.as_str(),
            path: uri.path(),
            protocol: word(protocol),
            agent: agent.as_ref().and_then(|a| a.to_str().ok()).unwrap_or(""),
            remote,
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        line.write(&response);
        response
    }

    fn received(&self, parts: &Parts) -> Received {
        let config = self.services.snapshot();
        Received(Arc::new(Inner {
            id: id_of(&parts.headers, config.trace_header.as_deref()),
            base: base(parts, &config),
            config,
            layout: self.layout,
            foreign_hosts: self.foreign_hosts.clone(),
        }))
    }
}

impl Service<Request> for Observed {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let observed = self.clone();
        Box::pin(async move { Ok(observed.answer(request).await) })
    }
}

/// The client: an address, or a user on the admin socket.
fn remote(parts: &Parts) -> String {
    let credentials = parts.extensions.get::<PeerCredentials>();
    let credentials = credentials.map(PeerCredentials::to_string);
    let peer = || parts.extensions.get::<Peer>().map(Peer::to_string);
    credentials.or_else(peer).unwrap_or_default()
}

/// A version of HTTP as the log has it.
const fn word(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

/// The log line of a request.
struct Line<'a> {
    id: &'a str,
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    agent: &'a str,
    remote: String,
    millis: u64,
}

impl Line<'_> {
    fn write(&self, response: &Response) {
        let status = response.status().as_u16();
        let error = response
            .extensions()
            .get::<Fault>()
            .map_or("", |fault| fault.0.as_str());
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "request",
                    request_id = self.id,
                    method = self.method,
                    path = self.path,
                    protocol = self.protocol,
                    remote_address = self.remote,
                    user_agent = self.agent,
                    status,
                    duration_ms = self.millis,
                    error,
                )
            };
        }
        match status {
            // 501 marks a feature that is not supported yet, not a failure.
            501 | 400..500 => line!(warn),
            500.. => line!(error),
            _ => line!(info),
        }
    }
}

/// The client's id if it is valid in a header and a log line, else a new one.
fn id_of(headers: &HeaderMap, configured: Option<&str>) -> String {
    [Some("x-request-id"), configured, Some("x-smallstep-id")]
        .into_iter()
        .flatten()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .find(|id| is_fit(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn is_fit(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_with_spaces_or_too_long_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("a b"));
        assert_eq!(id_of(&headers, None).len(), 36);
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("abc"));
        assert_eq!(id_of(&headers, None), "abc");
    }
}
