//! Accounts over HTTP (RFC 8555 §7.3).

use acme::account::Account;
use acme::message::account::{Account as Body, NewAccount, Orders, Update};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Answer;
use super::links::Links;
use super::signed::{self, SelfSigned, Signed};
use crate::http::problem::AcmeFailure;
use crate::service::{Error, Registered, Service};

pub(super) async fn create(
    State(service): State<Service>,
    request: SelfSigned,
) -> Result<Response, AcmeFailure> {
    let SelfSigned { at, key, verified } = request;
    let asked: NewAccount = verified.json()?;
    let terms = at.provisioner.terms_of_service().map(str::to_owned);
    let answer = match service.register(&at.provisioner, key, asked).await {
        Ok(Registered::New(account)) => show(StatusCode::CREATED, &at.links, &account),
        Ok(Registered::Existing(account)) => show(StatusCode::OK, &at.links, &account),
        Err(error) => return Ok(with_terms(error, terms)),
    };
    Ok(answer.into_response())
}

/// POST-as-GET reads; a payload changes (RFC 8555 §7.3.2).
pub(super) async fn update(
    State(service): State<Service>,
    Path((_, id)): Path<(String, String)>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let Signed {
        at,
        account,
        verified,
    } = request;
    own(&account, &id)?;
    if verified.empty().is_ok() {
        return Ok(show(StatusCode::OK, &at.links, &account));
    }
    let update: Update = verified.json()?;
    let account = service.update_account(account, update).await?;
    Ok(show(StatusCode::OK, &at.links, &account))
}

/// The account's orders (RFC 8555 §7.1.2.1).
pub(super) async fn orders(
    State(service): State<Service>,
    Path((_, id)): Path<(String, String)>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    request.verified.empty()?;
    own(&request.account, &id)?;
    let ids = service.orders(&request.account).await?;
    let links = &request.at.links;
    let orders = ids.into_iter().map(|id| links.to("order", id)).collect();
    Ok(Answer::json(StatusCode::OK, &Orders { orders }))
}

fn show(status: StatusCode, links: &Links, account: &Account) -> Answer {
    let url = links.to("account", account.id);
    let body = Body::show(account, format!("{url}/orders"));
    Answer::json(status, &body).location(&url)
}

/// The account in the path has to be the one that signs.
fn own(account: &Account, id: &str) -> Result<(), Error> {
    if signed::id(id, "account")? == account.id {
        return Ok(());
    }
    Err(Error::Foreign("account URL"))
}

/// Says where the terms are that have to be agreed to (RFC 8555 §7.3.3).
fn with_terms(error: Error, terms: Option<String>) -> Response {
    let asked = matches!(&error, Error::Problem(problem)
        if problem.kind == acme::problem::Kind::UserActionRequired);
    let answer = Answer(AcmeFailure::from(error).into_response());
    match terms.filter(|_| asked) {
        Some(terms) => {
            let link = format!("<{terms}>;rel=\"terms-of-service\"");
            answer.header(header::LINK, &link).into_response()
        }
        None => answer.into_response(),
    }
}
