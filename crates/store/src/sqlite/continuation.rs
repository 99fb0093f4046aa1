//! Renewals over mutual TLS: what they rest on, read in one view, and whether it still stands when one is recorded.

use acme::account::Status;
use acme::challenge::{Means, Method};
use jiff::Timestamp;
use pki::certificate::Serial;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::column::{Json, damaged};
use super::{accounts, certificate_retention, certificates, external_keys, permits, revocations};
use crate::error::Error;
use crate::record::{CertificateRecord, CertificateStanding, RenewalKeys};
use crate::write::Issuance;

/// What a renewal of the certificate with this serial number rests on.
pub(super) fn standing(
    connection: &Connection,
    serial: &Serial,
    keys: RenewalKeys,
    now: Timestamp,
) -> Result<CertificateStanding, Error> {
    let certificate = certificates::by_serial(connection, serial)?;
    let lineage = certificate.as_ref().map_or(serial, |it| it.lineage());
    let account = certificate.as_ref().and_then(|it| it.account);
    let (known, external_key) = match account {
        Some(id) => (
            accounts::load(connection, id)?,
            external_keys::of_account(connection, id)?,
        ),
        None => (None, None),
    };
    Ok(CertificateStanding {
        end: revocations::renewal_end(connection, serial, lineage)?,
        account: known,
        external_key,
        permits: match &certificate {
            Some(certificate) => standing_permits(connection, certificate, now)?,
            None => Vec::new(),
        },
        deleted_until: match &certificate {
            Some(_) => None,
            None => certificate_retention::deleted_until(connection)?,
        },
        asking_key_compromised: revocations::is_compromised(connection, keys.asking)?,
        certified_key_compromised: revocations::is_compromised(connection, keys.certified)?,
        certificate,
    })
}

/// Whether all that a renewal rests on still stands, inside the transaction that records it.
pub(super) fn stands(connection: &Connection, issuance: &Issuance) -> Result<bool, Error> {
    let certificate = &issuance.certificate;
    if let Some(key) = issuance.asking_key
        && revocations::is_compromised(connection, key)?
    {
        return Ok(false);
    }
    if let Some(old) = &certificate.renewed_from
        && revocations::renewal_end(connection, old, certificate.lineage())?.is_some()
    {
        return Ok(false);
    }
    if let Some(account) = certificate.account
        && !account_stands(connection, account)?
    {
        return Ok(false);
    }
    let needed = permits_of(certificate).count();
    let standing = standing_permits(connection, certificate, certificate.issued_at)?;
    Ok(standing.len() == needed)
}

/// Whether an account is valid, with the external account key that bound it.
fn account_stands(connection: &Connection, id: Uuid) -> Result<bool, Error> {
    let Some(account) = accounts::load(connection, id)? else {
        return Ok(false);
    };
    let bound = account.external.is_none() || external_keys::of_account(connection, id)?.is_some();
    Ok(account.status == Status::Valid && bound)
}

/// The permits that names of a certificate rest on, one for each such name.
fn permits_of(certificate: &CertificateRecord) -> impl Iterator<Item = Uuid> {
    certificate.basis.iter().filter_map(|means| match means {
        Some(Means::Permit(id)) => Some(*id),
        Some(Means::Challenge(_)) | None => None,
    })
}

/// Those of them that hold for its account at `now`.
fn standing_permits(
    connection: &Connection,
    certificate: &CertificateRecord,
    now: Timestamp,
) -> Result<Vec<Uuid>, Error> {
    let mut standing = Vec::new();
    let Some(account) = certificate.account else {
        return Ok(standing);
    };
    for permit in permits_of(certificate) {
        if permits::holds(connection, permit, account, now)? {
            standing.push(permit);
        }
    }
    Ok(standing)
}

/// What names rest on, as text; nothing where nothing is known.
pub(super) fn basis_column(basis: &[Option<Means>]) -> Option<Json<Vec<Option<String>>>> {
    let word = |means: &Means| match means {
        Means::Challenge(method) => method.as_str().to_owned(),
        Means::Permit(id) => format!("{PERMIT}{}", id.simple()),
    };
    let words = basis.iter().map(|means| means.as_ref().map(word));
    (!basis.is_empty()).then(|| Json(words.collect()))
}

/// What names rest on, from its text. A method that this release does not have is not known.
pub(super) fn basis_from_row(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<Option<Means>>> {
    let Some(Json(words)) = row.get::<_, Option<Json<Vec<Option<String>>>>>(column)? else {
        return Ok(Vec::new());
    };
    let means = |word: String| match word.strip_prefix(PERMIT) {
        Some(id) => match Uuid::try_parse(id) {
            Ok(id) => Ok(Some(Means::Permit(id))),
            Err(why) => Err(damaged(column, why.to_string())),
        },
        None => Ok(Method::parse(&word).map(Means::Challenge)),
    };
    let all = words.into_iter();
    all.map(|word| word.map_or(Ok(None), means)).collect()
}

/// Before a permit's id, in the place of a method.
const PERMIT: &str = "permit:";
