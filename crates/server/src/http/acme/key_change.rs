//! Key rollover over HTTP (RFC 8555 §7.3.5).

use acme::Problem;
use acme::key_change::KeyChange;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Answer;
use super::account::show;
use super::signed::Signed;
use crate::http::problem::{AcmeFailure, document};
use crate::service::{AccountService, Rolled};

/// 200 with the account, or 409 with the URL of the account that has the new key.
pub(super) async fn change(
    State(accounts): State<AccountService>,
    request: Signed,
) -> Result<Response, AcmeFailure> {
    let Signed {
        at,
        account,
        verified,
    } = request;
    let is_own = |url: &str| at.account_of(url) == Some(account.id);
    let change = KeyChange::verify(&verified, &at.url, &account.key, is_own)?;
    Ok(match accounts.change_key(&account, change).await? {
        Rolled::Over(account) => show(StatusCode::OK, &at.links, &account).into_response(),
        Rolled::InUse(holder) => {
            let problem = Problem::malformed(
                "The new key belongs to an account already, the one in this answer's Location: use \
                 another key.",
            );
            Answer(document(&problem.with_status(409)))
                .location(&at.links.account(holder))
                .into_response()
        }
    })
}
