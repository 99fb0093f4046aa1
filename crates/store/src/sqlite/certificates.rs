//! Issued certificates: recorded in the transaction that makes their order valid, kept when the order goes.

use aws_lc_rs::digest;
use jiff::Timestamp;
use pki::certificate::Serial;
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::column::{At, Id, Json, damaged};
use super::{Store, audit, continuation, revocations};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::{CertificateRecord, CertificateStanding, Issued, RenewalKeys};
use crate::write::Issuance;

impl port::Certificates for Store {
    async fn issue(&self, issuance: Issuance) -> Result<Issued, Error> {
        self.write(move |connection| issue(connection, &issuance))
            .await
    }

    async fn record_server_certificate(
        &self,
        certificate: CertificateRecord,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            insert(connection, &certificate)?;
            audit::append(connection, &entry)
        })
        .await
    }

    async fn certificate(&self, id: Uuid) -> Result<Option<CertificateRecord>, Error> {
        self.look_up(move |connection| find(connection, BY_ID, Id(id)))
            .await
    }

    async fn certificate_by_serial(
        &self,
        serial: &Serial,
    ) -> Result<Option<CertificateRecord>, Error> {
        let serial = serial.bytes().to_vec();
        self.look_up(move |connection| find(connection, BY_SERIAL, serial))
            .await
    }

    async fn certificate_standing(
        &self,
        serial: &Serial,
        keys: RenewalKeys,
        now: Timestamp,
    ) -> Result<CertificateStanding, Error> {
        let serial = serial.clone();
        self.read(move |connection| continuation::standing(connection, &serial, keys, now))
            .await
    }

    async fn certificates_named(
        &self,
        name: &str,
        limit: u32,
    ) -> Result<Vec<CertificateRecord>, Error> {
        let name = name.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT certificate_id FROM certificate_names
                 WHERE name = ?1 ORDER BY certificate_id DESC LIMIT ?2",
            )?;
            let ids = statement.query_map((name, limit), |row| row.get::<_, Id>(0))?;
            ids.map(|id| find(connection, BY_ID, id?)?.ok_or(Error::NotFound))
                .collect()
        })
        .await
    }
}

fn issue(connection: &Connection, issuance: &Issuance) -> Result<Issued, Error> {
    let certificate = &issuance.certificate;
    if revocations::is_compromised(connection, issuance.key)? {
        return Ok(Issued::KeyCompromised);
    }
    if let Some(order) = certificate.order
        && !claim(connection, order, certificate)?
    {
        return already(connection, order);
    }
    if certificate.order.is_none() && !continuation::stands(connection, issuance)? {
        return Ok(Issued::RightEnded);
    }
    insert(connection, certificate)?;
    audit::append(connection, &issuance.entry)?;
    Ok(Issued::Done)
}

/// The compare-and-set that lets one certificate through for each order.
fn claim(
    connection: &Connection,
    order: Uuid,
    certificate: &CertificateRecord,
) -> Result<bool, Error> {
    let claimed = connection
        .prepare_cached(
            "UPDATE orders SET status = 'valid', certificate_id = ?2
             WHERE id = ?1 AND status = 'ready' AND expires_at > ?3",
        )?
        .execute((Id(order), Id(certificate.id), At(certificate.issued_at)))?;
    Ok(claimed == 1)
}

fn already(connection: &Connection, order: Uuid) -> Result<Issued, Error> {
    let issued: Option<Id> = connection
        .prepare_cached(
            "SELECT certificate_id FROM orders
             WHERE id = ?1 AND status = 'valid' AND certificate_id IS NOT NULL",
        )?
        .query_row([Id(order)], |row| row.get(0))
        .optional()?;
    Ok(issued.map_or(Issued::OrderNotReady, |id| Issued::AlreadyIssued(id.0)))
}

