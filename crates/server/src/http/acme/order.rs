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
use crate::service::Service;

pub(super) async fn create(
    State(service): State<Service>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let Signed {
        at,
        account,
        verified,
    } = request;
    let asked: NewOrder = verified.json()?;
    let order = service
        .create_order(&at.provisioner, &account, &asked)
        .await?;
    Ok(show(StatusCode::CREATED, &at.links, &order))
}

pub(super) async fn read(
    State(service): State<Service>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    request.verified.empty()?;
    let id = signed::id(&id, "order")?;
    let order = service.order(&request.account, id).await?;
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
