//! Revocations (RFC 8555 §7.6), as they are stored and read, and the keys that they bar.

use acme::revocation::Reason;
use acme::scope::{Scope, Subject};
use pki::certificate::Serial;
use rusqlite::{Connection, OptionalExtension, Row};

use super::column::{At, Id, damaged};
use super::{Store, audit, certificates};
use crate::error::Error;
use crate::port;
use crate::record::{NamesClaim, RenewalEnd, RevocationFacts, Revoked, Revoker};
use crate::write::Revocation;

impl port::Revocations for Store {
    async fn revoke(&self, revocation: Revocation) -> Result<bool, Error> {
        self.write(move |connection| revoke(connection, &revocation))
            .await
    }

    async fn is_compromised(&self, key: [u8; 32]) -> Result<bool, Error> {
        self.look_up(move |connection| is_compromised(connection, key))
            .await
    }

    async fn revocation_facts(
        &self,
        serial: &Serial,
        claim: Option<NamesClaim>,
    ) -> Result<RevocationFacts, Error> {
        let serial = serial.clone();
        self.read(move |connection| {
            let proven = claim.map(|claim| is_proven(connection, &claim));
            Ok(RevocationFacts {
                certificate: certificates::by_serial(connection, &serial)?,
                proven: proven.unwrap_or(Ok(false))?,
            })
        })
        .await
    }
}

fn is_proven(connection: &Connection, claim: &NamesClaim) -> Result<bool, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM authorizations
         WHERE account_id = ?1 AND identifier_type = ?2 AND identifier = ?3
             AND status = 'valid' AND expires_at > ?4 AND subdomains >= ?5 AND permit_id IS NULL",
    )?;
    let mut holds = |Subject { identifier, scope }: Subject| {
        let (kind, value) = (identifier.kind(), identifier.to_string());
        let wide = scope == Scope::Subdomains;
        statement.exists((Id(claim.account), kind, value, At(claim.at), wide))
    };
    for identifier in &claim.identifiers {
        let mut proven = false;
        for subject in claim.widest.subjects_for(identifier) {
            proven = proven || holds(subject)?;
        }
        if !proven {
            return Ok(false);
        }
    }
    Ok(!claim.identifiers.is_empty())
}

fn revoke(connection: &Connection, revocation: &Revocation) -> Result<bool, Error> {
    let revoked = &revocation.revoked;
    let serial = revocation.serial.bytes();
    let written = connection
        .prepare_cached(
            "INSERT INTO revocations (serial, revoked_at, reason, authority, account_id, lineage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?7)
             ON CONFLICT (serial) DO UPDATE SET reason = excluded.reason, authority = excluded.authority,
                 account_id = excluded.account_id, lineage = excluded.lineage
                 WHERE ?6 AND NOT (revocations.reason = excluded.reason AND revocations.authority <> 'names')
                     OR revocations.lineage IS NULL AND excluded.lineage IS NOT NULL AND excluded.reason <> 0",
        )?
        .execute((
            serial,
            At(revoked.at),
            revoked.reason.code(),
            revoked.by.as_str(),
            revoked.by.account().map(Id),
            revoked.bars_the_key(),
            revocation.lineage.as_ref().map(Serial::bytes),
        ))?;
    if written == 0 {
        return Ok(false);
    }
    if revoked.bars_the_key() {
        connection
            .prepare_cached(
                "INSERT INTO compromised_keys (digest, serial) VALUES (?1, ?2)
                 ON CONFLICT DO NOTHING",
            )?
            .execute((revocation.key, serial))?;
    }
    if revocation.lineage.is_none() {
        end_ancestors(connection, serial)?;
    }
    audit::append(connection, &revocation.entry)?;
    Ok(true)
}

/// Ends the renewals of the certificates that this one was made from. One that has ended so has ended with its own
/// ancestors, so that each is passed once.
fn end_ancestors(connection: &Connection, serial: &[u8]) -> Result<(), Error> {
    let mut parent = connection.prepare_cached(
        "SELECT renewed_from FROM certificates
         WHERE serial = ?1 AND order_id IS NULL AND renewed_from IS NOT NULL",
    )?;
    let mut end = connection
        .prepare_cached("INSERT INTO superseded (serial) VALUES (?1) ON CONFLICT DO NOTHING")?;
    let mut serial = serial.to_vec();
    loop {
        let above: Option<Vec<u8>> = parent.query_row([&serial], |row| row.get(0)).optional()?;
        let Some(above) = above else {
            return Ok(());
        };
        if end.execute([&above])? == 0 {
            return Ok(());
        }
        serial = above;
    }
}

/// Whether a key was revoked as compromised, inside a transaction.
pub(super) fn is_compromised(connection: &Connection, key: [u8; 32]) -> Result<bool, Error> {
    let found = connection
        .prepare_cached("SELECT 1 FROM compromised_keys WHERE digest = ?1")?
        .exists([key])?;
    Ok(found)
}

/// Why the certificate with this serial number, of this lineage, is not renewed any more, inside a transaction.
pub(super) fn renewal_end(
    connection: &Connection,
    serial: &Serial,
    lineage: &Serial,
) -> Result<Option<RenewalEnd>, Error> {
    for (sql, key, end) in [
        (
            "SELECT 1 FROM revocations WHERE serial = ?1",
            serial,
            RenewalEnd::Revoked,
        ),
        (
            "SELECT 1 FROM revocations WHERE lineage = ?1",
            lineage,
            RenewalEnd::LineageEnded,
        ),
        (
            "SELECT 1 FROM superseded WHERE serial = ?1",
            serial,
            RenewalEnd::Superseded,
        ),
    ] {
        if connection.prepare_cached(sql)?.exists([key.bytes()])? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// The revocation in four columns from `first` on, where there is one.
pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<Revoked>> {
    let Some(At(at)) = row.get::<_, Option<At>>(first)? else {
        return Ok(None);
    };
    let code: u8 = row.get(first + 1)?;
    let reason = Reason::from_code(code)
        .ok_or_else(|| damaged(first + 1, format!("unknown reason {code}")))?;
    let account = row.get::<_, Option<Id>>(first + 3)?.map(|id| id.0);
    let word: String = row.get(first + 2)?;
    let by = match (word.as_str(), account) {
        ("account", Some(account)) => Revoker::Account(account),
        ("names", Some(account)) => Revoker::Names(account),
        ("key", None) => Revoker::Key,
        _ => return Err(damaged(first + 2, format!("unknown authority {word:?}"))),
    };
    Ok(Some(Revoked { at, reason, by }))
}
