//! RFC 8555 §7.1.4, §7.1.5, §7.5: authorizations and their challenges.

use std::collections::HashSet;

use acceptance::web::{Page, challenge_path};
use serde_json::json;

use crate::conformance::subject::{refused, subject};

/// An authorization has identifier, status, expiry and challenges (§7.1.4).
#[test]
fn an_authorization_shows_its_identifier_and_challenges() {
    let account = subject().account();
    let order = account.order(&["Authz.Conformance.test"]);
    let url = order.body["authorizations"][0].as_str().unwrap();
    let answer = account.post(url, None);
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(
        body["identifier"],
        json!({"type": "dns", "value": "authz.conformance.test"})
    );
    assert_eq!(body["status"], "pending");
    let expires: jiff::Timestamp = body["expires"].as_str().unwrap().parse().unwrap();
    assert!(expires > jiff::Timestamp::now());
    assert!(
        body.get("wildcard").is_none(),
        "only wildcards say so: {body}"
    );
    for challenge in body["challenges"].as_array().unwrap() {
        assert_eq!(challenge["status"], "pending");
        assert!(challenge.get("validated").is_none() && challenge.get("error").is_none());
        let read = account.post(challenge["url"].as_str().unwrap(), None);
        assert_eq!(read.json(), *challenge);
    }
}

