//! Authorizations (RFC 8555 §7.5): read, and given up.

use acme::Problem;
use acme::account::Account;
use acme::authz::Authorization;
use acme::message::authorization::Update;
use acme::message::identifier::Asked;
use acme::order::{self, Allowed, Owner, Reuse};
use acme::scope::{Scope, Subject};
use ca::Refusal;
use jiff::{SignedDuration, Timestamp};
use pki::Name;
use store::port::Authorizations as _;
use store::{AuditEntry, Ending, NewOrderQuery};
use uuid::Uuid;

use super::order::{seed, truncate_to_second};
use super::{AcmeService, Caller, Error};
use crate::service::accounts::check_terms;
use crate::service::accounts::external_account::rules_of;

/// What became of a request for an authorization.
pub(crate) enum Ahead {
    /// It is new.
    New(Authorization),
    /// The account has one for this name already.
    Existing(Authorization),
}

impl AcmeService {
    /// Makes an authorization ahead of any order, or finds the one that the account has
    /// (RFC 8555 §7.4.1).
    ///
    /// # Errors
    /// When the provisioner does not do that, or the name cannot be had.
    pub(crate) async fn authorize_ahead(
        &self,
        caller: Caller<'_>,
        asked: &Asked,
    ) -> Result<Ahead, Error> {
        let Caller {
            config,
            provisioner: acme,
            account,
        } = caller;
        let settings = config.riser.provisioner(acme.name());
        if !settings.preauthorization {
            return Err(Error::NotFound(
                "Names are not authorized ahead of an order here: create an order.".to_owned(),
            ));
        }
        acme.check()?;
        check_terms(caller)?;
        let now = Timestamp::now();
        let enabled = config.challenges(acme);
        let owner = Owner {
            account: account.id,
            provisioner: acme.name(),
            profile: None,
            expires: truncate_to_second(now + settings.order_life),
        };
        let allowed = Allowed {
            methods: &enabled,
            widest: settings.subdomains,
        };
        let new = order::open_ahead(asked, &allowed, &owner, seed)?;
        let found = self.facts(account, &query(&new, now)).await?;
        let rules = rules_of(account, found.external_key)?;
        // What policy says about the names below, their orders are asked.
        if new.scope == Scope::Name {
            let levels = config.levels(Some(acme.name()), rules.as_ref());
            let names = [new.identifier.to_alt_name()];
            levels.check(&names, None).map_err(Refusal::from)?;
            let constrained = self.issuer.chain().check_names(&names, &Name::empty());
            constrained.map_err(Refusal::from)?;
        }
        let reuse = Reuse {
            window: settings.authorization_reuse,
            ahead: true,
            enabled: &enabled,
            least: SignedDuration::ZERO,
            widest: settings.subdomains,
        };
        let limits = self.limiter.under(&config.riser.rate_limits);
        limits.count_ahead(account.id, &new.identifier).await?;
        let mut held = reuse.choose(found.reusable.held, now).into_iter();
        if let Some(held) = held.find(|held| held.authorization.scope == new.scope) {
            return Ok(Ahead::Existing(held.authorization));
        }
        let entry = AuditEntry::authorization_created(&new, now);
        match self.store.create_authorization(new.clone(), entry).await {
            Ok(()) => Ok(Ahead::New(new)),
            Err(error) => Err(self.accounts.refused(account.id, acme.name(), error).await),
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
        match self.store.authorization(id).await? {
            Some(found) if found.account == account.id => Ok(found),
            Some(_) => Err(Error::Foreign("authorization")),
            None => Err(Error::unknown("authorization")),
        }
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
                let ending = Ending::of_authorization(&authorization, Timestamp::now());
                let ended = self
                    .store
                    .deactivate_authorization(authorization.id, ending);
                Ok(ended.await?)
            }
            _ => Err(Problem::malformed(
                "An authorization can only be read (empty payload) or given up \
                 ({\"status\":\"deactivated\"}).",
            )
            .into()),
        }
    }
}

/// What a new authorization asks the records about.
fn query(new: &Authorization, now: Timestamp) -> NewOrderQuery {
    NewOrderQuery {
        subjects: vec![Subject {
            identifier: new.identifier.clone(),
            scope: new.scope,
        }],
        in_force_at: Some(now),
        ..NewOrderQuery::default()
    }
}
