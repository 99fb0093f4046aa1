//! External account keys (RFC 8555 §7.3.4): created, listed, removed, and counted in the transaction that creates the
//! account.

use acme::account::Account;
use acme::eab::MacKey;
use ca::external_key::{ExternalKey, Limits, UseMade};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::column::{At, Id, Json};
use super::{Store, audit};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::BindingKey;
use crate::write::Ending;

impl port::ExternalKeys for Store {
    async fn create_external_key(
        &self,
        key: ExternalKey,
        secret: MacKey,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            // Accounts and permits of a removed key would have their rights back.
            let used = connection
                .prepare_cached(
                    "SELECT 1 FROM accounts WHERE external_key = ?1
                     UNION ALL SELECT 1 FROM permits WHERE external_key = ?1",
                )?
                .exists([&key.id])?;
            if used {
                return Err(Error::Conflict(format!(
                    "the id {:?} was that of a key that is removed and whose accounts or permits are still on record",
                    key.id
                )));
            }
            connection
                .prepare_cached(
                    "INSERT INTO external_keys
                         (id, provisioner, reference, secret, rules, accounts, expires_at, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute((
                    &key.id,
                    &key.provisioner,
                    &key.reference,
                    secret.octets(),
                    Json(&key.rules),
                    key.limits.accounts,
                    key.limits.expires_at.map(At),
                    At(key.created_at),
                ))?;
            audit::append(connection, &entry)
        })
        .await
    }

    async fn external_key(
        &self,
        provisioner: &str,
        id: &str,
    ) -> Result<Option<ExternalKey>, Error> {
        let sql = "SELECT id, provisioner, reference, rules, accounts, expires_at, bound, bound_at,
                created_at,
                (SELECT a.id FROM accounts a WHERE a.external_key = k.id ORDER BY a.id LIMIT 1)
            FROM external_keys k WHERE id = ?2 AND provisioner = ?1";
        self.one_external_key(sql, provisioner, id).await
    }

    async fn binding_key(&self, provisioner: &str, id: &str) -> Result<Option<BindingKey>, Error> {
        let (provisioner, id) = (provisioner.to_owned(), id.to_owned());
        self.read(move |connection| {
            let found = connection
                .prepare_cached(
                    "SELECT id, provisioner, reference, rules, accounts, expires_at, bound, bound_at,
                         created_at,
                         (SELECT a.id FROM accounts a WHERE a.external_key = k.id ORDER BY a.id LIMIT 1),
                         secret
                     FROM external_keys k WHERE id = ?2 AND provisioner = ?1",
                )?
                .query_row((provisioner, id), |row| {
                    Ok(BindingKey {
                        key: from_row(row)?,
                        secret: MacKey::new(row.get(10)?),
                    })
                });
            Ok(found.optional()?)
        })
        .await
    }

    async fn external_keys(
        &self,
        provisioner: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<ExternalKey>, Error> {
        let (provisioner, after) = (provisioner.to_owned(), after.to_owned());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, provisioner, reference, rules, accounts, expires_at, bound, bound_at,
                     created_at,
                     (SELECT a.id FROM accounts a WHERE a.external_key = k.id ORDER BY a.id LIMIT 1)
                 FROM external_keys k WHERE provisioner = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
            )?;
            let keys = statement.query_map((provisioner, after, limit), from_row)?;
            Ok(keys.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn external_key_called(
        &self,
        provisioner: &str,
        reference: &str,
    ) -> Result<Option<ExternalKey>, Error> {
        let sql = "SELECT id, provisioner, reference, rules, accounts, expires_at, bound, bound_at,
                created_at,
                (SELECT a.id FROM accounts a WHERE a.external_key = k.id ORDER BY a.id LIMIT 1)
            FROM external_keys k
            WHERE provisioner = ?1 AND reference = ?2 AND reference <> ''";
        self.one_external_key(sql, provisioner, reference).await
    }

    async fn remove_external_key(
        &self,
        provisioner: &str,
        id: &str,
        ending: Ending,
    ) -> Result<u64, Error> {
        let (provisioner, id) = (provisioner.to_owned(), id.to_owned());
        self.write(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM external_keys WHERE id = ?2 AND provisioner = ?1")?
                .execute((&provisioner, &id))?;
            if gone == 0 {
                return Err(Error::NotFound);
            }
            let ended = connection
                .prepare_cached(
                    "UPDATE orders SET status = 'invalid', error = ?2
                     WHERE status IN ('pending', 'ready', 'processing') AND account_id IN
                         (SELECT id FROM accounts WHERE external_key = ?1)",
                )?
                .execute((&id, Json(&ending.why)))?;
            audit::append(connection, &ending.entry)?;
            Ok(u64::try_from(ended).unwrap_or(u64::MAX))
        })
        .await
    }
}

impl Store {
    /// The key that a statement finds by provisioner and name.
    async fn one_external_key(
        &self,
        sql: &'static str,
        provisioner: &str,
        name: &str,
    ) -> Result<Option<ExternalKey>, Error> {
        let (provisioner, name) = (provisioner.to_owned(), name.to_owned());
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement.query_row((provisioner, name), from_row);
            Ok(found.optional()?)
        })
        .await
    }
}

/// The key that bound an account, if it is still there.
pub(super) fn of_account(
    connection: &Connection,
    account: Uuid,
) -> Result<Option<ExternalKey>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT k.id, k.provisioner, reference, rules, accounts, expires_at, bound, bound_at,
                 k.created_at,
                 (SELECT a.id FROM accounts a WHERE a.external_key = k.id ORDER BY a.id LIMIT 1)
             FROM accounts mine
             JOIN external_keys k ON k.id = mine.external_key AND k.provisioner = mine.provisioner
             WHERE mine.id = ?1",
        )?
        .query_row([Id(account)], from_row);
    Ok(found.optional()?)
}

/// Counts an account for the key that binds it; whether the key may bind one more.
pub(super) fn count(connection: &Connection, key: &str, account: &Account) -> Result<bool, Error> {
    let counted = connection
        .prepare_cached(
            "UPDATE external_keys SET bound = bound + 1, bound_at = ?3
             WHERE id = ?1 AND provisioner = ?2 AND bound < accounts
                 AND (expires_at IS NULL OR expires_at > ?3)",
        )?
        .execute((key, &account.provisioner, At(account.created_at)))?;
    Ok(counted == 1)
}

/// From the columns of the statements above, in their order.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<ExternalKey> {
    Ok(ExternalKey {
        id: row.get(0)?,
        provisioner: row.get(1)?,
        reference: row.get(2)?,
        rules: row.get::<_, Json<_>>(3)?.0,
        limits: Limits {
            accounts: row.get(4)?,
            expires_at: row.get::<_, Option<At>>(5)?.map(|at| at.0),
        },
        use_made: UseMade {
            accounts: row.get(6)?,
            latest_at: row.get::<_, Option<At>>(7)?.map(|at| at.0),
            first: row.get::<_, Option<Id>>(9)?.map(|id| id.0),
        },
        created_at: row.get::<_, At>(8)?.0,
    })
}