fn insert(connection: &Connection, certificate: &CertificateRecord) -> Result<(), Error> {
    let chain = insert_chain(connection, &certificate.chain)?;
    connection
        .prepare_cached(
            "INSERT INTO certificates (id, serial, der, chain_id, provisioner, account_id, order_id,
                 not_before, not_after, names, issued_at, renewed_from, lineage, profile, basis)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )?
        .execute((
            Id(certificate.id),
            certificate.serial.bytes(),
            &certificate.der,
            chain,
            &certificate.provisioner,
            certificate.account.map(Id),
            certificate.order.map(Id),
            At(certificate.not_before),
            At(certificate.not_after),
            Json(&certificate.names),
            At(certificate.issued_at),
            certificate.renewed_from.as_ref().map(Serial::bytes),
            certificate.lineage.as_ref().map(Serial::bytes),
            &certificate.profile,
            continuation::basis_column(&certificate.basis),
        ))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO certificate_names (name, certificate_id) VALUES (?1, ?2)
         ON CONFLICT DO NOTHING",
    )?;
    for name in &certificate.names {
        statement.execute((name, Id(certificate.id)))?;
    }
    Ok(())
}

/// Chains repeat from leaf to leaf: each is stored once, under the beginning of its digest.
fn insert_chain(connection: &Connection, chain: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    let mut context = digest::Context::new(&digest::SHA256);
    chain.iter().for_each(|der| context.update(der));
    let id = context.finish().as_ref()[..CHAIN_ID].to_vec();
    let mut statement = connection.prepare_cached(
        "INSERT INTO chains (id, position, der) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    for (position, der) in (0_i64..).zip(chain) {
        statement.execute((&id, position, der))?;
    }
    Ok(id)
}

/// Reads the certificate with this serial number, inside a transaction.
pub(super) fn by_serial(
    connection: &Connection,
    serial: &Serial,
) -> Result<Option<CertificateRecord>, Error> {
    find(connection, BY_SERIAL, serial.bytes())
}

fn find(
    connection: &Connection,
    sql: &str,
    key: impl rusqlite::ToSql,
) -> Result<Option<CertificateRecord>, Error> {
    let found = connection
        .prepare_cached(sql)?
        .query_row([key], from_row)
        .optional()?;
    found.map(|found| with_chain(connection, found)).transpose()
}

/// Reads the chain of a certificate, which is stored apart.
pub(super) fn with_chain(
    connection: &Connection,
    found: FromRow,
) -> Result<CertificateRecord, Error> {
    let FromRow {
        mut certificate,
        chain,
    } = found;
    let mut statement =
        connection.prepare_cached("SELECT der FROM chains WHERE id = ?1 ORDER BY position")?;
    let ders = statement.query_map([chain], |row| row.get(0))?;
    certificate.chain = ders.collect::<Result<_, _>>()?;
    Ok(certificate)
}

/// A certificate without its chain, and the chain's id.
pub(super) struct FromRow {
    pub(super) certificate: CertificateRecord,
    chain: Vec<u8>,
}

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<FromRow> {
    let renewed_from: Option<Vec<u8>> = row.get(11)?;
    let lineage: Option<Vec<u8>> = row.get(16)?;
    let certificate = CertificateRecord {
        id: row.get::<_, Id>(0)?.0,
        serial: serial(1, &row.get::<_, Vec<u8>>(1)?)?,
        der: row.get(2)?,
        chain: Vec::new(),
        provisioner: row.get(4)?,
        account: row.get::<_, Option<Id>>(5)?.map(|id| id.0),
        order: row.get::<_, Option<Id>>(6)?.map(|id| id.0),
        not_before: row.get::<_, At>(7)?.0,
        not_after: row.get::<_, At>(8)?.0,
        names: row.get::<_, Json<_>>(9)?.0,
        issued_at: row.get::<_, At>(10)?.0,
        renewed_from: renewed_from.map(|bytes| serial(11, &bytes)).transpose()?,
        revoked: revocations::from_row(row, 12)?,
        lineage: lineage.map(|bytes| serial(16, &bytes)).transpose()?,
        profile: row.get(17)?,
        basis: continuation::basis_from_row(row, 18)?,
    };
    Ok(FromRow {
        certificate,
        chain: row.get(3)?,
    })
}

fn serial(column: usize, bytes: &[u8]) -> rusqlite::Result<Serial> {
    Serial::from_bytes(bytes).map_err(|error| damaged(column, error.to_string()))
}

/// Octets of a chain's id. The operator makes the chains, and they are few.
const CHAIN_ID: usize = 8;
const BY_ID: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis
    FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial WHERE c.id = ?1";
const BY_SERIAL: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis
    FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial WHERE c.serial = ?1";
