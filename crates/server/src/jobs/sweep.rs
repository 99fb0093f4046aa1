//! Removes what has expired: orders and authorizations, and certificates by the operator's rule.

use std::sync::Arc;
use std::time::Duration;

use ca::config::Retention;
use jiff::Timestamp;
use store::port::Retention as _;
use store::{Error, Store};
use tokio::time::sleep;

use crate::live::Live;

/// Time between two sweeps.
const EVERY: Duration = Duration::from_secs(3600);

/// Sweeps periodically; never returns.
pub(crate) async fn keep(store: Store, live: Arc<Live>) {
    loop {
        sleep(EVERY).await;
        let retention = live.config().riser.retention.clone();
        match sweep(&store, &retention, Timestamp::now()).await {
            Ok(0) => {}
            Ok(certificates) => tracing::info!(event = "sweep", outcome = "done", certificates),
            Err(error) => tracing::warn!(event = "sweep", outcome = "failed", %error),
        }
    }
}

/// Removes what has been expired for as long as the rule says; how many certificates.
async fn sweep(store: &Store, retention: &Retention, now: Timestamp) -> Result<usize, Error> {
    store.sweep(now, retention.orders).await?;
    match retention.certificates {
        Some(age) => {
            let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
            store.sweep_certificates(before).await
        }
        None => Ok(0),
    }
}
