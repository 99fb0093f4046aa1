//! Retention: what has expired is deleted in small transactions, so that other writers need not wait.
//! Certificates go by a rule of their own, and the audit log stays.

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;

use super::column::At;
use super::{Store, certificate_retention};
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
        loop {
            let gone = self
                .write(move |connection| delete(connection, ORDERS, before))
                .await?;
            swept.orders += gone;
            if gone < usize::from(BATCH) {
                break;
            }
        }
        loop {
            let gone = self
                .write(move |connection| delete(connection, AUTHORIZATIONS, before))
                .await?;
            swept.authorizations += gone;
            if gone < usize::from(BATCH) {
                return Ok(swept);
            }
        }
    }
}

fn delete(connection: &Connection, sql: &str, before: Timestamp) -> Result<usize, Error> {
    let gone = connection
        .prepare_cached(sql)?
        .execute((At(before), BATCH))?;
    Ok(gone)
}

const ORDERS: &str = "DELETE FROM orders WHERE id IN
    (SELECT id FROM orders WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
const AUTHORIZATIONS: &str = "DELETE FROM authorizations WHERE id IN
    (SELECT id FROM authorizations a WHERE expires_at < ?1
         AND NOT EXISTS (SELECT 1 FROM order_authorizations o WHERE o.authorization_id = a.id)
     ORDER BY expires_at LIMIT ?2)";
/// Rows deleted in one transaction.
const BATCH: u16 = 200;
