//! Orders over HTTP (RFC 8555 §7.4).

use acme::message::order::{NewOrder, Order as Body};
use acme::order::{Order, Status};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;

use super::Answer;
use super::signed::{self, Signed};
use crate::http::links::Links;
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::ResourcePath;
use crate::service::AcmeService;

pub(super) async fn create(
    State(acme): State<AcmeService>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let asked: NewOrder = request.verified.json()?;
    let order = acme.create_order(request.caller()?, &asked).await?;
    Ok(show(StatusCode::CREATED, &request.at.links, &order))
}

pub(super) async fn read(
    State(acme): State<AcmeService>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    request.verified.empty()?;
    let id = signed::id(&id, "order")?;
    let order = acme.order(&request.account, id).await?;
    Ok(show(StatusCode::OK, &request.at.links, &order))
}

/// An order as its client sees it now.
pub(super) fn show(status: StatusCode, links: &Links, order: &Order) -> Answer {
    let now = Timestamp::now();
    let waits = matches!(order.status_at(now), Status::Pending | Status::Processing);
    Answer::json(status, &Body::show(order, now, links))
        .location(&links.order(order.id))
        .retry_while(waits && status == StatusCode::OK)
}
