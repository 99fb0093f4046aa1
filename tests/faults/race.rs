//! Many clients at the same moment, one result.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier};

use acceptance::acme::csr;
use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::web::Web;
use serde_json::{Value, json};

const AT_ONCE: usize = 24;

#[test]
fn twenty_four_finalizes_of_one_order_make_one_certificate() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let account = server.account();
        for _ in 0..3 {
            let order = account.ready(&["example.com"], &web);
            let barrier = Arc::new(Barrier::new(AT_ONCE));
            let clients: Vec<_> = (0..AT_ONCE)
                .map(|_| {
                    let (account, order, barrier) =
                        (account.clone(), order.clone(), Arc::clone(&barrier));
                    std::thread::spawn(move || {
                        let request = csr(&["example.com"]);
                        barrier.wait();
                        account.try_finalize(&order, &request).unwrap()
                    })
                })
                .collect();
            let mut urls = BTreeSet::new();
            for client in clients {
                let answer = client.join().unwrap();
                assert!(answer.status < 500, "{}: {}", answer.status, answer.text());
                let body: Value = serde_json::from_slice(&answer.body).unwrap();
                if let Some(url) = body["certificate"].as_str() {
                    urls.insert(url.to_owned());
                }
            }
            assert_eq!(urls.len(), 1, "{urls:?}");
            let order = account.await_status(&order.url, "valid");
            assert_eq!(
                order["certificate"].as_str(),
                urls.first().map(String::as_str)
            );
        }
        let issued = server
            .daemon
            .log()
            .lines()
            .filter(|line| is_issuance(line))
            .count();
        assert_eq!(
            issued,
            3,
            "one signature an order:\n{}",
            server.daemon.log()
        );
    });
}

/// Whether a line of the log is the one event of an issued certificate.
pub fn is_issuance(line: &str) -> bool {
    line.contains("certificate_issued")
}

#[test]
fn one_nonce_is_accepted_once_by_sixteen_requests() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let account = server.account();
        let url = account.kid.clone();
        let body = account
            .key
            .sign(&account.header(&url, &account.nonce().unwrap()), "");
        let barrier = Arc::new(Barrier::new(16));
        let clients: Vec<_> = (0..16)
            .map(|_| {
                let (account, url, body) = (account.clone(), url.clone(), body.clone());
                let barrier = Arc::clone(&barrier);
                std::thread::spawn(move || {
                    barrier.wait();
                    account.send(&url, &body).unwrap()
                })
            })
            .collect();
        let answers: Vec<_> = clients.into_iter().map(|c| c.join().unwrap()).collect();
        assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1);
        for refused in answers.iter().filter(|a| a.status != 200) {
            assert_eq!(refused.status, 400);
            assert_eq!(
                refused.json()["type"],
                "urn:ietf:params:acme:error:badNonce"
            );
        }
    });
}

#[test]
fn one_key_makes_one_account_in_sixteen_requests() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let mut account = server.account();
        account.key = Arc::new(acceptance::acme::Key::generate());
        account.kid = String::new();
        let url = account.resource("newAccount");
        let barrier = Arc::new(Barrier::new(16));
        let clients: Vec<_> = (0..16)
            .map(|_| {
                let (account, url, barrier) = (account.clone(), url.clone(), Arc::clone(&barrier));
                std::thread::spawn(move || {
                    barrier.wait();
                    let answer = account.post(
                        &url,
                        Some(&serde_json::json!({"termsOfServiceAgreed": true})),
                    );
                    (answer.status, answer.header("location").to_owned())
                })
            })
            .collect();
        let answers: Vec<_> = clients.into_iter().map(|c| c.join().unwrap()).collect();
        assert_eq!(
            answers.iter().filter(|(status, _)| *status == 201).count(),
            1,
            "{answers:?}"
        );
        let locations: BTreeSet<_> = answers.iter().map(|(_, location)| location).collect();
        assert_eq!(locations.len(), 1, "{answers:?}");
    });
}

#[test]
fn orders_that_race_with_a_deactivation_are_refused_and_never_a_server_error() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        for _ in 0..6 {
            let account = server.account();
            let barrier = Arc::new(Barrier::new(AT_ONCE));
            let clients: Vec<_> = (0..AT_ONCE)
                .map(|n| {
                    let (account, barrier) = (account.clone(), Arc::clone(&barrier));
                    std::thread::spawn(move || {
                        let order = json!({"identifiers": [{"type": "dns", "value": "a.test"}]});
                        let end = json!({"status": "deactivated"});
                        barrier.wait();
                        match n {
                            0 => account.post(&account.kid, Some(&end)),
                            _ => account.post(&account.resource("newOrder"), Some(&order)),
                        }
                    })
                })
                .collect();
            for client in clients {
                let answer = client.join().unwrap();
                assert!(answer.status < 500, "{}: {}", answer.status, answer.text());
            }
        }
        server.stop();
    });
}
