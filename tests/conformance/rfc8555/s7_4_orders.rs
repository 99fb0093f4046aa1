//! RFC 8555 §7.1.3, §7.1.6, §7.4: orders are created, read, and end.

use acceptance::https::Response;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

#[track_caller]
fn open(fields: &Value) -> Response {
    let account = subject().account();
    let mut payload = json!({"identifiers": [{"type": "dns", "value": "order.conformance.test"}]});
    let object = payload.as_object_mut().unwrap();
    object.extend(fields.as_object().unwrap().clone());
    account.post(&account.resource("newOrder"), Some(&payload))
}

/// A point in time, so many seconds from now.
fn in_seconds(seconds: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(now + seconds)
        .unwrap()
        .to_string()
}

const HOUR: i64 = 3600;

/// A new order is 201, pending, with all that the client needs (§7.1.3, §7.4).
#[test]
fn a_new_order_is_pending_and_lists_its_authorizations() {
    let account = subject().account();
    let names = ["a.order.conformance.test", "b.order.conformance.test"];
    let order = account.order(&names);
    let body = &order.body;
    assert_eq!(body["status"], "pending");
    assert_eq!(
        body["identifiers"][0],
        json!({"type": "dns", "value": names[0]})
    );
    assert_eq!(
        body["identifiers"][1],
        json!({"type": "dns", "value": names[1]})
    );
    assert_eq!(body["authorizations"].as_array().unwrap().len(), 2);
    assert!(body["finalize"].as_str().unwrap().starts_with("https://"));
    let expires: jiff::Timestamp = body["expires"].as_str().unwrap().parse().unwrap();
    assert!(expires > jiff::Timestamp::now());
    for absent in ["certificate", "error", "notBefore", "notAfter"] {
        assert!(body.get(absent).is_none(), "{body}");
    }
    assert_eq!(account.post(&order.url, None).json(), *body);
}

/// A pending order says when to poll again (§7.4).
#[test]
fn a_pending_order_has_retry_after() {
    let account = subject().account();
    let order = account.order(&["again.conformance.test"]);
    let answer = account.post(&order.url, None);
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
}

/// An order is for something (§7.4).
#[test]
fn an_order_for_nothing_is_refused() {
    for identifiers in [
        json!([]),
        Value::Null,
        json!({}),
        json!("a.example"),
        json!(["a.example"]),
    ] {
        refused(
            &open(&json!({"identifiers": identifiers})),
            400,
            "malformed",
        );
    }
}

/// The number of names in an order has a limit.
#[test]
fn an_order_for_too_many_names_is_refused() {
    let names = |count: usize| -> Value {
        let all = (0..count).map(|n| json!({"type": "dns", "value": format!("n{n}.example")}));
        json!({"identifiers": all.collect::<Vec<_>>()})
    };
    let most = open(&names(100));
    assert_eq!(most.status, 201, "{}", most.text());
    refused(&open(&names(101)), 400, "malformed");
    assert_eq!(open(&names(1_000)).status, 400);
}

/// Times that are asked for are kept as they were sent (§7.4, §7.1.3).
#[test]
fn requested_times_are_shown() {
    let account = subject().account();
    let whole = (in_seconds(HOUR), in_seconds(3 * HOUR));
    let in_full = |time: &str, end: &str| time.replace('Z', end);
    let exact = (
        in_full(&whole.0, ".25Z"),
        in_full(&whole.1, ".123456+00:00"),
    );
    for (from, to) in [whole, exact] {
        let payload = json!({
            "identifiers": [{"type": "dns", "value": "times.example"}],
            "notBefore": from, "notAfter": to,
        });
        let answer = account.post(&account.resource("newOrder"), Some(&payload));
        assert_eq!(answer.status, 201, "{}", answer.text());
        let read = account.post(answer.header("location"), None).json();
        for body in [answer.json(), read] {
            assert_eq!(
                (&body["notBefore"], &body["notAfter"]),
                (&json!(from), &json!(to))
            );
        }
    }
}

/// Times that cannot be had are refused at once, not at finalize (§7.4).
#[test]
fn invalid_requested_times_are_refused() {
    for fields in [
        json!({"notAfter": in_seconds(-HOUR)}),
        json!({"notBefore": in_seconds(-48 * HOUR)}),
        json!({"notBefore": in_seconds(2 * HOUR), "notAfter": in_seconds(HOUR)}),
        json!({"notBefore": in_seconds(30 * 24 * HOUR)}),
        json!({"notAfter": in_seconds(50 * 366 * 24 * HOUR)}),
        json!({"notAfter": in_seconds(48 * HOUR)}),
        json!({"notAfter": in_seconds(10)}),
        json!({"notAfter": "tomorrow"}),
        json!({"notAfter": 17}),
        json!({"notBefore": "2026-13-01T00:00:00Z"}),
    ] {
        let answer = open(&fields);
        assert_eq!(answer.status, 400, "{fields}: {}", answer.text());
        refused(&answer, 400, "malformed");
    }
}

/// smallstep's `step` sends the year 1 for "not requested".
#[test]
fn a_zero_time_requests_nothing() {
    let zero = "0001-01-01T00:00:00Z";
    let answer = open(&json!({"notBefore": zero, "notAfter": zero}));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(answer.json().get("notAfter").is_none());
}

/// What is unknown in a new order is ignored (§7.1).
#[test]
fn unknown_fields_of_a_new_order_are_ignored() {
    let answer = open(&json!({"status": "valid", "certificate": "x", "unknown": {"a": 1}}));
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (201, &json!("pending"))
    );
    assert!(answer.json().get("certificate").is_none());
}

