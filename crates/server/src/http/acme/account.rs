//! Accounts over HTTP (RFC 8555 §7.3).

use acme::Problem;
use acme::account::Account;
use acme::message::account::{Account as Body, NewAccount, Orders, Update};
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use uuid::Uuid;

use super::Answer;
use super::signed::{self, SelfSigned, Signed};
use crate::http::links::{Links, id_of};
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ResourcePath;
use crate::service::{AccountService, Error, Origin, Registered};

pub(super) async fn create(
    State(accounts): State<AccountService>,
    request: SelfSigned,
) -> Result<Answer, AcmeFailure> {
    let SelfSigned { at, key, verified } = request;
    let asked: NewAccount = verified.json()?;
    let origin = Origin {
        config: &at.config,
        url: &at.url,
        address: at.remote,
    };
    let registered = accounts.register(at.provisioner()?, key, asked, origin);
    Ok(match registered.await.map_err(|error| at.advise(error))? {
        Registered::New(account) => show(StatusCode::CREATED, &at.links, &account),
        Registered::Existing(account) => show(StatusCode::OK, &at.links, &account),
    })
}

/// POST-as-GET reads; a payload changes (RFC 8555 §7.3.2).
pub(super) async fn update(
    State(accounts): State<AccountService>,
    Path(ResourcePath { id }): Path<ResourcePath>,
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
    let account = accounts
        .update_account(at.provisioner()?, account, update)
        .await?;
    Ok(show(StatusCode::OK, &at.links, &account))
}

/// A page of the account's orders, and where the next one is (RFC 8555 §7.1.2.1).
pub(super) async fn orders(
    State(accounts): State<AccountService>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    RawQuery(query): RawQuery,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    request.verified.empty()?;
    own(&request.account, &id)?;
    let page = accounts
        .orders(&request.account, behind(query.as_deref())?)
        .await?;
    let links = &request.at.links;
    let orders = page.orders.iter().map(|id| links.order(*id));
    let body = Orders {
        orders: orders.collect(),
    };
    let answer = Answer::json(StatusCode::OK, &body);
    Ok(match page.next {
        None => answer,
        Some(next) => {
            let list = links.orders(request.account.id);
            let link = format!("<{list}?from={}>;rel=\"next\"", next.simple());
            answer.header(header::LINK, &link)
        }
    })
}

/// Where a page begins: after the last order of the previous page.
fn behind(query: Option<&str>) -> Result<Uuid, Problem> {
    let Some(query) = query else {
        return Ok(Uuid::nil());
    };
    let id = query.strip_prefix("from=").and_then(id_of);
    id.ok_or_else(|| {
        Problem::malformed(
            "There is no page of orders there: follow the links from the account's orders.",
        )
    })
}

/// An account as its owner sees it.
pub(super) fn show(status: StatusCode, links: &Links, account: &Account) -> Answer {
    let body = Body::show(account, links.orders(account.id));
    Answer::json(status, &body).location(&links.account(account.id))
}

/// Checks that the account in the path is the one that signed.
fn own(account: &Account, id: &str) -> Result<(), Error> {
    if signed::id(id, "account")? == account.id {
        return Ok(());
    }
    Err(Error::Foreign("account URL"))
}
