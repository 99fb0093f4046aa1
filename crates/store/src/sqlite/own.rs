//! The authorizations that belong to an order by their ids: the row of the order stands for those that nobody has
//! touched, and one gets a row of its own when something happens to it.

use acme::authz::{Authorization, Origin, Status};
use acme::challenge::{authorization_of_order, of_authorization_id};
use acme::identifier::Identifier;
use acme::order::Order;
use acme::scope::Scope;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::authorizations;
use super::column::{At, Id, Json, identifier_at};
use super::untouched::{self, Untouched};
use crate::error::Error;

/// What an order's row has of them.
pub(super) struct Own {
    /// For each place of the order's authorizations the octets of a token: zeros where the row does not stand for one.
    pub(super) tokens: Vec<u8>,
    /// The methods of each place, as in [`Untouched`], between commas; once where all have the same.
    pub(super) methods: String,
    /// The subjects that are not the identifier at their place.
    pub(super) subjects: Option<Json<Vec<Subject>>>,
    /// When they expire, unless that is when the order does.
    pub(super) expires: Option<Timestamp>,
}

/// The subject of the authorization at a place, as a part of an identifier of the order.
#[derive(Serialize, Deserialize)]
pub(super) struct Subject {
    #[serde(rename = "at")]
    place: usize,
    #[serde(rename = "of")]
    identifier: usize,
    #[serde(rename = "from", default, skip_serializing_if = "is_zero")]
    begin: usize,
    #[serde(rename = "sub", default, skip_serializing_if = "std::ops::Not::not")]
    with_subdomains: bool,
}

/// One place of [`Own`].
struct Place {
    token: [u8; TOKEN],
    methods: String,
    subject: Option<Subject>,
}

/// What stands for the authorizations of a new order; nothing where none belongs to it by its id.
///
/// # Errors
/// [`Error::Conflict`] if one has the id of another place.
pub(super) fn of(order: &Order, new: &[Authorization]) -> Result<Option<Own>, Error> {
    let (mut places, mut has_own, mut expires) = (Vec::new(), false, None);
    for (place, id) in order.authorizations.iter().enumerate() {
        let belongs = belongs(order.id, place, *id)?;
        has_own = has_own || belongs;
        let own = new.iter().find(|it| belongs && it.id == *id);
        let described = own
            .filter(|it| *expires.get_or_insert(it.expires) == it.expires)
            .and_then(|it| describe(order, place, it));
        places.push(described);
    }
    Ok(has_own.then(|| gathered(places, expires.filter(|end| *end != order.expires))))
}

fn gathered(places: Vec<Option<Place>>, expires: Option<Timestamp>) -> Own {
    let token = |place: &Option<Place>| place.as_ref().map_or([0; TOKEN], |it| it.token);
    let list = |place: &Option<Place>| place.as_ref().map_or("", |it| &it.methods).to_owned();
    let tokens = places.iter().flat_map(token).collect();
    let mut methods: Vec<_> = places.iter().map(list).collect();
    methods.dedup();
    if methods.len() > 1 {
        methods = places.iter().map(list).collect();
    }
    let subjects: Vec<_> = (places.into_iter())
        .filter_map(|place| place?.subject)
        .collect();
    Own {
        tokens,
        methods: methods.join(","),
        subjects: (!subjects.is_empty()).then_some(Json(subjects)),
        expires,
    }
}

impl Own {
    /// Whether the order's row stands for the authorization with this id.
    pub(super) fn stands_for(&self, id: Uuid) -> bool {
        let methods = of_authorization_id(id).map(|(_, place)| methods_at(&self.methods, place));
        methods.is_some_and(|methods| !methods.is_empty())
    }
}

/// Whether the row of an order stands for all its authorizations, or did until they were touched.
pub(super) fn is_complete(methods: &str) -> bool {
    methods.split(',').all(|list| !list.is_empty())
}

fn methods_at(methods: &str, place: usize) -> &str {
    match methods.contains(',') {
        true => methods.split(',').nth(place).unwrap_or_default(),
        false => methods,
    }
}

/// Whether the authorization at this place of an order belongs to it by its id.
///
/// # Errors
/// [`Error::Conflict`] if it has the id of another place.
pub(super) fn belongs(order: Uuid, place: usize, id: Uuid) -> Result<bool, Error> {
    match of_authorization_id(id) {
        Some((its, at)) if its == order => match at == place {
            true => Ok(true),
            // It would be counted twice.
            false => Err(Error::Conflict(format!("{id} is not at its place"))),
        },
        Some(_) | None => Ok(false),
    }
}

/// What stands for an authorization, if nothing else has to be kept of it.
fn describe(order: &Order, place: usize, own: &Authorization) -> Option<Place> {
    let is_plain = own.origin == Origin::Order
        && own.status == Status::Pending
        && own.account == order.account
        && own.provisioner == order.provisioner;
    let Untouched { token, methods } = untouched::of(own).filter(|_| is_plain)?;
    let token = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let plain = own.scope == Scope::Name && order.identifiers.get(place) == Some(&own.identifier);
    Some(Place {
        token: token.try_into().ok()?,
        methods,
        subject: match plain {
            true => None,
            false => Some(part(order, place, own)?),
        },
    })
}

fn part(order: &Order, place: usize, own: &Authorization) -> Option<Subject> {
    let wanted = own.identifier.to_string();
    let mut all = order.identifiers.iter().enumerate();
    let (identifier, begin) = all.find_map(|(at, identifier)| {
        // A device is a whole identifier, and what ends like its name is another one.
        let is_device = |it| matches!(it, &Identifier::Device(_));
        if is_device(identifier) || is_device(&own.identifier) {
            return (identifier == &own.identifier).then_some((at, 0));
        }
        let text = identifier.to_string();
        let rest = text.strip_suffix(&wanted)?;
        Some((at, rest.len()))
    })?;
    Some(Subject {
        place,
        identifier,
        begin,
        with_subdomains: own.scope == Scope::Subdomains,
    })
}

