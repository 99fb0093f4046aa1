//! How long writes wait while a sweep removes a part of the store. Works on a copy.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use store::port::{AuditLog as _, Retention as _};
use store::{AuditEntry, Event, Options, Store};

use crate::{Failure, say, spread};

/// Measures writes beside nothing, then beside a sweep of all orders and of the certificates that have ended.
pub(crate) async fn measure(path: &Path) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(path.parent().ok_or("no folder")?)?;
    let copy = folder.path().join("copy.sqlite3");
    std::fs::copy(path, &copy)?;
    let store = Store::open(&copy, Options::default())?;
    let quiet = writes(&store, tokio::time::sleep(Duration::from_secs(5))).await?;
    say(&format!("a write beside nothing: {}", spread(quiet)))?;
    let (began, now) = (Instant::now(), Timestamp::now());
    let sweep = async {
        let swept = store.sweep(now, SignedDuration::from_hours(7 * 24)).await;
        let before = now
            .checked_sub(SignedDuration::from_hours(90 * 24))
            .unwrap_or(now);
        (swept, store.sweep_certificates(before).await)
    };
    let mut gone = None;
    let busy = writes(&store, async { gone = Some(sweep.await) }).await?;
    let (orders, certificates) = gone.ok_or("no sweep")?;
    say(&format!(
        "swept {} orders and {} certificates in {:.1} s",
        orders?.orders,
        certificates?,
        began.elapsed().as_secs_f64()
    ))?;
    say(&format!("a write beside a sweep: {}", spread(busy)))?;
    store.close().await;
    Ok(())
}

/// One small write after the other, a millisecond apart, until `end`.
async fn writes(store: &Store, end: impl Future<Output = ()>) -> Result<Vec<Duration>, Failure> {
    let is_over = Arc::new(AtomicBool::new(false));
    let (writer, over) = (store.clone(), Arc::clone(&is_over));
    let writing = tokio::spawn(async move {
        let mut times = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let entry = AuditEntry::new(Event::ConfigurationReloaded, Timestamp::now());
            let lap = Instant::now();
            writer.record(entry).await?;
            times.push(lap.elapsed());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok::<_, Failure>(times)
    });
    end.await;
    is_over.store(true, Ordering::Relaxed);
    writing.await?
}
