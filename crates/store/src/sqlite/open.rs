//! Opens the connections to one database file, with the settings that each needs.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{Options, fault, migrate};
use crate::error::OpenError;

/// When a commit is flushed to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Before it returns: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// At checkpoints only: a power cut may take the last commits, a killed process takes nothing.
    Normal,
    /// Never: for stores that do not outlive their process.
    Off,
}

impl Synchronous {
    const fn word(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}

/// All connections of a store.
pub(super) struct Connections {
    pub(super) writer: Connection,
    pub(super) checkpoint: Connection,
    pub(super) readers: Vec<Connection>,
}

/// Opens and migrates the file, which the caller has locked.
pub(super) fn connections(path: &Path, options: &Options) -> Result<Connections, OpenError> {
    create_private(path)?;
    let fault = |error: rusqlite::Error| fault::while_opening(path, &error);
    let mut writer = Connection::open_with_flags(path, read_write()).map_err(fault)?;
    writer.busy_timeout(PATIENCE).map_err(fault)?;
    migrate::check(&writer, path, migrate::STEPS)?;
    settle(&writer, options).map_err(fault)?;
    migrate::migrate(&mut writer, path, migrate::STEPS)?;
    let checkpoint = Connection::open_with_flags(path, read_write()).map_err(fault)?;
    settle(&checkpoint, options).map_err(fault)?;
    let readers = (0..options.readers.max(1))
        .map(|_| reader(path))
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    Ok(Connections {
        writer,
        checkpoint,
        readers,
    })
}

/// The file that a path means, whichever way it is written, so that two ways to one file meet at one lock.
/// Creates the folder where it is missing.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let io = |error: std::io::Error| OpenError::Io {
        path: path.to_owned(),
        what: error.to_string(),
    };
    if let Ok(resolved) = path.canonicalize() {
        return Ok(resolved);
    }
    let name = path.file_name().ok_or_else(|| OpenError::Io {
        path: path.to_owned(),
        what: "this is not the name of a file".to_owned(),
    })?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(io)?;
    Ok(folder.canonicalize().map_err(io)?.join(name))
}

/// SQLite gives the log and its index the mode of the database file.
fn create_private(path: &Path) -> Result<(), OpenError> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match created {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::Io {
            path: path.to_owned(),
            what: error.to_string(),
        }),
    }
}

/// Settings of the two connections that write.
fn settle(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    configure(connection)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", options.synchronous.word())?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG, |_| Ok(()))?;
    // The checkpoint thread does it.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Opens the log too, so that an ephemeral store may unlink its files.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Settings of every connection.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // The last connection to close would take the log's files away, and the next start, which must succeed on a full
    // disk, would need space to make them again. [`super::checkpoint`] empties the log instead.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A plan must not depend on what is bound: SQLite would compile each cached statement again at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

fn read_write() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// How long to wait for the lock of another process, such as a shell that an operator has open.
const PATIENCE: Duration = Duration::from_secs(5);
/// Prepared statements kept by each connection.
const STATEMENTS: usize = 64;
/// Bytes of the log that stay on the disk after a burst.
const LOG: i64 = 16 << 20;
/// Page cache of a writing connection, in KiB when negative.
const CACHE: i64 = -8000;

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn sqlite_is_built_with_the_options_that_this_repository_sets() {
        let connection = Connection::open_in_memory().unwrap();
        let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
        let options = statement.query_map([], |row| row.get(0)).unwrap();
        let options: Vec<String> = options.collect::<Result<_, _>>().unwrap();
        // HAVE_FDATASYNC is not listed; the test of the durable writes sees the call.
        for wanted in ["DEFAULT_MEMSTATUS=0", "OMIT_SHARED_CACHE", "THREADSAFE=2"] {
            assert!(
                options.iter().any(|it| it == wanted),
                "{wanted}: {options:?}"
            );
        }
    }

    #[test]
    fn a_cached_statement_is_compiled_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("riser.sqlite3");
        let all = connections(&path, &Options::default()).unwrap();
        for connection in [&all.writer, &all.readers[0]] {
            let sql = "SELECT provisioner FROM orders WHERE account_id = ?1 AND id > ?2";
            for account in 0_i64..3 {
                let mut statement = connection.prepare_cached(sql).unwrap();
                assert!(!statement.exists((account, 0)).unwrap());
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
