//! Whether a store's file is whole: SQLite's own checks, and what must hold between the records.

use jiff::Timestamp;
use pki::Certificate;
use pki::certificate::Serial;
use rusqlite::{Connection, Row};

use super::{Progress, StoreFile, Watch, count};
use crate::error::Error;
use crate::record::Revoked;
use crate::sqlite::column::At;
use crate::sqlite::revocations;

impl StoreFile {
    /// Looks for damage and contradictions. Returns what is wrong, each in a sentence; an intact store gives none.
    ///
    /// In a file of an earlier schema only the structure is checked.
    ///
    /// # Errors
    /// [`Error`] when the file cannot be read at all.
    pub fn check(&self, watch: Watch<'_>) -> Result<Vec<String>, Error> {
        let mut found = structure(&self.connection, watch)?;
        if found.is_empty() && self.schema == Self::current_schema() {
            for (sql, what) in INVARIANTS {
                contradictions(&self.connection, sql, what, &mut found)?;
            }
            self.certificates_match(&mut found, watch)?;
        }
        Ok(found)
    }

    /// Whether each certificate is the one that its record describes, and the key of each that was revoked as
    /// compromised is barred.
    fn certificates_match(&self, found: &mut Vec<String>, watch: Watch<'_>) -> Result<(), Error> {
        let sql = "SELECT count(*) FROM certificates";
        let total = (self.connection).query_row(sql, [], |row| count(row, 0))?;
        let mut statement = self.connection.prepare(
            "SELECT c.serial, der, not_after, revoked_at, reason, authority, r.account_id
             FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial",
        )?;
        let mut rows = statement.query([])?;
        for done in 0.. {
            let Some(row) = rows.next()? else {
                break;
            };
            if done % EVERY == 0 {
                watch(Progress {
                    doing: "comparing certificates",
                    done,
                    total,
                });
            }
            if let Some(what) = self.mismatch(row)? {
                found.push(what);
            }
            if found.len() >= MOST {
                break;
            }
        }
        Ok(())
    }

    fn mismatch(&self, row: &Row<'_>) -> Result<Option<String>, Error> {
        let Ok(serial) = Serial::from_bytes(row.get_ref(0)?.as_blob().unwrap_or_default()) else {
            return Ok(Some("a certificate's serial number is not one".to_owned()));
        };
        let der = row.get_ref(1)?.as_blob().unwrap_or_default();
        let certificate = match Certificate::from_der(der) {
            Ok(certificate) => certificate,
            Err(error) => {
                return Ok(Some(format!(
                    "certificate {serial} cannot be read: {error}"
                )));
            }
        };
        let end: Timestamp = row.get::<_, At>(2)?.0;
        if *certificate.serial() != serial || certificate.not_after() != end {
            return Ok(Some(format!(
                "certificate {serial} is not the one that its record describes"
            )));
        }
        let revoked = revocations::from_row(row, 3)?;
        if !revoked.as_ref().is_some_and(Revoked::bars_the_key) {
            return Ok(None);
        }
        let key = certificate.public_key().map(|key| key.digest());
        let is_barred = match key {
            Ok(digest) => revocations::is_compromised(&self.connection, digest)?,
            Err(_) => true,
        };
        Ok((!is_barred).then(|| {
            format!("certificate {serial} was revoked as compromised, but its key is not barred")
        }))
    }
}

/// SQLite's own checks: pages, indexes, constraints and references.
pub(super) fn structure(connection: &Connection, watch: Watch<'_>) -> Result<Vec<String>, Error> {
    watch(Progress {
        doing: "checking pages and indexes",
        done: 0,
        total: 0,
    });
    let mut found = Vec::new();
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST})"))?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            found.push(line);
        }
    }
    watch(Progress {
        doing: "checking references",
        done: 0,
        total: 0,
    });
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let broken = statement.query_map([], |row| {
        let (from, to): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!(
            "a row of {from} refers to a row of {to} that does not exist"
        ))
    })?;
    for what in broken.take(MOST) {
        found.push(what?);
    }
    Ok(found)
}

/// Counts the rows that contradict a rule.
fn contradictions(
    connection: &Connection,
    sql: &str,
    what: &str,
    found: &mut Vec<String>,
) -> Result<(), Error> {
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if count != 0 {
        found.push(format!("{count} {what}"));
    }
    Ok(())
}

/// What must hold beyond the constraints of the schema, each as the count of what contradicts it.
const INVARIANTS: &[(&str, &str)] = &[
    (
        // The digest of nothing: it was handed out alone.
        "SELECT count(*) FROM certificates c WHERE substr(chain_id, 1, 8) <> x'e3b0c44298fc1c14'
             AND NOT EXISTS (SELECT 1 FROM chains WHERE id = c.chain_id)",
        "certificates have lost the chain that is handed out with them",
    ),
    (
        "SELECT count(*) FROM certificates c, json_each(c.names) name WHERE NOT EXISTS
             (SELECT 1 FROM certificate_names n WHERE n.name = name.value AND n.certificate_id = c.id)",
        "names of certificates cannot be searched for",
    ),
    (
        "SELECT count(*) FROM certificate_names n WHERE NOT EXISTS
             (SELECT 1 FROM certificates c WHERE c.id = n.certificate_id)",
        "names lead to certificates that do not exist",
    ),
    (
        "SELECT count(*) FROM orders o WHERE status = 'valid' AND NOT EXISTS
             (SELECT 1 FROM certificates c WHERE c.id = o.certificate_id AND c.order_id = o.id)",
        "valid orders have lost their certificate",
    ),
    (
        "SELECT count(*) FROM orders WHERE status <> 'valid' AND certificate_id IS NOT NULL",
        "orders that are not valid have a certificate",
    ),
    (
        "SELECT count(*) FROM authorizations a WHERE status = 'valid' AND validated_at IS NULL AND permit_id IS NULL
             AND NOT EXISTS (SELECT 1 FROM challenges c WHERE c.authorization_id = a.id AND c.status = 'valid')",
        "valid authorizations have lost their proof",
    ),
    (
        "SELECT coalesce(max(id) - min(id) + 1, 0) - count(*) FROM audit",
        "lines are missing in the audit log",
    ),
];
/// The most findings that are reported.
const MOST: usize = 100;
/// Records between two reports of progress.
const EVERY: u64 = 1000;
