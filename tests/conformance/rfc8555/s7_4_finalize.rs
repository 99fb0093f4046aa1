//! RFC 8555 §7.4: finalize, and that one order yields one certificate.

use std::collections::HashSet;
use std::thread;

use acceptance::acme::csr;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::subject::{refused, subject};

/// A valid CSR makes a ready order valid, in the same response (§7.4).
#[test]
fn a_ready_order_becomes_valid_with_its_certificate() {
    let subject = subject();
    let account = subject.account();
    let name = "good.conformance.test";
    let order = subject.ready(&account, &[name]);
    let answer = account.try_finalize(&order, &csr(&[name])).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["status"], "valid", "{body}");
    assert!(
        body["certificate"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
    assert_eq!(answer.header("retry-after"), "");
    assert_eq!(account.post(&order.url, None).json(), body);
}

/// A pending order is not finalized: orderNotReady, and it stays pending (§7.4).
#[test]
fn a_pending_order_is_not_finalized() {
    let subject = subject();
    let account = subject.account();
    let name = "early.conformance.test";
    subject.host(&[name]);
    let mut order = account.order(&[name]);
    let answer = account.try_finalize(&order, &csr(&[name])).unwrap();
    refused(&answer, 403, "orderNotReady");
    account.try_prove(&mut order, &subject.web).unwrap();
    assert_eq!(order.body["status"], "ready");
    assert_eq!(
        account.try_finalize(&order, &csr(&[name])).unwrap().status,
        200
    );
}

/// With several names all have to be proven (§7.4).
#[test]
fn an_order_with_one_name_unproven_is_not_finalized() {
    let subject = subject();
    let account = subject.account();
    let names = ["one.half.conformance.test", "two.half.conformance.test"];
    subject.host(&names);
    let both = account.order(&names);
    let mut half = both.clone();
    half.body["authorizations"]
        .as_array_mut()
        .unwrap()
        .truncate(1);
    // Proves the first alone; the order stays pending, so its challenge is awaited instead.
    let authorization = half.body["authorizations"][0].as_str().unwrap().to_owned();
    let challenge = account.http01(&authorization).unwrap();
    let path = acceptance::web::challenge_path(challenge["token"].as_str().unwrap());
    let page = acceptance::web::Page::Body(account.key_authorization(&challenge));
    subject.web.set(&path, page);
    account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    account.await_status(&authorization, "valid");
    for names in [&names[..], &names[..1]] {
        let answer = account.try_finalize(&both, &csr(names)).unwrap();
        refused(&answer, 403, "orderNotReady");
    }
}

/// A second finalize of a valid order gets the order, and no second certificate (§7.4).
#[test]
fn a_valid_order_is_finalized_again_without_effect() {
    let subject = subject();
    let account = subject.account();
    let name = "twice.conformance.test";
    let order = subject.ready(&account, &[name]);
    let first = account.try_finalize(&order, &csr(&[name])).unwrap();
    let second = account.try_finalize(&order, &csr(&[name])).unwrap();
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.json(), second.json());
}

/// Twenty-four finalizes at the same moment make one certificate (§7.4).
#[test]
fn twenty_four_concurrent_finalizes_make_one_certificate() {
    let subject = subject();
    let account = subject.account();
    for round in 0..3 {
        let name = format!("parallel{round}.conformance.test");
        let order = subject.ready(&account, &[&name]);
        let csrs: Vec<Vec<u8>> = (0..24).map(|_| csr(&[&name])).collect();
        let answers: Vec<Value> = thread::scope(|scope| {
            let sent: Vec<_> = csrs
                .iter()
                .map(|csr| scope.spawn(|| account.try_finalize(&order, csr).unwrap()))
                .collect();
            let answers = sent.into_iter().map(|one| one.join().unwrap());
            answers
                .map(|answer| {
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    answer.json()
                })
                .collect()
        });
        let made: HashSet<&str> = answers
            .iter()
            .map(|body| body["certificate"].as_str().unwrap())
            .collect();
        assert_eq!(made.len(), 1, "{made:?}");
        let url = *made.iter().next().unwrap();
        let downloads: HashSet<String> = (0..3).map(|_| account.post(url, None).text()).collect();
        assert_eq!(downloads.len(), 1);
    }
}

/// The CSR is DER in base64url without padding (§7.4, §6.1).
#[test]
fn a_csr_that_is_not_der_in_base64url_is_refused() {
    let subject = subject();
    let account = subject.account();
    let name = "encoding.conformance.test";
    let order = subject.ready(&account, &[name]);
    let finalize = order.body["finalize"].as_str().unwrap();
    let der = csr(&[name]);
    let good = BASE64URL_NOPAD.encode(&der);
    let short = BASE64URL_NOPAD.encode(&der[..der.len() - 1]);
    for payload in [
        json!({}),
        json!({"csr": null}),
        json!({"csr": [good]}),
        json!({"csr": "+/+/"}),
        json!({"csr": "-----BEGIN CERTIFICATE REQUEST-----\n"}),
        json!({"csr": format!("{good}\n")}),
        json!({"csr": "MAAAAA=="}),
    ] {
        refused(&account.post(finalize, Some(&payload)), 400, "malformed");
    }
    for csr in ["", "AA", "MAA", &short] {
        refused(
            &account.post(finalize, Some(&json!({"csr": csr}))),
            400,
            "badCSR",
        );
    }
    assert_eq!(account.post(&order.url, None).json()["status"], "ready");
    let answer = account.post(finalize, Some(&json!({"csr": good})));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// An authorization that is given up ends the right to finalize (§7.5.2, §7.1.6).
#[test]
fn an_order_with_a_deactivated_authorization_is_not_finalized() {
    let subject = subject();
    let account = subject.account();
    let name = "given-up.conformance.test";
    let order = subject.ready(&account, &[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let answer = account.post(authorization, Some(&json!({"status": "deactivated"})));
    assert_eq!(answer.json()["status"], "deactivated", "{}", answer.text());
    let answer = account.try_finalize(&order, &csr(&[name])).unwrap();
    refused(&answer, 403, "orderNotReady");
    assert_eq!(account.post(&order.url, None).json()["status"], "invalid");
}
