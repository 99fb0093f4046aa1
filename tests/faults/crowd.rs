//! Strangers who want everything at once: slots, memory, connections, questions, room in the store. Others are
//! served all the same.

use std::time::{Duration, Instant};

use acceptance::acme::Account;
use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::web::{Silence, Web};
use serde_json::{Value, json};

/// The URLs of the http-01 challenges of a new order for names that are silent.
fn silent_challenges(account: &Account, names: &[String]) -> Vec<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let order = account.order(&names);
    let authorizations = order.body["authorizations"].as_array().unwrap();
    let url = |authorization: &Value| {
        let challenge = account.http01(authorization.as_str().unwrap()).unwrap();
        challenge["url"].as_str().unwrap().to_owned()
    };
    authorizations.iter().map(url).collect()
}

/// Has so many accounts answer the challenges of so many silent names each; returns when all are in progress.
fn silent_crowd(harness: &Harness, server: &Server, accounts: usize, names: usize) {
    let names: Vec<String> = (0..names).map(|n| format!("silent{n}.test")).collect();
    for name in &names {
        harness.dns.addresses(name, &["127.0.0.2"]);
    }
    std::thread::scope(|scope| {
        for _ in 0..accounts {
            scope.spawn(|| {
                let account = server.account();
                for url in silent_challenges(&account, &names) {
                    let answer = account.post(&url, Some(&json!({})));
                    assert_eq!(answer.json()["status"], "processing", "{}", answer.text());
                }
            });
        }
    });
}

/// More silent names than slots, all from the address of the one who comes after them.
#[test]
fn silent_names_of_many_accounts_do_not_make_another_wait() {
    own_harness(|harness| {
        let web = Web::start("127.0.0.1:80");
        let _silence = Silence::start("127.0.0.2:80");
        harness.dns.addresses("good.test", &["127.0.0.1"]);
        let server = Authority::started(harness);
        silent_crowd(harness, &server, 5, 64);
        let honest = server.account();
        let began = Instant::now();
        honest.obtain(&["good.test"], &web);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
}
