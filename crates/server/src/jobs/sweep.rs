//! Removes expired orders and authorizations.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::Store;
use store::port::Retention as _;
use tokio::time::sleep;

/// Time between two sweeps.
const EVERY: Duration = Duration::from_secs(3600);
/// How long ended orders and authorizations are kept, so that clients can still read them.
const STAY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Sweeps periodically; never returns.
pub(crate) async fn keep(store: Store) {
    loop {
        sleep(EVERY).await;
        if let Err(error) = store.sweep(Timestamp::now(), STAY).await {
            tracing::warn!(event = "sweep", outcome = "failed", %error);
        }
    }
}
