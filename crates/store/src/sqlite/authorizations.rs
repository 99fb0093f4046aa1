//! Authorizations and their challenges (RFC 8555 §7.5), as they are stored and read; verdicts are in `verdicts.rs`.

use acme::authz::{Authorization, Origin, Status};
use acme::challenge::{self, Challenge, Method, Proof, ProofRecord};
use acme::identifier::Identifier;
use acme::order::Order;
use acme::permit::Permit;
use acme::problem::Problem;
use acme::scope::{Scope, Subject};
use jiff::Timestamp;
use pki::PublicKey;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use uuid::Uuid;

use super::column::{At, Id, Json, damaged, word};
use super::own::{self, OrderRow};
use super::untouched::{self, Decided, Untouched};
use super::{Store, audit, orders, permits};
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
            insert(connection, &authorization, None)?;
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
            own::give_row(connection, id)?;
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
pub(super) fn proofs(connection: &Connection, order: &Order) -> Result<Vec<Proof>, Error> {
    let mut proofs = Vec::new();
    for id in &order.authorizations {
        match proof(connection, *id)? {
            Some(proof) => proofs.push(proof),
            None => proofs.extend(permitted(connection, *id, order.created_at)?),
        }
    }
    Ok(proofs)
}

/// The proof of a valid authorization by one of its challenges.
pub(super) fn proof(connection: &Connection, authorization: Uuid) -> Result<Option<Proof>, Error> {
    let proof = connection
        .prepare_cached(
            "SELECT a.identifier_type, a.identifier, a.account_id, coalesce(c.method, a.decided),
                 coalesce(c.validated_at, a.validated_at), coalesce(c.evidence, a.evidence), a.subdomains,
                 coalesce(c.attested_key, a.attested_key)
             FROM authorizations a
             LEFT JOIN challenges c ON c.authorization_id = a.id AND c.status = 'valid'
             WHERE a.id = ?1 AND a.status = 'valid'
                 AND (c.id IS NOT NULL OR a.validated_at IS NOT NULL)",
        )?
        .query_row([Id(authorization)], proof_from_row)
        .optional()?;
    Ok(proof)
}

/// Adds an authorization and its challenges to the transaction; `verdict` is what has decided it.
pub(super) fn insert(
    connection: &Connection,
    authorization: &Authorization,
    verdict: Option<&Verdict<'_>>,
) -> Result<(), Error> {
    let permit = match authorization.origin {
        Origin::Order | Origin::Ahead => None,
        Origin::Permit(id) => Some(id),
    };
    let untouched = untouched::of(authorization);
    connection
        .prepare_cached(
            "INSERT INTO authorizations
                 (id, account_id, provisioner, identifier_type, identifier, status, expires_at, ahead, permit_id,
                  subdomains, token, methods, decided, validated_at, error, evidence, attested_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
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
            verdict.map(|it| it.method.code()),
            verdict.and_then(|it| it.validated).map(At),
            verdict.and_then(|it| it.error).map(Json),
            verdict.map(|it| Json(it.evidence)),
            verdict.and_then(|it| it.attested_key),
        ])?;
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

/// What a verdict on a challenge writes into the row of its authorization.
pub(super) struct Verdict<'a> {
    /// The challenge's method.
    pub(super) method: Method,
    /// When it was proven.
    pub(super) validated: Option<Timestamp>,
    /// Why it failed.
    pub(super) error: Option<&'a Problem>,
    /// What was seen.
    pub(super) evidence: &'a Value,
    /// The key that was attested (SubjectPublicKeyInfo).
    pub(super) attested_key: Option<&'a [u8]>,
}

/// Writes the status and the end of an authorization that has a row; `verdict` is what has decided it, unless a row of
/// the challenge says so.
pub(super) fn settle(
    connection: &Connection,
    authorization: &Authorization,
    verdict: Option<&Verdict<'_>>,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE authorizations SET status = ?2, expires_at = ?3, decided = ?4, validated_at = ?5, error = ?6,
                 evidence = ?7, attested_key = ?8
             WHERE id = ?1",
        )?
        .execute((
            Id(authorization.id),
            authorization.status.as_str(),
            At(authorization.expires),
            verdict.map(|it| it.method.code()),
            verdict.and_then(|it| it.validated).map(At),
            verdict.and_then(|it| it.error).map(Json),
            verdict.map(|it| Json(it.evidence)),
            verdict.and_then(|it| it.attested_key),
        ))?;
    Ok(())
}

pub(super) fn of_order(
    connection: &Connection,
    order: &Order,
) -> Result<Vec<Authorization>, Error> {
    let row = OrderRow::load(connection, order.id)?;
    let untouched = |place| row.as_ref().map_or(Ok(None), |it| it.authorization(place));
    let ids = order.authorizations.iter().enumerate();
    ids.map(|(place, id)| match with_row(connection, *id)? {
        Some(found) => Ok(found),
        None => untouched(place)?.ok_or(Error::NotFound),
    })
    .collect()
}

/// The authorization that a challenge belongs to, and whether it has a row.
pub(super) fn of_challenge(
    connection: &Connection,
    challenge: Uuid,
) -> Result<Option<Found>, Error> {
    if let Some((authorization, _)) = challenge::of_challenge_id(challenge)
        && let Some(found) = find(connection, authorization)?
        && found.authorization.challenge(challenge).is_some()
    {
        return Ok(Some(found));
    }
    let id: Option<Id> = connection
        .prepare_cached("SELECT authorization_id FROM challenges WHERE id = ?1")?
        .query_row([Id(challenge)], |row| row.get(0))
        .optional()?;
    id.map_or(Ok(None), |id| find(connection, id.0))
}

