//! Accounts (RFC 8555 §7.3): one for each key and provisioner.

use acme::account::{Account, External, Status};
use acme::key_change::KeyChange;
use acme::order::KeyUse;
use acme::problem::Problem;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::account_cache::Known;
use super::column::{At, Id, Json, kept, word};
use super::{Store, audit, external_keys};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::{Created, KeyChanged};
use crate::write::{Ending, Registration};

impl port::Accounts for Store {
    async fn create_account(&self, registration: Registration) -> Result<Created, Error> {
        self.write(move |connection| create(connection, &registration))
            .await
    }

    async fn account(&self, id: Uuid) -> Result<Option<Account>, Error> {
        let revision = match self.parts.accounts.find(id) {
            Known::Account(account) => return Ok(Some(account)),
            Known::Nothing(revision) => revision,
        };
        let found = self.look_up(move |connection| load(connection, id)).await?;
        if let Some(account) = &found {
            self.parts.accounts.keep(account, revision);
        }
        Ok(found)
    }

    async fn account_by_key(
        &self,
        provisioner: &str,
        thumbprint: &str,
    ) -> Result<Option<Account>, Error> {
        let (provisioner, thumbprint) = (provisioner.to_owned(), thumbprint.to_owned());
        self.look_up(move |connection| by_key(connection, &provisioner, &thumbprint))
            .await
    }

    async fn update_account(
        &self,
        id: Uuid,
        contact: Option<Vec<String>>,
        terms: Option<String>,
    ) -> Result<Account, Error> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "UPDATE accounts SET contact = coalesce(?2, contact), terms = coalesce(?3, terms),
                         terms_agreed = terms_agreed OR ?3 IS NOT NULL
                     WHERE id = ?1 AND status = 'valid'",
                )?
                .execute((Id(id), contact.as_ref().map(Json), &terms))?;
            load(connection, id)?.ok_or(Error::NotFound)
        })
        .await
    }

    async fn change_key(
        &self,
        id: Uuid,
        change: KeyChange,
        entry: AuditEntry,
    ) -> Result<KeyChanged, Error> {
        self.write(move |connection| rekey(connection, id, &change, &entry))
            .await
    }

    async fn deactivate_account(&self, id: Uuid, ending: Ending) -> Result<Account, Error> {
        self.write(move |connection| {
            let ended = connection
                .prepare_cached(
                    "UPDATE accounts SET status = 'deactivated' WHERE id = ?1 AND status = 'valid'",
                )?
                .execute([Id(id)])?;
            let account = load(connection, id)?.ok_or(Error::NotFound)?;
            if ended == 1 {
                end_what_it_has(connection, id, &ending.why)?;
                audit::append(connection, &ending.entry)?;
            }
            Ok(account)
        })
        .await
    }
}

fn create(connection: &Connection, registration: &Registration) -> Result<Created, Error> {
    let Registration {
        account,
        bound,
        entry,
    } = registration;
    let mut account = account.clone();
    let thumbprint = account.key.thumbprint();
    if let Some(bound) = bound {
        if let Some(existing) = by_key(connection, &account.provisioner, &thumbprint)? {
            return Ok(Created::Existing(existing));
        }
        if !external_keys::count(connection, bound.kid(), &account)? {
            return Ok(Created::NotBound);
        }
        account.external = Some(Box::new(External {
            key: bound.kid().to_owned(),
            binding: bound.sent().clone(),
        }));
    }
    let inserted = connection
        .prepare_cached(
            "INSERT INTO accounts
                 (id, provisioner, thumbprint, key, status, contact, terms_agreed, created_at, terms,
                  external_key, external_binding)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (provisioner, thumbprint) DO NOTHING",
        )?
        .execute((
            Id(account.id),
            &account.provisioner,
            &thumbprint,
            Json(&account.key),
            account.status.as_str(),
            Json(&account.contact),
            account.terms_agreed,
            At(account.created_at),
            &account.terms,
            account.external.as_ref().map(|it| &it.key),
            account.external.as_ref().map(|it| Json(&it.binding)),
        ))?;
    if inserted == 0 {
        let existing = by_key(connection, &account.provisioner, &thumbprint)?;
        return existing.map(Created::Existing).ok_or(Error::NotFound);
    }
    audit::append(connection, entry)?;
    Ok(Created::Created(Account {
        created_at: kept(account.created_at),
        ..account
    }))
}

