//! Moves the write-ahead log into the database file without delaying the writer: a thread with a connection of its
//! own copies the bulk while the writer goes on; the writer itself copies only the short rest, so that the log starts
//! over at its beginning. Where the thread cannot keep up, the writer waits for it. When nothing has been written for a
//! while, the thread empties the log.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

/// The writer's side.
pub(crate) struct Checkpoints {
    thread: JoinHandle<()>,
    stop: SyncSender<Request>,
    shared: Arc<Shared>,
}

/// What the two threads share.
#[derive(Default)]
struct Shared {
    /// Pages in the log after the last commit.
    pages: AtomicI32,
    /// Something was committed since the thread last looked.
    written: AtomicBool,
    /// The thread has done what it can.
    rest_is_short: AtomicBool,
    /// Held by the thread that copies.
    copying: Mutex<()>,
}

impl Checkpoints {
    /// Watches the log that `writer` appends to; `own` is the connection of the copying thread, which empties the log when
    /// nothing was written for one to two times `idle`.
    pub(crate) fn start(
        writer: &mut Connection,
        own: Connection,
        idle: Duration,
    ) -> Result<Self, StartError> {
        // To empty the log, it must not wait for a reader while the writer waits for it.
        own.busy_timeout(Duration::ZERO).map_err(StartError::Hook)?;
        let (requests, wanted) = mpsc::sync_channel(1);
        let shared = Arc::new(Shared::default());
        let copier = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || copier.serve(&own, &wanted, idle))
            .map_err(StartError::Thread)?;
        let (nudge, count) = (requests.clone(), Arc::clone(&shared));
        writer
            .wal_hook(Some(move |_: &mut _, pages: c_int| {
                count.pages.store(pages, Ordering::Release);
                count.written.store(true, Ordering::Release);
                if pages >= WORTH_COPYING {
                    // A full channel means that the thread has work already.
                    let _ = nudge.try_send(Request::Copy);
                }
                Ok(())
            }))
            .map_err(StartError::Hook)?;
        Ok(Self {
            thread,
            stop: requests,
            shared,
        })
    }

    /// Copies the rest once the thread has copied the bulk, or once the log is too long. The next commit then starts the
    /// log over.
    pub(crate) fn between_groups(&self, writer: &Connection) {
        let too_long = self.shared.pages.load(Ordering::Acquire) >= TOO_LONG;
        if self.shared.rest_is_short.swap(false, Ordering::AcqRel) || too_long {
            self.shared.checkpoint(writer, "PASSIVE");
        }
    }

    /// Ends the thread and empties the log as far as the disk allows; what stays is read back at the next start.
    pub(crate) fn stop(self, writer: &Connection) {
        // The thread runs until it gets this; an error means that it has ended.
        let _ = self.stop.send(Request::Stop);
        let _ = self.thread.join();
        self.shared.checkpoint(writer, "TRUNCATE");
    }
}

/// The log after a checkpoint, in pages.
struct Log {
    length: i64,
    copied: i64,
}

impl Log {
    /// Whether more is left to copy than the writer may copy itself.
    const fn is_behind(&self) -> bool {
        self.length - self.copied > SHORT
    }
}

impl Shared {
    /// The thread, until it is asked to stop.
    fn serve(&self, own: &Connection, wanted: &Receiver<Request>, idle: Duration) {
        loop {
            match wanted.recv_timeout(idle) {
                Ok(Request::Copy) => self.copy(own),
                Err(RecvTimeoutError::Timeout) => self.empty_if_idle(own),
                Ok(Request::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn copy(&self, own: &Connection) {
        for _ in 0..PASSES {
            match self.checkpoint(own, "PASSIVE") {
                Some(log) if log.is_behind() => {}
                Some(_) | None => break,
            }
        }
        self.rest_is_short.store(true, Ordering::Release);
    }

    fn empty_if_idle(&self, own: &Connection) {
        let is_idle = !self.written.swap(false, Ordering::AcqRel);
        if is_idle && self.pages.load(Ordering::Acquire) > 0 {
            // To empty it keeps writers out: what is long is copied before, beside them.
            let copied = self.checkpoint(own, "PASSIVE");
            if copied.is_none_or(|log| log.is_behind()) {
                return;
            }
            // While somebody reads from the log, it stays for the next time.
            if let Some(Log { length: 0, .. }) = self.checkpoint(own, "TRUNCATE") {
                // A commit since then counts its pages itself, at the latest with the next one.
                self.pages.store(0, Ordering::Release);
            }
        }
    }

    /// Returns how the log is then. A failure harms nothing: the log keeps its pages.
    fn checkpoint(&self, connection: &Connection, mode: &str) -> Option<Log> {
        // The lock protects no data that a panic could leave half written.
        let _alone = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = connection
            .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    Ok(Log {
                        length: row.get(1)?,
                        copied: row.get(2)?,
                    })
                })
            });
        outcome
            .inspect_err(|error| tracing::warn!(event = "store_checkpoint_failed", error = %error))
            .ok()
    }
}

/// Why the thread could not be started.
pub(crate) enum StartError {
    Thread(std::io::Error),
    Hook(rusqlite::Error),
}

enum Request {
    Copy,
    Stop,
}

/// Pages in the log (of 4 KiB) from which copying pays.
const WORTH_COPYING: c_int = 250;
/// Pages at which the writer waits for the copy.
const TOO_LONG: c_int = 8000;
/// Pages that the writer may copy itself without its callers noticing.
const SHORT: i64 = 100;
/// Without a commit for one to two times as long, the log is emptied.
pub(super) const IDLE: Duration = Duration::from_secs(5);
/// Passes over a log that grows while it is copied.
const PASSES: usize = 3;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::sqlite::{Options, open};

    #[test]
    fn the_log_is_emptied_when_nothing_is_written_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let mut all = open::connections(&path, &Options::default()).unwrap();
        let log = || {
            std::fs::metadata(folder.path().join("s-wal"))
                .unwrap()
                .len()
        };
        let idle = Duration::from_millis(20);
        let checkpoints = Checkpoints::start(&mut all.writer, all.checkpoint, idle);
        let checkpoints = checkpoints.unwrap_or_else(|_| panic!());
        let reading = all.readers[0].unchecked_transaction().unwrap();
        let count = "SELECT count(*) FROM accounts";
        let accounts = |it: &Connection| it.query_row(count, [], |row| row.get::<_, i64>(0));
        assert_eq!(accounts(&reading), Ok(0));
        all.writer
            .execute("INSERT INTO superseded VALUES (x'01')", [])
            .unwrap();
        // Somebody still reads what was before.
        thread::sleep(10 * idle);
        assert!(log() > 0);
        drop(reading);
        let began = Instant::now();
        while log() > 0 {
            assert!(began.elapsed() < Duration::from_secs(60));
            thread::sleep(idle);
        }
        all.writer
            .execute("INSERT INTO superseded VALUES (x'00')", [])
            .unwrap();
        assert!(log() > 0);
        checkpoints.stop(&all.writer);
        assert_eq!(log(), 0);
    }
}
