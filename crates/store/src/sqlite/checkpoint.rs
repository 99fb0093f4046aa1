//! Moves the write-ahead log into the database file without holding the writer up: a thread with a connection of its
//! own copies the bulk while the writer goes on; the writer itself copies only the short rest, so that the log starts
//! over at its beginning.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

/// The writer's side.
pub(crate) struct Checkpoints {
    thread: JoinHandle<()>,
    stop: SyncSender<Wish>,
    rest_is_short: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Watches the log that `writer` appends to; `own` is the connection of the copying thread.
    pub(crate) fn start(writer: &mut Connection, own: Connection) -> Result<Self, StartError> {
        let (wishes, wanted) = mpsc::sync_channel(1);
        let rest_is_short = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&rest_is_short);
        let thread = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || copy_as_asked(&own, &wanted, &told))
            .map_err(StartError::Thread)?;
        let nudge = wishes.clone();
        writer
            .wal_hook(Some(move |_: &mut _, pages: std::ffi::c_int| {
                if pages >= WORTH_COPYING {
                    // A full channel means that the thread is at it.
                    let _ = nudge.try_send(Wish::Copy);
                }
                Ok(())
            }))
            .map_err(StartError::Hook)?;
        Ok(Self {
            thread,
            stop: wishes,
            rest_is_short,
        })
    }

    /// Copies the rest once the thread has copied the bulk. The next commit then starts the log over.
    pub(crate) fn between_groups(&self, writer: &Connection) {
        if self.rest_is_short.swap(false, Ordering::AcqRel) {
            checkpoint(writer, "PASSIVE");
        }
    }

    /// Ends the thread and empties the log as far as the disk allows; what stays is read back at the next start.
    pub(crate) fn stop(self, writer: &Connection) {
        // The thread lives until it is told; an error means that it is gone.
        let _ = self.stop.send(Wish::Stop);
        let _ = self.thread.join();
        checkpoint(writer, "TRUNCATE");
    }
}

/// Why the thread could not be started.
pub(crate) enum StartError {
    Thread(std::io::Error),
    Hook(rusqlite::Error),
}

enum Wish {
    Copy,
    Stop,
}

fn copy_as_asked(own: &Connection, wanted: &Receiver<Wish>, rest_is_short: &AtomicBool) {
    while let Ok(Wish::Copy) = wanted.recv() {
        for _ in 0..PASSES {
            let Some(left) = checkpoint(own, "PASSIVE") else {
                break;
            };
            if left <= SHORT {
                break;
            }
        }
        rest_is_short.store(true, Ordering::Release);
    }
}

/// Returns how many pages of the log are still to be copied. A failure harms nothing: the log keeps them.
fn checkpoint(connection: &Connection, mode: &str) -> Option<i64> {
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

/// Pages in the log (of 4 KiB) from which copying pays.
const WORTH_COPYING: std::ffi::c_int = 1000;
/// Pages that the writer may copy itself without its callers noticing.
const SHORT: i64 = 250;
/// Passes over a log that grows while it is copied.
const PASSES: usize = 3;
