//! RFC 8737 §3: valid and invalid validation certificates.

use std::thread;

use acceptance::acme::csr;
use acceptance::alpn::{ACME_IDENTIFIER, Shown, acme_identifier, digest_of, extension, name};
use rcgen::SanType;

use super::{Target, attempt, failed};
use crate::conformance::subject::subject;

/// subjectAltName's identifier.
const SAN: &[u64] = &[2, 5, 29, 17];
/// The acmeIdentifier of a draft.
const DRAFT: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 30, 1];

/// A self-signed certificate with the name and the digest proves the name, and the order goes on to
/// its certificate (§3).
#[test]
fn the_certificate_of_the_document_proves_a_name() {
    let subject = subject();
    let account = subject.account();
    let wanted = "good.alpn.test";
    subject.host(&[wanted]);
    let mut order = account.order(&[wanted]);
    let authorization = order.body["authorizations"][0].as_str().unwrap();
    let challenge = account.challenge(authorization, "tls-alpn-01").unwrap();
    let shown = Shown::of(wanted, &account.key_authorization(&challenge));
    subject.tls.set(wanted, &shown);
    let url = challenge["url"].as_str().unwrap();
    account.post(url, Some(&serde_json::json!({})));
    account.await_status(authorization, "valid");
    order.body = account.post(&order.url, None).json();
    assert_eq!(order.body["status"], "ready");
    let answer = account.try_finalize(&order, &csr(&[wanted])).unwrap();
    assert_eq!(answer.json()["status"], "valid", "{}", answer.text());
}

/// Names are compared without regard to case (§3).
#[test]
fn the_case_of_the_name_does_not_matter() {
    let subject = subject();
    let account = subject.account();
    subject.host(&["case.alpn.test"]);
    let target = Target::name("case.alpn.test");
    let challenge = attempt(&account, target, |text| {
        Some(Shown::of("CASE.Alpn.test", &text))
    });
    assert_eq!(challenge["status"], "valid", "{challenge}");
}

/// An invalid certificate, made from the key authorization, and a word of the refusal.
type Fault<'a> = (&'a str, &'a (dyn Fn(&mut Shown, &str) + Sync));

/// Each fault is refused as unauthorized, in its own words.
#[track_caller]
fn refused(kind: &str, faults: &[Fault<'_>]) {
    let account = subject().account();
    thread::scope(|scope| {
        for (n, (words, spoil)) in faults.iter().enumerate() {
            let account = &account;
            scope.spawn(move || {
                let wanted = format!("{kind}{n}.alpn.test");
                subject().host(&[&wanted]);
                let challenge = attempt(account, Target::name(&wanted), |text| {
                    let mut shown = Shown::of(&wanted, &text);
                    spoil(&mut shown, &text);
                    Some(shown)
                });
                let detail = failed(&challenge, "unauthorized");
                assert!(detail.contains(words), "{words} is not in: {detail}");
                assert!(detail.starts_with("tls-alpn-01 for "), "{detail}");
            });
        }
    });
}

/// The value of the extension as it should be.
fn value(text: &str) -> Vec<u8> {
    [&[4, 32], digest_of(text).as_slice()].concat()
}

/// The certificate has one name, the identifier, and no name of another type (§3).
#[test]
fn a_certificate_with_other_names_is_refused() {
    let uri = || SanType::URI("https://x.alpn.test/".try_into().unwrap());
    let mail = || SanType::Rfc822Name("a@x.alpn.test".try_into().unwrap());
    refused(
        "names",
        &[
            ("2 names", &|s, _| s.names.push(name("192.0.2.1"))),
            ("2 names", &|s, _| s.names.push(uri())),
            ("2 names", &|s, _| s.names.push(mail())),
            ("2 names", &|s, _| s.names.push(s.names[0].clone())),
            ("is not names4.alpn.test", &|s, _| {
                s.names = vec![name("other.alpn.test")];
            }),
            ("not a dNSName", &|s, _| s.names = vec![name("127.0.0.1")]),
            ("no subjectAltName", &|s, _| s.names.clear()),
            ("more than once", &|s, _| {
                let san = vec![0x30, 3, 0x82, 1, b'x'];
                s.extensions.push(extension(SAN, false, san));
            }),
        ],
    );
}

/// The extension is there once, critical, under its own identifier, with the digest and nothing
/// else (§3).
#[test]
fn a_certificate_with_another_extension_is_refused() {
    let one = |oid, critical, value| vec![extension(oid, critical, value)];
    refused(
        "extension",
        &[
            ("some other certificate", &|s, _| s.extensions.clear()),
            ("of a draft", &|s, text| {
                s.extensions = one(DRAFT, true, value(text));
            }),
            ("not critical", &|s, text| {
                s.extensions = one(ACME_IDENTIFIER, false, value(text));
            }),
            ("more than once", &|s, _| {
                s.extensions.push(s.extensions[0].clone());
            }),
            ("33 octets", &|s, text| {
                let longer = [value(text), vec![0]].concat();
                s.extensions = one(ACME_IDENTIFIER, true, longer);
            }),
            ("not an OCTET STRING", &|s, text| {
                s.extensions = vec![acme_identifier(&digest_of(text)[..31])];
            }),
            ("not an OCTET STRING", &|s, text| {
                s.extensions = one(ACME_IDENTIFIER, true, digest_of(text));
            }),
            ("another key authorization", &|s, text| {
                let token = text.split('.').next().unwrap();
                s.extensions = vec![acme_identifier(&digest_of(token))];
            }),
        ],
    );
}

/// A certificate that is not self-signed is refused, whichever authority issued it (§3).
#[test]
fn a_certificate_that_is_not_self_signed_is_refused() {
    refused(
        "signed",
        &[("not self-signed", &|s, _| s.self_signed = false)],
    );
}

/// The names in a wrong certificate are not shown to the client: an order is no way to ask who lives
/// behind an address (RFC 8555 §10.4).
#[test]
fn the_names_of_a_wrong_certificate_are_not_shown() {
    let subject = subject();
    let account = subject.account();
    subject.host(&["leak.alpn.test"]);
    let target = Target::name("leak.alpn.test");
    let challenge = attempt(&account, target, |text| {
        Some(Shown::of("secret.internal.test", &text))
    });
    assert!(!challenge.to_string().contains("secret"), "{challenge}");
}
