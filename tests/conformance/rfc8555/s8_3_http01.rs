//! RFC 8555 §8.3: http-01, one request for a well-known path.

use std::thread;

use acceptance::acme::Account;
use acceptance::dns::Answer;
use acceptance::web::{Page, challenge_path};
use serde_json::{Value, json};

use crate::conformance::subject::subject;

/// Serves what `page` makes of the key authorization, starts the challenge, and
/// waits for the end: the challenge as it is then.
fn attempt(account: &Account, name: &str, page: impl FnOnce(String) -> Option<Page>) -> Value {
    let subject = subject();
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    if let Some(page) = page(account.key_authorization(&challenge)) {
        subject.web.set(&path, page);
    }
    let url = challenge["url"].as_str().unwrap();
    account.post(url, Some(&json!({})));
    acceptance::process::eventually("a verdict", || {
        let body = account.post(url, None).json();
        (body["status"] != "pending" && body["status"] != "processing").then_some(body)
    })
}

#[track_caller]
fn failed(challenge: &Value, kind: &str) -> String {
    let urn = format!("urn:ietf:params:acme:error:{kind}");
    assert_eq!(challenge["status"], "invalid", "{challenge}");
    assert_eq!(challenge["error"]["type"], urn.as_str(), "{challenge}");
    challenge["error"]["detail"].as_str().unwrap().to_owned()
}

/// The server asks for the token's path, with the name as Host, and past any proxy that its
/// environment names (§8.3).
#[test]
fn the_request_is_for_the_token_under_the_name() {
    let subject = subject();
    let account = subject.account();
    let name = "host.conformance.test";
    subject.host(&[name]);
    let challenge = attempt(&account, name, |text| Some(Page::Body(text)));
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let path = challenge_path(challenge["token"].as_str().unwrap());
    let port = subject.web.address().port();
    let asked = subject.web.asked();
    let asked: Vec<&String> = asked
        .iter()
        .filter(|asked| asked.ends_with(&path))
        .collect();
    assert_eq!(
        asked,
        [&format!("{name}:{port} {path}")],
        "asked once is enough"
    );
}

/// White space after the key authorization does not matter (§8.3).
#[test]
fn white_space_at_the_end_is_ignored() {
    let account = subject().account();
    for (n, end) in ["\n", "\r\n", " \t\r\n\n"].into_iter().enumerate() {
        let name = format!("space{n}.conformance.test");
        subject().host(&[&name]);
        let challenge = attempt(&account, &name, |text| Some(Page::Body(text + end)));
        assert_eq!(challenge["status"], "valid", "{challenge}");
    }
}

/// Anything else than the key authorization of this account is no proof (§8.3).
#[test]
fn a_body_that_is_not_the_key_authorization_proves_nothing() {
    let subject = subject();
    let account = subject.account();
    let other = subject.account().key.thumbprint();
    let token = |text: &str| text.split('.').next().unwrap().to_owned();
    let bodies: [&(dyn Fn(String) -> String + Sync); 9] = [
        &|_| String::new(),
        &|text| format!(" {text}"),
        &|text| format!("\u{feff}{text}"),
        &|text| format!("{text}x"),
        &|text| format!("<html>{text}</html>"),
        &|text| token(&text),
        &|text| format!("{}.{other}", token(&text)),
        &|text| text.to_uppercase(),
        &|text| format!("{text}{}", " ".repeat(200_000)),
    ];
    thread::scope(|scope| {
        for (n, body) in bodies.into_iter().enumerate() {
            let account = &account;
            scope.spawn(move || {
                let name = format!("body{n}.conformance.test");
                subject.host(&[&name]);
                let challenge = attempt(account, &name, |text| Some(Page::Body(body(text))));
                failed(&challenge, "unauthorized");
            });
        }
    });
}

/// Only status 200 proves anything, whatever the body says (§8.3).
#[test]
fn a_status_other_than_200_proves_nothing() {
    let subject = subject();
    let account = subject.account();
    thread::scope(|scope| {
        for status in [201, 203, 206, 400, 401, 403, 404, 418, 500, 503] {
            let account = &account;
            scope.spawn(move || {
                let name = format!("status{status}.conformance.test");
                subject.host(&[&name]);
                let page = |text| Some(Page::Status(status, text));
                let detail = failed(&attempt(account, &name, page), "unauthorized");
                assert!(detail.contains(&status.to_string()), "{detail}");
            });
        }
    });
}

