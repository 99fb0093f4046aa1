//! Authorizations over HTTP (RFC 8555 §7.5).

use acme::authz::{Authorization, Status};
use acme::challenge::{self, CaaIdentity};
use acme::message::authorization::{Authorization as Body, NewAuthorization, Update};
use acme::message::order::Urls as _;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;

use super::Answer;
use super::signed::{self, Signed};
use crate::http::links::Links;
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ResourcePath;
use crate::service::{Ahead, Service};

/// newAuthz (RFC 8555 §7.4.1): 201 for a new authorization, 200 for one that was there.
pub(super) async fn create(
    State(service): State<Service>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let Signed {
        at,
        account,
        verified,
    } = request;
    let caa_identity = service.caa_identity(at.provisioner.name(), at.account_url(&account));
    let asked: NewAuthorization = verified.json()?;
    let made = service.authorize_ahead(&at.provisioner, &account, &asked.identifier);
    Ok(match made.await? {
        Ahead::New(new) => show(StatusCode::CREATED, &at.links, &caa_identity, &new),
        Ahead::Existing(found) => show(StatusCode::OK, &at.links, &caa_identity, &found),
    })
}

/// POST-as-GET reads; `{"status":"deactivated"}` gives it up (RFC 8555 §7.5.2).
pub(super) async fn update(
    State(service): State<Service>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let Signed {
        at,
        account,
        verified,
    } = request;
    let caa_identity = service.caa_identity(at.provisioner.name(), at.account_url(&account));
    let id = signed::id(&id, "authorization")?;
    let mut found = service.authorization(&account, id).await?;
    if verified.empty().is_err() {
        let update: Update = verified.json()?;
        found = service.update_authorization(found, &update).await?;
    }
    Ok(show(StatusCode::OK, &at.links, &caa_identity, &found))
}

fn show(
    status: StatusCode,
    links: &Links,
    caa_identity: &CaaIdentity,
    authorization: &Authorization,
) -> Answer {
    let now = Timestamp::now();
    let url = |id| links.challenge(authorization.id, id);
    let body = Body::show(authorization, now, url, caa_identity);
    Answer::json(status, &body)
        .location(&links.authorization(authorization.id))
        .retry_while(is_looked_at(authorization, now))
}

/// Whether the server is looking: then it is worth asking again.
fn is_looked_at(authorization: &Authorization, now: Timestamp) -> bool {
    let mut all = authorization.challenges.iter();
    authorization.status_at(now) == Status::Pending
        && all.any(|one| one.status == challenge::Status::Processing)
}
