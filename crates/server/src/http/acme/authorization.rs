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
use crate::service::{AcmeService, Ahead};

/// newAuthz (RFC 8555 §7.4.1): 201 for a new authorization, 200 for an existing one.
pub(super) async fn create(
    State(acme): State<AcmeService>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let asked: NewAuthorization = request.verified.json()?;
    let made = acme.authorize_ahead(request.caller()?, &asked.identifier);
    let (links, identity) = (&request.at.links, request.caa_identity());
    Ok(match made.await? {
        Ahead::New(new) => show(StatusCode::CREATED, links, &identity, &new),
        Ahead::Existing(found) => show(StatusCode::OK, links, &identity, &found),
    })
}

/// POST-as-GET reads; `{"status":"deactivated"}` deactivates (RFC 8555 §7.5.2).
pub(super) async fn update(
    State(acme): State<AcmeService>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let id = signed::id(&id, "authorization")?;
    let mut found = acme.authorization(&request.account, id).await?;
    if request.verified.empty().is_err() {
        let update: Update = request.verified.json()?;
        found = acme.update_authorization(found, &update).await?;
    }
    let identity = request.caa_identity();
    Ok(show(StatusCode::OK, &request.at.links, &identity, &found))
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
        .retry_while(is_processing(authorization, now))
}

/// Whether a validation is under way, so that the client should ask again.
fn is_processing(authorization: &Authorization, now: Timestamp) -> bool {
    let mut all = authorization.challenges.iter();
    authorization.status_at(now) == Status::Pending
        && all.any(|one| one.status == challenge::Status::Processing)
}
