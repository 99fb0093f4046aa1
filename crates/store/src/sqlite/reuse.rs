//! What an account has already for the names of a new order (RFC 8555 §7.4, §7.4.1): earlier authorizations with
//! their proofs, and the operator's permits. Whether they serve is decided in the `acme` crate.

use acme::account::Account;
use acme::authz::{Authorization, Origin, Status};
use acme::order::{self, Order, ReusableAuthorization, ReusableAuthorizations};
use acme::scope::{Scope, Subject};
use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use super::column::{At, Id, kept};
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
    let proof = authorizations::proof(connection, id)?;
    // A valid authorization brings its proof or does not count.
    let whole = authorization.status != Status::Valid || proof.is_some();
    Ok(whole.then_some(ReusableAuthorization {
        authorization,
        proof,
    }))
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
        // The foreign key refuses one that there is not.
        let Some(held) = authorizations::load(connection, *id)? else {
            continue;
        };
        if has_ended(&held, &new.order) {
            return Ok(false);
        }
        waits = waits || held.status != Status::Valid;
    }
    // What was proven since it was read makes no order ready any more.
    Ok(waits || new.order.status != order::Status::Pending)
}

fn has_ended(held: &Authorization, order: &Order) -> bool {
    let serves = match held.status {
        Status::Valid => true,
        Status::Pending => order.status == order::Status::Pending,
        Status::Invalid | Status::Deactivated | Status::Expired | Status::Revoked => false,
    };
    !serves
        || held.account != order.account
        || held.provisioner != order.provisioner
        || held.expires <= kept(order.created_at)
}

/// Authorizations looked at for one name.
const CANDIDATES: u8 = 8;
