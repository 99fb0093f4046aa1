//! Revocation over HTTP (RFC 8555 §7.6): signed by an account, or by the certificate's own key.

use axum::extract::State;
use axum::http::StatusCode;

use super::signed::{SelfSigned, Signed, SignedByAnyone};
use crate::http::problem::AcmeFailure;
use crate::service::{Requester, Revocations};

/// 200 with an empty body.
pub(super) async fn revoke(
    State(revocations): State<Revocations>,
    request: SignedByAnyone,
) -> Result<StatusCode, AcmeFailure> {
    let (at, requester, verified) = match request {
        SignedByAnyone::Account(Signed {
            at,
            account,
            verified,
        }) => (at, Requester::Account(account), verified),
        SignedByAnyone::Key(SelfSigned { at, key, verified }) => {
            (at, Requester::Key(key), verified)
        }
    };
    let asked = verified.json()?;
    revocations
        .revoke(&at.config, &requester, &asked, &at.request_id)
        .await?;
    Ok(StatusCode::OK)
}
