//! What a back end has to offer: one trait a resource, and in its documentation what each verb promises. A back end
//! implements the traits in its own language and decides nothing. Nonces, locks on orders and counters have an
//! implementation in `memory/`, the records one in `sqlite/`.
//!
//! Of every verb holds: it is one atomic transaction, or one consistent view. One that writes returns only when what it
//! wrote is durable, repeats in the write each condition that its caller relies on, and runs to its end even if its
//! caller stops waiting. A condition that does not hold is an outcome, a value; an [`Error`](crate::Error) means that
//! nothing was written.

mod accounts;
mod audit_log;
mod authorizations;
mod certificate_search;
mod certificates;
mod challenges;
mod configurations;
mod counters;
mod external_keys;
mod nonces;
mod order_locks;
mod orders;
mod permits;
mod renewal_windows;
mod retention;
mod revocations;
mod validation_jobs;

pub use accounts::Accounts;
pub use audit_log::AuditLog;
pub use authorizations::Authorizations;
pub use certificate_search::CertificateSearch;
pub use certificates::Certificates;
pub use challenges::Challenges;
pub use configurations::Configurations;
pub use counters::{Count, CountAction, Counted, Counter, Counters};
pub use external_keys::ExternalKeys;
pub use nonces::{NonceRejected, Nonces, Spent};
pub use order_locks::{OrderKey, OrderLocks};
pub use orders::Orders;
pub use permits::Permits;
pub use renewal_windows::RenewalWindows;
pub use retention::Retention;
pub use revocations::Revocations;
pub use validation_jobs::ValidationJobs;
