//! Authorizations and their challenges (RFC 8555 §7.5), as they are stored and read; verdicts are in `verdicts.rs`.

use acme::authz::{Authorization, Origin, Status};
use acme::challenge::{self, Challenge, Method, Proof, ProofRecord};
use acme::identifier::Identifier;
use acme::order::Order;
use acme::permit::Permit;
use acme::problem::Problem;
use acme::scope::{Scope, Subject};
use pki::PublicKey;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;
use uuid::Uuid;

use super::column::{At, Id, Json, damaged, word};
use super::untouched::{self, Untouched};
use super::{Store, audit, permits};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::write::Ending;

impl port::Authorizations for Store {
    async fn authorization(&self, id: Uuid) -> Result<Option<Authorization>, Error> {
        self.look_up(move |connection| load(connection, id)).await
    }

    async fn create_authorization(
        &self,
        authorization: Authorization,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            let valid = connection
                .prepare_cached("SELECT 1 FROM accounts WHERE id = ?1 AND status = 'valid'")?
                .exists([Id(authorization.account)])?;
            if !valid {
                return Err(Error::Conflict("the account is not valid".to_owned()));
            }
            insert(connection, &authorization)?;
            audit::append(connection, &entry)
        })
        .await
    }

    async fn deactivate_authorization(
        &self,
        id: Uuid,
        ending: Ending,
    ) -> Result<Authorization, Error> {
        self.write(move |connection| {
            let ended = connection
                .prepare_cached(
                    "UPDATE authorizations SET status = 'deactivated'
                     WHERE id = ?1 AND status IN ('pending', 'valid')",
                )?
                .execute([Id(id)])?;
            let authorization = load(connection, id)?.ok_or(Error::NotFound)?;
            if ended == 1 {
                end_orders(connection, id, &ending.why)?;
                audit::append(connection, &ending.entry)?;
            }
            Ok(authorization)
        })
        .await
    }
}

/// The proofs of an order's valid authorizations.
pub(super) fn proofs(connection: &Connection, order: Uuid) -> Result<Vec<Proof>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT a.identifier_type, a.identifier, a.account_id, c.method, c.validated_at, c.evidence,
             a.subdomains, c.attested_key
         FROM order_authorizations o
         JOIN authorizations a ON a.id = o.authorization_id
         JOIN challenges c ON c.authorization_id = a.id
         WHERE o.order_id = ?1 AND a.status = 'valid' AND c.status = 'valid'
         ORDER BY o.position",
    )?;
    let proofs = statement.query_map([Id(order)], proof_from_row)?;
    let mut proofs: Vec<_> = proofs.collect::<Result<_, _>>()?;
    proofs.extend(permitted(connection, order)?);
    Ok(proofs)
}

/// Adds an authorization and its challenges to the transaction.
pub(super) fn insert(connection: &Connection, authorization: &Authorization) -> Result<(), Error> {
    let permit = match authorization.origin {
        Origin::Order | Origin::Ahead => None,
        Origin::Permit(id) => Some(id),
    };
    let untouched = untouched::of(authorization);
    connection
        .prepare_cached(
            "INSERT INTO authorizations
                 (id, account_id, provisioner, identifier_type, identifier, status, expires_at, ahead, permit_id,
                  subdomains, token, methods)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute((
            Id(authorization.id),
            Id(authorization.account),
            &authorization.provisioner,
            authorization.identifier.kind(),
            authorization.identifier.to_string(),
            authorization.status.as_str(),
            At(authorization.expires),
            authorization.origin == Origin::Ahead,
            permit.map(Id),
            authorization.scope == Scope::Subdomains,
            untouched.as_ref().map(|it| &it.token),
            untouched.as_ref().map(|it| &it.methods),
        ))?;
    if untouched.is_some() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "INSERT INTO challenges
             (id, authorization_id, position, method, token, status, validated_at, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (position, challenge) in (0_i64..).zip(&authorization.challenges) {
        statement.execute((
            Id(challenge.id),
            Id(authorization.id),
            position,
            challenge.method.as_str(),
            &challenge.token,
            challenge.status.as_str(),
            challenge.validated.map(At),
            challenge.error.as_ref().map(Json),
        ))?;
    }
    Ok(())
}

pub(super) fn of_order(
    connection: &Connection,
    order: &Order,
) -> Result<Vec<Authorization>, Error> {
    let ids = order.authorizations.iter();
    ids.map(|id| load(connection, *id)?.ok_or(Error::NotFound))
        .collect()
}

/// The authorization that a challenge belongs to.
pub(super) fn of_challenge(
    connection: &Connection,
    challenge: Uuid,
) -> Result<Option<Authorization>, Error> {
    let id: Option<Id> = connection
        .prepare_cached("SELECT authorization_id FROM challenges WHERE id = ?1")?
        .query_row([Id(challenge)], |row| row.get(0))
        .optional()?;
    let derived = || challenge::of_challenge_id(challenge).map(|(authorization, _)| authorization);
    match id.map(|id| id.0).or_else(derived) {
        Some(id) => load(connection, id),
        None => Ok(None),
    }
}

/// Every order that depends on an authorization, oldest first.
pub(super) fn waiting_orders(
    connection: &Connection,
    authorization: Uuid,
) -> Result<Vec<Uuid>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT order_id FROM order_authorizations WHERE authorization_id = ?1 ORDER BY order_id",
    )?;
    let ids = statement.query_map([Id(authorization)], |row| row.get(0))?;
    ids.map(|id| Ok(id.map(|id: Id| id.0)?)).collect()
}

