//! What one connection does: whether it has requests in flight, and since when it waits for its client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The requests in flight on a connection, and when the last of them began or ended.
pub(super) struct Activity {
    started: Instant,
    in_flight: AtomicUsize,
    /// Those in flight whose body has not arrived completely.
    arriving: AtomicUsize,
    last_ms: AtomicU64,
    is_leaving: AtomicBool,
    dismissed: Notify,
}

/// A request in flight.
pub(super) struct Heartbeat(Arc<Activity>);

/// A request in flight whose client has not sent all of its body.
pub(super) struct Arriving(Arc<Activity>);

impl Activity {
    /// A connection that begins now.
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            in_flight: AtomicUsize::new(0),
            arriving: AtomicUsize::new(0),
            last_ms: AtomicU64::new(0),
            is_leaving: AtomicBool::new(false),
            dismissed: Notify::new(),
        }
    }

    /// A connection that began this long ago.
    #[cfg(test)]
    pub(super) fn began(ago: Duration) -> Self {
        Self {
            started: Instant::now() - ago,
            ..Self::new()
        }
    }

    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> Heartbeat {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        self.touch();
        Heartbeat(Arc::clone(self))
    }

    /// A request in flight waits for more of its body.
    pub(super) fn arriving(self: &Arc<Self>) -> Arriving {
        self.arriving.fetch_add(1, Ordering::AcqRel);
        Arriving(Arc::clone(self))
    }

    /// How long no request has been in flight; `None` while one is.
    pub(super) fn idle(&self) -> Option<Duration> {
        (self.in_flight.load(Ordering::Acquire) == 0).then(|| self.since_last())
    }

    /// How long the server has waited for this client, for a request or for the bodies of all in flight; `None` while
    /// the client waits for the server, or the connection is about to close.
    pub(super) fn awaited(&self) -> Option<Duration> {
        if self.is_leaving.load(Ordering::Acquire) {
            return None;
        }
        self.waits_for_client().then(|| self.since_last())
    }

    fn waits_for_client(&self) -> bool {
        let arriving = self.arriving.load(Ordering::Acquire);
        self.in_flight.load(Ordering::Acquire) <= arriving
    }

    /// Asks the connection to close if it is still awaited.
    pub(super) fn dismiss(&self) {
        self.is_leaving.store(true, Ordering::Release);
        self.dismissed.notify_one();
    }

    /// Returns when the connection has to close for another one.
    pub(super) async fn dismissed(&self) {
        loop {
            self.dismissed.notified().await;
            if self.waits_for_client() {
                return;
            }
            self.is_leaving.store(false, Ordering::Release);
        }
    }

    fn since_last(&self) -> Duration {
        let last = Duration::from_millis(self.last_ms.load(Ordering::Acquire));
        self.started.elapsed().saturating_sub(last)
    }

    fn touch(&self) {
        let now = super::millis(self.started.elapsed());
        self.last_ms.fetch_max(now, Ordering::AcqRel);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.arriving.fetch_sub(1, Ordering::AcqRel);
    }
}
