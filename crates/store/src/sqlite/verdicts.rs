//! Verdicts on challenges (RFC 8555 §7.1.6): challenge, authorization and the orders that depend on it change together,
//! and the first verdict counts.

use acme::challenge::Method;
use acme::identifier::Identifier;
use jiff::Timestamp;
use pki::PublicKey;
use rusqlite::Connection;
use serde_json::Value;
use uuid::Uuid;

use super::column::{At, Id, Json};
use super::{Store, audit, authorizations, untouched};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::{ChallengeRecord, Settled, UnfinishedChallenge};
use crate::write::{Failed, Proven};

impl port::Challenges for Store {
    async fn challenge(&self, id: Uuid) -> Result<Option<ChallengeRecord>, Error> {
        self.look_up(move |connection| {
            let Some(authorization) = authorizations::of_challenge(connection, id)? else {
                return Ok(None);
            };
            let orders = authorizations::waiting_orders(connection, authorization.id)?;
            let challenge = authorization.challenge(id).cloned();
            Ok(challenge.map(|challenge| ChallengeRecord {
                challenge,
                authorization,
                orders,
            }))
        })
        .await
    }

    async fn settle_valid(&self, proven: &Proven) -> Result<Settled, Error> {
        let verdict = Valid::new(proven);
        self.write(move |connection| {
            let written = prove(connection, &verdict)?;
            settled(
                connection,
                verdict.challenge,
                written.then(|| verdict.entry.clone()),
            )
        })
        .await
    }

    async fn settle_invalid(&self, failed: &Failed) -> Result<Settled, Error> {
        let failed = failed.clone();
        self.write(move |connection| {
            let ended = fail(connection, &failed)?;
            let entry = ended.map(|_| failed.entry.clone());
            let settled = settled(connection, failed.challenge, entry)?;
            Ok(Settled {
                ended: ended.unwrap_or_default(),
                ..settled
            })
        })
        .await
    }
}

impl port::ValidationJobs for Store {
    async fn begin_challenge(&self, begun: UnfinishedChallenge) -> Result<bool, Error> {
        self.write(move |connection| {
            untouched::give_row(connection, begun.challenge)?;
            let written = connection
                .prepare_cached(
                    "UPDATE challenges SET status = 'processing', account_url = ?2, payload = ?3, thumbprint = ?4
                     WHERE id = ?1 AND status = 'pending'",
                )?
                .execute((
                    Id(begun.challenge),
                    &begun.account_url,
                    &begun.payload,
                    &begun.thumbprint,
                ))?;
            Ok(written == 1)
        })
        .await
    }

