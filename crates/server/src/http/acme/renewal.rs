//! Renewal information over HTTP (RFC 9773 §4): to anyone, by GET.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};

use super::Answer;
use super::signed::Endpoint;
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::RenewalPath;
use crate::service::AcmeService;

pub(super) async fn show(
    State(acme): State<AcmeService>,
    Path(RenewalPath { name }): Path<RenewalPath>,
    at: Endpoint,
) -> Result<Answer, AcmeFailure> {
    let renewal = acme.renewal(at.provisioner()?, &name).await?;
    let pause = renewal.pause.as_secs().to_string();
    Ok(Answer::json(StatusCode::OK, &renewal.info).header(header::RETRY_AFTER, &pause))
}
