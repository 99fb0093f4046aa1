//! What one node keeps in memory behind the same kind of ports as the records: nonces, locks on orders, and the counters
//! of rate limits. Several nodes need a database behind these ports.

mod counters;
mod nonces;
mod order_locks;

pub use counters::Counters;
pub use nonces::Nonces;
pub use order_locks::{OrderLock, OrderLocks};
