//! Orders (RFC 8555 §7.4): made with their authorizations in one transaction, and read.

use acme::account::Account;
use acme::challenge::Method;
use acme::identifier::Identifier;
use acme::message::order::NewOrder;
use acme::order::{self, Order, OrderRequest, Owner, RecordSeed, ReusableAuthorizations, Reuse};
use acme::renewal::CertificateId;
use acme::requested_time::RequestedTime;
use ca::IssuancePolicy;
use ca::admission::{self, Asked};
use ca::config::ProvisionerSettings;
use ca::provisioner::acme::{order_limits, reusable_subjects};
use jiff::{SignedDuration, Timestamp};
use store::port::Orders as _;
use store::{NewOrderFacts, NewOrderQuery, Placed};
use uuid::Uuid;

use super::renewal::{already_replaced, settle_replaces};
use super::{AcmeService, Caller, Error};
use crate::service::accounts::check_terms;
use crate::service::accounts::external_account::rules_of;

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
        let settings = config.riser.provisioner(acme.name());
        let reuse = reuse_by(&settings, &enabled);
        let query = query(request, &reuse, now);
        let found = self.facts(account, &query).await?;
        let rules = rules_of(account, found.external_key)?;
        let policy = config
            .order_policy(acme, request.profile.as_deref(), rules.as_ref())
            .below(self.issuer.chain());
        let (mut opening, profile) = decide(caller, &policy, request, now)?;
        let limits = self.limiter.under(&config.riser.rate_limits);
        match settle_replaces(caller, &mut opening, found.replaced.as_ref())? {
            None => {
                limits
                    .count_order(account.id, opening.identifiers())
                    .await?
            }
            // Who renews when asked to is not held up (RFC 9773 §5).
            Some(old) => {
                limits
                    .count_renewal(account.id, &old, opening.identifiers())
                    .await?
            }
        }
        let owner = Owner {
            account: account.id,
            provisioner: acme.name(),
            profile,
            expires: truncate_to_second(now + settings.order_life),
        };
        // What was read may have ended by the time of the write; then it is read again.
        let mut reusable = found.reusable;
        for reading in 1..=READINGS {
            let chosen = ReusableAuthorizations {
                held: reuse.choose(reusable.held, now),
                permits: reusable.permits,
            };
            if let Some(order) = self.place(&opening, chosen, &owner, now).await? {
                return Ok(order);
            }
            reusable = match reading {
                READINGS => ReusableAuthorizations::default(),
                _ => self.facts(account, &query).await?.reusable,
            };
        }
        let placed = self.place(&opening, reusable, &owner, now).await?;
        placed.ok_or_else(|| Error::Internal("an order that needs nothing was outdated".to_owned()))
    }

    /// What the records say about a new order, in one view; nothing is read where they can say nothing.
    pub(super) async fn facts(
        &self,
        account: &Account,
        query: &NewOrderQuery,
    ) -> Result<NewOrderFacts, Error> {
        let asks = account.external.is_some() || account.permitted;
        if !asks && *query == NewOrderQuery::default() {
            return Ok(NewOrderFacts::default());
        }
        Ok(self.store.new_order_facts(account, query.clone()).await?)
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

/// Which earlier authorizations a new order reuses.
fn reuse_by<'a>(settings: &ProvisionerSettings, enabled: &'a [Method]) -> Reuse<'a> {
    Reuse {
        window: settings.authorization_reuse,
        ahead: settings.preauthorization,
        enabled,
        least: LEAST_LEFT.min(settings.order_life),
        widest: settings.subdomains,
    }
}

/// What a new order asks the records about.
fn query(request: &NewOrder, reuse: &Reuse<'_>, now: Timestamp) -> NewOrderQuery {
    let replaces = request.replaces.as_deref();
    let replaces = replaces.and_then(|id| CertificateId::parse(id).ok());
    let (subjects, in_force_at) = match reuse.is_on() {
        true => (reusable_subjects(request, reuse.widest), Some(now)),
        false => (Vec::new(), None),
    };
    NewOrderQuery {
        replaces: replaces.map(|id| id.serial().clone()),
        subjects,
        in_force_at,
    }
}

/// Whether an order may be made, and the profile that it gets: all that finalize decides about names
/// and times is decided now, so that no client validates for an order that cannot be finalized.
fn decide<'a>(
    caller: Caller<'_>,
    policy: &IssuancePolicy<'a>,
    request: &NewOrder,
    now: Timestamp,
) -> Result<(OrderRequest, Option<&'a str>), Error> {
    let (config, acme) = (caller.config, caller.provisioner);
    let widest = config.riser.provisioner(acme.name()).subdomains;
    let limits = order_limits(policy, widest);
    let opening = order::open(request, now, &limits, &config.challenges(acme))?;
    let names = opening.identifiers().map(Identifier::to_alt_name);
    let asked = Asked {
        names: names.collect(),
        not_before: request.not_before.as_ref().map(RequestedTime::at),
        not_after: request.not_after.as_ref().map(RequestedTime::at),
        profile: request.profile.clone(),
    };
    admission::preview(&asked, policy, now)?;
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
