//! Lets expired orders and authorizations go.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::Store;
use store::port::Retention as _;
use tokio::time::sleep;

/// Between two sweeps.
const EVERY: Duration = Duration::from_secs(3600);
/// How long what has ended stays, so that its client can still ask what became of it.
const STAY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Sweeps for ever.
pub(crate) async fn keep(store: Store) {
    loop {
        sleep(EVERY).await;
        if let Err(error) = store.sweep(Timestamp::now(), STAY).await {
            tracing::warn!(event = "sweep", outcome = "failed", %error);
        }
    }
}
