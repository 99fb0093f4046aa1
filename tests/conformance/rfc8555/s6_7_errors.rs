//! RFC 8555 §6.7: problem documents. That each problem has the type and status
//! of its cause is tested with the cause; these tests check what all have in common.

use acceptance::acme::Account;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

/// Problems are `application/problem+json` with type, detail and the answer's status (§6.7).
#[test]
fn every_refusal_is_a_problem_document() {
    let subject = subject();
    let account = subject.account();
    let order = account.resource("newOrder");
    refused(&subject.send(&order, "x"), 400, "malformed");
    refused(
        &subject.client.post(&order, "text/plain", b"x").unwrap(),
        415,
        "malformed",
    );
    refused(&subject.client.get(&order).unwrap(), 405, "malformed");
    refused(
        &subject.send(&subject.url("/acme/acme/order/1"), "x"),
        400,
        "malformed",
    );
    refused(
        &subject
            .client
            .get(&subject.url("/acme/acme/nothing"))
            .unwrap(),
        404,
        "malformed",
    );
    refused(
        &subject
            .client
            .get(&subject.url("/acme/nobody/directory"))
            .unwrap(),
        404,
        "malformed",
    );
}

/// A resource that is not there is 404, whatever the form of its id.
#[test]
fn an_unknown_resource_is_not_found() {
    let subject = subject();
    let account = subject.account();
    let id = "0190a1b2c3d47e5f8a9b0c1d2e3f4a5b";
    let odd = [
        "1",
        "x",
        "..",
        "%00",
        "%2e%2e%2f",
        &id[1..],
        &id.to_uppercase(),
    ];
    for id in [id].into_iter().chain(odd) {
        for path in [
            format!("order/{id}"),
            format!("authz/{id}"),
            format!("challenge/{id}/{id}"),
            format!("certificate/{id}"),
        ] {
            let url = subject.url(&format!("/acme/acme/{path}"));
            refused(&account.post(&url, None), 404, "malformed");
        }
    }
    let finalize = subject.url(&format!("/acme/acme/order/{id}/finalize"));
    let payload = json!({"csr": "AA"});
    refused(&account.post(&finalize, Some(&payload)), 404, "malformed");
}

/// With several identifiers at fault each has its subproblem (§6.7.1).
#[test]
fn every_identifier_at_fault_has_a_subproblem() {
    let subject = subject();
    let account = subject.account();
    let refused_for = |values: &[(&str, &str)], kind: &str| -> Vec<Value> {
        let identifiers: Vec<Value> = values
            .iter()
            .map(|(kind, value)| json!({"type": kind, "value": value}))
            .collect();
        let payload = json!({"identifiers": identifiers});
        let answer = account.post(&account.resource("newOrder"), Some(&payload));
        refused(&answer, 400, kind);
        answer.json()["subproblems"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let same = refused_for(
        &[
            ("dns", "good.example"),
            ("dns", "bad..example"),
            ("dns", "example."),
        ],
        "malformed",
    );
    let values: Vec<&Value> = same.iter().map(|p| &p["identifier"]["value"]).collect();
    assert_eq!(values, [&json!("bad..example"), &json!("example.")]);
    for problem in &same {
        assert_eq!(problem["type"], "urn:ietf:params:acme:error:malformed");
        assert_eq!(problem["identifier"]["type"], "dns");
        assert_ne!(problem["detail"].as_str().unwrap(), "");
    }
    let mixed = refused_for(
        &[("dns", "bad..example"), ("email", "a@b.example")],
        "compound",
    );
    let kinds: Vec<&str> = mixed.iter().map(|p| p["type"].as_str().unwrap()).collect();
    assert!(kinds[0].ends_with(":malformed"), "{kinds:?}");
    assert!(kinds[1].ends_with(":unsupportedIdentifier"), "{kinds:?}");
}

/// Words of the client come back quoted and cut, never as they are.
#[test]
fn a_detail_does_not_repeat_great_lengths() {
    let subject = subject();
    let account = subject.account();
    let value = "\u{202e}<script>\n".repeat(2_000);
    let payload = json!({"identifiers": [{"type": "dns", "value": value}]});
    let answer = account.post(&account.resource("newOrder"), Some(&payload));
    let detail = refused(&answer, 400, "malformed");
    assert!(detail.len() < 2_000 && !detail.contains('\n'), "{detail}");
}

/// Names that a policy refuses are `rejectedIdentifier`, each with the rule that refused it (§6.7.1).
#[test]
fn every_name_that_policy_refuses_has_a_subproblem_with_its_rule() {
    let subject = subject();
    let account = Account::register(&subject.client, &subject.directory_of("strict"));
    let asked = |values: &[(&str, &str)]| {
        let identifiers: Vec<Value> = values
            .iter()
            .map(|(kind, value)| json!({"type": kind, "value": value}))
            .collect();
        let payload = json!({"identifiers": identifiers});
        account.post(&account.resource("newOrder"), Some(&payload))
    };
    let good = ("dns", "www.strict.example");
    assert_eq!(asked(&[good]).status, 201);
    let answer = asked(&[
        good,
        ("dns", "DB.strict.example"),
        ("ip", "127.0.0.1"),
        ("dns", "a.b"),
    ]);
    refused(&answer, 400, "rejectedIdentifier");
    let found = answer.json()["subproblems"].as_array().cloned().unwrap();
    let rules = [
        (
            "db.strict.example",
            "provisioner.strict.policy.deny_dns \"db.strict.example\"",
        ),
        (
            "127.0.0.1",
            "provisioner.strict.policy.deny_ip \"127.0.0.0/8\"",
        ),
        (
            "a.b",
            "provisioner.strict.policy.allow_dns (\"*.strict.example\")",
        ),
    ];
    assert_eq!(found.len(), rules.len(), "{found:?}");
    for (found, (name, rule)) in found.iter().zip(rules) {
        assert_eq!(found["identifier"]["value"], name);
        assert!(found["detail"].as_str().unwrap().contains(rule), "{found}");
    }
    let alone = asked(&[("dns", "a.b.strict.example")]);
    assert!(refused(&alone, 400, "rejectedIdentifier").contains("allow_dns"));
}
