//! The directory (RFC 8555 §7.1.1), by GET and by POST-as-GET.

use acme::message::directory::{Directory, Meta};
use acme::scope::Scope;
use axum::http::StatusCode;

use super::Answer;
use super::signed::{Endpoint, Signed};
use crate::http::foreign_hosts::ForeignHost;
use crate::http::problem::AcmeFailure;
use crate::http::request::Received;
use crate::service::{Error, profiles};

pub(super) async fn show(
    received: Received,
    host: ForeignHost,
    at: Endpoint,
) -> Result<Answer, AcmeFailure> {
    received.foreign_hosts().log(&host);
    Ok(Answer::json(StatusCode::OK, &body(&at)?))
}

pub(super) async fn read(signed: Signed) -> Result<Answer, AcmeFailure> {
    signed.verified.empty()?;
    Ok(Answer::json(StatusCode::OK, &body(&signed.at)?))
}

fn body(at: &Endpoint) -> Result<Directory, Error> {
    let acme = at.provisioner()?;
    let settings = at.config.riser.provisioner(acme.name());
    let links = &at.links;
    let paths = links.layout();
    Ok(Directory {
        new_nonce: links.at(paths.new_nonce),
        new_account: links.at(paths.new_account),
        new_order: links.at(paths.new_order),
        new_authz: (settings.preauthorization).then(|| links.at(paths.new_authz)),
        revoke_cert: Some(links.at(paths.revoke_cert)),
        key_change: Some(links.at(paths.key_change)),
        renewal_info: Some(links.at(paths.renewal_info)),
        meta: Meta {
            terms_of_service: acme.terms_of_service().map(str::to_owned),
            website: acme.website().map(str::to_owned),
            caa_identities: acme.caa_identities().to_vec(),
            external_account_required: acme.require_eab(),
            subdomain_auth_allowed: settings.subdomains == Scope::Subdomains,
            profiles: profiles(&at.config, acme.name()),
        },
    })
}
