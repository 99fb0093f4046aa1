//! Records to store.

use std::sync::atomic::{AtomicU64, Ordering};

use acme::account::{self, Account};
use acme::authz::{self, Authorization, Origin};
use acme::challenge::{
    Challenge, Method, Proof, ProofRecord, authorization_of_order, challenge_id, order_id,
};
use acme::envelope::Parsed;
use acme::identifier::Identifier;
use acme::key_change::{self, KeyChange};
use acme::order::{self, Order, ReusableAuthorizations};
use acme::problem::Problem;
use acme::requested_time::RequestedTime;
use acme::scope::{Scope, Subject};
use jiff::{SignedDuration, Timestamp};
use pki::Serial;
use pki::jose::{Jwk, jws, parse_private_jwk};
use serde_json::json;
use uuid::Uuid;

use super::BackEnd;
use crate::{
    AuditEntry, CertificateRecord, Created, Ending, Error, Event, Issuance, Issued, NamesClaim,
    NewOrder, NewOrderQuery, Proven, Registration,
};

/// A moment without more precision than the store keeps.
pub(crate) fn now() -> Timestamp {
    "2026-11-24T08:00:00.123Z".parse().unwrap()
}

pub(crate) fn later(hours: i64) -> Timestamp {
    now()
        .checked_add(SignedDuration::from_hours(hours))
        .unwrap()
}

/// Ids as of [`now`], each after those before it.
pub(super) fn unique() -> Uuid {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = u128::from(MADE.fetch_add(1, Ordering::Relaxed));
    let millis = u128::try_from(now().as_millisecond()).unwrap();
    Uuid::from_u128(millis << 80 | 7 << 76 | 2 << 62 | number << 16)
}

/// The public keys of RFC 7517 §A.1 and RFC 7515 §A.3, and one made with OpenSSL.
pub(super) fn key(which: usize) -> Jwk {
    let (x, y) = [
        (
            "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        ),
        (
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ),
        (
            "sxvQzXe62mYWfDpFOGh0r_J_DUgymfBPHqq6Lie5dGM",
            "UZ_i7YWdBU6zxKvtivFg13Irz_jdzjq-1C-tx-WNua8",
        ),
    ][which];
    serde_json::from_value(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })).unwrap()
}

/// A change from one of these keys to the other that both have signed.
pub(super) fn key_change(from: usize, to: usize) -> KeyChange {
    const URL: &str = "https://ca/key-change";
    let private = |which: usize| {
        let d = [
            "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
            "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
            "nh-jrLh7saQvfDuZJLEm04mQX9F0V1emVTm_ZqgG3tQ",
        ][which];
        let mut jwk = key(which).to_json();
        jwk["d"] = json!(d);
        parse_private_jwk(&jwk.to_string()).unwrap()
    };
    let inner = key_change::agree(&private(to), &key(from), "me", URL).unwrap();
    let header = json!({ "kid": "me", "url": URL });
    let outer = jws::sign(
        &private(from),
        header.as_object().unwrap(),
        inner.as_bytes(),
    )
    .unwrap();
    let outer = Parsed::parse(outer.as_bytes()).unwrap();
    let outer = outer.verify(&key(from), URL).unwrap();
    KeyChange::verify(&outer, URL, &key(from), |url| url == "me").unwrap()
}

pub(crate) fn new_account(which: usize) -> Account {
    Account {
        id: Uuid::now_v7(),
        provisioner: "acme".to_owned(),
        key: key(which),
        status: account::Status::Valid,
        contact: vec!["mailto:a@example.com".to_owned()],
        terms_agreed: true,
        terms: Some("https://ca.example/terms".to_owned()),
        permitted: false,
        external: None,
        created_at: now(),
    }
}

pub(crate) async fn account(store: &impl BackEnd) -> Account {
    let created = store
        .create_account(Registration::new(new_account(0)))
        .await
        .unwrap();
    let Created::Created(account) = created else {
        panic!("{created:?}");
    };
    account
}

pub(super) fn dns(name: &str) -> Identifier {
    Identifier::parse("dns", name).unwrap()
}

/// An order for these names that expires in a day, as do its authorizations; nothing is stored.
pub(crate) fn new_order(account: &Account, names: &[&str]) -> NewOrder {
    let order = order_id(unique());
    let authorizations: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(place, name)| (name, authorization_of_order(order, place).unwrap()))
        .map(|(name, id)| Authorization {
            id,
            account: account.id,
            provisioner: account.provisioner.clone(),
            identifier: dns(name),
            scope: Scope::Name,
            status: authz::Status::Pending,
            expires: later(24),
            challenges: vec![Challenge::new(
                challenge_id(id, Method::Http01),
                Method::Http01,
                &[7; 16],
            )],
            origin: Origin::Order,
        })
        .collect();
    let order = Order::from_record(order::Record {
        id: order,
        account: account.id,
        provisioner: account.provisioner.clone(),
        identifiers: names.iter().map(|name| dns(name)).collect(),
        authorizations: authorizations.iter().map(|it| it.id).collect(),
        not_before: RequestedTime::parse("2026-11-24T10:00:00.1234567+02:00"),
        not_after: Some(later(12).into()),
        expires: later(24),
        status: order::Status::Pending,
        error: None,
        certificate: None,
        replaces: None,
        profile: Some("short".to_owned()),
        created_at: now(),
    });
    NewOrder::new(order, authorizations)
}

