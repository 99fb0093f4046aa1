//! Writes all records as lines of JSON. Rows are read one after the other, so that the memory that it takes does not
//! depend on how many there are.

use std::io::{BufWriter, Write};

use data_encoding::HEXLOWER;
use pki::certificate::Serial;
use rusqlite::{Connection, Row};
use serde_json::{Value, json};

use super::{Progress, StoreFile, Watch};
use crate::error::{Error, FileError};
use crate::export;
use crate::sqlite::column::{Id, damaged};
use crate::sqlite::{
    accounts, audit, authorizations, certificates, external_keys, orders, permits, revocations,
};

impl StoreFile {
    /// Writes every record of one moment to `out`, a line each, and returns how many lines there are. An authorization
    /// has a line once something has happened to it; before that its order alone names it.
    ///
    /// # Errors
    /// [`FileError`] when the file is of an earlier schema or cannot be read, or `out` not be written.
    pub fn export(&self, out: impl Write, watch: Watch<'_>) -> Result<u64, FileError> {
        if self.schema != Self::current_schema() {
            return Err(FileError::Earlier {
                path: self.path.clone(),
                found: self.schema,
                current: Self::current_schema(),
            });
        }
        let mut lines = Lines {
            out: BufWriter::new(out),
            watch,
            written: 0,
            total: self.total()?,
        };
        for kind in KINDS {
            let mut statement = (self.connection.prepare(kind.rows)).map_err(Error::from)?;
            let mut rows = statement.query([]).map_err(Error::from)?;
            while let Some(row) = rows.next().map_err(Error::from)? {
                // A record that is deleted between two statements does not occur: both see one moment.
                if let Some(line) = (kind.line)(&self.connection, row)? {
                    lines.write(&line)?;
                }
            }
        }
        lines.finish()
    }

    fn total(&self) -> Result<u64, Error> {
        let exported = |table: &str| KINDS.iter().any(|kind| kind.table == table);
        let all = super::rows(&self.connection)?.into_iter();
        Ok(all
            .filter(|it| exported(&it.table))
            .map(|it| it.count)
            .sum())
    }
}

struct Lines<'a, W: Write> {
    out: BufWriter<W>,
    watch: Watch<'a>,
    written: u64,
    total: u64,
}

impl<W: Write> Lines<'_, W> {
    fn write(&mut self, line: &Value) -> Result<(), FileError> {
        writeln!(self.out, "{line}").map_err(FileError::Output)?;
        if self.written.is_multiple_of(EVERY) {
            (self.watch)(Progress {
                doing: "exporting",
                done: self.written,
                total: self.total,
            });
        }
        self.written += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<u64, FileError> {
        self.out.flush().map_err(FileError::Output)?;
        Ok(self.written)
    }
}

/// One kind of record.
struct Kind {
    table: &'static str,
    /// Selects what identifies a record, or all of it.
    rows: &'static str,
    /// The line of one row.
    line: fn(&Connection, &Row<'_>) -> Result<Option<Value>, Error>,
}

/// What is exported, in this order.
const KINDS: &[Kind] = &[
    Kind {
        table: "accounts",
        rows: "SELECT id FROM accounts ORDER BY id",
        line: |connection, row| {
            let account = accounts::load(connection, row.get::<_, Id>(0)?.0)?;
            Ok(account.as_ref().map(export::account))
        },
    },
    Kind {
        table: "external_keys",
        rows: "SELECT k.id, k.provisioner, reference, rules, accounts, expires_at, bound, bound_at, k.created_at,
                   (SELECT a.id FROM accounts a WHERE a.external_key = k.id ORDER BY a.id LIMIT 1)
               FROM external_keys k ORDER BY k.id",
        line: |_, row| Ok(Some(export::external_key(&external_keys::from_row(row)?))),
    },
    Kind {
        table: "permits",
        rows: "SELECT id, provisioner, account_id, external_key, pattern, expires_at, said_by, said_at
               FROM permits ORDER BY id",
        line: |_, row| Ok(Some(export::permit(&permits::from_row(row)?))),
    },
    Kind {
        table: "orders",
        rows: "SELECT id FROM orders ORDER BY id",
        line: |connection, row| {
            let order = orders::load(connection, row.get::<_, Id>(0)?.0)?;
            Ok(order.as_ref().map(export::order))
        },
    },
    Kind {
        table: "authorizations",
        rows: "SELECT id FROM authorizations ORDER BY id",
        line: |connection, row| {
            let authorization = authorizations::load(connection, row.get::<_, Id>(0)?.0)?;
            Ok(authorization.as_ref().map(export::authorization))
        },
    },
    Kind {
        table: "chains",
        rows: "SELECT DISTINCT der FROM chains",
        line: |_, row| {
            let der: Vec<u8> = row.get(0)?;
            Ok(Some(export::chain_certificate(&der)))
        },
    },
    Kind {
        table: "certificates",
        rows: "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
                   issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis
               FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial ORDER BY c.rowid",
        line: |_, row| Ok(Some(export::certificate(&certificates::from_row(row)?.certificate))),
    },
    Kind {
        table: "revocations",
        rows: "SELECT revoked_at, reason, authority, account_id, serial, lineage FROM revocations ORDER BY serial",
        line: |_, row| revocation(row),
    },
    Kind {
        table: "superseded",
        rows: "SELECT serial FROM superseded ORDER BY serial",
        line: |_, row| Ok(Some(json!({ "type": "superseded", "serial": serial(row, 0)? }))),
    },
    Kind {
        table: "compromised_keys",
        rows: "SELECT digest, serial FROM compromised_keys ORDER BY digest",
        line: |_, row| {
            let digest: Vec<u8> = row.get(0)?;
            let sha256 = HEXLOWER.encode(&digest);
            Ok(Some(
                json!({ "type": "compromised_key", "sha256": sha256, "serial": serial(row, 1)? }),
            ))
        },
    },
    Kind {
        table: "audit",
        rows: "SELECT id, at, event, provisioner, account_id, order_id, certificate_id, detail FROM audit ORDER BY id",
        line: |_, row| Ok(Some(export::audit(&audit::line(row)?))),
    },
];

fn revocation(row: &Row<'_>) -> Result<Option<Value>, Error> {
    let Some(revoked) = revocations::from_row(row, 0)? else {
        return Ok(None);
    };
    let mut line = json!({ "type": "revocation", "serial": serial(row, 4)? });
    if let (Value::Object(line), Value::Object(said)) = (&mut line, export::revoked(&revoked)) {
        line.extend(said);
    }
    if row.get::<_, Option<Vec<u8>>>(5)?.is_some() {
        line["ends_lineage"] = json!(serial(row, 5)?);
    }
    Ok(Some(line))
}

fn serial(row: &Row<'_>, column: usize) -> Result<String, Error> {
    let bytes: Vec<u8> = row.get(column)?;
    let serial = Serial::from_bytes(&bytes);
    let serial = serial.map_err(|error| damaged(column, error.to_string()))?;
    Ok(serial.to_string())
}

/// Lines between two reports of progress.
const EVERY: u64 = 1000;
