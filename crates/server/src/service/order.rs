//! Orders (RFC 8555 §7.4): made with their authorizations in one transaction, and read.

use acme::account::Account;
use acme::message::order::NewOrder;
use acme::order::{self, Fresh, Limits, Order, Owner};
use ca::provisioner::Acme;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Error, Service};

impl Service {
    /// Makes an order and the authorizations it needs.
    ///
    /// # Errors
    /// When a name or the lifetime asked for cannot be had from this provisioner.
    pub(crate) async fn create_order(
        &self,
        acme: &Acme,
        account: &Account,
        request: &NewOrder,
    ) -> Result<Order, Error> {
        acme.check()?;
        let now = Timestamp::now();
        let config = self.config();
        let backdate = config.authority.backdate;
        let limits = Limits {
            identifiers: MOST_NAMES,
            shortest: acme.claims().minimum,
            longest: acme.claims().maximum,
            leeway: backdate.max(SignedDuration::from_mins(1)),
        };
        let opening = order::open(request, now, &limits, &config.challenges(acme))?;
        // The decision of finalize, taken now already, so that nobody validates in vain.
        acme.lifetime(request.not_before, request.not_after, backdate, now)?;
        let life = config.riser.provisioner(acme.name()).order_life;
        let owner = Owner {
            account: account.id,
            provisioner: acme.name(),
            expires: whole(now + life),
        };
        let (order, authorizations) = opening.create(&owner, now, fresh);
        let new = store::NewOrder {
            order: order.clone(),
            authorizations,
        };
        self.store().create_order(new).await?;
        Ok(order)
    }

    /// An order of this account.
    ///
    /// # Errors
    /// When there is none, or it is another account's.
    pub(crate) async fn order(&self, account: &Account, id: Uuid) -> Result<Order, Error> {
        match self.store().order(id).await? {
            Some(order) if order.account == account.id => Ok(order),
            Some(_) => Err(Error::Foreign("order")),
            None => Err(Error::unknown("order")),
        }
    }
}

fn fresh() -> Fresh {
    Fresh {
        id: Uuid::now_v7(),
        random: keys::random(),
    }
}

/// Whole seconds, as answers show them.
fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

const MOST_NAMES: usize = 100;