/// What belongs to one account is not shown to another (§7.1, §10.5).
#[test]
fn resources_of_another_account_are_not_shown() {
    let subject = subject();
    let (mine, theirs) = (subject.account(), subject.account());
    let name = "private.conformance.test";
    let order = subject.ready(&theirs, &[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = theirs.http01(authorization).unwrap()["url"].clone();
    let finalize = order.body["finalize"].as_str().unwrap();
    let csr =
        json!({"csr": data_encoding::BASE64URL_NOPAD.encode(&acceptance::acme::csr(&[name]))});
    let deactivate = json!({"status": "deactivated"});
    for (url, payload) in [
        (order.url.as_str(), None),
        (authorization, None),
        (authorization, Some(&deactivate)),
        (challenge.as_str().unwrap(), None),
        (challenge.as_str().unwrap(), Some(&json!({}))),
        (finalize, Some(&csr)),
    ] {
        let answer = mine.post(url, payload);
        refused(&answer, 403, "unauthorized");
        assert!(!answer.text().contains(name), "{}", answer.text());
    }
    let answer = theirs.post(finalize, Some(&csr));
    let certificate = answer.json()["certificate"].as_str().unwrap().to_owned();
    refused(&mine.post(&certificate, None), 403, "unauthorized");
}

/// An order of one provisioner is none of another, even for the same key.
#[test]
fn an_order_is_not_finalized_at_another_provisioner() {
    let subject = subject();
    let account = subject.account();
    let mut there = account.clone();
    there.kid.clear();
    let url = subject.url("/acme/other/new-account");
    let made = there.post(&url, Some(&json!({})));
    assert_eq!(made.status, 201, "{}", made.text());
    made.header("location").clone_into(&mut there.kid);
    let order = subject.ready(&account, &["confused.conformance.test"]);
    let moved = order.url.replace("/acme/acme/", "/acme/other/");
    refused(&there.post(&moved, None), 403, "unauthorized");
    let csr = acceptance::acme::csr(&["confused.conformance.test"]);
    let csr = json!({"csr": data_encoding::BASE64URL_NOPAD.encode(&csr)});
    let answer = there.post(&format!("{moved}/finalize"), Some(&csr));
    refused(&answer, 403, "unauthorized");
}

/// A failed challenge ends challenge, authorization and order, each with the reason (§7.1.6).
#[test]
fn a_failed_challenge_ends_its_order_with_the_reason() {
    let subject = subject();
    let account = subject.account();
    let order = subject.failed(&account, "failed.conformance.test");
    assert_eq!(order.body["status"], "invalid", "{}", order.body);
    let connection = "urn:ietf:params:acme:error:connection";
    assert_eq!(order.body["error"]["type"], connection, "{}", order.body);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let body = account.post(authorization, None).json();
    assert_eq!(body["status"], "invalid", "{body}");
    assert_eq!(body["challenges"][0]["status"], "invalid", "{body}");
    assert_eq!(body["challenges"][0]["error"]["type"], connection, "{body}");
    let detail = body["challenges"][0]["error"]["detail"].as_str().unwrap();
    assert!(detail.contains("127.0.0.2"), "{detail}");
    let csr = acceptance::acme::csr(&["failed.conformance.test"]);
    let answer = account.try_finalize(&order, &csr).unwrap();
    refused(&answer, 403, "orderNotReady");
}

/// Deactivating an account ends its orders (§7.3.6).
#[test]
fn a_ready_order_of_a_deactivated_account_is_not_finalized() {
    let subject = subject();
    let account = subject.account();
    let order = subject.ready(&account, &["ended.conformance.test"]);
    account.post(&account.kid, Some(&json!({"status": "deactivated"})));
    let csr = acceptance::acme::csr(&["ended.conformance.test"]);
    let answer = account.try_finalize(&order, &csr).unwrap();
    refused(&answer, 401, "unauthorized");
}

/// An abandoned order is invalid once it has expired, and so is its authorization (§7.1.6).
#[test]
fn a_pending_order_expires() {
    let subject = subject();
    let account = subject.brief_account();
    let name = "expired.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let body = account.await_status(&order.url, "invalid");
    assert!(body["error"]["detail"].as_str().is_some(), "{body}");
    let expired = account.post(authorization, None).json()["status"].clone();
    assert!(expired == "invalid" || expired == "expired", "{expired}");
    let path = acceptance::web::challenge_path(challenge["token"].as_str().unwrap());
    account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    assert_eq!(account.post(&order.url, None).json()["status"], "invalid");
    let asked = subject.web.asked();
    assert!(
        !asked.iter().any(|asked| asked.ends_with(&path)),
        "nothing is validated any more"
    );
}

/// A ready order has to be finalized in its time (§7.1.6, §7.4).
#[test]
fn a_ready_order_expires() {
    let subject = subject();
    let account = subject.brief_account();
    let name = "late.conformance.test";
    let order = subject.ready(&account, &[name]);
    account.await_status(&order.url, "invalid");
    let answer = account
        .try_finalize(&order, &acceptance::acme::csr(&[name]))
        .unwrap();
    refused(&answer, 403, "orderNotReady");
}

/// A certificate outlives the order that it was made for (§7.4.2).
#[test]
fn a_valid_order_stays_valid_after_its_expiry() {
    let subject = subject();
    let account = subject.brief_account();
    let name = "kept.conformance.test";
    let order = subject.ready(&account, &[name]);
    let answer = account
        .try_finalize(&order, &acceptance::acme::csr(&[name]))
        .unwrap();
    let body = answer.json();
    // An order that began later has ended: the first one's time is over too.
    let later = account.order(&["later.conformance.test"]);
    account.await_status(&later.url, "invalid");
    assert_eq!(account.post(&order.url, None).json(), body);
    assert_eq!(
        account
            .post(body["certificate"].as_str().unwrap(), None)
            .status,
        200
    );
}
