//! Searches for certificates, each in the order of one index.

use rusqlite::{Connection, Params, Row};
use uuid::Uuid;

use super::Store;
use super::certificates::{from_row, with_chain};
use super::column::{At, Id};
use crate::error::Error;
use crate::port;
use crate::record::{CertificateCursor, CertificatePage, CertificateQuery, Place};

impl port::CertificateSearch for Store {
    async fn find_certificates(
        &self,
        query: CertificateQuery,
        after: Option<CertificateCursor>,
        limit: u16,
    ) -> Result<CertificatePage, Error> {
        let after = after.map(|after| after.0);
        let limit = limit.min(LONGEST);
        self.read(move |connection| find(connection, &query, after, limit))
            .await
    }
}

fn find(
    connection: &Connection,
    query: &CertificateQuery,
    after: Option<Place>,
    limit: u16,
) -> Result<CertificatePage, Error> {
    use CertificateQuery as By;
    match query {
        By::Name(name) => {
            let id = after.map_or(Uuid::max(), |place| place.id);
            page(connection, NAME, (name, Id(id), limit), limit)
        }
        By::NamePrefix(prefix) => {
            let end = format!("{prefix}{}", char::MAX);
            let (name, id) =
                after.map_or_else(|| (prefix.clone(), Uuid::nil()), |it| (it.name, it.id));
            page(connection, PREFIX, (name, Id(id), end, limit), limit)
        }
        By::Account(account) => {
            let row = after.map_or(i64::MAX, |place| place.row);
            page(connection, ACCOUNT, (Id(*account), row, limit), limit)
        }
        By::Provisioner(name) => {
            let row = after.map_or(i64::MAX, |place| place.row);
            page(connection, PROVISIONER, (name, row, limit), limit)
        }
        By::Expires(span) => {
            let (at, row) = after.map_or((span.from, 0), |place| (place.at, place.row));
            page(
                connection,
                EXPIRES,
                (At(at), row, At(span.to), limit),
                limit,
            )
        }
        By::Issued(span) => {
            let (at, row) = after.map_or((span.from, 0), |place| (place.at, place.row));
            page(connection, ISSUED, (At(at), row, At(span.to), limit), limit)
        }
    }
}

fn page(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    limit: u16,
) -> Result<CertificatePage, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut page = CertificatePage::default();
    let mut last = None;
    while let Some(row) = rows.next()? {
        page.certificates
            .push(with_chain(connection, from_row(row)?)?);
        last = Some(place(row)?);
    }
    let is_full = page.certificates.len() == usize::from(limit);
    page.next = last.filter(|_| is_full).map(CertificateCursor);
    Ok(page)
}

fn place(row: &Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place {
        id: row.get::<_, Id>(0)?.0,
        row: row.get(19)?,
        name: row.get(20)?,
        at: row.get::<_, At>(21)?.0,
    })
}

const NAME: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis, c.rowid, n.name, issued_at
    FROM certificate_names n JOIN certificates c ON c.id = n.certificate_id LEFT JOIN revocations r ON r.serial = c.serial
    WHERE n.name = ?1 AND n.certificate_id < ?2 ORDER BY n.certificate_id DESC LIMIT ?3";
const PREFIX: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis, c.rowid, n.name, issued_at
    FROM certificate_names n JOIN certificates c ON c.id = n.certificate_id LEFT JOIN revocations r ON r.serial = c.serial
    WHERE (n.name, n.certificate_id) > (?1, ?2) AND n.name < ?3 ORDER BY n.name, n.certificate_id LIMIT ?4";
const ACCOUNT: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis, c.rowid, '', issued_at
    FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial
    WHERE c.account_id = ?1 AND c.rowid < ?2 ORDER BY c.rowid DESC LIMIT ?3";
const PROVISIONER: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis, c.rowid, '', issued_at
    FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial
    WHERE c.provisioner = ?1 AND c.rowid < ?2 ORDER BY c.rowid DESC LIMIT ?3";
const EXPIRES: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis, c.rowid, '', not_after
    FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial
    WHERE (not_after, c.rowid) > (?1, ?2) AND not_after < ?3 ORDER BY not_after, c.rowid LIMIT ?4";
const ISSUED: &str =
    "SELECT c.id, c.serial, der, chain_id, provisioner, c.account_id, order_id, not_before, not_after, names,
    issued_at, renewed_from, revoked_at, reason, authority, r.account_id, c.lineage, profile, basis, c.rowid, '', issued_at
    FROM certificates c LEFT JOIN revocations r ON r.serial = c.serial
    WHERE (issued_at, c.rowid) > (?1, ?2) AND issued_at < ?3 ORDER BY issued_at, c.rowid LIMIT ?4";
/// The most certificates in one page.
const LONGEST: u16 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_search_goes_along_an_index_without_sorting() {
        let connection = Connection::open_in_memory().unwrap();
        for step in crate::sqlite::migrate::STEPS {
            connection.execute_batch(step.sql).unwrap();
        }
        for (sql, index) in [
            (NAME, "n USING PRIMARY KEY (name=? AND certificate_id<?)"),
            (PREFIX, "n USING PRIMARY KEY ((name,certificate_id)>(?,?)"),
            (
                ACCOUNT,
                "certificates_by_account (account_id=? AND rowid<?)",
            ),
            (
                PROVISIONER,
                "certificates_by_provisioner (provisioner=? AND rowid<?)",
            ),
            (EXPIRES, "certificates_by_end (not_after>? AND not_after<?)"),
            (
                ISSUED,
                "certificates_by_issue (issued_at>? AND issued_at<?)",
            ),
        ] {
            let steps = crate::sqlite::plans::plan(&connection, sql);
            assert!(steps[0].contains(index), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP")), "{steps:?}");
        }
    }
}
