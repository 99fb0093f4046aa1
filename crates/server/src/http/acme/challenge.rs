//! Challenges over HTTP (RFC 8555 §7.5.1).

use acme::authz::Authorization;
use acme::challenge::Status;
use acme::message::challenge::Challenge as Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use uuid::Uuid;

use super::Answer;
use super::links::Links;
use super::signed::{self, Signed};
use crate::http::problem::AcmeFailure;
use crate::service::{Error, Service};

/// A JSON payload starts the validation; POST-as-GET only reads.
pub(super) async fn answer(
    State(service): State<Service>,
    Path((_, authorization, id)): Path<(String, String, String)>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let authorization = signed::id(&authorization, "challenge")?;
    let id = signed::id(&id, "challenge")?;
    let Signed {
        at,
        account,
        verified,
    } = request;
    let found = if verified.empty().is_ok() {
        service.challenge(&account, authorization, id).await?.0
    } else {
        verified.json::<serde_json::Map<String, serde_json::Value>>()?;
        service.attempt(&account, authorization, id).await?
    };
    Ok(show(&at.links, &found, id)?)
}

fn show(links: &Links, authorization: &Authorization, id: Uuid) -> Result<Answer, Error> {
    let challenge = authorization
        .challenge(id)
        .ok_or_else(|| Error::unknown("challenge"))?;
    let url = links.challenge(authorization.id, id);
    Ok(
        Answer::json(StatusCode::OK, &Body::show(challenge, url.clone()))
            .location(&url)
            .up(&links.to("authz", authorization.id))
            .retry_while(challenge.status == Status::Processing),
    )
}
