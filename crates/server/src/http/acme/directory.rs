//! The directory (RFC 8555 §7.1.1), by GET and by POST-as-GET.

use acme::message::directory::{Directory, Meta};
use axum::extract::State;
use axum::http::StatusCode;

use super::Answer;
use super::signed::{Endpoint, Signed};
use crate::http::problem::AcmeFailure;
use crate::service::Service;

pub(super) async fn show(State(service): State<Service>, at: Endpoint) -> Answer {
    Answer::json(StatusCode::OK, &body(&service, &at))
}

pub(super) async fn read(
    State(service): State<Service>,
    signed: Signed,
) -> Result<Answer, AcmeFailure> {
    signed.verified.empty()?;
    Ok(Answer::json(StatusCode::OK, &body(&service, &signed.at)))
}

fn body(service: &Service, at: &Endpoint) -> Directory {
    let acme = &at.provisioner;
    Directory {
        new_nonce: at.links.at("new-nonce"),
        new_account: at.links.at("new-account"),
        new_order: at.links.at("new-order"),
        new_authz: (service.authorizes_ahead(acme)).then(|| at.links.at("new-authz")),
        revoke_cert: Some(at.links.at("revoke-cert")),
        key_change: Some(at.links.at("key-change")),
        renewal_info: Some(at.links.at("renewal-info")),
        meta: Meta {
            terms_of_service: acme.terms_of_service().map(str::to_owned),
            website: acme.website().map(str::to_owned),
            caa_identities: acme.caa_identities().to_vec(),
            external_account_required: acme.require_eab(),
            subdomain_auth_allowed: service.authorizes_subdomains(acme),
            profiles: service.profiles(acme.name()),
        },
    }
}
