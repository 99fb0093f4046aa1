//! Orders (RFC 8555 §7.4): made with their authorizations in one transaction, and read.

use acme::account::Account;
use acme::identifier::Identifier;
use acme::message::order::NewOrder;
use acme::order::{self, Order, OrderRequest, Owner, RecordSeed, ReusableAuthorizations, Reuse};
use ca::admission::{self, Asked};
use ca::config::Config;
use ca::external_key::ExternalKeyRules;
use ca::provisioner::Acme;
use ca::provisioner::acme::order_limits;
use jiff::{SignedDuration, Timestamp};
use store::Placed;
use store::port::{Authorizations as _, Orders as _};
use uuid::Uuid;

use super::renewal::already_replaced;
use super::{AcmeService, Caller, Error};
use crate::service::accounts::check_terms;

impl AcmeService {
    /// Makes an order and the authorizations it needs.
    ///
    /// # Errors
    /// When a name or the lifetime asked for cannot be had from this provisioner.
    pub(crate) async fn create_order(
        &self,
        caller: Caller<'_>,
        request: &NewOrder,
    ) -> Result<Order, Error> {
        let Caller {
            config,
            provisioner: acme,
            account,
        } = caller;
        acme.check()?;
        check_terms(caller)?;
        let now = Timestamp::now();
        let enabled = config.challenges(acme);
        let rules = self.accounts.external_key_rules(account).await?;
        let (opening, profile) = decide(config, acme, rules.as_ref(), request, now)?;
        let limits = self.limiter.under(&config.riser.rate_limits);
        match self.may_replace(account, &opening).await? {
            None => {
                limits
                    .count_order(account.id, opening.identifiers())
                    .await?
            }
            // Who renews when asked to is not held up (RFC 9773 §5).
            Some(old) => {
                limits
                    .count_renewal(account.id, old, opening.identifiers())
                    .await?
            }
        }
        let settings = config.riser.provisioner(acme.name());
        let owner = Owner {
            account: account.id,
            provisioner: acme.name(),
            profile,
            expires: truncate_to_second(now + settings.order_life),
        };
        let reuse = Reuse {
            window: settings.authorization_reuse,
            ahead: settings.preauthorization,
            enabled: &enabled,
            least: LEAST_LEFT.min(settings.order_life),
            widest: settings.subdomains,
        };
        // What was read may have ended by the time of the write; then it is read again.
        for _ in 0..READINGS {
            let reusable = self
                .reusable_authorizations(account, &opening, &reuse, now)
                .await?;
            if let Some(order) = self.place(&opening, reusable, &owner, now).await? {
                return Ok(order);
            }
        }
        let nothing = ReusableAuthorizations::default();
        let placed = self.place(&opening, nothing, &owner, now).await?;
        placed.ok_or_else(|| Error::Internal("an order that needs nothing was outdated".to_owned()))
    }

    /// What the account has already for these names; nothing is read where there can be nothing.
    async fn reusable_authorizations(
        &self,
        account: &Account,
        opening: &OrderRequest,
        reuse: &Reuse<'_>,
        now: Timestamp,
    ) -> Result<ReusableAuthorizations, Error> {
        if !reuse.is_on() && !account.permitted {
            return Ok(ReusableAuthorizations::default());
        }
        let subjects = opening.sought().into_iter().collect();
        let earlier = reuse.is_on().then_some(now);
        let found = self
            .store
            .reusable_authorizations(account, subjects, earlier)
            .await?;
        Ok(ReusableAuthorizations {
            held: reuse.choose(found.held, now),
            ..found
        })
    }

    /// Stores an order; `None` if something that it rests on has ended since it was read.
    async fn place(
        &self,
        opening: &OrderRequest,
        reusable: ReusableAuthorizations,
        owner: &Owner<'_>,
        now: Timestamp,
    ) -> Result<Option<Order>, Error> {
        let (order, authorizations) = opening.create(reusable, owner, now, seed);
        let new = store::NewOrder::new(order.clone(), authorizations);
        let placed = match self.store.create_order(new).await {
            Ok(placed) => placed,
            Err(error) => {
                return Err(self
                    .accounts
                    .refused(owner.account, owner.provisioner, error)
                    .await);
            }
        };
        match (placed, &order.replaces) {
            (Placed::AlreadyReplaced, Some(id)) => Err(already_replaced(id).into()),
            (Placed::Outdated, _) => Ok(None),
            (Placed::Done | Placed::AlreadyReplaced, _) => Ok(Some(order)),
        }
    }

    /// An order of this account.
    ///
    /// # Errors
    /// When there is none, or it is another account's.
    pub(crate) async fn order(&self, account: &Account, id: Uuid) -> Result<Order, Error> {
        match self.store.order(id).await? {
            Some(order) if order.account == account.id => Ok(order),
            Some(_) => Err(Error::Foreign("order")),
            None => Err(Error::unknown("order")),
        }
    }
}

/// Whether an order may be made, and the profile that it gets: all that finalize decides about names
/// and times is decided now, so that no client validates for an order that cannot be finalized.
fn decide<'a>(
    config: &'a Config,
    acme: &'a Acme,
    rules: Option<&'a ExternalKeyRules>,
    request: &NewOrder,
    now: Timestamp,
) -> Result<(OrderRequest, Option<&'a str>), Error> {
    let policy = config.order_policy(acme, request.profile.as_deref(), rules);
    let widest = config.riser.provisioner(acme.name()).subdomains;
    let limits = order_limits(&policy, widest);
    let opening = order::open(request, now, &limits, &config.challenges(acme))?;
    let names = opening.identifiers().map(Identifier::to_alt_name);
    let asked = Asked {
        names: names.collect(),
        not_before: request.not_before,
        not_after: request.not_after,
        profile: request.profile.clone(),
    };
    admission::preview(&asked, &policy, now)?;
    let profile = policy.profile().map(|profile| profile.name.as_str());
    Ok((opening, profile))
}

pub(super) fn seed() -> RecordSeed {
    RecordSeed {
        id: Uuid::now_v7(),
        random: keys::random(),
    }
}

/// Whole seconds, as answers show them.
pub(in crate::service) fn truncate_to_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// An earlier authorization that ends sooner serves no new order.
const LEAST_LEFT: SignedDuration = SignedDuration::from_mins(5);
/// How often what an account has is read for one order, at most.
const READINGS: usize = 3;
