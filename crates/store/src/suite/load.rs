//! How fast the three commits of an issuance are: printed, not judged.
//! `cargo test -p store --release -- --ignored --nocapture load`

use std::time::{Duration, Instant};

use acme::account::Account;
use acme::authz::Authorization;
use acme::challenge::{
    Attempt, CaaIdentity, Challenge, Context, HttpObservation, Means, Method, Observation, Ports,
    Proof, RedirectPorts, Trace, Verdict, challenge_id, judge,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use pki::jose::Jwk;
use serde_json::json;
use tokio::task::JoinSet;

use super::harness::{self, now};
use crate::port::{Accounts as _, Certificates as _, Challenges as _, Orders as _};
use crate::{AuditEntry, Issuance, Issued, Options, Registration, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn load_of_64_writers_and_of_one() {
    for writers in [64, 16, 1] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("riser.sqlite3");
        let store = Store::open(&path, Options::default()).unwrap();
        measure("file", &store, writers).await;
        store.close().await;
    }
    measure("ephemeral", &Store::ephemeral().unwrap(), 64).await;
}

async fn measure(place: &str, store: &Store, writers: usize) {
    let account = harness::account(store).await;
    let before = store.figures();
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        let (store, account) = (store.clone(), account.clone());
        tasks.spawn(async move { issue_until(&store, &account, began + LENGTH).await });
    }
    let mut waits: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let seconds = began.elapsed().as_secs_f64();
    waits.sort();
    let after = store.figures();
    let transactions = after.transactions - before.transactions;
    println!(
        "{place}, {writers} writers: {:.0} transactions/s in {} commits of {transactions}; p50 {:?} p99 {:?} max {:?}",
        transactions as f64 / seconds,
        after.commits - before.commits,
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
        waits[waits.len() - 1],
    );
}

/// Order, verdict, certificate, over and over; returns how long each commit took.
async fn issue_until(store: &Store, account: &Account, end: Instant) -> Vec<Duration> {
    let mut waits = Vec::new();
    while Instant::now() < end {
        let new = harness::new_order(account, &["a.example"]);
        let authorization = &new.authorizations[0];
        let (challenge, proof) = (
            authorization.challenges[0].id,
            harness::proof(authorization),
        );
        let issuance = harness::issuance(&new.order);

        let mut lap = Instant::now();
        let mut took = || {
            let now = Instant::now();
            waits.push(now - std::mem::replace(&mut lap, now));
        };
        store.create_order(new).await.unwrap();
        took();
        store
            .settle_valid(&harness::proven(challenge, proof, now()))
            .await
            .unwrap();
        took();
        assert_eq!(store.issue(issuance).await, Ok(Issued::Done));
        took();
    }
    waits
}

const LENGTH: Duration = Duration::from_secs(6);

/// What a certificate with its account and its order takes in the file, and how many pages its commits write into the
/// log once there are a thousand.
#[tokio::test]
#[ignore = "a measurement"]
async fn bytes_and_pages_of_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("riser.sqlite3");
    let size = |name: &str| {
        let file = std::fs::metadata(folder.path().join(name)).unwrap();
        file.len()
    };
    let store = Store::open(&path, Options::default()).unwrap();
    store.close().await;
    let empty = size("riser.sqlite3");
    let store = Store::open(&path, Options::default()).unwrap();
    for number in 0..MANY {
        obtain(&store, number).await;
    }
    store.close().await;
    let each = (size("riser.sqlite3") - empty) / MANY;
    println!("{each} bytes a certificate");
    let store = Store::open(&path, Options::default()).unwrap();
    for number in MANY..MANY + FEW {
        obtain(&store, number).await;
    }
    let frames = size("riser.sqlite3-wal") / FRAME;
    println!("{} pages a certificate", frames as f64 / FEW as f64);
    if let Some(to) = std::env::var_os("KEEP") {
        store.close().await;
        std::fs::copy(&path, to).unwrap();
    }
}

/// A new account and its certificate for one name, with records as long as the server's.
async fn obtain(store: &Store, number: u64) {
    let account = Account {
        key: random_key(),
        contact: Vec::new(),
        terms: None,
        ..harness::new_account(0)
    };
    let registration = Registration::new(account.clone());
    store.create_account(registration).await.unwrap();
    let name = format!("host-{number}.example.com");
    let mut new = harness::new_order(&account, &[&name]);
    let mut random = [0; 16];
    random.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    new.order = harness::altered(&new.order, |record| {
        (record.not_before, record.not_after, record.profile) = (None, None, None);
    });
    for authorization in &mut new.authorizations {
        let id = authorization.id;
        authorization.challenges = (Method::USUAL.iter())
            .map(|method| Challenge::new(challenge_id(id, *method), *method, &random))
            .collect();
    }
    let (order, authorization) = (new.order.clone(), new.authorizations[0].clone());
    store.create_order(new).await.unwrap();
    let challenge = challenge_id(authorization.id, Method::Http01);
    let mut proven = harness::proven(challenge, seen(&authorization), now());
    proven.entry = AuditEntry::authorization_valid(&authorization, Method::Http01, now());
    assert!(store.settle_valid(&proven).await.unwrap().written);
    let mut issuance = harness::issuance(&order);
    issuance.certificate.der = (0..45)
        .flat_map(|_| *uuid::Uuid::new_v4().as_bytes())
        .collect();
    issuance.certificate.basis = vec![Some(Means::Challenge(Method::Http01))];
    let issuance = Issuance::new(issuance.certificate, [9; 32]);
    assert_eq!(store.issue(issuance).await, Ok(Issued::Done));
}

fn random_key() -> Jwk {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let part = |octets: &[u8]| data_encoding::BASE64URL_NOPAD.encode(octets);
    let (x, y) = (part(&point[1..33]), part(&point[33..]));
    serde_json::from_value(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })).unwrap()
}

/// A proof by http-01 with what the server saw.
fn seen(authorization: &Authorization) -> Proof {
    let name = &authorization.identifier;
    let body = authorization.challenges[0].token.clone();
    let observation = HttpObservation {
        status: 200,
        location: None,
        media_type: Some("application/octet-stream".to_owned()),
        length: 66,
        truncated: false,
        encoding: None,
        body: format!("{body}.{THUMBPRINT}").into_bytes(),
        trace: Trace {
            resolver: Some("10.0.0.2:53".to_owned()),
            answers: vec!["A 10.0.12.7".to_owned(), "no AAAA".to_owned()],
            attempts: vec![Attempt {
                address: "10.0.12.7:80".parse().unwrap(),
                outcome: "connected".to_owned(),
                millis: 1,
            }],
            millis: 3,
        },
    };
    let key_authorization = format!("{body}.{THUMBPRINT}");
    let context = Context {
        identifier: name,
        token: &body,
        payload: b"{}",
        key_authorization: &key_authorization,
        account: authorization.account,
        caa_identity: &CaaIdentity::default(),
        ports: Ports::default(),
        redirect_ports: RedirectPorts::NONE,
        attestation: acme::challenge::AttestationRules::NONE,
        now: now(),
        redirects: &[],
    };
    let Verdict::Valid(proof) = judge(Method::Http01, &context, &Observation::Http(observation))
    else {
        panic!()
    };
    proof
}

const THUMBPRINT: &str = "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s";
const MANY: u64 = 1000;
const FEW: u64 = 10;
/// Bytes of a page in the log with its header.
const FRAME: u64 = 4096 + 24;
