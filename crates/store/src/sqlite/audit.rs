//! The audit log, as it is stored and read.

use rusqlite::{Connection, Row};
use serde_json::Value;

use super::Store;
use super::column::{At, Id, Json};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::AuditLine;

impl port::AuditLog for Store {
    async fn record(&self, entry: AuditEntry) -> Result<(), Error> {
        self.write(move |connection| append(connection, &entry))
            .await
    }

    async fn audit(&self, after: i64, limit: u32) -> Result<Vec<AuditLine>, Error> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, at, event, provisioner, account_id, order_id, certificate_id, detail
                 FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2",
            )?;
            let lines = statement.query_map((after, limit), line)?;
            Ok(lines.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Adds an entry to the transaction.
pub(super) fn append(connection: &Connection, entry: &AuditEntry) -> Result<(), Error> {
    let detail = (!entry.detail.is_null()).then_some(Json(&entry.detail));
    connection
        .prepare_cached(
            "INSERT INTO audit (at, event, provisioner, account_id, order_id, certificate_id, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            At(entry.at),
            &entry.event,
            &entry.provisioner,
            entry.account.map(Id),
            entry.order.map(Id),
            entry.certificate.map(Id),
            detail,
        ))?;
    Ok(())
}

/// From the columns of the statement above, in their order.
pub(super) fn line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    let entry = AuditEntry {
        at: row.get::<_, At>(1)?.0,
        event: row.get(2)?,
        provisioner: row.get(3)?,
        account: row.get::<_, Option<Id>>(4)?.map(|id| id.0),
        order: row.get::<_, Option<Id>>(5)?.map(|id| id.0),
        certificate: row.get::<_, Option<Id>>(6)?.map(|id| id.0),
        detail: row
            .get::<_, Option<Json<Value>>>(7)?
            .map_or(Value::Null, |json| json.0),
    };
    Ok(AuditLine {
        number: row.get(0)?,
        entry,
    })
}
