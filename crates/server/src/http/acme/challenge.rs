//! Challenges over HTTP (RFC 8555 §7.5.1).

use acme::authz::Authorization;
use acme::challenge::{CaaIdentity, Status};
use acme::message::challenge::Challenge as Body;
use acme::message::order::Urls as _;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use uuid::Uuid;

use super::Answer;
use super::signed::{self, Signed};
use crate::http::links::Links;
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ChallengePath;
use crate::service::{Error, Service};

/// A JSON payload starts the validation; POST-as-GET only reads.
pub(super) async fn answer(
    State(service): State<Service>,
    Path(path): Path<ChallengePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let authorization = signed::id(&path.authz, "challenge")?;
    let id = signed::id(&path.id, "challenge")?;
    let Signed {
        at,
        account,
        verified,
    } = request;
    let caa_identity = service.caa_identity(at.provisioner.name(), at.account_url(&account));
    let found = if verified.empty().is_ok() {
        service.challenge(&account, authorization, id).await?.0
    } else {
        verified.json::<serde_json::Map<String, serde_json::Value>>()?;
        service
            .attempt((&account, caa_identity.clone()), authorization, id)
            .await?
    };
    Ok(show(&at.links, &caa_identity, &found, id)?)
}

fn show(
    links: &Links,
    caa_identity: &CaaIdentity,
    authorization: &Authorization,
    id: Uuid,
) -> Result<Answer, Error> {
    let challenge = authorization
        .challenge(id)
        .ok_or_else(|| Error::unknown("challenge"))?;
    let url = links.challenge(authorization.id, id);
    Ok(Answer::json(
        StatusCode::OK,
        &Body::show(challenge, url.clone(), caa_identity),
    )
    .location(&url)
    .up(&links.authorization(authorization.id))
    .retry_while(challenge.status == Status::Processing))
}
