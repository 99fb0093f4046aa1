//! RFC 8555 §6.6: rate limits, where the operator sets them.

use std::fs;

use acceptance::acme::{Account, Key};
use acceptance::authority::{Authority, Pair, Server};
use acceptance::https::Response;
use acceptance::namespace::{Harness, own_harness};
use acceptance::process;
use acceptance::web::{Silence, Web};
use serde_json::{Value, json};

use crate::conformance::subject::refused;

const HELP: &str = "https://ca.example/limits";

/// An authority with these limits.
fn limited(harness: &Harness, limits: &str) -> Server {
    let authority = Authority::init(harness, Pair::ours(), "ca");
    set(&authority, limits);
    let mut server = authority.start();
    server.add_acme();
    server
}

fn set(authority: &Authority, limits: &str) {
    let text = format!("[rate_limits]\nhelp = \"{HELP}\"\n{limits}\n");
    fs::write(authority.path.join("config/riser.toml"), text).unwrap();
}

fn new_order(account: &Account, names: &[&str]) -> Response {
    let identifiers = names
        .iter()
        .map(|name| json!({"type": "dns", "value": name}));
    let payload = json!({"identifiers": identifiers.collect::<Vec<_>>()});
    account.post(&account.resource("newOrder"), Some(&payload))
}

/// newAccount, signed by this key.
fn register(server: &Server, key: &Key) -> Response {
    let url = format!("{}/acme/acme/new-account", server.authority.url());
    let nonce = server
        .get("/acme/acme/new-nonce")
        .header("replay-nonce")
        .to_owned();
    let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": nonce, "url": url});
    let body = key.sign(&header, "{}").to_string();
    server
        .client
        .post(&url, acceptance::acme::JOSE, body.as_bytes())
        .unwrap()
}

/// 429 with the limit's name, when to come again, and where to read more (§6.6).
#[track_caller]
fn too_often(answer: &Response, limit: &str) -> u64 {
    let detail = refused(answer, 429, "rateLimited");
    assert!(detail.contains(limit), "{detail}");
    let mut links = answer.headers.get_all("link").iter();
    let help = format!("<{HELP}>;rel=\"help\"");
    assert!(links.any(|link| link == &help), "{:?}", answer.headers);
    let wait = answer.header("retry-after").parse().unwrap();
    assert!(
        detail.contains(&format!("try again in {wait} s")),
        "{detail}"
    );
    wait
}

/// New accounts are counted by address; those that exist are found; a changed limit counts at once.
#[test]
fn new_accounts_from_one_address_have_a_limit_that_is_live() {
    own_harness(|harness| {
        let server = limited(
            harness,
            "accounts_per_address = { count = 2, per = \"1h\" }",
        );
        let first = Key::generate();
        assert_eq!(register(&server, &first).status, 201);
        assert_eq!(register(&server, &Key::generate()).status, 201);
        let answer = register(&server, &Key::generate());
        let wait = too_often(&answer, "accounts_per_address");
        assert!((1..=1800).contains(&wait), "{wait}");
        assert!(answer.text().contains("127.0.0.1"), "{}", answer.text());
        assert_eq!(register(&server, &first).status, 200);
        let log = server.daemon.log();
        assert!(log.contains("rate_limited"), "{log}");
        set(&server.authority, "");
        process::eventually("the limit to go", || {
            (register(&server, &Key::generate()).status == 201).then_some(())
        });
    });
}

/// Orders are counted by account, and by account and name; a refused order counts for nothing.
#[test]
fn new_orders_have_a_limit_by_account_and_by_name() {
    own_harness(|harness| {
        let server = limited(
            harness,
            "orders_per_account = { count = 4, per = \"1h\" }\n\
             orders_per_name = { count = 2, per = \"1h\" }",
        );
        let account = server.account();
        for names in [["a.test", "b.test"], ["a.test", "c.test"]] {
            assert_eq!(new_order(&account, &names).status, 201);
        }
        let answer = new_order(&account, &["d.test", "a.test"]);
        too_often(&answer, "orders_per_name");
        assert!(answer.text().contains("a.test"), "{}", answer.text());
        for name in ["d.test", "d.test"] {
            assert_eq!(
                new_order(&account, &[name]).status,
                201,
                "it was not counted"
            );
        }
        let answer = new_order(&account, &["e.test"]);
        let wait = too_often(&answer, "orders_per_account");
        assert!((1..=900).contains(&wait), "{wait}");
        assert_eq!(new_order(&server.account(), &["a.test"]).status, 201);
        let list = account
            .post(&format!("{}/orders", account.kid), None)
            .json();
        assert_eq!(list["orders"].as_array().unwrap().len(), 4);
    });
}

/// After too many failures for a name, it can be neither ordered nor validated; other names can.
#[test]
fn failed_validations_have_a_limit_by_account_and_name() {
    own_harness(|harness| {
        let web = Web::start("127.0.0.1:80");
        harness.dns.addresses("good.test", &["127.0.0.1"]);
        harness.dns.addresses("bad.test", &["127.0.0.2"]);
        let server = limited(harness, "failures_per_name = { count = 1, per = \"1h\" }");
        let account = server.account();
        let waiting = account.order(&["bad.test"]);
        let mut order = account.order(&["bad.test"]);
        account.try_prove(&mut order, &web).unwrap();
        assert_eq!(order.body["status"], "invalid");

        too_often(&new_order(&account, &["bad.test"]), "failures_per_name");
        let authorization = waiting.body["authorizations"][0].as_str().unwrap();
        let challenge = account.http01(authorization).unwrap();
        let answer = account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
        too_often(&answer, "failures_per_name");
        assert_eq!(account.post(&waiting.url, None).json()["status"], "pending");
        account.obtain(&["good.test"], &web);
        assert_eq!(new_order(&server.account(), &["bad.test"]).status, 201);
    });
}

/// Names that never answer delay only their own account.
#[test]
fn silent_names_of_one_account_do_not_make_another_wait() {
    own_harness(|harness| {
        let web = Web::start("127.0.0.1:80");
        let _silence = Silence::start("127.0.0.2:80");
        harness.dns.addresses("good.test", &["127.0.0.1"]);
        let names: Vec<String> = (0..3).map(|n| format!("silent{n}.test")).collect();
        for name in &names {
            harness.dns.addresses(name, &["127.0.0.2"]);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let server = limited(harness, "validations_per_account = 2");
        let account = server.account();
        let order = account.order(&names);
        let urls: Vec<Value> = order.body["authorizations"].as_array().unwrap().clone();
        let challenges: Vec<String> = (urls.iter())
            .map(|url| account.http01(url.as_str().unwrap()).unwrap()["url"].clone())
            .map(|url| url.as_str().unwrap().to_owned())
            .collect();
        for url in &challenges[..2] {
            let answer = account.post(url, Some(&json!({})));
            assert_eq!(answer.json()["status"], "processing", "{}", answer.text());
        }
        let answer = account.post(&challenges[2], Some(&json!({})));
        too_often(&answer, "validations_per_account");
        server.account().obtain(&["good.test"], &web);
        assert_eq!(account.post(&order.url, None).json()["status"], "pending");
    });
}
