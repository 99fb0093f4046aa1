//! Status codes and headers of all error answers, in one place: problem documents for
//! ACME (RFC 8555 §6.7), `{"status","message"}` for the step API, `{"type","detail","message"}` for
//! the admin API.

use acme::Problem;
use acme::problem::Kind;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ca::api::admin::Kind as AdminKind;

use super::json::{compact, json};
use super::request::Fault;
use crate::service::{Error, Limited};

/// A use case's error, answered to an ACME client.
pub(super) struct AcmeFailure(Error);

impl<E: Into<Error>> From<E> for AcmeFailure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for AcmeFailure {
    fn into_response(self) -> Response {
        let words = self.0.to_string();
        let outage = is_outage(&self.0);
        let mut response = if let Error::Limited(limited) = &self.0 {
            too_often(limited)
        } else {
            document(&as_problem(self.0))
        };
        finish(&mut response, outage, words);
        response
    }
}

/// A problem document with the status that it carries.
pub(super) fn document(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = compact(status, "application/problem+json", problem);
    if problem.kind == Kind::UserActionRequired
        && let Some(terms) = &problem.instance
    {
        link(&mut response, terms, "terms-of-service");
    }
    response
}

/// A rate limit's refusal: when to come again, and where to read more (RFC 8555 §6.6).
fn too_often(limited: &Limited) -> Response {
    let wait = HeaderValue::from(limited.wait.as_secs());
    let mut response = document(&Problem::new(Kind::RateLimited, limited.detail.as_str()));
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    if let Some(help) = &limited.help {
        link(&mut response, help, "help");
    }
    response
}

fn link(response: &mut Response, url: &str, relation: &str) {
    let text = format!("<{url}>;rel=\"{relation}\"");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::LINK, value);
    }
}

/// The problem document for an ACME client.
fn as_problem(error: Error) -> Problem {
    match error {
        Error::Problem(problem) => problem,
        Error::Refusal(refusal) => refusal.into(),
        Error::Limited(limited) => Problem::new(Kind::RateLimited, limited.detail),
        Error::NotFound(words) => Problem::not_found(words),
        error @ Error::Foreign(_) => Problem::unauthorized(error.to_string()),
        Error::Unproven(words) => Problem::unauthorized(words),
        Error::BadRequest(words) => Problem::malformed(words),
        Error::Conflict(words) => Problem::malformed(words).with_status(409),
        Error::NotYet(words) => Problem::server_internal(words).with_status(501),
        Error::Unanswered(problem) => problem.with_status(503),
        Error::Outage(_) => Problem::server_internal(
            "The server cannot reach or write its store at the moment: try again in a few seconds.",
        )
        .with_status(503),
        Error::Signer(_) | Error::Internal(_) => Problem::server_internal(
            "The server failed; its log has the reason under this answer's X-Request-Id.",
        ),
    }
}

/// A use case's error, answered to a client of the step API.
pub(super) struct StepFailure(Error);

impl<E: Into<Error>> From<E> for StepFailure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for StepFailure {
    fn into_response(self) -> Response {
        let cause = self.0.to_string();
        let outage = is_outage(&self.0);
        let mut wait = None;
        if let Error::Limited(limited) = &self.0 {
            wait = Some(HeaderValue::from(limited.wait.as_secs()));
        }
        let body = as_step_error(self.0);
        let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &body);
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        finish(&mut response, outage, cause);
        response
    }
}

/// The error body for a client of the step API.
fn as_step_error(error: Error) -> ca::api::Error {
    use ca::api::Error as Body;
    match error {
        Error::BadRequest(cause) => Body::bad_request(cause),
        Error::Problem(problem) => Body::bad_request(problem.to_string()),
        Error::Refusal(refusal) => Body::from(&refusal),
        Error::Unproven(_) | Error::Foreign(_) => Body::unauthorized(),
        Error::NotFound(message) => Body {
            status: 404,
            message,
        },
        Error::Limited(limited) => Body {
            status: 429,
            message: limited.detail,
        },
        Error::Conflict(message) => Body {
            status: 409,
            message,
        },
        Error::NotYet(message) => Body {
            status: 501,
            message: message.to_owned(),
        },
        Error::Unanswered(problem) => Body {
            status: 503,
            message: problem.detail,
        },
        Error::Outage(_) => Body::unexpected(503),
        Error::Signer(_) | Error::Internal(_) => Body::internal(),
    }
}

/// A use case's error, answered to an operator, who may know the cause.
pub(crate) struct AdminFailure(Error);

impl<E: Into<Error>> From<E> for AdminFailure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for AdminFailure {
    fn into_response(self) -> Response {
        let words = self.0.to_string();
        let outage = is_outage(&self.0);
        let (status, kind) = as_admin_error(&self.0);
        let mut response = admin_error(status, kind, &words);
        finish(&mut response, outage, words);
        response
    }
}

/// The status and the kind of error for an operator.
fn as_admin_error(error: &Error) -> (StatusCode, AdminKind) {
    match error {
        Error::BadRequest(_) | Error::Problem(_) | Error::Refusal(_) | Error::Limited(_) => {
            (StatusCode::BAD_REQUEST, AdminKind::BadRequest)
        }
        Error::Unproven(_) | Error::Foreign(_) => {
            (StatusCode::UNAUTHORIZED, AdminKind::Unauthorized)
        }
        Error::NotFound(_) => (StatusCode::NOT_FOUND, AdminKind::NotFound),
        Error::Conflict(_) => (StatusCode::CONFLICT, AdminKind::Conflict),
        Error::NotYet(_) => (StatusCode::NOT_IMPLEMENTED, AdminKind::NotImplemented),
        Error::Outage(_) | Error::Unanswered(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            AdminKind::InternalServerError,
        ),
        Error::Signer(_) | Error::Internal(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            AdminKind::InternalServerError,
        ),
    }
}

fn admin_error(status: StatusCode, kind: AdminKind, words: &str) -> Response {
    json(status, &ca::api::admin::Error::new(kind, words))
}

/// Answers a method that a path of the admin API does not support.
pub(super) fn not_allowed(method: &Method, path: &str) -> Response {
    let words = format!("{method} is not for {path}");
    admin_error(
        StatusCode::METHOD_NOT_ALLOWED,
        AdminKind::BadRequest,
        &words,
    )
}

/// The request cannot be read, before any JWS: 413, 415.
pub(super) fn unreadable(status: StatusCode, detail: &str) -> AcmeFailure {
    AcmeFailure(Error::Problem(
        Problem::new(Kind::Malformed, detail).with_status(status.as_u16()),
    ))
}

/// The server has no room for the request at the moment: 503.
pub(super) fn busy(why: &str) -> AcmeFailure {
    AcmeFailure(Error::Unanswered(Problem::server_internal(why)))
}

fn is_outage(error: &Error) -> bool {
    matches!(error, Error::Outage(_) | Error::Unanswered(_))
}

fn finish(response: &mut Response, outage: bool, words: String) {
    if outage {
        response.headers_mut().insert(
            header::RETRY_AFTER,
            HeaderValue::from_static(OUTAGE_SECONDS),
        );
    }
    response.extensions_mut().insert(Fault(words));
}

const OUTAGE_SECONDS: &str = "5";
