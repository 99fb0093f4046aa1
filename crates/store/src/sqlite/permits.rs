//! Permits (`acme::permit`), as they are stored, read and taken back.

use acme::permit::{Holder, Pattern, Permit, Record};
use acme::problem::Problem;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::column::{At, Id, Json, damaged};
use super::{Store, audit};
use crate::error::Error;
use crate::port;
use crate::write::{Ending, NewPermit};

impl port::Permits for Store {
    async fn add_permits(&self, permits: Vec<NewPermit>) -> Result<(), Error> {
        self.write(move |connection| {
            for new in &permits {
                insert(connection, &new.record)?;
                audit::append(connection, &new.entry)?;
            }
            Ok(())
        })
        .await
    }

    async fn permit(&self, provisioner: &str, id: Uuid) -> Result<Option<Record>, Error> {
        let provisioner = provisioner.to_owned();
        self.read(move |connection| load(connection, &provisioner, id))
            .await
    }

    async fn permits(&self, provisioner: &str) -> Result<Vec<Record>, Error> {
        let provisioner = provisioner.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, provisioner, account_id, external_key, pattern, expires_at, said_by, said_at
                 FROM permits WHERE provisioner = ?1 ORDER BY id",
            )?;
            let found = statement.query_map([provisioner], from_row)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn remove_permit(
        &self,
        provisioner: &str,
        id: Uuid,
        ending: Ending,
    ) -> Result<Record, Error> {
        let provisioner = provisioner.to_owned();
        self.write(move |connection| {
            let record = load(connection, &provisioner, id)?.ok_or(Error::NotFound)?;
            end_what_it_gave(connection, id, &ending.why)?;
            connection
                .prepare_cached("DELETE FROM permits WHERE id = ?1")?
                .execute([Id(id)])?;
            audit::append(connection, &ending.entry)?;
            Ok(record)
        })
        .await
    }
}

/// The permits that hold for an account.
pub(super) fn of_account(connection: &Connection, account: Uuid) -> Result<Vec<Permit>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, provisioner, account_id, external_key, pattern, expires_at, said_by, said_at
         FROM permits WHERE account_id = ?1
             UNION ALL
         SELECT id, provisioner, account_id, external_key, pattern, expires_at, said_by, said_at
             FROM permits WHERE external_key = (SELECT external_key FROM accounts WHERE id = ?1)",
    )?;
    let found = statement.query_map([Id(account)], from_row)?;
    found
        .map(|record| Ok(Permit::from_record(record?, account)))
        .collect()
}

/// Whether a permit is there and holds for this account.
pub(super) fn holds(
    connection: &Connection,
    id: Uuid,
    account: Uuid,
    now: Timestamp,
) -> Result<bool, Error> {
    let found: Option<bool> = connection
        .prepare_cached(
            "SELECT expires_at IS NULL OR expires_at > ?3 FROM permits WHERE id = ?1
                 AND (account_id = ?2 OR external_key = (SELECT external_key FROM accounts WHERE id = ?2))",
        )?
        .query_row((Id(id), Id(account), At(now)), |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn insert(connection: &Connection, record: &Record) -> Result<(), Error> {
    let (account, key) = match &record.holder {
        Holder::Account(id) => (Some(Id(*id)), None),
        Holder::ExternalKey(key) => (None, Some(key)),
    };
    let there = connection
        .prepare_cached(
            "SELECT 1 FROM accounts WHERE id = ?1 AND provisioner = ?3 AND status = 'valid'
             UNION ALL SELECT 1 FROM external_keys WHERE id = ?2 AND provisioner = ?3",
        )?
        .exists((account, key, &record.provisioner))?;
    if !there {
        return Err(Error::NotFound);
    }
    connection
        .prepare_cached(
            "INSERT INTO permits
                 (id, provisioner, account_id, external_key, pattern, expires_at, said_by, said_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            Id(record.id),
            &record.provisioner,
            account,
            key,
            record.pattern.to_string(),
            record.expires.map(At),
            &record.by,
            At(record.at),
        ))?;
    Ok(())
}

fn load(connection: &Connection, provisioner: &str, id: Uuid) -> Result<Option<Record>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT id, provisioner, account_id, external_key, pattern, expires_at, said_by, said_at
             FROM permits WHERE id = ?1 AND provisioner = ?2",
        )?
        .query_row((Id(id), provisioner), from_row)
        .optional()?;
    Ok(found)
}

fn end_what_it_gave(connection: &Connection, permit: Uuid, why: &Problem) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE orders SET status = 'invalid', error = ?2
             WHERE status IN ('pending', 'ready', 'processing') AND id IN
                 (SELECT o.order_id FROM authorizations a
                  JOIN order_authorizations o ON o.authorization_id = a.id WHERE a.permit_id = ?1
                  UNION ALL
                  SELECT CAST(substr(id, 1, 14) || x'0000' AS BLOB) FROM authorizations WHERE permit_id = ?1)",
        )?
        .execute((Id(permit), Json(why)))?;
    connection
        .prepare_cached(
            "UPDATE authorizations SET status = 'revoked' WHERE permit_id = ?1 AND status = 'valid'",
        )?
        .execute([Id(permit)])?;
    Ok(())
}

/// From all columns, in the order of the statements above.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Record> {
    let account = row.get::<_, Option<Id>>(2)?;
    let pattern = row.get_ref(4)?.as_str()?;
    Ok(Record {
        id: row.get::<_, Id>(0)?.0,
        provisioner: row.get(1)?,
        holder: match account {
            Some(id) => Holder::Account(id.0),
            None => Holder::ExternalKey(row.get(3)?),
        },
        pattern: Pattern::parse(pattern).map_err(|problem| damaged(4, problem.to_string()))?,
        expires: row.get::<_, Option<At>>(5)?.map(|at| at.0),
        by: row.get(6)?,
        at: row.get::<_, At>(7)?.0,
    })
}
