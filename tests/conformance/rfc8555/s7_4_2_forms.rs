//! RFC 8555 §7.4.2, §9.1: the form of a certificate is the client's choice, and the chains name each other.

use std::io::Write;
use std::process::{Command, Stdio};

use acceptance::acme::{Account, JOSE};
use acceptance::https::{Header, Response};
use acceptance::paths;
use hyper::Method;

use crate::conformance::der;
use crate::conformance::leaf::{Leaf, first};
use crate::conformance::subject::{refused, subject};

const DER: &str = "application/pkix-cert";
const PEM: &str = "application/pem-certificate-chain";

/// POST-as-GET with this Accept.
#[track_caller]
fn read(account: &Account, url: &str, accept: &str) -> Response {
    let nonce = account.nonce().unwrap();
    let body = account
        .key
        .sign(&account.header(url, &nonce), "")
        .to_string();
    let headers = [
        Header::new("content-type", JOSE),
        Header::new("accept", accept),
    ];
    let client = &account.client;
    client
        .request_with(Method::POST, url, &headers, body.as_bytes())
        .unwrap()
}

/// The targets of this relation.
fn links(answer: &Response, relation: &str) -> Vec<String> {
    let all = answer.headers.get_all("link").iter();
    let all = all.filter_map(|value| value.to_str().ok()?.split_once(";rel="));
    all.filter(|(_, kind)| *kind == format!("\"{relation}\""))
        .map(|(url, _)| url.trim_matches(['<', '>']).to_owned())
        .collect()
}

/// Issuer and subject.
fn names(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let fields = der::certificate(certificate);
    (fields[2].1.to_vec(), fields[4].1.to_vec())
}

#[test]
fn a_certificate_as_der_links_to_its_issuer() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["der.conformance.test"], "ES256");
    let answer = read(&account, &leaf.url, DER);
    assert_eq!(answer.header("content-type"), DER);
    assert_eq!(answer.body, leaf.der);
    let up = links(&answer, "up");
    assert_eq!(up.len(), 1, "{:?}", answer.headers);
    let issuer = read(&account, &up[0], DER);
    assert_eq!((issuer.status, issuer.header("content-type")), (200, DER));
    assert_eq!(names(&issuer.body).1, names(&leaf.der).0);
    assert!(
        links(&issuer, "up").is_empty(),
        "the root is not handed out"
    );
    let another = subject().account();
    refused(&read(&another, &up[0], DER), 403, "unauthorized");
}

#[test]
fn openssl_reads_a_chain_as_pkcs7() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["pkcs7.conformance.test"], "ES256");
    for accept in [
        "application/pkcs7-mime",
        "application/pkcs7-mime; smime-type=certs-only",
    ] {
        let answer = read(&account, &leaf.url, accept);
        let kind = answer.header("content-type");
        assert!(kind.starts_with("application/pkcs7-mime"), "{kind}");
        let mut openssl = Command::new(paths::peer("openssl").unwrap())
            .args(["pkcs7", "-inform", "DER", "-print_certs"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = openssl.stdin.take().unwrap();
        input.write_all(&answer.body).unwrap();
        drop(input);
        let out = openssl.wait_with_output().unwrap();
        assert!(out.status.success());
        let text = String::from_utf8(out.stdout).unwrap();
        let blocks = text.matches("-----BEGIN CERTIFICATE-----").count();
        assert_eq!(blocks, 2, "{text}");
        let pem = account.post(&leaf.url, None).text();
        let begin = pem.lines().nth(1).unwrap();
        let first = text
            .lines()
            .skip_while(|line| !line.starts_with("-----"))
            .nth(1);
        assert_eq!(first, Some(begin), "the leaf is the first");
    }
}

#[test]
fn the_format_with_the_highest_weight_is_used() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["weights.conformance.test"], "ES256");
    for (accept, kind) in [
        ("*/*", PEM),
        ("application/*", PEM),
        (PEM, PEM),
        (
            "application/pkix-cert;q=0.5, application/pem-certificate-chain;q=0.4",
            DER,
        ),
        (
            "application/pkix-cert, application/pem-certificate-chain",
            PEM,
        ),
        ("text/html, application/pkix-cert;q=0.1", DER),
    ] {
        let answer = read(&account, &leaf.url, accept);
        assert_eq!(answer.header("content-type"), kind, "{accept}");
    }
}

#[test]
fn a_client_that_accepts_no_format_of_certificates_gets_pem() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["accept.conformance.test"], "ES256");
    for accept in [
        "text/html",
        "application/json",
        "application/json;q=1, */*;q=0",
    ] {
        let answer = read(&account, &leaf.url, accept);
        assert_eq!(answer.status, 200, "{accept}: {}", answer.text());
        assert_eq!(answer.header("content-type"), PEM, "{accept}");
    }
}

#[test]
fn every_chain_names_the_others() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["alternate.conformance.test"], "ES256");
    let default = account.post(&leaf.url, None);
    let alternates = links(&default, "alternate");
    assert_eq!(alternates.len(), 1, "{:?}", default.headers);
    let alternate = account.post(&alternates[0], None);
    assert_eq!(first(&alternate), leaf.der);
    assert_ne!(alternate.body, default.body);
    assert_eq!(links(&alternate, "alternate"), [leaf.url.as_str()]);
    let issuer = |answer: &Response| {
        let up = links(answer, "up");
        read(&account, &up[0], DER).body
    };
    let ours = issuer(&read(&account, &leaf.url, DER));
    let other = issuer(&read(&account, &alternates[0], DER));
    let ((our_root, subject_name), (other_root, other_name)) = (names(&ours), names(&other));
    assert_eq!(subject_name, other_name, "the same authority");
    assert_ne!(our_root, other_root, "under another root");
    let another = subject().account();
    refused(&another.post(&alternates[0], None), 403, "unauthorized");
}

#[test]
fn an_unknown_chain_is_not_found() {
    let account = subject().account();
    let leaf = Leaf::issued(&account, &["nochain.conformance.test"], "ES256");
    for end in [
        "0",
        "2",
        "01",
        "x",
        "-1",
        "1/issuer/0",
        "0/issuer/2",
        "7/issuer/1",
        "0/issuer/1x",
    ] {
        let url = format!("{}/{end}", leaf.url);
        refused(&account.post(&url, None), 404, "malformed");
    }
    let url = format!("{}/1", leaf.url);
    refused(&subject().client.get(&url).unwrap(), 405, "malformed");
}
