//! Verdicts on challenges (RFC 8555 §7.1.6): challenge, authorization and the orders that depend on it change together,
//! and the first verdict counts.

use acme::authz::{self, Authorization};
use acme::challenge::{Challenge, Method, Status};
use acme::identifier::Identifier;
use acme::problem::Problem;
use jiff::Timestamp;
use pki::PublicKey;
use rusqlite::Connection;
use serde_json::Value;
use uuid::Uuid;

use super::authorizations::Found;
use super::column::{At, Id, Json, kept};
use super::{Store, audit, authorizations, orders, untouched};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::{ChallengeRecord, Settled, UnfinishedChallenge};
use crate::write::{Failed, Proven};

impl port::Challenges for Store {
    async fn challenge(&self, id: Uuid) -> Result<Option<ChallengeRecord>, Error> {
        self.look_up(move |connection| {
            let Some(found) = authorizations::of_challenge(connection, id)? else {
                return Ok(None);
            };
            let orders = authorizations::waiting_orders(connection, found.authorization.id)?;
            let challenge = found.authorization.challenge(id).cloned();
            Ok(challenge.map(|challenge| ChallengeRecord {
                challenge,
                authorization: found.authorization,
                orders,
            }))
        })
        .await
    }

    async fn settle_valid(&self, proven: &Proven) -> Result<Settled, Error> {
        let verdict = Verdict::valid(proven);
        self.write(move |connection| settle(connection, &verdict))
            .await
    }

    async fn settle_invalid(&self, failed: &Failed) -> Result<Settled, Error> {
        let verdict = Verdict::invalid(failed);
        self.write(move |connection| settle(connection, &verdict))
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

/// A verdict, for the writer.
struct Verdict {
    challenge: Uuid,
    outcome: Outcome,
    evidence: Value,
    entry: AuditEntry,
}

enum Outcome {
    Valid(Box<Valid>),
    Invalid(Problem),
}

/// What of a proof is compared with the records and written to them.
struct Valid {
    identifier: Identifier,
    account: Uuid,
    method: Option<Method>,
    at: Timestamp,
    attested_key: Option<PublicKey>,
    until: Timestamp,
}

impl Verdict {
    fn valid(proven: &Proven) -> Self {
        let proof = &proven.proof;
        Self {
            challenge: proven.challenge,
            outcome: Outcome::Valid(Box::new(Valid {
                identifier: proof.identifier().clone(),
                account: proof.account(),
                method: proof.method(),
                at: kept(proof.at()),
                attested_key: proof.attested_key().cloned(),
                until: kept(proven.until),
            })),
            evidence: proof.evidence().clone(),
            entry: proven.entry.clone(),
        }
    }

    fn invalid(failed: &Failed) -> Self {
        Self {
            challenge: failed.challenge,
            outcome: Outcome::Invalid(failed.problem.clone()),
            evidence: failed.evidence.clone(),
            entry: failed.entry.clone(),
        }
    }

    /// Whether it is the first on its authorization, and about what is stored.
    fn counts(&self, authorization: &Authorization, challenge: &Challenge) -> bool {
        let is_first = authorization.status == authz::Status::Pending
            && matches!(challenge.status, Status::Pending | Status::Processing);
        let fits = match &self.outcome {
            Outcome::Invalid(_) => true,
            Outcome::Valid(valid) => {
                valid.method == Some(challenge.method)
                    && authorization.expires > valid.at
                    && authorization.account == valid.account
                    && authorization.identifier == valid.identifier
            }
        };
        is_first && fits
    }

    fn apply(&self, authorization: &mut Authorization) {
        let challenges = authorization.challenges.iter_mut();
        let challenge = challenges.into_iter().find(|it| it.id == self.challenge);
        if let Some(challenge) = challenge {
            match &self.outcome {
                Outcome::Valid(valid) => {
                    challenge.status = Status::Valid;
                    challenge.validated = Some(valid.at);
                }
                Outcome::Invalid(problem) => {
                    challenge.status = Status::Invalid;
                    challenge.error = Some(problem.clone());
                }
            }
        }
    }
}

/// Writes a verdict and all that follows from it, if it counts; returns what is stored then.
fn settle(connection: &Connection, verdict: &Verdict) -> Result<Settled, Error> {
    let found = authorizations::of_challenge(connection, verdict.challenge)?;
    let mut found = found.ok_or(Error::NotFound)?;
    let challenge = found.authorization.challenge(verdict.challenge);
    let challenge = challenge.ok_or(Error::NotFound)?;
    let written = verdict.counts(&found.authorization, challenge);
    let orders = authorizations::waiting_orders(connection, found.authorization.id)?;
    let mut ended = 0;
    if written {
        let method = challenge.method;
        write(connection, verdict, method, &mut found)?;
        verdict.apply(&mut found.authorization);
        for order in &orders {
            match &verdict.outcome {
                Outcome::Valid(_) => orders::advance(connection, *order)?,
                Outcome::Invalid(why) => {
                    ended += usize::from(orders::end(connection, *order, why)?)
                }
            }
        }
        let mut entry = verdict.entry.clone();
        entry.order = orders.first().copied();
        audit::append(connection, &entry)?;
    }
    Ok(Settled {
        written,
        authorization: found.authorization,
        orders,
        ended,
    })
}

/// Writes a verdict into the row of the challenge, or that of the authorization where the challenge has none.
fn write(
    connection: &Connection,
    verdict: &Verdict,
    method: Method,
    found: &mut Found,
) -> Result<(), Error> {
    let authorization = &mut found.authorization;
    let (validated, error, attested_key) = match &verdict.outcome {
        Outcome::Valid(valid) => {
            authorization.status = authz::Status::Valid;
            authorization.expires = authorization.expires.max(valid.until);
            let key = valid.attested_key.as_ref().map(PublicKey::spki_der);
            (Some(valid.at), None, key)
        }
        Outcome::Invalid(problem) => {
            authorization.status = authz::Status::Invalid;
            (None, Some(problem), None)
        }
    };
    let row = authorizations::Verdict {
        method,
        validated,
        error,
        evidence: &verdict.evidence,
        attested_key,
    };
    if !found.has_row {
        return authorizations::insert(connection, authorization, Some(&row));
    }
    if update_challenge(connection, verdict.challenge, &row)? {
        return authorizations::settle(connection, authorization, None);
    }
    authorizations::settle(connection, authorization, Some(&row))
}

/// Returns whether the challenge has a row.
fn update_challenge(
    connection: &Connection,
    challenge: Uuid,
    row: &authorizations::Verdict<'_>,
) -> Result<bool, Error> {
    let status = match row.error {
        None => Status::Valid,
        Some(_) => Status::Invalid,
    };
    let written = connection
        .prepare_cached(
            "UPDATE challenges SET status = ?2, validated_at = ?3, error = ?4, evidence = ?5,
                 attested_key = ?6, payload = NULL
             WHERE id = ?1",
        )?
        .execute((
            Id(challenge),
            status.as_str(),
            row.validated.map(At),
            row.error.map(Json),
            Json(row.evidence),
            row.attested_key,
        ))?;
    Ok(written == 1)
}
