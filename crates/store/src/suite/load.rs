//! How fast the three commits of an issuance are: printed, not judged.
//! `cargo test -p store --release -- --ignored --nocapture load`

use std::time::{Duration, Instant};

use acme::account::Account;
use tokio::task::JoinSet;

use super::harness::{self, now};
use crate::port::{Certificates as _, Challenges as _, Orders as _};
use crate::{Issued, Options, Store};

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
