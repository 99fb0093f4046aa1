//! A few read-only connections, each used by one short read transaction at a time, on a blocking thread.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use crate::error::Error;

/// The pool of read-only connections.
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    count: u32,
}

impl Readers {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(connections.len())),
            count: u32::try_from(connections.len()).unwrap_or(u32::MAX),
            idle: Arc::new(Mutex::new(connections)),
        }
    }

    /// Runs `work` on one consistent view of the database, which holds all that was acknowledged before.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Closed)?;
        let idle = Arc::clone(&self.idle);
        let read = task::spawn_blocking(move || {
            // Dropped last: the connection is idle again before the next reader may take one.
            let _permit = permit;
            let reader = Reader::take(idle)?;
            let view = reader.connection()?.unchecked_transaction()?;
            work(&view)
        });
        read.await.map_err(|_| Error::Closed)?
    }

    /// Waits for the reads under way and closes the connections.
    pub(crate) async fn close(&self) {
        let Ok(all) = self.permits.acquire_many(self.count).await else {
            return;
        };
        self.permits.close();
        drop(all);
        let idle = Arc::clone(&self.idle);
        // Only a runtime that is shutting down drops the task, and the connections with it.
        let _ = task::spawn_blocking(move || drop(lock(&idle).split_off(0))).await;
    }
}

/// A connection in use, which becomes idle again when this is dropped.
struct Reader {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Reader {
    fn take(idle: Arc<Mutex<Vec<Connection>>>) -> Result<Self, Error> {
        let connection = lock(&idle).pop();
        if connection.is_none() {
            return Err(Error::Closed);
        }
        Ok(Self { connection, idle })
    }

    fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or(Error::Closed)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        lock(&self.idle).extend(self.connection.take());
    }
}

/// A panic elsewhere leaves the list intact.
fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
