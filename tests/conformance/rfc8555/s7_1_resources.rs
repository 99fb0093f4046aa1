//! RFC 8555 §7.1: the directory, and how resources are linked.

use acceptance::https::{Header, Response};
use hyper::Method;
use serde_json::json;

use crate::conformance::subject::subject;

fn links(answer: &Response) -> Vec<String> {
    let all = answer.headers.get_all("link").iter();
    all.map(|link| link.to_str().unwrap().to_owned()).collect()
}

/// The directory names the resources that every server has (§7.1.1).
#[test]
fn the_directory_names_its_resources() {
    let subject = subject();
    let answer = subject.client.get(&subject.directory()).unwrap();
    assert_eq!(answer.header("content-type"), "application/json");
    let directory = answer.json();
    let prefix = subject.url("/acme/acme/");
    for name in [
        "newNonce",
        "newAccount",
        "newOrder",
        "revokeCert",
        "keyChange",
    ] {
        let url = directory[name].as_str().unwrap();
        assert!(url.starts_with(&prefix), "{name}: {url}");
    }
    assert!(
        directory.get("meta").is_none(),
        "nothing to say: {directory}"
    );
}

/// The directory answers HEAD as it answers GET (§7.1.1, RFC 9110 §9.3.2).
#[test]
fn the_directory_answers_head() {
    let url = subject().directory();
    let answer = subject()
        .client
        .request(Method::HEAD, &url, None, &[])
        .unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

/// `meta` has what a client needs to know beforehand (§7.1.1).
#[test]
fn the_directory_has_terms_website_caa_and_binding() {
    let subject = subject();
    let terms = subject.client.get(&subject.directory_of("terms")).unwrap();
    assert_eq!(
        terms.json()["meta"],
        json!({
            "termsOfService": "https://ca.example/terms",
            "website": "https://ca.example",
            "caaIdentities": ["ca.example"],
        })
    );
    let bound = subject.client.get(&subject.directory_of("bound")).unwrap();
    assert_eq!(
        bound.json()["meta"],
        json!({"externalAccountRequired": true})
    );
}

/// A provisioner whose name needs escaping has URLs that lead back to it.
#[test]
fn a_provisioner_with_a_space_in_its_name_is_served() {
    let subject = subject();
    let directory = subject.directory_of("my%20acme");
    let account = acceptance::acme::Account::register(&subject.client, &directory);
    assert!(
        account.kid.contains("/acme/my%20acme/account/"),
        "{}",
        account.kid
    );
    let order = account.order(&["space.conformance.test"]);
    assert!(
        order.url.contains("/acme/my%20acme/order/"),
        "{}",
        order.url
    );
    assert_eq!(account.post(&order.url, None).json()["status"], "pending");
}

/// A provisioner of another type has no directory.
#[test]
fn a_provisioner_that_is_not_acme_has_no_directory() {
    let subject = subject();
    let answer = subject.client.get(&subject.directory_of("admin")).unwrap();
    assert!(matches!(answer.status, 401 | 404), "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

/// Every answer but the directory's leads back to the directory (§7.1).
#[test]
fn every_answer_links_to_the_directory() {
    let subject = subject();
    let account = subject.account();
    let index = format!("<{}>;rel=\"index\"", subject.directory());
    let order = account.order(&["links.conformance.test"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    for answer in [
        subject.client.get(&account.resource("newNonce")).unwrap(),
        account.post(&account.kid, None),
        account.post(&order.url, None),
        account.post(authorization, None),
        account.post(&account.resource("newOrder"), None),
        subject.client.get(&order.url).unwrap(),
        subject.send(&order.url, "no JWS"),
        subject
            .client
            .get(&subject.url("/acme/acme/nothing"))
            .unwrap(),
    ] {
        assert!(
            links(&answer).contains(&index),
            "{} {:?}",
            answer.status,
            links(&answer)
        );
    }
    let directory = subject.client.get(&subject.directory()).unwrap();
    assert_eq!(links(&directory), Vec::<String>::new());
}

/// A challenge leads up to its authorization (§7.1, §7.5.1).
#[test]
fn a_challenge_links_up_to_its_authorization() {
    let subject = subject();
    let account = subject.account();
    let order = account.order(&["up.conformance.test"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let answer = account.post(challenge["url"].as_str().unwrap(), None);
    let up = format!("<{authorization}>;rel=\"up\"");
    assert!(links(&answer).contains(&up), "{:?}", links(&answer));
}

/// Answers about a state are not cached (§7.2 for nonces; true for all).
#[test]
fn signed_answers_are_not_stored_by_caches() {
    let subject = subject();
    let account = subject.account();
    let answer = account.post(&account.kid, None);
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// URLs have a name of the server's own, never one that the request made up (§10).
#[test]
fn urls_are_never_built_from_a_foreign_host() {
    let subject = subject();
    let url = subject.directory();
    let port = subject.authority.split(':').next_back().unwrap();
    let by = |headers: &[Header<'_>]| {
        let answer = subject.client.request_with(Method::GET, &url, headers, &[]);
        answer.unwrap().json()["newOrder"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let own = subject.url("/acme/acme/new-order");
    for headers in [
        [Header::new("host", "evil.example"), Header::new("x-y", "")],
        [
            Header::new("host", "user@localhost"),
            Header::new("x-y", ""),
        ],
        [
            Header::new("x-forwarded-host", "evil.example"),
            Header::new("x-forwarded-proto", "http"),
        ],
        [
            Header::new("forwarded", "host=evil.example;proto=http"),
            Header::new("x-y", ""),
        ],
    ] {
        assert_eq!(by(&headers), own, "{headers:?}");
    }
    by(&[Header::new("host", "EVIL.example:8443")]);
    let log = std::fs::read_to_string(subject.folder().join("log")).unwrap();
    let of_host = |line: &&str| line.contains("foreign_host") && line.contains("evil.example");
    let lines: Vec<_> = log.lines().filter(of_host).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("public_names"), "{lines:?}");
    let address = format!("127.0.0.1:{port}");
    assert_eq!(
        by(&[Header::new("host", &address)]),
        own.replace("localhost", "127.0.0.1")
    );
    assert_eq!(
        by(&[Header::new("host", "localhost:12345")]),
        own.replace(port, "12345")
    );
}

/// An account is the same under every name of the server.
#[test]
fn an_account_made_under_one_name_works_under_another() {
    let subject = subject();
    let account = subject.account();
    let url = account
        .resource("newOrder")
        .replace("localhost", "127.0.0.1");
    for kid in [
        account.kid.clone(),
        account.kid.replace("localhost", "127.0.0.1"),
    ] {
        let mut header = account.header(&url, &subject.nonce());
        header["kid"] = json!(kid);
        let order = json!({"identifiers": [{"type": "dns", "value": "two.conformance.test"}]});
        let body = account.key.sign(&header, &order.to_string());
        let answer = subject.send(&url, &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert!(answer.header("location").starts_with("https://127.0.0.1:"));
    }
}
