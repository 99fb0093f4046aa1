//! Accounts (RFC 8555 §7.3): created, found, changed, deactivated. Each belongs to one provisioner.

use std::net::IpAddr;
use std::sync::Arc;

use acme::Problem;
use acme::account::{Account, Status};
use acme::contact;
use acme::message::account::{NewAccount, Update};
use acme::problem::Kind;
use ca::config::{Config, TermsChanged};
use ca::external_key;
use ca::provisioner::Acme;
use jiff::Timestamp;
use pki::jose::Jwk;
use store::port::{Accounts as _, Orders as _};
use store::{Created, Ending, OrderPage, Registration, Store};
use uuid::Uuid;

use super::limiter::Limiter;
use super::{Caller, Error};

pub(super) mod external_account;
mod key_change;

pub(crate) use self::key_change::Rolled;

/// Creates, finds, changes and deactivates accounts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccountService {
    pub(super) store: Store,
    pub(super) limiter: Arc<Limiter>,
}

/// The origin of a request for an account.
pub(crate) struct Origin<'a> {
    /// The configuration that it took.
    pub(crate) config: &'a Config,
    /// Its URL, which an external account binding must repeat.
    pub(crate) url: &'a str,
    /// The address that it came from.
    pub(crate) address: Option<IpAddr>,
}

/// The result of a request for an account.
pub(crate) enum Registered {
    /// The account is new.
    New(Account),
    /// The key has this account already.
    Existing(Account),
}

impl AccountService {
    /// The account of this id at this provisioner.
    ///
    /// # Errors
    /// `accountDoesNotExist`; a refusal if it is another provisioner's.
    pub(crate) async fn account(&self, id: Uuid, provisioner: &str) -> Result<Account, Error> {
        match self.store.account(id).await? {
            Some(account) if account.provisioner == provisioner => Ok(account),
            Some(_) => Err(Problem::unauthorized(format!(
                "This account does not belong to provisioner {provisioner:?}."
            ))
            .into()),
            None => Err(unknown("There is no account with this URL")),
        }
    }

    /// Creates the account of a key, or finds the one that it has (RFC 8555 §7.3, §7.3.1).
    ///
    /// # Errors
    /// When the request may not create one; the problem says why.
    pub(crate) async fn register(
        &self,
        acme: &Acme,
        key: Jwk,
        request: NewAccount,
        origin: Origin<'_>,
    ) -> Result<Registered, Error> {
        let found = self
            .store
            .account_by_key(acme.name(), &key.thumbprint())
            .await?;
        if let Some(account) = found {
            account.active()?;
            return Ok(Registered::Existing(account));
        }
        if request.only_return_existing {
            return Err(unknown("This key has no account here"));
        }
        acme.check()?;
        check_new_account(acme, &request)?;
        let limits = self.limiter.under(&origin.config.riser.rate_limits);
        limits.count_account(origin.address).await?;
        let bound = match &request.external_account_binding {
            Some(sent) => Some(self.bound(acme.name(), sent, origin.url, &key).await?),
            None => None,
        };
        let account = Account {
            id: Uuid::now_v7(),
            provisioner: acme.name().to_owned(),
            key,
            status: Status::Valid,
            contact: request.contact,
            terms_agreed: request.terms_of_service_agreed,
            terms: agreed(acme, request.terms_of_service_agreed),
            permitted: false,
            external: None,
            created_at: Timestamp::now(),
        };
        let kid = bound.as_ref().map(|it| it.kid().to_owned());
        let kid = kid.unwrap_or_default();
        let registration = match bound {
            Some(bound) => Registration::bound(account, bound),
            None => Registration::new(account),
        };
        match self.store.create_account(registration).await? {
            Created::Created(account) => Ok(Registered::New(account)),
            Created::Existing(account) => {
                account.active()?;
                Ok(Registered::Existing(account))
            }
            // Another request used the key up meanwhile, or the operator removed it.
            Created::NotBound => Err(self.binds_no_more(acme.name(), &kid).await?.into()),
        }
    }

    /// The unfinished and fulfilled orders of an account, oldest first, starting after `after`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn orders(&self, account: &Account, after: Uuid) -> Result<OrderPage, Error> {
        let now = Timestamp::now();
        Ok(self.store.orders_page(account.id, after, now).await?)
    }

    /// Changes an account's contacts, records its agreement to the current terms, or deactivates it
    /// (RFC 8555 §7.3.2, §7.3.3, §7.3.6).
    ///
    /// # Errors
    /// When the request asks for a change that is not possible, or the store fails.
    pub(crate) async fn update_account(
        &self,
        acme: &Acme,
        account: Account,
        update: Update,
    ) -> Result<Account, Error> {
        match update.status.as_deref() {
            None | Some("valid") => {}
            Some("deactivated") => {
                let ending = Ending::of_account(&account, Timestamp::now());
                return Ok(self.store.deactivate_account(account.id, ending).await?);
            }
            Some(other) => {
                return Err(Problem::malformed(format!(
                    "The status of an account can only be set to \"deactivated\", not to {other:?}."
                ))
                .into());
            }
        }
        let contact = update.contact.filter(|new| *new != account.contact);
        contact::check(contact.as_deref().unwrap_or_default())?;
        let terms = agreed(acme, update.terms_of_service_agreed == Some(true));
        let terms = terms.filter(|new| account.terms.as_ref() != Some(new));
        if contact.is_none() && terms.is_none() {
            return Ok(account);
        }
        Ok(self
            .store
            .update_account(account.id, contact, terms)
            .await?)
    }

    /// Why the store refused a write of an account: it may have been deactivated since its request was admitted.
    pub(super) async fn refused(&self, id: Uuid, provisioner: &str, error: store::Error) -> Error {
        if let store::Error::Conflict(_) = &error
            && let Ok(account) = self.account(id, provisioner).await
            && let Err(ended) = account.active()
        {
            return ended.into();
        }
        error.into()
    }
}

/// Checks that the account has agreed to the current terms, where the operator requires that for
/// new orders (RFC 8555 §7.3.3).
///
/// # Errors
/// `userActionRequired`.
pub(super) fn check_terms(caller: Caller<'_>) -> Result<(), Problem> {
    let settings = caller
        .config
        .riser
        .provisioners
        .get(caller.provisioner.name());
    let changed = settings
        .map(|settings| settings.terms_changed)
        .unwrap_or_default();
    match (changed, caller.provisioner.terms_of_service()) {
        (TermsChanged::Ask, Some(terms)) => caller.account.agrees_to(terms),
        (TermsChanged::Ask, None) | (TermsChanged::Ignore, _) => Ok(()),
    }
}

/// The terms that a client agrees to, if it agrees.
fn agreed(acme: &Acme, agrees: bool) -> Option<String> {
    acme.terms_of_service()
        .filter(|_| agrees)
        .map(str::to_owned)
}

/// Checks a request for a new account against the rules of the provisioner.
fn check_new_account(acme: &Acme, request: &NewAccount) -> Result<(), Problem> {
    if let Some(terms) = acme.terms_of_service()
        && !request.terms_of_service_agreed
    {
        return Err(Problem::new(
            Kind::UserActionRequired,
            format!("Agree to the terms of service at {terms} first (termsOfServiceAgreed)."),
        )
        .with_instance(terms));
    }
    if acme.require_eab() && request.external_account_binding.is_none() {
        return Err(external_key::required());
    }
    contact::check(&request.contact)
}

fn unknown(what: &str) -> Error {
    Problem::new(
        Kind::AccountDoesNotExist,
        format!("{what}: create one at the directory's newAccount."),
    )
    .into()
}