/// Every order that depends on an authorization, oldest first.
pub(super) fn waiting_orders(
    connection: &Connection,
    authorization: Uuid,
) -> Result<Vec<Uuid>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT order_id FROM order_authorizations WHERE authorization_id = ?1")?;
    let ids = statement.query_map([Id(authorization)], |row| row.get(0))?;
    let mut orders: Vec<Uuid> = ids
        .map(|id| id.map(|id: Id| id.0))
        .collect::<Result<_, _>>()?;
    orders.extend(own::order_of(connection, authorization)?);
    orders.sort_unstable();
    Ok(orders)
}

/// Makes the unfinished orders that depend on an authorization invalid.
fn end_orders(connection: &Connection, authorization: Uuid, why: &Problem) -> Result<(), Error> {
    for order in waiting_orders(connection, authorization)? {
        orders::end(connection, order, why)?;
    }
    Ok(())
}

/// An authorization as it was found.
pub(super) struct Found {
    pub(super) authorization: Authorization,
    /// Whether it has a row of its own, and not only that of its order.
    pub(super) has_row: bool,
}

fn find(connection: &Connection, id: Uuid) -> Result<Option<Found>, Error> {
    let stored = with_row(connection, id)?;
    let has_row = stored.is_some();
    let authorization = match stored {
        Some(authorization) => Some(authorization),
        None => own::load(connection, id)?,
    };
    Ok(authorization.map(|authorization| Found {
        authorization,
        has_row,
    }))
}

pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Option<Authorization>, Error> {
    Ok(find(connection, id)?.map(|found| found.authorization))
}

pub(super) fn has_row(connection: &Connection, id: Uuid) -> Result<bool, Error> {
    let found = connection
        .prepare_cached("SELECT 1 FROM authorizations WHERE id = ?1")?
        .exists([Id(id)])?;
    Ok(found)
}

/// An authorization that has a row.
fn with_row(connection: &Connection, id: Uuid) -> Result<Option<Authorization>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT identifier_type, identifier, id, account_id, provisioner, status, expires_at, ahead, permit_id,
                 subdomains, token, methods, decided, validated_at, error
             FROM authorizations WHERE id = ?1",
        )?
        .query_row([Id(id)], |row| {
            Ok((from_row(row)?, untouched_from_row(row)?, decided_from_row(row)?))
        })
        .optional()?;
    let Some((mut authorization, untouched, decided)) = found else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT id, method, token, status, validated_at, error
         FROM challenges WHERE authorization_id = ?1 ORDER BY position",
    )?;
    for challenge in statement.query_map([Id(id)], challenge_from_row)? {
        authorization.challenges.push(challenge?);
    }
    if let Some(untouched) = untouched {
        untouched::complete(&mut authorization, &untouched, decided);
    }
    Ok(Some(authorization))
}

fn untouched_from_row(row: &Row<'_>) -> rusqlite::Result<Option<Untouched>> {
    let (token, methods): (Option<_>, Option<_>) = (row.get(10)?, row.get(11)?);
    Ok(token
        .zip(methods)
        .map(|(token, methods)| Untouched { token, methods }))
}

fn decided_from_row(row: &Row<'_>) -> rusqlite::Result<Option<Decided>> {
    let method = row.get::<_, Option<u8>>(12)?.and_then(Method::of_code);
    let validated = row.get::<_, Option<At>>(13)?.map(|at| at.0);
    let error = row.get::<_, Option<Json<_>>>(14)?.map(|json| json.0);
    Ok(method.map(|method| Decided {
        method,
        validated,
        error,
    }))
}

/// The challenges are in a table of their own.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Authorization> {
    Ok(Authorization {
        identifier: identifier_from_row(row, 0)?,
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
            identifier: identifier_from_row(row, 0)?,
            scope: scope_from_row(row, 6)?,
        },
        account: row.get::<_, Id>(2)?.0,
        method: method_from_row(row, 3)?,
        at: row.get::<_, At>(4)?.0,
        evidence: evidence.map_or(Value::Null, |json| json.0),
        attested_key: attested_key(row, 7)?,
    }))
}

/// The proof of a valid authorization that a permit gave for an order that began then; one that was removed proves
/// nothing.
fn permitted(
    connection: &Connection,
    authorization: Uuid,
    began: Timestamp,
) -> Result<Option<Proof>, Error> {
    let given = connection
        .prepare_cached(
            "SELECT p.id, p.provisioner, p.account_id, p.external_key, p.pattern, p.expires_at, p.said_by, p.said_at,
                 a.account_id, a.identifier_type, a.identifier
             FROM authorizations a JOIN permits p ON p.id = a.permit_id
             WHERE a.id = ?1 AND a.status = 'valid'",
        )?
        .query_row([Id(authorization)], |row| {
            let account = row.get::<_, Id>(8)?.0;
            let permit = Permit::from_record(permits::from_row(row)?, account);
            Ok(Proof::from_permit(&permit, &identifier_from_row(row, 9)?, began))
        })
        .optional()?;
    Ok(given.flatten())
}

/// By its word, or by its number.
fn method_from_row(row: &Row<'_>, column: usize) -> rusqlite::Result<Method> {
    if row.get_ref(column)?.data_type() == Type::Text {
        return word(row, column, Method::parse);
    }
    let code = row.get(column)?;
    Method::of_code(code).ok_or_else(|| damaged(column, format!("unknown method {code}")))
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

/// From the two columns that begin with this one.
fn identifier_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Identifier> {
    let kind = row.get_ref(first)?.as_str()?;
    let value = row.get_ref(first + 1)?.as_str()?;
    Identifier::parse(kind, value).map_err(|problem| damaged(first + 1, problem.to_string()))
}