    async fn unfinished_challenges(&self) -> Result<Vec<UnfinishedChallenge>, Error> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, coalesce(account_url, ''), coalesce(payload, x'7b7d'),
                     coalesce(thumbprint, '')
                 FROM challenges WHERE status = 'processing' ORDER BY id",
            )?;
            let found = statement.query_map([], |row| {
                Ok(UnfinishedChallenge {
                    challenge: row.get::<_, Id>(0)?.0,
                    account_url: row.get(1)?,
                    payload: row.get(2)?,
                    thumbprint: row.get(3)?,
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// What of a proof is compared with the records and written to them.
struct Valid {
    challenge: Uuid,
    identifier: Identifier,
    account: Uuid,
    method: Option<Method>,
    at: Timestamp,
    evidence: Value,
    attested_key: Option<PublicKey>,
    until: Timestamp,
    entry: AuditEntry,
}

impl Valid {
    fn new(proven: &Proven) -> Self {
        let proof = &proven.proof;
        Self {
            challenge: proven.challenge,
            identifier: proof.identifier().clone(),
            account: proof.account(),
            method: proof.method(),
            at: proof.at(),
            evidence: proof.evidence().clone(),
            attested_key: proof.attested_key().cloned(),
            until: proven.until,
            entry: proven.entry.clone(),
        }
    }
}

fn prove(connection: &Connection, verdict: &Valid) -> Result<bool, Error> {
    untouched::give_row(connection, verdict.challenge)?;
    let written = connection
        .prepare_cached(
            "UPDATE challenges SET status = 'valid', validated_at = ?2, evidence = ?3,
                 attested_key = ?8, payload = NULL
             WHERE id = ?1 AND status IN ('pending', 'processing') AND method = ?4
                 AND EXISTS
                     (SELECT 1 FROM authorizations a
                      WHERE a.id = challenges.authorization_id AND a.status = 'pending'
                          AND a.expires_at > ?2 AND a.account_id = ?5
                          AND a.identifier_type = ?6 AND a.identifier = ?7)",
        )?
        .execute((
            Id(verdict.challenge),
            At(verdict.at),
            Json(&verdict.evidence),
            verdict.method.map(Method::as_str),
            Id(verdict.account),
            verdict.identifier.kind(),
            verdict.identifier.to_string(),
            verdict.attested_key.as_ref().map(PublicKey::spki_der),
        ))?;
    if written == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "UPDATE authorizations SET status = 'valid', expires_at = max(expires_at, ?2)
             WHERE status = 'pending' AND id IN
                 (SELECT authorization_id FROM challenges WHERE id = ?1)",
        )?
        .execute((Id(verdict.challenge), At(verdict.until)))?;
    connection
        .prepare_cached(
            "UPDATE orders SET status = 'ready'
             WHERE status = 'pending' AND id IN
                 (SELECT o.order_id FROM order_authorizations o
                  JOIN challenges c ON c.authorization_id = o.authorization_id WHERE c.id = ?1)
             AND NOT EXISTS
                 (SELECT 1 FROM order_authorizations o
                  JOIN authorizations a ON a.id = o.authorization_id
                  WHERE o.order_id = orders.id AND a.status <> 'valid')",
        )?
        .execute([Id(verdict.challenge)])?;
    Ok(true)
}

/// Returns how many orders it has ended; none if it is not the first verdict.
fn fail(connection: &Connection, failed: &Failed) -> Result<Option<usize>, Error> {
    untouched::give_row(connection, failed.challenge)?;
    let written = connection
        .prepare_cached(
            "UPDATE challenges SET status = 'invalid', error = ?2, evidence = ?3, payload = NULL
             WHERE id = ?1 AND status IN ('pending', 'processing') AND EXISTS
                 (SELECT 1 FROM authorizations a
                  WHERE a.id = challenges.authorization_id AND a.status = 'pending')",
        )?
        .execute((
            Id(failed.challenge),
            Json(&failed.problem),
            Json(&failed.evidence),
        ))?;
    if written == 0 {
        return Ok(None);
    }
    let authorization: Id = connection
        .prepare_cached("SELECT authorization_id FROM challenges WHERE id = ?1")?
        .query_row([Id(failed.challenge)], |row| row.get(0))?;
    connection
        .prepare_cached(
            "UPDATE authorizations SET status = 'invalid' WHERE id = ?1 AND status = 'pending'",
        )?
        .execute([authorization])?;
    authorizations::end_orders(connection, authorization.0, &failed.problem).map(Some)
}

/// Reads what is stored now, and writes the audit entry of a verdict that counted.
fn settled(
    connection: &Connection,
    challenge: Uuid,
    entry: Option<AuditEntry>,
) -> Result<Settled, Error> {
    let authorization =
        authorizations::of_challenge(connection, challenge)?.ok_or(Error::NotFound)?;
    let orders = authorizations::waiting_orders(connection, authorization.id)?;
    let written = entry.is_some();
    if let Some(mut entry) = entry {
        entry.order = orders.first().copied();
        audit::append(connection, &entry)?;
    }
    Ok(Settled {
        written,
        authorization,
        orders,
        ended: 0,
    })
}
