//! Where every use case of ACME begins: the account that signed, its provisioner, and the one
//! configuration that the request took.

use std::collections::BTreeMap;
use std::sync::Arc;

use acme::account::Account;
use acme::challenge::CaaIdentity;
use ca::config::Config;
use ca::profile::Offer;
use ca::provisioner::{Acme, Provisioner};

use super::Error;

/// An account at its provisioner, under one configuration.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// The configuration that the request took.
    pub(crate) config: &'a Arc<Config>,
    /// The provisioner that the request came to.
    pub(crate) provisioner: &'a Acme,
    /// The account that signed the request.
    pub(crate) account: &'a Account,
}

/// The ACME provisioner of this name.
///
/// # Errors
/// [`Error::NotFound`] if there is none, it is of another type, or there is no store.
pub(crate) fn acme_provisioner<'a>(config: &'a Config, name: &str) -> Result<&'a Acme, Error> {
    if config.db.is_none() {
        return Err(Error::NotFound(
            "ACME is not available: this authority is configured without a store (`db`)."
                .to_owned(),
        ));
    }
    let mut all = config.authority.provisioners.iter();
    match all.find(|provisioner| provisioner.name() == name) {
        Some(Provisioner::Acme(acme)) => Ok(acme),
        Some(other) => Err(Error::NotFound(format!(
            "Provisioner {name:?} is of type {}, not ACME.",
            other.kind_name()
        ))),
        None => Err(Error::NotFound(format!(
            "There is no provisioner {name:?}. `/provisioners` lists the ones that exist."
        ))),
    }
}

/// The names by which records in the DNS refer to this authority and to an account, whose URL is
/// `account_url` for its client.
pub(crate) fn caa_identity(config: &Config, provisioner: &str, account_url: String) -> CaaIdentity {
    let acme = config.authority.acme(provisioner);
    CaaIdentity {
        account_url,
        issuers: acme.map_or_else(Vec::new, |acme| config.issuers(acme)),
    }
}

/// The profiles that a provisioner offers, each with its description.
pub(crate) fn profiles(config: &Config, provisioner: &str) -> BTreeMap<String, String> {
    let profiles = config.offers(provisioner).iter().map(Offer::profile);
    profiles
        .map(|profile| (profile.name.clone(), profile.description.clone()))
        .collect()
}
