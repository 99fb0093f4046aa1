//! RFC 8555 §7.4.2: the certificate is downloaded by its account.

use std::time::Duration;

use acceptance::acme::csr;
use acceptance::https::Response;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use serde_json::{Value, json};

use crate::conformance::der;
use crate::conformance::subject::{refused, subject};

/// A certificate for this name, and further members of newOrder.
#[track_caller]
fn issued(name: &str, requested: &Value) -> Response {
    let subject = subject();
    subject.host(&[name]);
    let account = subject.account();
    let mut payload = json!({"identifiers": [{"type": "dns", "value": name}]});
    let fields = payload.as_object_mut().unwrap();
    fields.extend(requested.as_object().unwrap().clone());
    let answer = account.post(&account.resource("newOrder"), Some(&payload));
    let mut order = acceptance::acme::Order {
        url: answer.header("location").to_owned(),
        body: answer.json(),
    };
    account.try_prove(&mut order, &subject.web).unwrap();
    let answer = account.try_finalize(&order, &csr(&[name])).unwrap();
    let url = answer.json()["certificate"].as_str().unwrap().to_owned();
    account.post(&url, None)
}

fn chain(answer: &Response) -> Vec<CertificateDer<'static>> {
    let all = CertificateDer::pem_slice_iter(&answer.body);
    all.map(Result::unwrap).collect()
}

/// A PEM chain, the leaf first, each followed by its issuer, nothing between (§7.4.2, §9.1).
#[test]
fn a_certificate_comes_as_a_pem_chain() {
    let answer = issued("chain.conformance.test", &json!({}));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        "application/pem-certificate-chain"
    );
    let text = answer.text();
    let (begin, end) = (
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
    );
    let mut rest = text.as_str();
    while let Some(block) = rest.strip_prefix(begin) {
        let (body, after) = block.split_once(end).unwrap();
        assert!(body.lines().all(|line| line.len() <= 64), "{body}");
        rest = after;
    }
    assert_eq!(rest, "", "text that is no certificate");
    let chain = chain(&answer);
    assert_eq!(
        chain.len(),
        2,
        "leaf and intermediate; the root is known to those who trust it"
    );
    let issuer = der::certificate(&chain[0])[2].1;
    let subject = der::certificate(&chain[1])[4].1;
    assert_eq!(issuer, subject);
}

/// The chain leads to the root, for a TLS server of that name (§7.4.2, RFC 5280 §6).
#[test]
fn a_certificate_is_valid_for_its_name_and_no_other() {
    let name = "valid.conformance.test";
    let chain = chain(&issued(name, &json!({})));
    let root = CertificateDer::from_pem_file(&subject().root).unwrap();
    let anchors: [TrustAnchor<'_>; 1] = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    let leaf = webpki::EndEntityCert::try_from(&chain[0]).unwrap();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(
        jiff::Timestamp::now().as_second().unsigned_abs(),
    ));
    let verified = leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &anchors,
        &chain[1..],
        now,
        webpki::KeyUsage::server_auth(),
        None,
        None,
    );
    assert!(verified.is_ok(), "{:?}", verified.err());
    let fits = |name: &str| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        leaf.verify_is_valid_for_subject_name(&name).is_ok()
    };
    assert!(fits(name));
    assert!(!fits("other.conformance.test"));
    assert!(!fits("conformance.test"));
}

/// A serial number is positive, unpredictable and at most 20 octets (RFC 5280 §4.1.2.2).
#[test]
fn serial_numbers_are_positive_and_all_different() {
    let chains = [0, 1].map(|n| chain(&issued(&format!("serial{n}.conformance.test"), &json!({}))));
    let serials = chains
        .each_ref()
        .map(|chain| der::certificate(&chain[0])[0].1.to_vec());
    for serial in &serials {
        assert!(
            (8..=20).contains(&serial.len()) && serial[0] & 0x80 == 0,
            "{serial:?}"
        );
    }
    assert_ne!(serials[0], serials[1]);
}

/// A notAfter that was granted is the certificate's (§7.4).
#[test]
fn times_that_were_granted_are_in_the_certificate() {
    let now = jiff::Timestamp::now().as_second();
    let at = |seconds| jiff::Timestamp::from_second(now + seconds).unwrap();
    let (from, to) = (at(60), at(7200));
    let requested = json!({"notBefore": from.to_string(), "notAfter": to.to_string()});
    let chain = chain(&issued("times.conformance.test", &requested));
    let validity = der::elements(der::certificate(&chain[0])[3].1);
    // UTCTime until 2049 (RFC 5280 §4.1.2.5).
    let text = |at: jiff::Timestamp| at.strftime("%y%m%d%H%M%SZ").to_string();
    assert_eq!(
        validity,
        [(0x17, text(from).as_bytes()), (0x17, text(to).as_bytes())]
    );
}

/// If the order requests no times, the certificate begins now and ends in a day.
#[test]
fn a_certificate_without_requested_times_is_valid_for_a_day() {
    let chain = chain(&issued("day.conformance.test", &json!({})));
    let validity = der::elements(der::certificate(&chain[0])[3].1);
    let time = |at: usize| {
        let text = std::str::from_utf8(validity[at].1).unwrap();
        let text = text.replace('Z', "+0000");
        jiff::Timestamp::strptime("%y%m%d%H%M%S%z", text).unwrap()
    };
    let life = time(1).duration_since(time(0)).as_secs();
    assert!((86_400..=86_400 + 120).contains(&life), "{life} s");
    assert!(time(0) <= jiff::Timestamp::now());
}

/// A certificate is not shown by GET, nor to clients without an account (§7.4.2, §6.3).
#[test]
fn a_certificate_is_not_shown_by_get() {
    let subject = subject();
    let account = subject.account();
    let name = "download.conformance.test";
    let order = subject.ready(&account, &[name]);
    let answer = account.try_finalize(&order, &csr(&[name])).unwrap();
    let url = answer.json()["certificate"].as_str().unwrap().to_owned();
    let answer = subject.client.get(&url).unwrap();
    refused(&answer, 405, "malformed");
    assert!(!answer.text().contains("BEGIN CERTIFICATE"));
    assert_eq!(account.post(&url, None).status, 200);
}
