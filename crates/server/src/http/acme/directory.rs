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
    let links = &at.links;
    let paths = links.layout();
    Directory {
        new_nonce: links.at(paths.new_nonce),
        new_account: links.at(paths.new_account),
        new_order: links.at(paths.new_order),
        new_authz: (service.authorizes_ahead(acme)).then(|| links.at(paths.new_authz)),
        revoke_cert: Some(links.at(paths.revoke_cert)),
        key_change: Some(links.at(paths.key_change)),
        renewal_info: Some(links.at(paths.renewal_info)),
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