/// Tokens have at least 128 bits, are base64url, and no two are the same (§8.1, §11.3).
#[test]
fn tokens_are_long_and_all_different() {
    let account = subject().account();
    let names: Vec<String> = (0..20).map(|n| format!("t{n}.conformance.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let order = account.order(&names);
    let urls = order.body["authorizations"].as_array().unwrap();
    let tokens: HashSet<String> = urls
        .iter()
        .map(|url| account.http01(url.as_str().unwrap()).unwrap()["token"].clone())
        .map(|token| token.as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tokens.len(), 20);
    for token in tokens {
        let octets = data_encoding::BASE64URL_NOPAD
            .decode(token.as_bytes())
            .unwrap();
        assert!(octets.len() >= 16, "{token}");
    }
}

/// Reading a challenge does not start it (§7.5.1).
#[test]
fn reading_a_challenge_does_not_start_it() {
    let subject = subject();
    let account = subject.account();
    let name = "unread.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    for _ in 0..3 {
        let answer = account.post(challenge["url"].as_str().unwrap(), None);
        assert_eq!(answer.json()["status"], "pending");
        assert_eq!(answer.header("retry-after"), "", "nothing is under way");
    }
    // Another validation from start to end: time enough for one that should not be.
    subject.ready(&account, &["read.conformance.test"]);
    let token = challenge["token"].as_str().unwrap();
    assert!(
        !subject
            .web
            .asked()
            .iter()
            .any(|asked| asked.contains(token))
    );
    assert_eq!(account.post(&order.url, None).json()["status"], "pending");
}

/// A JSON object starts a challenge, whatever is in it; other payloads do not (§7.5.1).
#[test]
fn only_an_object_starts_a_challenge() {
    let subject = subject();
    let account = subject.account();
    let name = "start.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let url = challenge["url"].as_str().unwrap();
    for payload in [json!([]), json!(null), json!("x"), json!(1)] {
        refused(&account.post(url, Some(&payload)), 400, "malformed");
    }
    assert_eq!(account.post(url, None).json()["status"], "pending");
    let path = challenge_path(challenge["token"].as_str().unwrap());
    subject
        .web
        .set(&path, Page::Body(account.key_authorization(&challenge)));
    let old_clients = json!({"keyAuthorization": "x", "type": "http-01"});
    assert_eq!(account.post(url, Some(&old_clients)).status, 200);
    account.await_status(authorization, "valid");
}

/// Once proven, challenge, authorization and order are valid (§7.1.6).
#[test]
fn a_valid_challenge_makes_its_authorization_valid_and_its_order_ready() {
    let subject = subject();
    let account = subject.account();
    let order = subject.ready(&account, &["proven.conformance.test"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let body = account.post(authorization, None).json();
    assert_eq!(body["status"], "valid");
    let shown = body["challenges"].as_array().unwrap();
    let [challenge] = shown.as_slice() else {
        panic!("only the challenge that was validated is shown (§7.1.4): {body}");
    };
    assert_eq!(challenge["status"], "valid");
    let validated: jiff::Timestamp = challenge["validated"].as_str().unwrap().parse().unwrap();
    assert!(validated <= jiff::Timestamp::now());
    assert!(order.body.get("error").is_none());
}

/// A challenge that has ended is not started again (§8.2).
#[test]
fn a_challenge_that_has_ended_stays_as_it_is() {
    let subject = subject();
    let account = subject.account();
    let done = subject.ready(&account, &["done.conformance.test"]);
    let failed = subject.failed(&account, "over.conformance.test");
    for (order, status) in [(done, "valid"), (failed, "invalid")] {
        let authorization = order.body["authorizations"][0].as_str().unwrap();
        let challenge = account.http01(authorization).unwrap();
        let url = challenge["url"].as_str().unwrap();
        let asked = subject.web.asked().len();
        let answer = account.post(url, Some(&json!({})));
        assert_eq!((answer.status, &answer.json()), (200, &challenge));
        assert_eq!(challenge["status"], status);
        assert!(subject.web.asked().len() >= asked);
    }
}

/// A challenge that waits for its web server is processing, and says when to poll again (§7.5.1, §8.2).
#[test]
fn a_slow_challenge_is_processing_and_then_valid() {
    let subject = subject();
    let account = subject.account();
    let name = "slow.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    let page = Page::Body(account.key_authorization(&challenge));
    let late = std::time::Duration::from_secs(4);
    subject.web.set(&path, Page::Late(late, Box::new(page)));
    let answer = account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    assert_eq!(answer.json()["status"], "processing", "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "1");
    account.await_status(authorization, "valid");
    account.await_status(&order.url, "ready");
}

/// An authorization is given up by its account; what it was for ends (§7.5.2).
#[test]
fn deactivating_an_authorization_ends_its_order() {
    let subject = subject();
    let account = subject.account();
    let name = "up.given.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let answer = account.post(authorization, Some(&json!({"status": "deactivated"})));
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (200, &json!("deactivated"))
    );
    let body = account.post(&order.url, None).json();
    assert_eq!(body["status"], "invalid", "{body}");
    let path = challenge_path(challenge["token"].as_str().unwrap());
    subject
        .web
        .set(&path, Page::Body(account.key_authorization(&challenge)));
    account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    assert_eq!(
        account.post(authorization, None).json()["status"],
        "deactivated"
    );
}

/// No other status is the client's to set (§7.5.2).
#[test]
fn an_authorization_takes_no_other_status() {
    let account = subject().account();
    let order = account.order(&["status.conformance.test"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    for payload in [
        json!({}),
        json!({"status": "valid"}),
        json!({"status": "revoked"}),
    ] {
        refused(
            &account.post(authorization, Some(&payload)),
            400,
            "malformed",
        );
    }
    assert_eq!(
        account.post(authorization, None).json()["status"],
        "pending"
    );
}

/// A challenge is found under its own authorization only.
#[test]
fn a_challenge_under_another_authorization_is_not_found() {
    let account = subject().account();
    let order = account.order(&["x.under.conformance.test", "y.under.conformance.test"]);
    let [one, two] = [0, 1].map(|n| order.body["authorizations"][n].as_str().unwrap());
    let id = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    let challenge = account.http01(one).unwrap()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let moved = challenge.replace(&id(one), &id(two));
    refused(&account.post(&moved, Some(&json!({}))), 404, "malformed");
    assert_eq!(account.post(&order.url, None).json()["status"], "pending");
}

/// A challenge that is POSTed many times at once is validated once (§7.5.1, §8.2).
#[test]
fn a_challenge_started_many_times_concurrently_is_probed_once() {
    let subject = subject();
    let account = subject.account();
    let name = "once.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    let page = Page::Body(account.key_authorization(&challenge));
    let late = std::time::Duration::from_millis(500);
    subject.web.set(&path, Page::Late(late, Box::new(page)));
    let url = challenge["url"].as_str().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(account.post(url, Some(&json!({}))).status, 200));
        }
    });
    account.await_status(authorization, "valid");
    let asked = subject.web.asked();
    assert_eq!(
        asked.iter().filter(|asked| asked.ends_with(&path)).count(),
        1
    );
}
