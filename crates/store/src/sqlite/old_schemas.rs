//! Stores that earlier releases have written open, and say the same as before. Every schema but the newest has a fixture.

use std::fs;
use std::path::{Path, PathBuf};

use acme::authz;
use acme::challenge::{Means, Method};
use acme::order;
use jiff::Timestamp;
use pki::Serial;
use rusqlite::Connection;
use uuid::Uuid;

use super::migrate::STEPS;
use super::{Options, Store};
use crate::port::{Accounts as _, Certificates as _, Challenges as _, Orders as _};
use crate::record::{CertificateRecord, CertificateStanding, RenewalEnd, RenewalKeys};
use crate::suite::harness;

/// A store with this schema, from its fixture.
fn fixture(schema: usize, folder: &Path) -> Store {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/fixtures");
    let sql = sources.join(format!("schema_{schema}.sql"));
    let sql = fs::read_to_string(&sql).unwrap_or_else(|why| panic!("{}: {why}", sql.display()));
    let path = folder.join("riser.sqlite3");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(&sql).unwrap();
    drop(connection);
    Store::open(&path, Options::default()).unwrap()
}

fn serial(number: u8) -> Serial {
    let mut bytes = [0x5a; 16];
    bytes[15] = number;
    Serial::from_bytes(&bytes).unwrap()
}

async fn standing(store: &Store, number: u8) -> CertificateStanding {
    let keys = RenewalKeys {
        asking: [1; 32],
        certified: [2; 32],
    };
    let now = Timestamp::from_second(1_780_010_000).unwrap();
    let serial = serial(number);
    let found = store.certificate_standing(&serial, keys, now);
    found.await.unwrap()
}

async fn certificate(store: &Store, number: u8) -> CertificateRecord {
    standing(store, number).await.certificate.unwrap()
}

#[tokio::test]
async fn a_store_of_every_earlier_schema_opens_with_its_accounts_and_lineages() {
    for schema in 1..STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let store = fixture(schema, folder.path());
        let account = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
        assert!(store.account(account).await.unwrap().is_some());
        let profile = (schema >= 4).then(|| "short".to_owned());
        for number in [0x31, 0x32, 0x33] {
            let found = certificate(&store, number).await;
            assert_eq!(*found.lineage(), serial(0x31), "schema {schema}");
            assert_eq!(found.account, Some(account));
            assert_eq!(found.basis, [Some(Means::Challenge(Method::Dns01))]);
            assert_eq!(found.profile, profile);
        }
        for (number, first) in [(0x34, 0x34), (0x35, 0x99), (0x36, 0x99), (0x37, 0x37)] {
            let found = certificate(&store, number).await;
            assert_eq!(*found.lineage(), serial(first), "schema {schema}");
            assert!(found.basis.is_empty());
        }
        store.close().await;
    }
}

#[tokio::test]
async fn what_a_store_of_an_earlier_schema_has_revoked_is_not_renewed() {
    for schema in 1..STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let store = fixture(schema, folder.path());
        // A revocation that ends the lineage, and one as superseded.
        let revoked = schema >= 3;
        for (number, end) in [
            (0x31, Some(RenewalEnd::LineageEnded)),
            (0x32, Some(RenewalEnd::Revoked)),
            (0x33, Some(RenewalEnd::LineageEnded)),
            (0x34, None),
            (0x36, None),
            (0x41, Some(RenewalEnd::Superseded)),
            (0x42, Some(RenewalEnd::Revoked)),
            (0x43, None),
        ] {
            let found = standing(&store, number).await;
            assert_eq!(found.end, end.filter(|_| revoked), "{schema} {number:x}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn a_certificate_of_an_earlier_schema_rests_on_its_permit() {
    for schema in 1..STEPS.len() {
        let folder = tempfile::tempdir().unwrap();
        let store = fixture(schema, folder.path());
        let permit = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0070);
        for number in [0x41, 0x42, 0x43] {
            let found = standing(&store, number).await;
            let (means, permits) = match schema >= 5 {
                true => (Means::Permit(permit), vec![permit]),
                false => (Means::Challenge(Method::Http01), vec![]),
            };
            assert_eq!(found.certificate.unwrap().basis, [Some(means)]);
            assert_eq!(found.permits, permits);
        }
        store.close().await;
    }
}

/// Authorizations and challenges had rows from the start, and ids of any form.
#[tokio::test]
async fn an_order_of_an_earlier_schema_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = fixture(13, folder.path());
    let id = |end: u128| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | end);
    let (order, first, second) = (id(0xcafe), id(0xab00), id(0xac10));
    let read = store.order_with_authorizations(order).await;
    let read = read.unwrap().unwrap();
    assert_eq!(read.order.authorizations, [first, second]);
    let [one, two] = &read.authorizations[..] else {
        panic!("{read:?}");
    };
    assert_eq!(one.challenges[0].token, "token71");
    let names = [&one.identifier, &two.identifier].map(ToString::to_string);
    assert_eq!(names, ["c.example", "d.example"]);
    for authorization in [one, two] {
        assert_eq!(authorization.status, authz::Status::Pending);
        let challenges = authorization.challenges.iter();
        let http = challenges
            .into_iter()
            .find(|it| it.method == Method::Http01);
        let http = http.unwrap().id;
        let found = store.challenge(http).await.unwrap().unwrap();
        assert_eq!(found.orders, [order]);
        let verdict = harness::proven(http, harness::proof(authorization), harness::now());
        assert!(store.settle_valid(&verdict).await.unwrap().written);
    }
    let ready = store.order(order).await.unwrap().unwrap();
    assert_eq!(ready.status, order::Status::Ready);
    let proofs = harness::proofs(&store, order).await.unwrap();
    assert_eq!(proofs, [one, two].map(harness::proof));
    harness::issued(&store, &ready).await;
    store.close().await;
}
