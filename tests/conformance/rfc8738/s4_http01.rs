//! RFC 8738 §4, §7: addresses are proven by http-01, never by DNS.

use acceptance::acme::csr;
use acceptance::web::{Page, Web, challenge_path};
use serde_json::json;

use crate::conformance::csr::Csr;
use crate::conformance::der;
use crate::conformance::subject::{refused, subject};

/// The address itself is the Host, and DNS is not queried (§4).
#[test]
fn an_address_is_proven_by_a_request_to_it() {
    let subject = subject();
    let account = subject.account();
    let order = account.ready(&["127.0.0.1"], &subject.web);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    let asked = format!("{} {path}", subject.web.address());
    assert!(subject.web.asked().contains(&asked), "{asked}");
    let looked_up = subject.dns.asked();
    assert!(!looked_up.iter().any(|asked| asked.contains("127.0.0.1")));
}

/// An IPv6 address is in brackets in Host (§4, RFC 3986 §3.2.2).
#[test]
fn an_ipv6_address_is_proven_by_a_request_with_brackets() {
    let subject = subject();
    let port = subject.web.address().port();
    if std::net::TcpListener::bind(("::1", 0)).is_err() {
        eprintln!("this machine has no IPv6 loopback");
        return;
    }
    let web = Web::start(&format!("[::1]:{port}"));
    let account = subject.account();
    let order = account.ready(&["::1"], &web);
    assert!(
        web.asked()
            .iter()
            .any(|asked| asked.starts_with(&format!("[::1]:{port} ")))
    );
    let answer = account.try_finalize(&order, &csr(&["::1"])).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// DNS proves no address: such challenges are not offered (§7).
#[test]
fn an_address_has_no_dns_challenge() {
    let account = subject().account();
    let order = account.order(&["192.0.2.1"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let body = account.post(authorization, None).json();
    assert_eq!(
        body["identifier"],
        json!({"type": "ip", "value": "192.0.2.1"})
    );
    let offered = body["challenges"].as_array().unwrap();
    assert!(!offered.is_empty());
    for challenge in offered {
        assert!(
            !challenge["type"].as_str().unwrap().starts_with("dns"),
            "{body}"
        );
    }
}

/// The certificate has the address as an iPAddress of 4 octets (§3, RFC 5280 §4.2.1.6).
#[test]
fn a_certificate_has_names_and_addresses() {
    let subject = subject();
    let account = subject.account();
    let names = ["both.conformance.test", "127.0.0.1"];
    let order = subject.ready(&account, &names);
    let answer = account.try_finalize(&order, &csr(&names)).unwrap();
    let url = answer.json()["certificate"].as_str().unwrap().to_owned();
    let pem = account.post(&url, None).text();
    let body = pem.split("-----").nth(2).unwrap().replace('\n', "");
    let certificate = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    let names = der::sequence(&[
        &der::element(0x82, b"both.conformance.test"),
        &der::element(0x87, &[127, 0, 0, 1]),
    ]);
    assert!(
        certificate
            .windows(names.len())
            .any(|window| window == names)
    );
}

/// An address as a DNS name in the CSR, or another address, is not what was ordered (§3).
#[test]
fn a_csr_with_the_address_in_another_form_is_refused() {
    let subject = subject();
    let account = subject.account();
    let order = account.ready(&["127.0.0.1"], &subject.web);
    for csr in [
        Csr::default().general_name(0x82, b"127.0.0.1"),
        Csr::default().general_name(0x86, b"http://127.0.0.1/"),
        Csr::of(&["127.0.0.2"]),
        Csr::of(&["127.0.0.1", "127.0.0.2"]),
        Csr::default(),
    ] {
        refused(
            &account.try_finalize(&order, &csr.der()).unwrap(),
            400,
            "badCSR",
        );
    }
    let good = Csr::of(&["127.0.0.1"]).common_name("127.0.0.1");
    let answer = account.try_finalize(&order, &good.der()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A page that redirects from an address is followed as from a name (§4).
#[test]
fn an_address_may_redirect() {
    let subject = subject();
    let account = subject.account();
    let order = account.order(&["127.0.0.1"]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(authorization).unwrap();
    let path = challenge_path(challenge["token"].as_str().unwrap());
    subject
        .web
        .set(&path, Page::Redirect("/address/moved".to_owned()));
    let text = account.key_authorization(&challenge);
    subject.web.set("/address/moved", Page::Body(text));
    account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
    account.await_status(authorization, "valid");
}