/// The ids of an order's authorizations; `elsewhere` has those that it does not have by their ids, with their places.
pub(super) fn ids(order: Uuid, tokens: &[u8], elsewhere: &[(u16, Uuid)]) -> Vec<Uuid> {
    if tokens.is_empty() {
        return elsewhere.iter().map(|(_, id)| *id).collect();
    }
    let places = 0..tokens.len() / TOKEN;
    let other = |place| elsewhere.iter().find(|(at, _)| usize::from(*at) == place);
    places
        .filter_map(|place| match other(place) {
            Some((_, id)) => Some(*id),
            None => authorization_of_order(order, place),
        })
        .collect()
}

/// The last id that an authorization of this order can have by itself.
pub(super) const fn last_id(order: Uuid) -> Uuid {
    Uuid::from_u128(order.as_u128() | 0xffff)
}

/// The order that an authorization belongs to by its id.
pub(super) fn order_of(
    connection: &Connection,
    authorization: Uuid,
) -> Result<Option<Uuid>, Error> {
    let Some((order, place)) = of_authorization_id(authorization) else {
        return Ok(None);
    };
    let least = i64::try_from(TOKEN * (place + 1)).unwrap_or(i64::MAX);
    let found = connection
        .prepare_cached("SELECT 1 FROM orders WHERE id = ?1 AND length(tokens) >= ?2")?
        .exists((Id(order), least))?;
    Ok(found.then_some(order))
}

/// The row of an order, as far as it stands for authorizations.
pub(super) struct OrderRow {
    id: Uuid,
    account: Uuid,
    provisioner: String,
    /// Their texts, as in [`super::column::Identifiers`].
    identifiers: Vec<String>,
    expires: Timestamp,
    own: Own,
    account_is_valid: bool,
}

impl OrderRow {
    pub(super) fn load(connection: &Connection, order: Uuid) -> Result<Option<Self>, Error> {
        let found = connection
            .prepare_cached(
                "SELECT o.id, o.account_id, o.provisioner, o.identifiers, o.expires_at, o.tokens, o.methods,
                     o.subjects, o.authorizations_expire_at, a.status = 'valid'
                 FROM orders o JOIN accounts a ON a.id = o.account_id
                 WHERE o.id = ?1 AND o.tokens IS NOT NULL",
            )?
            .query_row([Id(order)], Self::from_row)
            .optional()?;
        Ok(found)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get::<_, Id>(0)?.0,
            account: row.get::<_, Id>(1)?.0,
            provisioner: row.get(2)?,
            identifiers: row.get::<_, Json<_>>(3)?.0,
            expires: row.get::<_, At>(4)?.0,
            own: Own {
                tokens: row.get(5)?,
                methods: row.get(6)?,
                subjects: row.get(7)?,
                expires: row.get::<_, Option<At>>(8)?.map(|at| at.0),
            },
            account_is_valid: row.get(9)?,
        })
    }

    /// The authorization at a place that nobody has touched; none where it has a row from the start.
    pub(super) fn authorization(&self, place: usize) -> Result<Option<Authorization>, Error> {
        let own = &self.own;
        let methods = methods_at(&own.methods, place);
        let tokens = own.tokens.chunks_exact(TOKEN).nth(place);
        let id = authorization_of_order(self.id, place);
        let (Some(token), Some(id), false) = (tokens, id, methods.is_empty()) else {
            return Ok(None);
        };
        let (identifier, scope) = self.subject(place)?;
        let mut authorization = Authorization {
            id,
            account: self.account,
            provisioner: self.provisioner.clone(),
            identifier,
            scope,
            // The end of an account ends what it has.
            status: match self.account_is_valid {
                true => Status::Pending,
                false => Status::Deactivated,
            },
            expires: own.expires.unwrap_or(self.expires),
            challenges: Vec::new(),
            origin: Origin::Order,
        };
        let untouched = Untouched {
            token: BASE64URL_NOPAD.encode(token),
            methods: methods.to_owned(),
        };
        untouched::complete(&mut authorization, &untouched, None);
        Ok(Some(authorization))
    }

    fn subject(&self, place: usize) -> Result<(Identifier, Scope), Error> {
        let all = self.own.subjects.as_ref().map(|it| &it.0);
        let part = all.and_then(|all| all.iter().find(|it| it.place == place));
        let (at, begin) = part.map_or((place, 0), |it| (it.identifier, it.begin));
        let scope = match part {
            Some(part) if part.with_subdomains => Scope::Subdomains,
            Some(_) | None => Scope::Name,
        };
        Ok((identifier_at(&self.identifiers, at, begin)?, scope))
    }
}

/// The authorization with this id that nobody has touched; its row, if it has one, is not looked for.
pub(super) fn load(connection: &Connection, id: Uuid) -> Result<Option<Authorization>, Error> {
    let Some((order, place)) = of_authorization_id(id) else {
        return Ok(None);
    };
    let row = OrderRow::load(connection, order)?;
    row.map_or(Ok(None), |row| row.authorization(place))
}

/// Gives an authorization a row of its own, unless it has one or there is no such authorization.
pub(super) fn give_row(connection: &Connection, id: Uuid) -> Result<(), Error> {
    if authorizations::has_row(connection, id)? {
        return Ok(());
    }
    match load(connection, id)? {
        Some(authorization) => authorizations::insert(connection, &authorization, None),
        None => Ok(()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Octets of a token.
const TOKEN: usize = 16;
