//! Retention: what has expired is looked for by a reader and deleted in small transactions, so that other writers need
//! not wait. Certificates go by a rule of their own, and the audit log stays.

use acme::challenge::order_id;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::column::{At, Id};
use super::{Store, certificate_retention, own};
use crate::error::Error;
use crate::port;
use crate::record::Swept;

impl port::Retention for Store {
    async fn sweep_certificates(&self, before: Timestamp) -> Result<usize, Error> {
        certificate_retention::sweep(self, before).await
    }

    async fn sweep(&self, now: Timestamp, keep: SignedDuration) -> Result<Swept, Error> {
        let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
        let mut swept = Swept::default();
        let kinds: [(&'static str, Delete); 2] = [
            (ORDERS, delete_orders),
            (AUTHORIZATIONS, delete_authorizations),
        ];
        for (sql, delete) in kinds {
            let mut after = Some(Uuid::nil());
            while let Some(last) = after {
                let found = self.read(move |connection| expired(connection, sql, last, before));
                let Expired { ids, next } = found.await?;
                if !ids.is_empty() {
                    let deleted = self.write(move |connection| delete(connection, &ids, before));
                    let gone = deleted.await?;
                    swept.orders += gone.orders;
                    swept.authorizations += gone.authorizations;
                }
                after = next;
            }
        }
        Ok(swept)
    }
}

/// Deletes those of these records that have expired.
type Delete = fn(&Connection, &[Uuid], Timestamp) -> Result<Swept, Error>;

/// What has expired among the next records.
struct Expired {
    ids: Vec<Uuid>,
    /// The last one that was looked at; none at the end.
    next: Option<Uuid>,
}

fn expired(
    connection: &Connection,
    sql: &str,
    after: Uuid,
    before: Timestamp,
) -> Result<Expired, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let end = first_id(before);
    let mut rows = statement.query((Id(after), Id(end), At(before), BATCH))?;
    let (mut expired, mut read) = (Vec::new(), 0);
    let mut next = None;
    while let Some(row) = rows.next()? {
        let id = row.get::<_, Id>(0)?.0;
        read += 1;
        next = Some(id);
        if row.get(1)? {
            expired.push(id);
        }
    }
    Ok(Expired {
        ids: expired,
        next: next.filter(|_| read == BATCH),
    })
}

/// An id that is less than all that are made from then on, which begin with the milliseconds of their making (UUID
/// version 7): what was made later has not expired by then.
fn first_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
    Uuid::from_u128(u128::from(millis) << 80)
}

/// Deletes orders, and with their rows the authorizations that nobody has touched.
fn delete_orders(connection: &Connection, ids: &[Uuid], before: Timestamp) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    for order in ids {
        let untouched = untouched(connection, *order)?;
        let gone = connection
            .prepare_cached("DELETE FROM orders WHERE id = ?1 AND expires_at < ?2")?
            .execute((Id(*order), At(before)))?;
        swept.orders += gone;
        swept.authorizations += gone * usize::from(untouched);
    }
    Ok(swept)
}

/// How many of an order's authorizations have no row of their own.
fn untouched(connection: &Connection, order: Uuid) -> Result<u16, Error> {
    let found = connection
        .prepare_cached(
            "SELECT coalesce(length(tokens) / 16, 0),
                 (SELECT count(*) FROM authorizations WHERE id > ?1 AND id < ?2)
                 + (SELECT count(*) FROM order_authorizations WHERE order_id = ?1)
             FROM orders WHERE id = ?1",
        )?
        .query_row((Id(order), Id(own::last_id(order))), |row| {
            let (places, with_rows): (u16, u16) = (row.get(0)?, row.get(1)?);
            Ok(places.saturating_sub(with_rows))
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Deletes authorizations that no order is left of.
fn delete_authorizations(
    connection: &Connection,
    ids: &[Uuid],
    before: Timestamp,
) -> Result<Swept, Error> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM authorizations WHERE id = ?1 AND expires_at < ?2
             AND NOT EXISTS (SELECT 1 FROM order_authorizations WHERE authorization_id = ?1)
             AND NOT EXISTS (SELECT 1 FROM orders WHERE id = ?3)",
    )?;
    let mut swept = Swept::default();
    for id in ids {
        swept.authorizations += delete.execute((Id(*id), At(before), Id(order_id(*id))))?;
    }
    Ok(swept)
}

const ORDERS: &str =
    "SELECT id, expires_at < ?3 FROM orders WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?4";
const AUTHORIZATIONS: &str =
    "SELECT id, expires_at < ?3 FROM authorizations WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?4";
/// Records read in one view, and the most that are deleted in one transaction.
const BATCH: u16 = 200;