fn rekey(
    connection: &Connection,
    id: Uuid,
    change: &KeyChange,
    entry: &AuditEntry,
) -> Result<KeyChanged, Error> {
    let account = load(connection, id)?.ok_or(Error::NotFound)?;
    let (old, new) = (change.old_key().thumbprint(), change.new_key().thumbprint());
    if let Some(holder) = by_key(connection, &account.provisioner, &new)? {
        return Ok(KeyChanged::InUse(holder.id));
    }
    let changed = connection
        .prepare_cached(
            "UPDATE accounts SET key = ?3, thumbprint = ?4
             WHERE id = ?1 AND thumbprint = ?2 AND status = 'valid'",
        )?
        .execute((Id(id), &old, Json(change.new_key()), &new))?;
    if changed == 0 {
        return Ok(KeyChanged::Outdated);
    }
    audit::append(connection, entry)?;
    Ok(KeyChanged::Changed(Box::new(Account {
        key: change.new_key().clone(),
        ..account
    })))
}

fn end_what_it_has(connection: &Connection, account: Uuid, why: &Problem) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE authorizations SET status = 'deactivated'
             WHERE status IN ('pending', 'valid') AND id IN
                 (SELECT id FROM authorizations
                  WHERE account_id = ?1 AND (status = 'valid' OR status = 'pending' AND ahead = 1)
                  UNION ALL
                  SELECT j.authorization_id FROM orders o
                  JOIN order_authorizations j ON j.order_id = o.id WHERE o.account_id = ?1
                  UNION ALL
                  SELECT a.id FROM orders o
                  CROSS JOIN authorizations a
                      ON a.id > o.id AND a.id < CAST(substr(o.id, 1, 14) || x'ffff' AS BLOB)
                  WHERE o.account_id = ?1)",
        )?
        .execute([Id(account)])?;
    connection
        .prepare_cached(
            "UPDATE orders SET status = 'invalid', error = ?2
             WHERE account_id = ?1 AND status IN ('pending', 'ready', 'processing')",
        )?
        .execute((Id(account), Json(why)))?;
    Ok(())
}

/// What accounts of any provisioner use the key of this thumbprint for.
pub(super) fn key_use(connection: &Connection, thumbprint: &str) -> Result<KeyUse, Error> {
    let mut next = connection.prepare_cached(
        "SELECT provisioner FROM accounts WHERE provisioner > ?1 ORDER BY provisioner LIMIT 1",
    )?;
    let mut has_key = connection
        .prepare_cached("SELECT 1 FROM accounts WHERE provisioner = ?1 AND thumbprint = ?2")?;
    let mut provisioner = String::new();
    loop {
        let found = next
            .query_row([&provisioner], |row| row.get(0))
            .optional()?;
        provisioner = match found {
            Some(found) => found,
            None => return Ok(KeyUse::Separate),
        };
        if has_key.exists((&provisioner, thumbprint))? {
            return Ok(KeyUse::Account);
        }
    }
}

pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Option<Account>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT id, provisioner, key, status, contact, terms_agreed, created_at, terms,
                 EXISTS (SELECT 1 FROM permits p WHERE p.account_id = accounts.id)
                     OR EXISTS (SELECT 1 FROM permits p WHERE p.external_key = accounts.external_key),
                 external_key, external_binding
             FROM accounts WHERE id = ?1",
        )?
        .query_row([Id(id)], from_row)
        .optional()?;
    Ok(found)
}

fn by_key(
    connection: &Connection,
    provisioner: &str,
    thumbprint: &str,
) -> Result<Option<Account>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT id, provisioner, key, status, contact, terms_agreed, created_at, terms,
                 EXISTS (SELECT 1 FROM permits p WHERE p.account_id = accounts.id)
                     OR EXISTS (SELECT 1 FROM permits p WHERE p.external_key = accounts.external_key),
                 external_key, external_binding
             FROM accounts WHERE provisioner = ?1 AND thumbprint = ?2",
        )?
        .query_row((provisioner, thumbprint), from_row)
        .optional()?;
    Ok(found)
}

fn external(row: &Row<'_>) -> rusqlite::Result<Option<Box<External>>> {
    let Some(key) = row.get(9)? else {
        return Ok(None);
    };
    let binding = row.get::<_, Json<_>>(10)?.0;
    Ok(Some(Box::new(External { key, binding })))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get::<_, Id>(0)?.0,
        provisioner: row.get(1)?,
        key: row.get::<_, Json<_>>(2)?.0,
        status: word(row, 3, Status::parse)?,
        contact: row.get::<_, Json<_>>(4)?.0,
        terms_agreed: row.get(5)?,
        created_at: row.get::<_, At>(6)?.0,
        terms: row.get(7)?,
        permitted: row.get(8)?,
        external: external(row)?,
    })
}