/// The order with another record.
pub(super) fn altered(order: &Order, alter: impl FnOnce(&mut order::Record)) -> Order {
    let mut record = order::Record::clone(order);
    alter(&mut record);
    Order::from_record(record)
}

pub(super) async fn pending_order(
    store: &impl BackEnd,
    account: &Account,
    names: &[&str],
) -> NewOrder {
    let new = new_order(account, names);
    store.create_order(new.clone()).await.unwrap();
    new
}

pub(crate) async fn ready_order(store: &impl BackEnd, account: &Account, names: &[&str]) -> Order {
    let new = pending_order(store, account, names).await;
    for authorization in &new.authorizations {
        let proof = proof(authorization);
        let challenge = authorization.challenges[0].id;
        let settled = store
            .settle_valid(&proven(challenge, proof, now()))
            .await
            .unwrap();
        assert!(settled.written);
    }
    let order = store.order(new.order.id).await.unwrap().unwrap();
    assert_eq!(order.status, order::Status::Ready);
    order
}

pub(crate) fn proof(authorization: &Authorization) -> Proof {
    Proof::from_record(ProofRecord {
        subject: Subject {
            identifier: authorization.identifier.clone(),
            scope: authorization.scope,
        },
        account: authorization.account,
        method: Method::Http01,
        at: now(),
        evidence: json!({ "seen": "it" }),
        attested_key: None,
    })
}

/// The proofs of an order, as a finalize reads them.
pub(crate) async fn proofs(store: &impl BackEnd, order: Uuid) -> Result<Vec<Proof>, Error> {
    let found = store.finalization(order, None).await?;
    Ok(found.map_or_else(Vec::new, |found| found.proofs))
}

/// The verdict that a proof proves a challenge.
pub(crate) fn proven(challenge: Uuid, proof: Proof, until: Timestamp) -> Proven {
    Proven {
        challenge,
        entry: AuditEntry::new(Event::AuthorizationValid, proof.at()),
        proof,
        until,
    }
}

/// The entry of a change of an account's key.
pub(super) fn rekeyed(at: Timestamp) -> AuditEntry {
    AuditEntry::new(Event::AccountKeyChanged, at)
}

/// The entry of an authorization that was asked for ahead of any order.
pub(super) fn ahead(at: Timestamp) -> AuditEntry {
    AuditEntry::new(Event::AuthorizationCreated, at)
}

pub(super) fn end_of_account(at: Timestamp) -> Ending {
    ending(Event::AccountDeactivated, at)
}

pub(super) fn given_up(at: Timestamp) -> Ending {
    ending(Event::AuthorizationDeactivated, at)
}

/// The end of a right, for the orders that depend on it.
pub(super) fn ending(event: Event, at: Timestamp) -> Ending {
    Ending {
        why: Problem::unauthorized("gone"),
        entry: AuditEntry::new(event, at),
    }
}

/// Records one of the server's own certificates.
pub(crate) async fn recorded(
    store: &impl BackEnd,
    certificate: CertificateRecord,
) -> Result<(), Error> {
    let entry = AuditEntry::server_certificate_issued(&certificate);
    store.record_server_certificate(certificate, entry).await
}

pub(crate) fn certificate(names: &[&str]) -> CertificateRecord {
    CertificateRecord {
        id: Uuid::now_v7(),
        serial: Serial::from_random(*Uuid::new_v4().as_bytes()),
        der: vec![0x30, 0x03, 1, 2, 3],
        chain: vec![vec![0x30, 0x01, 9], vec![0x30, 0x01, 8]],
        provisioner: None,
        account: None,
        order: None,
        not_before: now(),
        not_after: later(24),
        names: names.iter().map(ToString::to_string).collect(),
        issued_at: now(),
        renewed_from: None,
        lineage: None,
        profile: None,
        basis: Vec::new(),
        revoked: None,
    }
}

pub(super) fn issuance(order: &Order) -> Issuance {
    let names: Vec<_> = order.identifiers.iter().map(ToString::to_string).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let certificate = CertificateRecord {
        provisioner: Some(order.provisioner.clone()),
        account: Some(order.account),
        order: Some(order.id),
        ..certificate(&names)
    };
    Issuance::new(certificate, [9; 32])
}

pub(crate) async fn issued(store: &impl BackEnd, order: &Order) -> CertificateRecord {
    let issuance = issuance(order);
    assert_eq!(store.issue(issuance.clone()).await, Ok(Issued::Done));
    issuance.certificate
}

/// What the account has for these subjects, in force at `at` if that is given.
pub(super) async fn reusable(
    store: &impl BackEnd,
    account: &Account,
    subjects: Vec<Subject>,
    at: Option<Timestamp>,
) -> Result<ReusableAuthorizations, Error> {
    let query = NewOrderQuery {
        subjects,
        in_force_at: at,
        ..NewOrderQuery::default()
    };
    let found = store.new_order_facts(account, query).await?;
    Ok(found.reusable)
}

/// Whether the account has proven these names, at this time.
pub(super) async fn has_proven(store: &impl BackEnd, claim: NamesClaim) -> Result<bool, Error> {
    let serial = Serial::from_random([1; 16]);
    let found = store.revocation_facts(&serial, Some(claim)).await?;
    Ok(found.proven)
}
