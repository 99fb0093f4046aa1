//! Stores which configuration is in force, so that the next start judges the files by it.

use std::sync::Arc;
use std::time::Duration;

use store::port::Configurations as _;
use store::{AcceptedConfiguration, Store};
use tokio::time::sleep;

use crate::live::Live;

/// How long to wait after the store did not take it.
const RETRY: Duration = Duration::from_secs(10);

/// Stores each configuration that comes into force; never returns. `stored` is what the store has.
pub(crate) async fn keep(store: Store, live: Arc<Live>, stored: Option<AcceptedConfiguration>) {
    let mut accepted = live.accepted();
    let mut stored = stored;
    loop {
        let now = accepted.borrow_and_update().clone();
        if now != stored {
            match save(&store, now.as_ref()).await {
                true => stored = now,
                false => {
                    sleep(RETRY).await;
                    continue;
                }
            }
        }
        if accepted.changed().await.is_err() {
            return;
        }
    }
}

/// Stores it; a failure is logged, and nothing waits for it. Returns whether it is stored.
pub(crate) async fn save(store: &Store, accepted: Option<&AcceptedConfiguration>) -> bool {
    let Some(accepted) = accepted else {
        return true;
    };
    match store.accept_configuration(accepted.clone()).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(
                event = "configuration",
                %error,
                "which configuration is in force cannot be stored; until it is, a start judges the files by an older one"
            );
            false
        }
    }
}
