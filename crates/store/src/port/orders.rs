//! Orders (RFC 8555 §7.4) and the authorizations that they depend on.

use acme::account::Account;
use acme::order::Order;
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::record::{
    CertifiedKey, Finalization, NewOrderFacts, NewOrderQuery, OrderPage, OrderRecord, Placed,
};
use crate::write::NewOrder;

/// The verbs on orders.
pub trait Orders {
    /// Reads all that a newOrder asks the records about its account: the external account key that bound it, the
    /// certificate to be replaced, and what it has for the names already.
    fn new_order_facts(
        &self,
        account: &Account,
        query: NewOrderQuery,
    ) -> impl Future<Output = Result<NewOrderFacts, Error>> + Send;

    /// Stores an order with its new authorizations, their challenges and its audit entry. Stored only while
    /// - each permit that gave one of the new authorizations holds for the account when the order is created,
    /// - each earlier authorization belongs to the order's account and provisioner, has not expired and is valid, or
    ///   pending where the order is pending,
    /// - a pending order has an authorization that is not valid,
    /// - the certificate that the order replaces has not been replaced, and no other order that is not invalid is about
    ///   to replace it: of many at once that replace one certificate, one is stored.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the account is not valid (any more), or an id is taken.
    fn create_order(&self, new: NewOrder) -> impl Future<Output = Result<Placed, Error>> + Send;

    /// Reads an order.
    fn order(&self, id: Uuid) -> impl Future<Output = Result<Option<Order>, Error>> + Send;

    /// Reads an order and its authorizations as of one moment.
    fn order_with_authorizations(
        &self,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<OrderRecord>, Error>> + Send;

    /// Lists a page of the orders of an account that are not invalid at `now`, oldest first, from the one after `after`
    /// on (RFC 8555 §7.1.2.1). New orders come last, so pages that were read stay true.
    fn orders_page(
        &self,
        account: Uuid,
        after: Uuid,
        now: Timestamp,
    ) -> impl Future<Output = Result<OrderPage, Error>> + Send;

    /// Reads all that a finalize asks the records: the order, what proves it, and whether `key`, the one to be certified,
    /// is barred or an account's; without a key the answer says that it is neither.
    fn finalization(
        &self,
        order: Uuid,
        key: Option<CertifiedKey>,
    ) -> impl Future<Output = Result<Option<Finalization>, Error>> + Send;
}
