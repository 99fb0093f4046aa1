//! Moves the write-ahead log into the database file without delaying the writer: a thread with a connection of its
//! own copies the bulk while the writer goes on; the writer itself copies only the short rest, so that the log starts
//! over at its beginning. Where the thread cannot keep up, the writer waits for it.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

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
    /// The thread has done what it can.
    rest_is_short: AtomicBool,
    /// Held by the thread that copies.
    copying: Mutex<()>,
}

impl Checkpoints {
    /// Watches the log that `writer` appends to; `own` is the connection of the copying thread.
    pub(crate) fn start(writer: &mut Connection, own: Connection) -> Result<Self, StartError> {
        let (requests, wanted) = mpsc::sync_channel(1);
        let shared = Arc::new(Shared::default());
        let copier = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || copy_on_request(&own, &wanted, &copier))
            .map_err(StartError::Thread)?;
        let (nudge, count) = (requests.clone(), Arc::clone(&shared));
        writer
            .wal_hook(Some(move |_: &mut _, pages: c_int| {
                count.pages.store(pages, Ordering::Release);
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

impl Shared {
    /// Returns how many pages of the log are still to be copied. A failure harms nothing: the log keeps them.
    fn checkpoint(&self, connection: &Connection, mode: &str) -> Option<i64> {
        // The lock protects no data that a panic could leave half written.
        let _alone = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = connection
            .prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"))
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    let (log, copied): (i64, i64) = (row.get(1)?, row.get(2)?);
                    Ok(log - copied)
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

fn copy_on_request(own: &Connection, wanted: &Receiver<Request>, shared: &Shared) {
    while let Ok(Request::Copy) = wanted.recv() {
        for _ in 0..PASSES {
            match shared.checkpoint(own, "PASSIVE") {
                Some(left) if left > SHORT => {}
                Some(_) | None => break,
            }
        }
        shared.rest_is_short.store(true, Ordering::Release);
    }
}

/// Pages in the log (of 4 KiB) from which copying pays.
const WORTH_COPYING: c_int = 1000;
/// Pages at which the writer waits for the copy.
const TOO_LONG: c_int = 8000;
/// Pages that the writer may copy itself without its callers noticing.
const SHORT: i64 = 250;
/// Passes over a log that grows while it is copied.
const PASSES: usize = 3;
