//! Deletes certificates that ended long ago, in small transactions. What they forbid stays: revocations, barred keys and
//! ended lineages are rows of their own, and one that is gone is not renewed.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::Store;
use super::column::{At, Json};
use crate::error::Error;

/// A row, by its place in the index of ends.
#[derive(Clone, Copy)]
struct Ended {
    at: Timestamp,
    row: i64,
}

/// Deletes the certificates that ended before `before`; how many.
pub(super) async fn sweep(store: &Store, before: Timestamp) -> Result<usize, Error> {
    let mut deleted = 0;
    let mut last = Ended {
        at: Timestamp::MIN,
        row: 0,
    };
    loop {
        let found = store.read(move |connection| ended(connection, last, before));
        let found = found.await?;
        let Some(newest) = found.last() else {
            return Ok(deleted);
        };
        last = *newest;
        deleted += store
            .write(move |connection| delete_all(connection, &found))
            .await?;
    }
}

/// The next rows behind `last`.
fn ended(connection: &Connection, last: Ended, before: Timestamp) -> Result<Vec<Ended>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT not_after, rowid FROM certificates
         WHERE (not_after, rowid) > (?1, ?2) AND not_after < ?3 ORDER BY not_after, rowid LIMIT ?4",
    )?;
    let rows = statement.query_map((At(last.at), last.row, At(before), BATCH), |row| {
        Ok(Ended {
            at: row.get::<_, At>(0)?.0,
            row: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn delete_all(connection: &Connection, found: &[Ended]) -> Result<usize, Error> {
    let mut deleted = 0;
    let mut until = None;
    for ended in found {
        if delete(connection, ended.row)? {
            deleted += 1;
            until = Some(ended.at);
        }
    }
    if let Some(until) = until {
        connection
            .prepare_cached(
                "INSERT INTO deleted_certificates (id, ended_until) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET ended_until = max(ended_until, excluded.ended_until)",
            )?
            .execute([At(until)])?;
    }
    Ok(deleted)
}

/// Deletes a certificate with its names, unless its order is there or the certificate that it was made from: a revocation
/// as superseded goes from a certificate to its ancestors.
fn delete(connection: &Connection, row: i64) -> Result<bool, Error> {
    let names: Option<Json<Vec<String>>> = connection
        .prepare_cached(
            "SELECT names FROM certificates c WHERE c.rowid = ?1
                 AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.id = c.order_id)
                 AND NOT EXISTS (SELECT 1 FROM certificates old WHERE old.serial = c.renewed_from)",
        )?
        .query_row([row], |row| row.get(0))
        .optional()?;
    let Some(Json(names)) = names else {
        return Ok(false);
    };
    let mut unname = connection.prepare_cached(
        "DELETE FROM certificate_names WHERE name = ?1
             AND certificate_id = (SELECT id FROM certificates WHERE rowid = ?2)",
    )?;
    for name in names {
        unname.execute((name, row))?;
    }
    connection
        .prepare_cached("DELETE FROM certificates WHERE rowid = ?1")?
        .execute([row])?;
    Ok(true)
}

/// The latest end of a certificate that has been deleted.
pub(super) fn deleted_until(connection: &Connection) -> Result<Option<Timestamp>, Error> {
    let until = connection
        .prepare_cached("SELECT ended_until FROM deleted_certificates WHERE id = 1")?
        .query_row([], |row| row.get::<_, At>(0))
        .optional()?;
    Ok(until.map(|until| until.0))
}

/// Certificates that are deleted in one transaction.
const BATCH: u16 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Retention as _;
    use crate::record::CertificateRecord;
    use crate::suite::harness;

    #[tokio::test]
    async fn a_removal_of_many_is_many_small_transactions() {
        let store = Store::ephemeral().unwrap();
        for _ in 0..250 {
            let certificate = CertificateRecord {
                not_after: harness::now(),
                ..harness::certificate(&["a.example"])
            };
            harness::recorded(&store, certificate).await.unwrap();
        }
        let before = store.figures().transactions;
        let end = harness::later(1);
        assert_eq!(store.sweep_certificates(end).await, Ok(250));
        assert_eq!(store.figures().transactions - before, 3);
    }
}
