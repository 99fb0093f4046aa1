//! Challenges over HTTP (RFC 8555 §7.5.1).

use acme::authz::Authorization;
use acme::challenge::{CaaIdentity, Status};
use acme::message::challenge::Challenge as Body;
use acme::message::order::Urls as _;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Answer;
use super::signed::{self, Signed};
use crate::http::links::Links;
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ChallengePath;
use crate::service::{self, ChallengeAnswer, Error, Validator};

/// A JSON payload starts the validation; POST-as-GET only reads.
pub(super) async fn answer(
    State(validator): State<Validator>,
    Path(path): Path<ChallengePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let path = service::ChallengePath {
        authorization: signed::id(&path.authz, "challenge")?,
        challenge: signed::id(&path.id, "challenge")?,
    };
    let found = if request.verified.empty().is_ok() {
        validator.challenge(&request.account, path).await?
    } else {
        request.verified.json::<Map<String, Value>>()?;
        let account_url = request.at.account_url(&request.account);
        let answer = ChallengeAnswer {
            path,
            account_url,
            payload: request.verified.bytes().to_vec(),
            remote: request.at.remote,
        };
        validator.validate(request.caller()?, answer).await?
    };
    let identity = request.caa_identity();
    Ok(show(&request.at.links, &identity, &found, path.challenge)?)
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
