//! RFC 5280 §4.2.1.10: name constraints of the intermediate.

use acceptance::acme::Account;
use acceptance::authority::{Authority, Pair};
use acceptance::cross;
use acceptance::namespace::own_harness;
use serde_json::json;

use crate::conformance::subject::refused;

/// Every verifier would reject such a certificate: no client validates for it in vain.
#[test]
fn an_order_for_a_name_outside_the_constraints_is_refused_with_the_constraint() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "ca");
        cross::constrain(&authority.path, &["localhost", "lab"]);
        let mut server = authority.start();
        server.add_acme();
        let account = Account::register(&server.client, &server.authority.directory());
        let order = |names: &[&str]| {
            let names = names.iter();
            let identifiers = names.map(|name| json!({"type": "dns", "value": name}));
            let payload = json!({"identifiers": identifiers.collect::<Vec<_>>()});
            account.post(&account.resource("newOrder"), Some(&payload))
        };
        assert_eq!(order(&["a.lab", "lab"]).status, 201);
        let answer = order(&["a.lab", "a.example"]);
        refused(&answer, 400, "rejectedIdentifier");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        for part in [
            "a.example is not within",
            "\"lab\"",
            "CN=Example Intermediate CA",
        ] {
            assert!(detail.contains(part), "{detail}");
        }
        assert_eq!(order(&["*.lab"]).status, 201);
    });
}
