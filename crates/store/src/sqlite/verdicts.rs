//! Verdicts on challenges (RFC 8555 §7.1.6): challenge, authorization and the orders that hang on it move together,
//! and the first verdict counts.

use acme::challenge::{Method, Proof};
use acme::identifier::Identifier;
use acme::problem::Problem;
use jiff::Timestamp;
use pki::PublicKey;
use rusqlite::Connection;
use serde_json::{Value, json};
use uuid::Uuid;

use super::column::{At, Id, Json};
use super::{Store, audit, authorizations};
use crate::error::Error;
use crate::port;
use crate::record::{AuditEntry, ChallengeRecord, Settled, UnfinishedChallenge};

impl port::Challenges for Store {
    async fn challenge(&self, id: Uuid) -> Result<Option<ChallengeRecord>, Error> {
        self.read(move |connection| {
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

    async fn settle_valid(
        &self,
        challenge: Uuid,
        proof: &Proof,
        until: Timestamp,
    ) -> Result<Settled, Error> {
        let proven = Proven::new(proof, until);
        self.write(move |connection| {
            let written = prove(connection, challenge, &proven)?;
            settled(connection, challenge, proven.at, written, None)
        })
        .await
    }

    async fn settle_invalid(
        &self,
        challenge: Uuid,
        problem: &Problem,
        evidence: &Value,
        at: Timestamp,
    ) -> Result<Settled, Error> {
        let (problem, evidence) = (problem.clone(), evidence.clone());
        self.write(move |connection| {
            let written = fail(connection, challenge, &problem, &evidence)?;
            settled(connection, challenge, at, written, Some(&problem))
        })
        .await
    }
}

impl port::ValidationJobs for Store {
    async fn begin_challenge(&self, begun: UnfinishedChallenge) -> Result<bool, Error> {
        self.write(move |connection| {
            let written = connection
                .prepare_cached(
                    "UPDATE challenges SET status = 'processing', account_url = ?2, payload = ?3
                     WHERE id = ?1 AND status = 'pending'",
                )?
                .execute((Id(begun.challenge), &begun.account_url, &begun.payload))?;
            Ok(written == 1)
        })
        .await
    }

    async fn unfinished_challenges(&self) -> Result<Vec<UnfinishedChallenge>, Error> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, coalesce(account_url, ''), coalesce(payload, x'7b7d')
                 FROM challenges WHERE status = 'processing' ORDER BY id",
            )?;
            let found = statement.query_map([], |row| {
                Ok(UnfinishedChallenge {
                    challenge: row.get::<_, Id>(0)?.0,
                    account_url: row.get(1)?,
                    payload: row.get(2)?,
                })
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// What of a proof is compared with the records and written to them: the proof itself is not copied.
struct Proven {
    identifier: Identifier,
    account: Uuid,
    method: Option<Method>,
    at: Timestamp,
    evidence: Value,
    attested_key: Option<PublicKey>,
    until: Timestamp,
}

impl Proven {
    fn new(proof: &Proof, until: Timestamp) -> Self {
        Self {
            identifier: proof.identifier().clone(),
            account: proof.account(),
            method: proof.method(),
            at: proof.at(),
            evidence: proof.evidence().clone(),
            attested_key: proof.attested_key().cloned(),
            until,
        }
    }
}

fn prove(connection: &Connection, challenge: Uuid, proven: &Proven) -> Result<bool, Error> {
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
            Id(challenge),
            At(proven.at),
            Json(&proven.evidence),
            proven.method.map(Method::as_str),
            Id(proven.account),
            proven.identifier.kind(),
            proven.identifier.to_string(),
            proven.attested_key.as_ref().map(PublicKey::spki_der),
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
        .execute((Id(challenge), At(proven.until)))?;
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
        .execute([Id(challenge)])?;
    Ok(true)
}

fn fail(
    connection: &Connection,
    challenge: Uuid,
    problem: &Problem,
    evidence: &Value,
) -> Result<bool, Error> {
    let failed = connection
        .prepare_cached(
            "UPDATE challenges SET status = 'invalid', error = ?2, evidence = ?3, payload = NULL
             WHERE id = ?1 AND status IN ('pending', 'processing') AND EXISTS
                 (SELECT 1 FROM authorizations a
                  WHERE a.id = challenges.authorization_id AND a.status = 'pending')",
        )?
        .execute((Id(challenge), Json(problem), Json(evidence)))?;
    if failed == 0 {
        return Ok(false);
    }
    let authorization: Id = connection
        .prepare_cached("SELECT authorization_id FROM challenges WHERE id = ?1")?
        .query_row([Id(challenge)], |row| row.get(0))?;
    connection
        .prepare_cached(
            "UPDATE authorizations SET status = 'invalid' WHERE id = ?1 AND status = 'pending'",
        )?
        .execute([authorization])?;
    authorizations::end_orders(connection, authorization.0, problem)?;
    Ok(true)
}

/// Reads what is stored now, and writes the audit line of a verdict that counted.
fn settled(
    connection: &Connection,
    challenge: Uuid,
    at: Timestamp,
    written: bool,
    problem: Option<&Problem>,
) -> Result<Settled, Error> {
    let authorization =
        authorizations::of_challenge(connection, challenge)?.ok_or(Error::NotFound)?;
    let orders = authorizations::waiting_orders(connection, authorization.id)?;
    if written {
        let event = match problem {
            None => "authorization-valid",
            Some(_) => "authorization-invalid",
        };
        let method = authorization
            .challenge(challenge)
            .map(|it| it.method.as_str());
        let entry = AuditEntry {
            provisioner: Some(authorization.provisioner.clone()),
            account: Some(authorization.account),
            order: orders.first().copied(),
            detail: json!({
                "name": authorization.identifier.to_string(),
                "challenge": method,
                "problem": problem.map(|problem| &problem.detail),
            }),
            ..AuditEntry::new(event, at)
        };
        audit::append(connection, &entry)?;
    }
    Ok(Settled {
        written,
        authorization,
        orders,
    })
}
