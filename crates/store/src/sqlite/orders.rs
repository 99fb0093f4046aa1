//! Orders (RFC 8555 §7.4) and which authorizations they wait for.

use acme::account::Account;
use acme::order::{KeyUse, Order, Record, Status};
use acme::problem::Problem;
use acme::renewal::CertificateId;
use acme::requested_time::RequestedTime;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::column::{At, Id, Identifiers, Json, damaged, kept, word};
use super::own::{self, Own};
use super::{
    Store, accounts, audit, authorizations, certificates, external_keys, reuse, revocations,
};
use crate::error::Error;
use crate::port;
use crate::record::{
    CertifiedKey, Finalization, NewOrderFacts, NewOrderQuery, OrderPage, OrderRecord, Placed,
};
use crate::write::NewOrder;

impl port::Orders for Store {
    async fn new_order_facts(
        &self,
        account: &Account,
        query: NewOrderQuery,
    ) -> Result<NewOrderFacts, Error> {
        let account = account.clone();
        self.look_up(move |connection| facts(connection, &account, &query))
            .await
    }

    async fn create_order(&self, new: NewOrder) -> Result<Placed, Error> {
        self.write(move |connection| {
            if !reuse::still_holds(connection, &new)? {
                return Ok(Placed::Outdated);
            }
            if let Some(replaced) = &new.order.replaces
                && is_replaced(connection, replaced, new.order.created_at)?
            {
                return Ok(Placed::AlreadyReplaced);
            }
            create(connection, &new)?;
            Ok(Placed::Done)
        })
        .await
    }

    async fn order(&self, id: Uuid) -> Result<Option<Order>, Error> {
        self.look_up(move |connection| load(connection, id)).await
    }

    async fn order_with_authorizations(&self, id: Uuid) -> Result<Option<OrderRecord>, Error> {
        self.read(move |connection| {
            let Some(order) = load(connection, id)? else {
                return Ok(None);
            };
            let authorizations = authorizations::of_order(connection, &order)?;
            Ok(Some(OrderRecord {
                order,
                authorizations,
            }))
        })
        .await
    }

    async fn orders_page(
        &self,
        account: Uuid,
        after: Uuid,
        now: Timestamp,
    ) -> Result<OrderPage, Error> {
        self.read(move |connection| page(connection, account, after, now))
            .await
    }

    async fn finalization(
        &self,
        order: Uuid,
        key: Option<CertifiedKey>,
    ) -> Result<Option<Finalization>, Error> {
        self.look_up(move |connection| {
            let Some(order) = load(connection, order)? else {
                return Ok(None);
            };
            let (mut key_compromised, mut key_use) = (false, KeyUse::Separate);
            if let Some(key) = &key {
                key_compromised = revocations::is_compromised(connection, key.digest)?;
                key_use = accounts::key_use(connection, &key.thumbprint)?;
            }
            Ok(Some(Finalization {
                proofs: authorizations::proofs(connection, &order)?,
                external_key: external_keys::of_account(connection, order.account)?,
                key_compromised,
                key_use,
                order,
            }))
        })
        .await
    }
}

fn facts(
    connection: &Connection,
    account: &Account,
    query: &NewOrderQuery,
) -> Result<NewOrderFacts, Error> {
    let replaces = query.replaces.as_ref();
    let replaced = replaces.map(|serial| certificates::by_serial(connection, serial));
    Ok(NewOrderFacts {
        external_key: match account.external {
            Some(_) => external_keys::of_account(connection, account.id)?,
            None => None,
        },
        replaced: replaced.transpose()?.flatten(),
        reusable: reuse::find(connection, account, query)?,
    })
}

