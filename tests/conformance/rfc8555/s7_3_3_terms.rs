//! RFC 8555 §7.3.3: the terms of service change.

use std::fs;

use acceptance::acme::Account;
use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::own_harness;
use acceptance::process;
use serde_json::{Value, json};

use crate::conformance::subject::refused;

const OLD: &str = "https://ca.example/terms-1";
const NEW: &str = "https://ca.example/terms-2";

/// Where the operator wants agreement to new terms, an account gets nothing new without it, gets a
/// link to the terms, and can go on as soon as it agrees (§7.3.3).
#[test]
fn an_account_that_agreed_to_other_terms_is_asked_to_agree_again() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "ca");
        let riser = authority.path.join("config/riser.toml");
        set_terms(&authority, OLD);
        fs::write(&riser, "[provisioner.acme]\nterms_changed = \"ask\"\n").unwrap();
        let server = authority.start();
        let account = server.account();
        account.order(&["before.example.com"]);

        set_terms(&server.authority, NEW);
        await_terms(&server);
        let answer = new_order(&account);
        let detail = refused(&answer, 403, "userActionRequired");
        assert!(detail.contains(NEW), "{detail}");
        assert_eq!(answer.json()["instance"], NEW);
        let mut links = answer.headers.get_all("link").iter();
        let wanted = format!("<{NEW}>;rel=\"terms-of-service\"");
        assert!(links.any(|link| link == &wanted), "{:?}", answer.headers);

        // What it has it may read, and only agreement counts.
        assert_eq!(account.post(&account.kid, None).status, 200);
        for payload in [json!({}), json!({"termsOfServiceAgreed": false})] {
            assert_eq!(account.post(&account.kid, Some(&payload)).status, 200);
            refused(&new_order(&account), 403, "userActionRequired");
        }
        let agrees = json!({"termsOfServiceAgreed": true});
        let agreed = account.post(&account.kid, Some(&agrees));
        assert_eq!(agreed.json()["termsOfServiceAgreed"], true);
        assert_eq!(new_order(&account).status, 201);
        // A new account agrees to the new terms at once.
        assert_eq!(new_order(&server.account()).status, 201);
    });
}

/// By default, existing accounts continue under new terms.
#[test]
fn new_terms_have_no_effect_unless_the_operator_enables_them() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "ca");
        set_terms(&authority, OLD);
        let server = authority.start();
        let account = server.account();
        set_terms(&server.authority, NEW);
        await_terms(&server);
        assert_eq!(new_order(&account).status, 201);
    });
}

fn new_order(account: &Account) -> acceptance::https::Response {
    let payload = json!({"identifiers": [{"type": "dns", "value": "a.example.com"}]});
    account.post(&account.resource("newOrder"), Some(&payload))
}

fn set_terms(authority: &Authority, terms: &str) {
    let file = authority.path.join("config/ca.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    config["authority"]["provisioners"] =
        json!([{"type": "ACME", "name": "acme", "termsOfService": terms}]);
    fs::write(&file, config.to_string()).unwrap();
}

fn await_terms(server: &Server) {
    process::eventually("the new terms", || {
        let directory = server.get("/acme/acme/directory").json();
        (directory["meta"]["termsOfService"] == NEW).then_some(())
    });
}
