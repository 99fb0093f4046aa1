//! A few read-only connections, each lent to one short read transaction on a blocking thread.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use crate::error::Error;

/// The shelf of idle connections.
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
        let shelf = Arc::clone(&self.idle);
        let read = task::spawn_blocking(move || {
            // Dropped last: the connection is back on the shelf before the next reader may look.
            let _permit = permit;
            let lent = Lent::take(shelf)?;
            let view = lent.connection()?.unchecked_transaction()?;
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
        let shelf = Arc::clone(&self.idle);
        // Only a runtime that is shutting down drops the task, and the connections with it.
        let _ = task::spawn_blocking(move || drop(on_shelf(&shelf).split_off(0))).await;
    }
}

struct Lent {
    connection: Option<Connection>,
    shelf: Arc<Mutex<Vec<Connection>>>,
}

impl Lent {
    fn take(shelf: Arc<Mutex<Vec<Connection>>>) -> Result<Self, Error> {
        let connection = on_shelf(&shelf).pop();
        if connection.is_none() {
            return Err(Error::Closed);
        }
        Ok(Self { connection, shelf })
    }

    fn connection(&self) -> Result<&Connection, Error> {
        self.connection.as_ref().ok_or(Error::Closed)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        on_shelf(&self.shelf).extend(self.connection.take());
    }
}

/// A panic elsewhere leaves the list itself whole.
fn on_shelf(shelf: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}
