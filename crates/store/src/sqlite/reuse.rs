//! What an account has already for the names of a new order (RFC 8555 §7.4, §7.4.1): earlier authorizations with
//! their proofs, and the operator's permits. Whether they serve is decided in the `acme` crate.

use acme::account::Account;
use acme::authz::{Authorization, Origin, Status};
use acme::challenge::Proof;
use acme::order::{self, Order, ReusableAuthorization, ReusableAuthorizations};
use acme::scope::{Scope, Subject};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use uuid::Uuid;

use super::column::{At, Id};
use super::{authorizations, permits};
use crate::error::Error;
use crate::record::NewOrderQuery;
use crate::write::NewOrder;

/// What an account has for the subjects of a query.
pub(super) fn find(
    connection: &Connection,
    account: &Account,
    query: &NewOrderQuery,
) -> Result<ReusableAuthorizations, Error> {
    let mut reusable = ReusableAuthorizations::default();
    if account.permitted {
        reusable.permits = permits::of_account(connection, account.id)?;
    }
    let Some(now) = query.in_force_at else {
        return Ok(reusable);
    };
    for subject in &query.subjects {
        for id in candidates(connection, account, subject, now)? {
            reusable.held.extend(load(connection, id)?);
        }
    }
    Ok(reusable)
}

/// The newest authorizations that may serve.
fn candidates(
    connection: &Connection,
    account: &Account,
    subject: &Subject,
    now: Timestamp,
) -> Result<Vec<Uuid>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM authorizations
         WHERE account_id = ?1 AND identifier = ?2 AND identifier_type = ?3 AND provisioner = ?4
             AND permit_id IS NULL AND expires_at > ?5
             AND (status = 'valid' OR status = 'pending' AND ahead = 1) AND subdomains >= ?7
         ORDER BY id DESC LIMIT ?6",
    )?;
    let found = statement.query_map(
        (
            Id(account.id),
            subject.identifier.to_string(),
            subject.identifier.kind(),
            &account.provisioner,
            At(now),
            CANDIDATES,
            subject.scope == Scope::Subdomains,
        ),
        |row| row.get(0),
    )?;
    found.map(|id| Ok(id.map(|id: Id| id.0)?)).collect()
}

fn load(connection: &Connection, id: Uuid) -> Result<Option<ReusableAuthorization>, Error> {
    let Some(authorization) = authorizations::load(connection, id)? else {
        return Ok(None);
    };
    let proof = proof(connection, id)?;
    // A valid authorization brings its proof or does not count.
    let whole = authorization.status != Status::Valid || proof.is_some();
    Ok(whole.then_some(ReusableAuthorization {
        authorization,
        proof,
    }))
}

fn proof(connection: &Connection, authorization: Uuid) -> Result<Option<Proof>, Error> {
    let proof = connection
        .prepare_cached(
            "SELECT a.identifier_type, a.identifier, a.account_id, c.method, c.validated_at, c.evidence,
                 a.subdomains, c.attested_key
             FROM authorizations a JOIN challenges c ON c.authorization_id = a.id
             WHERE a.id = ?1 AND a.status = 'valid' AND c.status = 'valid'",
        )?
        .query_row([Id(authorization)], authorizations::proof_from_row)
        .optional()?;
    Ok(proof)
}

/// Whether everything stored that a new order depends on still holds: it may have ended since it
/// was read.
pub(super) fn still_holds(connection: &Connection, new: &NewOrder) -> Result<bool, Error> {
    for authorization in &new.authorizations {
        if let Origin::Permit(permit) = authorization.origin
            && !permits::holds(
                connection,
                permit,
                authorization.account,
                new.order.created_at,
            )?
        {
            return Ok(false);
        }
    }
    let made = |id: &Uuid| {
        new.authorizations
            .iter()
            .any(|a: &Authorization| a.id == *id)
    };
    let pending = |a: &Authorization| a.status == Status::Pending;
    let mut waits = new.authorizations.iter().any(pending);
    for id in new.order.authorizations.iter().filter(|id| !made(id)) {
        if has_ended(connection, *id, &new.order)? {
            return Ok(false);
        }
        waits = waits || !is_valid(connection, *id)?;
    }
    // What was proven since it was read makes no order ready any more.
    Ok(waits || new.order.status != order::Status::Pending)
}

fn is_valid(connection: &Connection, id: Uuid) -> Result<bool, Error> {
    let valid = connection
        .prepare_cached("SELECT 1 FROM authorizations WHERE id = ?1 AND status = 'valid'")?
        .exists([Id(id)])?;
    Ok(valid)
}

/// An authorization that is not stored at all has not ended; the foreign key refuses it.
fn has_ended(connection: &Connection, id: Uuid, order: &Order) -> Result<bool, Error> {
    let ended: Option<bool> = connection
        .prepare_cached(
            "SELECT NOT (account_id = ?2 AND provisioner = ?3 AND expires_at > ?4
                         AND (status = 'valid' OR status = 'pending' AND ?5 = 'pending'))
             FROM authorizations WHERE id = ?1",
        )?
        .query_row(
            (
                Id(id),
                Id(order.account),
                &order.provisioner,
                At(order.created_at),
                order.status.as_str(),
            ),
            |row| row.get(0),
        )
        .optional()?;
    Ok(ended.unwrap_or_default())
}

/// Authorizations looked at for one name.
const CANDIDATES: u8 = 8;
