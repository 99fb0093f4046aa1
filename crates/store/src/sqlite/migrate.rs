//! Brings a database file to the schema of this release, one numbered step after the other, each in a transaction.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::fault;
use crate::error::OpenError;

/// The steps, oldest first; number n is at place n - 1. A released step is never changed.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "first",
        sql: include_str!("migrations/0001_first.sql"),
    },
    Step {
        name: "external_keys",
        sql: include_str!("migrations/0002_external_keys.sql"),
    },
    Step {
        name: "revocation",
        sql: include_str!("migrations/0003_revocation.sql"),
    },
    Step {
        name: "profiles",
        sql: include_str!("migrations/0004_profiles.sql"),
    },
    Step {
        name: "authorizations",
        sql: include_str!("migrations/0005_authorizations.sql"),
    },
    Step {
        name: "dns",
        sql: include_str!("migrations/0006_dns.sql"),
    },
    Step {
        name: "subdomains",
        sql: include_str!("migrations/0007_subdomains.sql"),
    },
    Step {
        name: "challenge_payloads",
        sql: include_str!("migrations/0008_challenge_payloads.sql"),
    },
    Step {
        name: "lineages",
        sql: include_str!("migrations/0009_lineages.sql"),
    },
    Step {
        name: "lean_authorizations",
        sql: include_str!("migrations/0010_lean_authorizations.sql"),
    },
    Step {
        name: "configuration",
        sql: include_str!("migrations/0011_configuration.sql"),
    },
    Step {
        name: "orders_as_asked",
        sql: include_str!("migrations/0012_orders_as_asked.sql"),
    },
    Step {
        name: "certificate_search",
        sql: include_str!("migrations/0013_certificate_search.sql"),
    },
    Step {
        name: "lean_orders",
        sql: include_str!("migrations/0014_lean_orders.sql"),
    },
    Step {
        name: "accounts_by_key",
        sql: include_str!("migrations/0015_accounts_by_key.sql"),
    },
];

/// One step.
pub(super) struct Step {
    name: &'static str,
    pub(super) sql: &'static str,
}

/// Refuses a file that a newer release or another program has written, before anything in it is changed.
/// Returns the schema that it has.
pub(super) fn check(
    connection: &Connection,
    path: &Path,
    steps: &[Step],
) -> Result<usize, OpenError> {
    let found = version(connection, path)?;
    if found > steps.len() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
            known: u32::try_from(steps.len()).unwrap_or(u32::MAX),
        });
    }
    Ok(found)
}

/// Applies what is missing, after [`check`].
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    steps: &[Step],
) -> Result<(), OpenError> {
    let fault = |error: rusqlite::Error| fault::while_opening(path, &error);
    let current = check(connection, path, steps)?;
    if current == 0 {
        mark(connection).map_err(fault)?;
    }
    for (index, step) in steps.iter().enumerate().skip(current) {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        transaction.execute_batch(step.sql).map_err(fault)?;
        transaction
            .execute(
                "INSERT INTO schema_version (version, name, applied_at) VALUES (?1, ?2, ?3)",
                (
                    i64::try_from(index + 1).unwrap_or(i64::MAX),
                    step.name,
                    Timestamp::now().as_millisecond(),
                ),
            )
            .map_err(fault)?;
        transaction.commit().map_err(fault)?;
        tracing::debug!(
            event = "store_migrated",
            version = index + 1,
            name = step.name
        );
    }
    Ok(())
}

/// The schema that the file has; 0 for an empty one.
fn version(connection: &Connection, path: &Path) -> Result<usize, OpenError> {
    let fault = |error: rusqlite::Error| fault::while_opening(path, &error);
    let mark: i64 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(fault)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fault)?;
    if tables == 0 {
        return Ok(0);
    }
    if mark != MARK {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    let newest: i64 = connection
        .query_row(
            "SELECT coalesce(max(version), 0) FROM schema_version",
            [],
            |row| row.get(0),
        )
        .map_err(fault)?;
    Ok(usize::try_from(newest).unwrap_or(usize::MAX))
}

/// Marks an empty file as a store.
fn mark(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", MARK)?;
    connection.execute_batch(VERSIONS)
}

/// "RISR", in the header of the file.
const MARK: i64 = 0x5249_5352;

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gets_every_step_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("x"), STEPS).unwrap();
        migrate(&mut connection, Path::new("x"), STEPS).unwrap();
        let count: i64 = connection
            .query_row("SELECT count(*) FROM schema_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(usize::try_from(count), Ok(STEPS.len()));
    }

    #[test]
    fn a_file_of_a_newer_release_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("x"), STEPS).unwrap();
        let found = u32::try_from(STEPS.len()).unwrap();
        let refused = migrate(&mut connection, Path::new("x"), &[]).unwrap_err();
        assert_eq!(
            refused,
            OpenError::Newer {
                path: "x".into(),
                found,
                known: 0
            }
        );
        assert!(
            refused
                .to_string()
                .contains("was written by a newer release")
        );
    }

    #[test]
    fn a_database_of_another_program_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE cookies (a TEXT)")
            .unwrap();
        let refused = migrate(&mut connection, Path::new("x"), STEPS);
        assert_eq!(refused, Err(OpenError::Foreign { path: "x".into() }));
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let bad = Step {
            name: "bad",
            sql: "CREATE TABLE half (a TEXT) STRICT; CREATE TABLE half (a TEXT) STRICT;",
        };
        assert!(migrate(&mut connection, Path::new("x"), &[bad]).is_err());
        assert_eq!(version(&connection, Path::new("x")), Ok(0));
        let half = connection.execute_batch("SELECT * FROM half");
        assert!(half.is_err());
    }
}
