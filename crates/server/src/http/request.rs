//! The request id, and one log line per request.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use ca::config::Config;
use uuid::Uuid;

use crate::listen::{Peer, PeerCredentials};
use crate::service::Services;

/// The id of the request, shown to the client, in the log and in the audit entry.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// The configuration in force when the request arrived; it is the request's to its end.
#[derive(Clone)]
pub(super) struct Snapshot(pub(super) Arc<Config>);

impl<S: Sync> FromRequestParts<S> for Snapshot {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The path of the request, before a router has stripped its prefix, without and with the query.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) path: String,
    pub(super) with_query: String,
}

/// The cause of an error, for the log line; the answer may say less.
#[derive(Clone, Debug)]
pub(super) struct Fault(pub(super) String);

/// Assigns the request an id, returns it to the client, and logs the answer.
pub(super) async fn observe(
    State(services): State<Services>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let config = services.snapshot();
    let id = id_of(request.headers(), config.trace_header.as_deref());
    let method = request.method().clone();
    let target = target(&request);
    let protocol = request.version();
    let agent = request.headers().get(header::USER_AGENT).cloned();
    let remote = remote(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(target.clone());
    request.extensions_mut().insert(Snapshot(config));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    let line = Line {
        id: &id,
        method: method.as_str(),
        path: &target.path,
        protocol: format!("{protocol:?}"),
        agent: agent.as_ref().and_then(|a| a.to_str().ok()).unwrap_or(""),
        remote,
        millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    line.write(&response);
    response
}

/// The client: an address, or a user on the admin socket.
fn remote(request: &Request) -> String {
    let extensions = request.extensions();
    let credentials = extensions
        .get::<PeerCredentials>()
        .map(PeerCredentials::to_string);
    let peer = extensions.get::<Peer>().map(Peer::to_string);
    credentials.or(peer).unwrap_or_default()
}

fn target(request: &Request) -> Target {
    let uri = request.uri();
    let whole = uri.path_and_query().map_or("/", |path| path.as_str());
    Target {
        path: uri.path().to_owned(),
        with_query: whole.to_owned(),
    }
}

/// The log line of a request.
struct Line<'a> {
    id: &'a str,
    method: &'a str,
    path: &'a str,
    protocol: String,
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