fn page(
    connection: &Connection,
    account: Uuid,
    after: Uuid,
    now: Timestamp,
) -> Result<OrderPage, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, status IN ('processing', 'valid') OR status IN ('pending', 'ready') AND expires_at > ?3
         FROM orders WHERE account_id = ?1 AND id > ?2 ORDER BY id LIMIT ?4",
    )?;
    let mut rows = statement.query((Id(account), Id(after), At(now), READ_PER_PAGE))?;
    let (mut page, mut read, mut last) = (OrderPage::default(), 0, after);
    while let Some(row) = rows.next()? {
        if page.orders.len() == LISTED {
            page.next = Some(last);
            return Ok(page);
        }
        read += 1;
        last = row.get::<_, Id>(0)?.0;
        if row.get(1)? {
            page.orders.push(last);
        }
    }
    page.next = (read == READ_PER_PAGE).then_some(last);
    Ok(page)
}

fn create(connection: &Connection, new: &NewOrder) -> Result<(), Error> {
    let order = &new.order;
    let own = own::of(order, &new.authorizations)?;
    insert(connection, order, own.as_ref())?;
    for authorization in &new.authorizations {
        if !own
            .as_ref()
            .is_some_and(|own| own.stands_for(authorization.id))
        {
            authorizations::insert(connection, authorization, None)?;
        }
    }
    for (place, id) in (0_u16..).zip(&order.authorizations) {
        if !own::belongs(order.id, usize::from(place), *id)? {
            own::give_row(connection, *id)?;
            connection
                .prepare_cached(
                    "INSERT INTO order_authorizations (order_id, position, authorization_id)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute((Id(order.id), place, Id(*id)))?;
        }
    }
    audit::append(connection, &new.entry)
}

/// Makes a pending order ready if all its authorizations are valid.
pub(super) fn advance(connection: &Connection, order: Uuid) -> Result<(), Error> {
    connection
        .prepare_cached(
            "UPDATE orders SET status = 'ready'
             WHERE id = ?1 AND status = 'pending'
                 AND coalesce(length(tokens) / 16,
                              (SELECT count(*) FROM order_authorizations WHERE order_id = ?1))
                     = (SELECT count(*) FROM authorizations WHERE id > ?1 AND id < ?2 AND status = 'valid')
                     + (SELECT count(*) FROM order_authorizations o
                        JOIN authorizations a ON a.id = o.authorization_id
                        WHERE o.order_id = ?1 AND a.status = 'valid')",
        )?
        .execute((Id(order), Id(own::last_id(order))))?;
    Ok(())
}

/// Makes an unfinished order invalid; returns whether it was one.
pub(super) fn end(connection: &Connection, order: Uuid, why: &Problem) -> Result<bool, Error> {
    let ended = connection
        .prepare_cached(
            "UPDATE orders SET status = 'invalid', error = ?2
             WHERE id = ?1 AND status IN ('pending', 'ready', 'processing')",
        )?
        .execute((Id(order), Json(why)))?;
    Ok(ended == 1)
}

/// An order that is invalid frees the certificate; one that came to a certificate may be gone.
fn is_replaced(
    connection: &Connection,
    replaced: &CertificateId,
    now: Timestamp,
) -> Result<bool, Error> {
    let ordered = connection
        .prepare_cached(
            "SELECT 1 FROM orders
             WHERE replaces = ?1
                 AND (status IN ('processing', 'valid')
                      OR status IN ('pending', 'ready') AND expires_at > ?2)",
        )?
        .exists((replaced.to_string(), At(now)))?;
    let issued = connection
        .prepare_cached(
            "SELECT 1 FROM certificates WHERE renewed_from = ?1 AND order_id IS NOT NULL",
        )?
        .exists([replaced.serial().bytes()])?;
    Ok(ordered || issued)
}

fn insert(connection: &Connection, order: &Order, own: Option<&Own>) -> Result<(), Error> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO orders (id, account_id, provisioner, identifiers, not_before, not_after,
                 expires_at, status, error, certificate_id, replaces, created_at, profile,
                 not_before_text, not_after_text, tokens, methods, subjects, authorizations_expire_at)
             SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19
             FROM accounts WHERE id = ?2 AND status = 'valid'",
        )?
        .execute(params![
            Id(order.id),
            Id(order.account),
            &order.provisioner,
            Identifiers(&order.identifiers[..]),
            order.not_before.as_ref().map(|time| At(time.at())),
            order.not_after.as_ref().map(|time| At(time.at())),
            At(order.expires),
            order.status.as_str(),
            order.error.as_ref().map(Json),
            order.certificate.map(Id),
            order.replaces.as_ref().map(ToString::to_string),
            At(order.created_at),
            &order.profile,
            order.not_before.as_ref().and_then(text),
            order.not_after.as_ref().and_then(text),
            own.map(|own| &own.tokens),
            own.map(|own| &own.methods),
            own.and_then(|own| own.subjects.as_ref()),
            own.and_then(|own| own.expires).map(At),
        ])?;
    if inserted == 0 {
        return Err(Error::Conflict("the account is not valid".to_owned()));
    }
    Ok(())
}

pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Option<Order>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT id, account_id, provisioner, identifiers, not_before, not_after, expires_at,
                 status, error, certificate_id, created_at, replaces, profile, not_before_text,
                 not_after_text, tokens, methods
             FROM orders WHERE id = ?1",
        )?
        .query_row([Id(id)], |row| {
            Ok((from_row(row)?, row.get(15)?, row.get(16)?))
        })
        .optional()?;
    let Some((mut record, tokens, methods)) = found else {
        return Ok(None);
    };
    let (tokens, methods): (Option<Vec<u8>>, Option<String>) = (tokens, methods);
    let elsewhere = match methods.as_deref() {
        Some(methods) if own::is_complete(methods) => Vec::new(),
        Some(_) | None => joined(connection, id)?,
    };
    record.authorizations = own::ids(id, &tokens.unwrap_or_default(), &elsewhere);
    Ok(Some(Order::from_record(record)))
}

/// The authorizations that an order does not have by their ids, with their places.
fn joined(connection: &Connection, order: Uuid) -> Result<Vec<(u16, Uuid)>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT position, authorization_id FROM order_authorizations WHERE order_id = ?1 ORDER BY position",
    )?;
    let found =
        statement.query_map([Id(order)], |row| Ok((row.get(0)?, row.get::<_, Id>(1)?.0)))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Without the authorizations.
fn from_row(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: row.get::<_, Id>(0)?.0,
        account: row.get::<_, Id>(1)?.0,
        provisioner: row.get(2)?,
        identifiers: row.get::<_, Identifiers<_>>(3)?.0,
        authorizations: Vec::new(),
        not_before: requested(row, 4, 13)?,
        not_after: requested(row, 5, 14)?,
        expires: row.get::<_, At>(6)?.0,
        status: word(row, 7, Status::parse)?,
        error: row.get::<_, Option<Json<_>>>(8)?.map(|json| json.0),
        certificate: row.get::<_, Option<Id>>(9)?.map(|id| id.0),
        created_at: row.get::<_, At>(10)?.0,
        replaces: row
            .get::<_, Option<String>>(11)?
            .map(|text| CertificateId::parse(&text).map_err(|why| damaged(11, why.detail)))
            .transpose()?,
        profile: row.get(12)?,
    })
}

/// The text of a time, unless it follows from the time that is stored.
fn text(time: &RequestedTime) -> Option<&str> {
    let usual = RequestedTime::from(kept(time.at()));
    (usual != *time).then(|| time.as_str())
}

/// The time of one column, with the text of the other.
fn requested(row: &Row<'_>, time: usize, text: usize) -> rusqlite::Result<Option<RequestedTime>> {
    let at = row.get::<_, Option<At>>(time)?;
    let text = row.get::<_, Option<String>>(text)?;
    let written = text.as_deref().and_then(RequestedTime::parse);
    Ok(written.or_else(|| at.map(|at| at.0.into())))
}

/// Orders in one page.
const LISTED: usize = 100;
/// Records that are read for one page: an account with many invalid orders gets short pages, not slow ones.
const READ_PER_PAGE: i64 = 1000;
