//! The SQLite back end: one file, one writer thread with group commit, a few readers.
//! The verbs are beside this file, one file a resource.

mod account_cache;
mod accounts;
mod audit;
mod authorizations;
mod certificate_retention;
mod certificate_search;
mod certificates;
mod checkpoint;
mod column;
mod configurations;
mod continuation;
mod external_keys;
mod fault;
mod file;
mod lock;
mod migrate;
#[cfg(test)]
mod old_schemas;
mod open;
mod orders;
mod own;
mod permits;
#[cfg(test)]
mod plans;
mod readers;
mod renewals;
mod retention;
mod reuse;
mod revocations;
#[cfg(test)]
mod tests;
mod untouched;
mod verdicts;
mod writer;

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use uuid::Uuid;

pub use file::{Certificates, Copied, Progress, Stats, StoreFile, TableStats, Watch, restore};
pub use open::Synchronous;
pub use writer::Figures;

use crate::error::{Error, OpenError};
use account_cache::AccountCache;
use checkpoint::Checkpoints;
use lock::Lock;
use readers::Readers;
use writer::Writer;

/// How a store works; the defaults are what a server wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// When a commit is flushed.
    pub synchronous: Synchronous,
    /// The most transactions in one commit.
    pub group_limit: usize,
    /// Read-only connections.
    pub readers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            group_limit: 256,
            readers: 4,
        }
    }
}

/// A handle to an open store; clones are handles to the same one. Every verb is one atomic transaction, and one that
/// writes returns only when what it wrote is durable.
#[derive(Clone)]
pub struct Store {
    parts: Arc<Parts>,
}

/// Dropped in this order: the writer is the last to close the file.
struct Parts {
    readers: Readers,
    accounts: Arc<AccountCache>,
    writer: Writer,
}

impl Store {
    /// Opens the database file at `path`, creating it (mode 0600) and its folder (0700) where they are missing.
    ///
    /// # Errors
    /// [`OpenError`], which says what is in the way.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let path = open::resolve(path)?;
        let lock = Lock::take(&path)?;
        Self::start(&path, &options, lock)
    }

    /// Opens a store that lasts as long as its handles, in a file that has no name any more.
    ///
    /// # Errors
    /// [`OpenError::Io`] when the folder for temporary files cannot be used.
    pub fn ephemeral() -> Result<Self, OpenError> {
        // Not `:memory:`: connections to it share a cache whose table locks readers run into.
        let folder = std::env::temp_dir().join(format!("riser-{}", Uuid::new_v4()));
        let path = open::resolve(&folder.join("riser.sqlite3"))?;
        let options = Options {
            synchronous: Synchronous::Off,
            ..Options::default()
        };
        let store = Self::start(&path, &options, ());
        // All connections hold their files open; SQLite opens no others while it has a log.
        if let Err(error) = fs::remove_dir_all(&folder) {
            tracing::warn!(event = "store_not_unlinked", error = %error);
        }
        store
    }

    fn start<H: Send + 'static>(
        path: &Path,
        options: &Options,
        held: H,
    ) -> Result<Self, OpenError> {
        let io = |error: std::io::Error| OpenError::Io {
            path: path.to_owned(),
            what: error.to_string(),
        };
        let mut connections = open::connections(path, options)?;
        let (writer, own) = (&mut connections.writer, connections.checkpoint);
        let checkpoints =
            Checkpoints::start(writer, own, checkpoint::IDLE).map_err(|error| match error {
                checkpoint::StartError::Thread(error) => io(error),
                checkpoint::StartError::Hook(error) => fault::while_opening(path, &error),
            })?;
        let accounts = Arc::<AccountCache>::default();
        let watched = accounts.watch(&connections.writer);
        watched.map_err(|error| fault::while_opening(path, &error))?;
        let writer = Writer::start(
            connections.writer,
            checkpoints,
            Arc::clone(&accounts),
            options.group_limit,
            held,
        );
        let parts = Parts {
            readers: Readers::new(connections.readers),
            accounts,
            writer: writer.map_err(io)?,
        };
        Ok(Self {
            parts: Arc::new(parts),
        })
    }

    /// Lets what is under way end, copies the log into the file and closes it; verbs called later get
    /// [`Error::Closed`]. Dropping the last handle does the same, but blocks the thread that drops it.
    pub async fn close(&self) {
        self.parts.readers.close().await;
        self.parts.accounts.clear();
        self.parts.writer.close().await;
    }

    /// Whether a fault in the program has ended the writer: nothing is written until the process starts again.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.parts.writer.has_failed()
    }

    /// Returns when [`Store::has_failed`].
    pub async fn failed(&self) {
        self.parts.writer.failed().await;
    }

    /// Counts of transactions and of the commits that carried them, since the store was opened.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.parts.writer.figures()
    }

    /// One atomic, durable transaction. `work` leaves what it has captured as it was: it may run again.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.parts.writer.run(work).await
    }

    /// One consistent view, for a read of a few records by their keys.
    pub(crate) async fn look_up<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.parts.readers.look_up(work).await
    }

    /// One consistent view, for a read of many records.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.parts.readers.run(work).await
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}