/// What the web server showed is never shown to the client: an order is no way to read pages (§10.4).
#[test]
fn the_body_of_a_wrong_page_is_not_shown() {
    let subject = subject();
    let account = subject.account();
    let name = "leak.conformance.test";
    subject.host(&[name]);
    let secret = "secret of the page";
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    subject.web.set(&path, Page::Body(secret.to_owned()));
    account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    let body = account.await_status(authorization, "invalid");
    let detail = failed(&body["challenges"][0], "unauthorized");
    assert!(detail.contains("18"), "the length is reported: {detail}");
    for url in [
        order.url.as_str(),
        authorization,
        challenge["url"].as_str().unwrap(),
    ] {
        let text = account.post(url, None).text();
        assert!(!text.contains(secret), "{text}");
    }
}

/// A name without address is a dns error that names the resolver (§6.7, §8.3).
#[test]
fn a_name_that_is_not_found_is_a_dns_error() {
    let subject = subject();
    let account = subject.account();
    subject.dns.set("fails.conformance.test", Answer::Fails);
    subject
        .dns
        .set("empty.conformance.test", Answer::Addresses(Vec::new()));
    let resolver = subject.dns.address().to_string();
    thread::scope(|scope| {
        for (name, word) in [
            ("nowhere.conformance.test", "NXDOMAIN"),
            ("fails.conformance.test", "SERVFAIL"),
            ("empty.conformance.test", "no A"),
        ] {
            let (account, resolver) = (&account, &resolver);
            scope.spawn(move || {
                let detail = failed(&attempt(account, name, |_| None), "dns");
                assert!(
                    detail.contains(word) && detail.contains(resolver),
                    "{detail}"
                );
            });
        }
    });
}

/// A closed port is a connection error that names the address (§6.7, §8.3).
#[test]
fn a_closed_port_is_a_connection_error() {
    let subject = subject();
    let account = subject.account();
    let name = "closed.conformance.test";
    subject.dns.addresses(name, &["127.0.0.2"]);
    let detail = failed(&attempt(&account, name, |_| None), "connection");
    let port = subject.web.address().port();
    assert!(
        detail.contains("127.0.0.2") && detail.contains(&port.to_string()),
        "{detail}"
    );
}

/// The server tries the other addresses of a name when one does not answer (§8.3).
#[test]
fn another_address_of_the_name_is_tried() {
    let subject = subject();
    let account = subject.account();
    let name = "several.conformance.test";
    subject
        .dns
        .addresses(name, &["127.0.0.2", "127.0.0.3", "127.0.0.1"]);
    let challenge = attempt(&account, name, |text| Some(Page::Body(text)));
    assert_eq!(challenge["status"], "valid", "{challenge}");
}

/// Addresses that cannot be a web server are not connected to (§10.4).
#[test]
fn forbidden_addresses_are_not_connected_to() {
    let subject = subject();
    let account = subject.account();
    for (n, address) in [
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "ff02::1",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("forbidden{n}.conformance.test");
        subject.dns.addresses(&name, &[address]);
        let detail = failed(&attempt(&account, &name, |_| None), "connection");
        assert!(detail.contains(address), "{detail}");
    }
}

/// A page that appears slightly late is found by a retry (§8.2).
#[test]
fn a_page_that_appears_late_is_found() {
    let subject = subject();
    let account = subject.account();
    let name = "moment.conformance.test";
    subject.host(&[name]);
    let order = account.order(&[name]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let url = challenge["url"].as_str().unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| account.post(url, Some(&json!({}))));
        acceptance::process::eventually("the first try", || {
            let asked = subject.web.asked();
            asked
                .iter()
                .any(|asked| asked.ends_with(&path))
                .then_some(())
        });
        subject
            .web
            .set(&path, Page::Body(account.key_authorization(&challenge)));
    });
    account.await_status(authorization, "valid");
}
