//! Removes what has expired: orders and authorizations, and certificates by the operator's rule.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ca::config::Retention;
use jiff::{SignedDuration, Timestamp};
use store::port::Retention as _;
use store::{Error, Store};
use tokio::time::sleep;

use crate::live::Live;

/// Time between two sweeps.
const EVERY: Duration = Duration::from_secs(3600);

/// How far the clock may go ahead of the time that has passed; time servers correct by less.
const AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// Sweeps periodically; never returns. After a jump of the clock it waits for the next time: what is removed by a
/// wrong clock is gone when the clock is right again.
pub(crate) async fn keep(store: Store, live: Arc<Live>) {
    loop {
        let (began, then) = (Instant::now(), Timestamp::now());
        sleep(EVERY).await;
        let shown = Timestamp::now().duration_since(then);
        if has_jumped(shown, began.elapsed()) {
            let clock = format!("{shown:#}");
            tracing::warn!(event = "sweep", outcome = "skipped", %clock, "the clock has jumped ahead");
            continue;
        }
        let config = live.config();
        match sweep(&store, &config.riser.retention, Timestamp::now()).await {
            Ok(0) => {}
            Ok(certificates) => tracing::info!(event = "sweep", outcome = "done", certificates),
            Err(error) => tracing::warn!(event = "sweep", outcome = "failed", %error),
        }
    }
}

/// Whether the clock shows that much more time than has passed.
fn has_jumped(shown: SignedDuration, passed: Duration) -> bool {
    let passed = SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX);
    shown.saturating_sub(passed) > AHEAD
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_ahead_between_two_sweeps_is_noticed() {
        let hour = SignedDuration::from_hours(1);
        assert!(!has_jumped(hour, EVERY));
        assert!(!has_jumped(hour + SignedDuration::from_mins(9), EVERY));
        assert!(has_jumped(hour + SignedDuration::from_mins(11), EVERY));
        assert!(has_jumped(SignedDuration::from_hours(24 * 365), EVERY));
        // A clock that is set back makes nothing expire.
        assert!(!has_jumped(-hour, EVERY));
    }
}
