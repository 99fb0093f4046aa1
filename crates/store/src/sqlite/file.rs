//! The file of a store, opened for reading: beside the server that owns it, or without one. Here is what an operator does
//! with the file as a whole: figures, check, backup, restore, export.
//!
//! Not here: single records; those are reached through the port.

mod check;
mod copy;
mod export;
mod stats;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

pub use copy::{Copied, restore};
pub use stats::{Certificates, Stats, TableStats};

use super::{fault, migrate, open};
use crate::error::{Error, OpenError};

/// A store's file at one moment. What is written to it meanwhile is not seen, and goes on undisturbed.
pub struct StoreFile {
    path: PathBuf,
    /// In a read transaction, for as long as it lives.
    connection: Connection,
    schema: usize,
}

/// How far a long task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing: a word such as `copying`.
    pub doing: &'static str,
    /// Units that are done.
    pub done: u64,
    /// Units in all; 0 where that is not known.
    pub total: u64,
}

/// Is told how far a task is, once in many records or pages.
pub type Watch<'a> = &'a mut dyn FnMut(Progress);

impl StoreFile {
    /// Opens the file at `path`, which is not changed or brought to another schema.
    ///
    /// # Errors
    /// [`OpenError`]: the file is missing, damaged, of another program or of a newer release.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let path = path.canonicalize().map_err(|error| OpenError::Io {
            path: path.to_owned(),
            what: error.to_string(),
        })?;
        let fault = |error: rusqlite::Error| fault::while_opening(&path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(fault)?;
        open::configure(&connection).map_err(fault)?;
        connection.busy_timeout(PATIENCE).map_err(fault)?;
        connection.execute_batch("BEGIN").map_err(fault)?;
        let schema = migrate::check(&connection, &path, migrate::STEPS)?;
        if schema == 0 {
            return Err(OpenError::Corrupt {
                path,
                what: "it has no records and no tables".to_owned(),
            });
        }
        Ok(Self {
            path,
            connection,
            schema,
        })
    }

    /// The file, without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of its schema; this release writes [`StoreFile::current_schema`].
    #[must_use]
    pub fn schema(&self) -> usize {
        self.schema
    }

    /// The schema that this release writes.
    #[must_use]
    pub fn current_schema() -> usize {
        migrate::STEPS.len()
    }
}

/// A table and how many rows it has.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rows {
    table: String,
    count: u64,
}

/// The rows of every table, by name.
fn rows(connection: &Connection) -> Result<Vec<Rows>, Error> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let counted = |table: String| {
        let sql = format!("SELECT count(*) FROM \"{table}\"");
        let count = connection.query_row(&sql, [], |row| count(row, 0))?;
        Ok(Rows { table, count })
    };
    names.into_iter().map(counted).collect()
}

/// How many rows a table has.
fn count_of(table: &str, all: &[Rows]) -> u64 {
    let found = all.iter().find(|rows| rows.table == table);
    found.map_or(0, |rows| rows.count)
}

/// A count or size; SQLite's numbers have a sign.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

/// How long to wait for a lock that the server holds for a moment.
const PATIENCE: Duration = Duration::from_secs(10);
