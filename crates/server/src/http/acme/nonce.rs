//! Fresh nonces (RFC 8555 §7.2): HEAD 200, GET and POST-as-GET 204; the header is added outside.

use axum::http::{Method, StatusCode};

use super::signed::{Endpoint, Signed};
use crate::http::problem::AcmeFailure;

pub(super) async fn show(_at: Endpoint, method: Method) -> StatusCode {
    if method == Method::HEAD {
        StatusCode::OK
    } else {
        StatusCode::NO_CONTENT
    }
}

pub(super) async fn read(signed: Signed) -> Result<StatusCode, AcmeFailure> {
    signed.verified.empty()?;
    Ok(StatusCode::NO_CONTENT)
}
