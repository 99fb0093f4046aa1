//! Figures about a store: rows, sizes, and the times of its oldest and newest records.

use jiff::Timestamp;
use rusqlite::Connection;
use serde::Serialize;

use super::{Rows, StoreFile, Watch, count, count_of, rows};
use crate::error::Error;
use crate::sqlite::column::At;
use crate::sqlite::lock::beside;

/// Figures about a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// The number of its schema.
    pub schema: usize,
    /// Size of the database file in bytes.
    pub file_bytes: u64,
    /// Size of its write-ahead log in bytes.
    pub log_bytes: u64,
    /// Bytes of the file that hold nothing and are used again.
    pub free_bytes: u64,
    /// The issued certificates.
    pub certificates: Certificates,
    /// Each table, by name.
    pub tables: Vec<TableStats>,
}

/// Figures about the issued certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Certificates {
    /// Those whose validity has not ended, revoked ones included.
    pub unexpired: u64,
    /// Those whose validity has ended.
    pub expired: u64,
    /// Revocations, of expired certificates too.
    pub revoked: u64,
}

/// Figures about a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableStats {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Bytes of the file that its rows take.
    pub bytes: u64,
    /// Bytes of the file that its indexes take.
    pub index_bytes: u64,
    /// When its oldest record was made, where records have such a time.
    pub oldest: Option<Timestamp>,
    /// When its newest record was made.
    pub newest: Option<Timestamp>,
}

impl StoreFile {
    /// Counts and measures. Reads every page of the file.
    ///
    /// # Errors
    /// [`Error`] when the file cannot be read.
    pub fn stats(&self, now: Timestamp, watch: Watch<'_>) -> Result<Stats, Error> {
        let pragma = |name| {
            self.connection
                .pragma_query_value(None, name, |row| count(row, 0))
        };
        let page: u64 = pragma("page_size")?;
        let (pages, free): (u64, u64) = (pragma("page_count")?, pragma("freelist_count")?);
        watch(super::Progress {
            doing: "measuring",
            done: 0,
            total: 0,
        });
        let all = rows(&self.connection)?;
        let certificates = self.certificates(now, &all)?;
        let tables = all.into_iter();
        let tables = tables
            .map(|table| self.table(table))
            .collect::<Result<_, _>>()?;
        Ok(Stats {
            schema: self.schema,
            file_bytes: pages * page,
            log_bytes: self.log_bytes(),
            free_bytes: free * page,
            certificates,
            tables,
        })
    }

    fn log_bytes(&self) -> u64 {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |found| found.len())
    }

    fn certificates(&self, now: Timestamp, all: &[Rows]) -> Result<Certificates, Error> {
        let sql = "SELECT count(*) FROM certificates WHERE not_after > ?1";
        let unexpired = (self.connection).query_row(sql, [At(now)], |row| count(row, 0))?;
        Ok(Certificates {
            unexpired,
            expired: count_of("certificates", all).saturating_sub(unexpired),
            revoked: count_of("revocations", all),
        })
    }

    fn table(&self, counted: Rows) -> Result<TableStats, Error> {
        let Rows { table, count: rows } = counted;
        let mut statement = self.connection.prepare(
            "SELECT coalesce(sum(d.pgsize) FILTER (WHERE s.type = 'table'), 0),
                 coalesce(sum(d.pgsize) FILTER (WHERE s.type = 'index'), 0)
             FROM sqlite_schema s JOIN dbstat d ON d.name = s.name AND d.aggregate = TRUE
             WHERE s.tbl_name = ?1",
        )?;
        let (bytes, index_bytes) =
            statement.query_row([&table], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
        Ok(TableStats {
            rows,
            bytes,
            index_bytes,
            oldest: ends(&self.connection, &table, "ASC")?,
            newest: ends(&self.connection, &table, "DESC")?,
            name: table,
        })
    }
}

/// The time of the first or last record of a table whose keys grow with time.
fn ends(connection: &Connection, table: &str, order: &str) -> Result<Option<Timestamp>, Error> {
    let Some((_, time, key)) = TIMES.iter().find(|(name, _, _)| *name == table) else {
        return Ok(None);
    };
    let sql = format!("SELECT {time} FROM {table} ORDER BY {key} {order} LIMIT 1");
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query_map([], |row| row.get::<_, At>(0))?;
    Ok(found.next().transpose()?.map(|at| at.0))
}

/// Tables with the time of each record, and the key that grows with it.
const TIMES: &[(&str, &str, &str)] = &[
    ("accounts", "created_at", "id"),
    ("audit", "at", "id"),
    ("certificates", "issued_at", "rowid"),
    ("external_keys", "created_at", "created_at"),
    ("orders", "created_at", "id"),
    ("permits", "said_at", "said_at"),
    ("revocations", "revoked_at", "revoked_at"),
];
