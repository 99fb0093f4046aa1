//! Renewal windows that an operator has set (RFC 9773 §4.2).

use acme::renewal::Window;
use jiff::Timestamp;
use pki::certificate::Serial;
use rusqlite::{Connection, OptionalExtension, Row};

use super::column::{At, damaged};
use super::{Store, audit, certificates};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::port;
use crate::record::{CertificateRecord, RenewalRecord, RenewalScope, RenewalWindow};

impl port::RenewalWindows for Store {
    async fn set_renewal_window(
        &self,
        window: RenewalWindow,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            if let RenewalScope::Serial(serial) = &window.scope {
                connection
                    .prepare_cached("DELETE FROM renewal_windows WHERE serial = ?1")?
                    .execute([serial.bytes()])?;
            }
            insert(connection, &window)?;
            audit::append(connection, &entry)
        })
        .await
    }

    async fn clear_renewal_windows(
        &self,
        serial: Option<Serial>,
        entry: AuditEntry,
    ) -> Result<usize, Error> {
        self.write(move |connection| {
            let gone = connection
                .prepare_cached("DELETE FROM renewal_windows WHERE serial IS ?1")?
                .execute([serial.as_ref().map(Serial::bytes)])?;
            audit::append(connection, &entry)?;
            Ok(gone)
        })
        .await
    }

    async fn renewal_windows(&self, limit: u32) -> Result<Vec<RenewalWindow>, Error> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT serial, provisioner, issued_before, starts_at, ends_at, explanation, id
                 FROM renewal_windows WHERE id > 0 ORDER BY id DESC LIMIT ?1",
            )?;
            let windows = statement.query_map([limit], from_row)?;
            windows.map(|row| Ok(row?.0)).collect()
        })
        .await
    }

    async fn renewal(&self, serial: &Serial) -> Result<Option<RenewalRecord>, Error> {
        let serial = serial.clone();
        self.look_up(move |connection| {
            let Some(certificate) = certificates::by_serial(connection, &serial)? else {
                return Ok(None);
            };
            let window = set_for(connection, &certificate)?;
            Ok(Some(RenewalRecord {
                certificate,
                window,
            }))
        })
        .await
    }
}

fn insert(connection: &Connection, set: &RenewalWindow) -> Result<(), Error> {
    let (serial, provisioner, before) = match &set.scope {
        RenewalScope::Serial(serial) => (Some(serial.bytes()), None, None),
        RenewalScope::IssuedBefore {
            before,
            provisioner,
        } => (None, provisioner.as_deref(), Some(At(*before))),
    };
    connection
        .prepare_cached(
            "INSERT INTO renewal_windows
                 (serial, provisioner, issued_before, starts_at, ends_at, explanation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            serial,
            provisioner,
            before,
            At(set.window.start),
            At(set.window.end),
            &set.explanation,
        ))?;
    Ok(())
}

fn set_for(
    connection: &Connection,
    certificate: &CertificateRecord,
) -> Result<Option<RenewalWindow>, Error> {
    let own = connection
        .prepare_cached(
            "SELECT serial, provisioner, issued_before, starts_at, ends_at, explanation, id
             FROM renewal_windows WHERE serial = ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([certificate.serial.bytes()], from_row)
        .optional()?;
    let shared = connection
        .prepare_cached(
            "SELECT serial, provisioner, issued_before, starts_at, ends_at, explanation, id
             FROM renewal_windows
             WHERE serial IS NULL AND issued_before > ?1
                 AND (provisioner IS NULL OR provisioner = ?2)
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row(
            (At(certificate.issued_at), &certificate.provisioner),
            from_row,
        )
        .optional()?;
    let newest = own.into_iter().chain(shared).max_by_key(|(_, id)| *id);
    Ok(newest.map(|(window, _)| window))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(RenewalWindow, i64)> {
    let serial: Option<Vec<u8>> = row.get(0)?;
    let scope = match serial {
        Some(bytes) => RenewalScope::Serial(
            Serial::from_bytes(&bytes).map_err(|error| damaged(0, error.to_string()))?,
        ),
        None => RenewalScope::IssuedBefore {
            before: moment(row, 2)?,
            provisioner: row.get(1)?,
        },
    };
    let window = RenewalWindow {
        scope,
        window: Window {
            start: moment(row, 3)?,
            end: moment(row, 4)?,
        },
        explanation: row.get(5)?,
    };
    Ok((window, row.get(6)?))
}

fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get::<_, At>(column).map(|at| at.0)
}
