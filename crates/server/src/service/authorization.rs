//! Authorizations (RFC 8555 §7.5): read, and given up.

use acme::Problem;
use acme::account::Account;
use acme::authz::{Authorization, Scope};
use acme::message::authorization::Update;
use acme::message::identifier::Asked;
use acme::order::{self, Owner, Reuse};
use ca::Refusal;
use ca::provisioner::Acme;
use jiff::{SignedDuration, Timestamp};
use store::port::{Authorizations as _, Challenges as _};
use uuid::Uuid;

use super::order::{seed, truncate_to_second};
use super::{Error, Service};

/// What became of a request for an authorization.
pub(crate) enum Ahead {
    /// It is new.
    New(Authorization),
    /// The account has one for this name already.
    Existing(Authorization),
}

impl Service {
    /// Whether names may be authorized ahead of an order at this provisioner.
    pub(crate) fn authorizes_ahead(&self, acme: &Acme) -> bool {
        let settings = self.config().riser.provisioner(acme.name());
        settings.preauthorization
    }

    /// Whether names may be proven by a domain above them at this provisioner (RFC 9444).
    pub(crate) fn authorizes_subdomains(&self, acme: &Acme) -> bool {
        let settings = self.config().riser.provisioner(acme.name());
        settings.subdomains == Scope::Subdomains
    }

    /// Makes an authorization ahead of any order, or finds the one that the account has
    /// (RFC 8555 §7.4.1).
    ///
    /// # Errors
    /// When the provisioner does not do that, or the name cannot be had.
    pub(crate) async fn authorize_ahead(
        &self,
        acme: &Acme,
        account: &Account,
        asked: &Asked,
    ) -> Result<Ahead, Error> {
        if !self.authorizes_ahead(acme) {
            return Err(Error::NotFound(
                "Names are not authorized ahead of an order here: create an order.".to_owned(),
            ));
        }
        acme.check()?;
        self.consents(acme, account)?;
        let now = Timestamp::now();
        let config = self.config();
        let settings = config.riser.provisioner(acme.name());
        let enabled = config.challenges(acme);
        let owner = Owner {
            account: account.id,
            provisioner: acme.name(),
            profile: None,
            expires: truncate_to_second(now + settings.order_life),
        };
        let new = order::open_ahead(asked, (&enabled, settings.subdomains), &owner, seed)?;
        let binding = self.external_key_rules(account).await?;
        // What policy says about the names below, their orders are asked.
        if new.scope == Scope::Name {
            let levels = config.levels(Some(acme.name()), binding.as_ref());
            levels.check([&new.identifier]).map_err(Refusal::from)?;
        }
        let reuse = Reuse {
            window: settings.authorization_reuse,
            ahead: true,
            enabled: &enabled,
            least: SignedDuration::ZERO,
            widest: settings.subdomains,
        };
        self.count_order(account.id, std::iter::once(&new.identifier))?;
        let names = vec![(new.identifier.clone(), new.scope)];
        let found = self
            .store()
            .reusable_authorizations(account, names, Some(now))
            .await?;
        let mut held = reuse.choose(found.held, now).into_iter();
        if let Some(held) = held.find(|held| held.authorization.scope == new.scope) {
            return Ok(Ahead::Existing(held.authorization));
        }
        match self.store().create_authorization(new.clone(), now).await {
            Ok(()) => Ok(Ahead::New(new)),
            Err(error) => Err(self.refused(account.id, acme.name(), error).await),
        }
    }

    /// An authorization of this account.
    ///
    /// # Errors
    /// When there is none, or it is another account's.
    pub(crate) async fn authorization(
        &self,
        account: &Account,
        id: Uuid,
    ) -> Result<Authorization, Error> {
        let found = self.store().authorization(id).await?;
        owned(account, found, "authorization")
    }

    /// Gives an authorization up, and with it the orders that need it (RFC 8555 §7.5.2).
    ///
    /// # Errors
    /// When another status is asked for, or the store fails.
    pub(crate) async fn update_authorization(
        &self,
        authorization: Authorization,
        update: &Update,
    ) -> Result<Authorization, Error> {
        match update.status.as_deref() {
            Some("deactivated") => {
                let (id, now) = (authorization.id, Timestamp::now());
                Ok(self.store().deactivate_authorization(id, now).await?)
            }
            _ => Err(Problem::malformed(
                "An authorization can only be read (empty payload) or given up \
                 ({\"status\":\"deactivated\"}).",
            )
            .into()),
        }
    }

    /// A challenge's authorization, with the orders that hang on it.
    ///
    /// # Errors
    /// When there is no such challenge under this authorization, or it is another account's.
    pub(crate) async fn challenge(
        &self,
        account: &Account,
        authorization: Uuid,
        id: Uuid,
    ) -> Result<(Authorization, Vec<Uuid>), Error> {
        let found = self.store().challenge(id).await?;
        let found = found.filter(|found| found.authorization.id == authorization);
        let found = found.ok_or_else(|| Error::unknown("challenge"))?;
        let mine = owned(account, Some(found.authorization), "challenge")?;
        Ok((mine, found.orders))
    }
}

fn owned(
    account: &Account,
    found: Option<Authorization>,
    what: &'static str,
) -> Result<Authorization, Error> {
    match found {
        Some(found) if found.account == account.id => Ok(found),
        Some(_) => Err(Error::Foreign(what)),
        None => Err(Error::unknown(what)),
    }
}
