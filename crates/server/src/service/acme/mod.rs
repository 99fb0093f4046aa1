//! The use cases of ACME accounts: orders, authorizations, certificates and renewal information
//! (RFC 8555 §7.4, §7.5, RFC 9773).

use std::sync::Arc;

use store::Store;
use store::memory::OrderLocks;

use super::accounts::AccountService;
use super::issuer::Issuer;
use super::limiter::Limiter;
use super::tasks::Tasks;
use super::{Caller, Error};

mod authorization;
mod certificate;
mod finalize;
mod order;
mod renewal;

pub(crate) use self::authorization::Ahead;
pub(crate) use self::certificate::Download;
pub(crate) use self::finalize::Finalization;
pub(in crate::service) use self::order::truncate_to_second;

/// Creates, reads and finalizes what an account owns. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AcmeService {
    pub(super) store: Store,
    pub(super) accounts: AccountService,
    pub(super) issuer: Issuer,
    pub(super) limiter: Arc<Limiter>,
    pub(super) order_locks: Arc<OrderLocks>,
    pub(super) tasks: Tasks,
}