/// Makes the unfinished orders that depend on an authorization invalid; returns how many.
pub(super) fn end_orders(
    connection: &Connection,
    authorization: Uuid,
    why: &Problem,
) -> Result<usize, Error> {
    let ended = connection
        .prepare_cached(
            "UPDATE orders SET status = 'invalid', error = ?2
             WHERE status IN ('pending', 'ready', 'processing') AND id IN
                 (SELECT order_id FROM order_authorizations WHERE authorization_id = ?1)",
        )?
        .execute((Id(authorization), Json(why)))?;
    Ok(ended)
}

pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Option<Authorization>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT identifier_type, identifier, id, account_id, provisioner, status, expires_at, ahead, permit_id,
                 subdomains, token, methods
             FROM authorizations WHERE id = ?1",
        )?
        .query_row([Id(id)], |row| {
            Ok((from_row(row)?, row.get(10)?, row.get(11)?))
        })
        .optional()?;
    let Some((mut authorization, token, methods)) = found else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT id, method, token, status, validated_at, error
         FROM challenges WHERE authorization_id = ?1 ORDER BY position",
    )?;
    for challenge in statement.query_map([Id(id)], challenge_from_row)? {
        authorization.challenges.push(challenge?);
    }
    if let (Some(token), Some(methods)) = (token, methods) {
        untouched::complete(&mut authorization, &Untouched { token, methods });
    }
    Ok(Some(authorization))
}

/// The challenges are in a table of their own.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Authorization> {
    Ok(Authorization {
        identifier: identifier_from_row(row)?,
        scope: scope_from_row(row, 9)?,
        id: row.get::<_, Id>(2)?.0,
        account: row.get::<_, Id>(3)?.0,
        provisioner: row.get(4)?,
        status: word(row, 5, Status::parse)?,
        expires: row.get::<_, At>(6)?.0,
        challenges: Vec::new(),
        origin: match (row.get(7)?, row.get::<_, Option<Id>>(8)?) {
            (_, Some(Id(permit))) => Origin::Permit(permit),
            (true, None) => Origin::Ahead,
            (false, None) => Origin::Order,
        },
    })
}

fn challenge_from_row(row: &Row<'_>) -> rusqlite::Result<Challenge> {
    Ok(Challenge {
        id: row.get::<_, Id>(0)?.0,
        method: word(row, 1, Method::parse)?,
        token: row.get(2)?,
        status: word(row, 3, challenge::Status::parse)?,
        validated: row.get::<_, Option<At>>(4)?.map(|at| at.0),
        error: row.get::<_, Option<Json<_>>>(5)?.map(|json| json.0),
    })
}

pub(super) fn proof_from_row(row: &Row<'_>) -> rusqlite::Result<Proof> {
    let evidence: Option<Json<Value>> = row.get(5)?;
    Ok(Proof::from_record(ProofRecord {
        subject: Subject {
            identifier: identifier_from_row(row)?,
            scope: scope_from_row(row, 6)?,
        },
        account: row.get::<_, Id>(2)?.0,
        method: word(row, 3, Method::parse)?,
        at: row.get::<_, At>(4)?.0,
        evidence: evidence.map_or(Value::Null, |json| json.0),
        attested_key: attested_key(row, 7)?,
    }))
}

/// The proofs of those authorizations of an order that permits gave; one that was removed proves nothing.
fn permitted(connection: &Connection, order: Uuid) -> Result<Vec<Proof>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT p.id, p.provisioner, p.account_id, p.external_key, p.pattern, p.expires_at, p.said_by, p.said_at,
             a.id, r.created_at
         FROM order_authorizations o
         JOIN orders r ON r.id = o.order_id
         JOIN authorizations a ON a.id = o.authorization_id
         JOIN permits p ON p.id = a.permit_id
         WHERE o.order_id = ?1 AND a.status = 'valid' ORDER BY o.position",
    )?;
    let mut rows = statement.query([Id(order)])?;
    let mut proofs = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(given) = load(connection, row.get::<_, Id>(8)?.0)? else {
            continue;
        };
        let permit = Permit::from_record(permits::from_row(row)?, given.account);
        let began = row.get::<_, At>(9)?.0;
        proofs.extend(Proof::from_permit(&permit, &given.identifier, began));
    }
    Ok(proofs)
}

fn attested_key(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<PublicKey>> {
    let der: Option<Vec<u8>> = row.get(column)?;
    let key = der.map(|der| PublicKey::from_spki_der(&der)).transpose();
    key.map_err(|why| damaged(column, why.to_string()))
}

fn scope_from_row(row: &Row<'_>, column: usize) -> rusqlite::Result<Scope> {
    Ok(match row.get(column)? {
        true => Scope::Subdomains,
        false => Scope::Name,
    })
}

/// From the first two columns.
fn identifier_from_row(row: &Row<'_>) -> rusqlite::Result<Identifier> {
    let (kind, value) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
    Identifier::parse(kind, value).map_err(|problem| damaged(1, problem.to_string()))
}
