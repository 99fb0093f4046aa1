//! RFC 8555 §7.4: the CSR names what the order names, nothing else, and is
//! well-formed. After an invalid one the order stays ready.

use acceptance::acme::{Account, Order};
use acceptance::https::Response;
use data_encoding::BASE64URL_NOPAD;

use crate::conformance::csr::{self, Csr};
use crate::conformance::der;
use crate::conformance::key::AnyKey;
use crate::conformance::subject::{refused, subject};
use crate::conformance::weak;

/// An order, and what is made of CSRs that are sent to it.
struct Trial {
    account: Account,
    order: Order,
}

impl Trial {
    #[track_caller]
    fn of(names: &[&str]) -> Self {
        let account = subject().account();
        let order = subject().ready(&account, names);
        Self { account, order }
    }

    #[track_caller]
    fn send(&self, csr: &[u8]) -> Response {
        self.account.try_finalize(&self.order, csr).unwrap()
    }

    /// The CSR is refused, and the order is still ready.
    #[track_caller]
    fn refuses(&self, csr: &[u8]) -> String {
        let detail = refused(&self.send(csr), 400, "badCSR");
        let order = self.account.post(&self.order.url, None).json();
        assert_eq!(order["status"], "ready", "{order}");
        detail
    }

    /// The CSR is accepted; the certificate's DER.
    #[track_caller]
    fn accepts(&self, csr: &[u8]) -> Vec<u8> {
        let answer = self.send(csr);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let url = answer.json()["certificate"].as_str().unwrap().to_owned();
        let pem = self.account.post(&url, None).text();
        let first = pem.split("-----").nth(2).unwrap().replace('\n', "");
        data_encoding::BASE64.decode(first.as_bytes()).unwrap()
    }
}

const NAME: &str = "csr.conformance.test";

fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|window| window == part)
}

/// The names of CSR and order are the same (§7.4).
#[test]
fn a_csr_with_other_names_than_the_order_is_refused() {
    let names = ["a.names.conformance.test", "b.names.conformance.test"];
    let trial = Trial::of(&names);
    let [a, b] = names;
    for wrong in [
        &[a][..],
        &[b],
        &[a, b, "c.names.conformance.test"],
        &[a, "c.names.conformance.test"],
        &[a, b, "127.0.0.1"],
        &[a, b, "*.names.conformance.test"],
        &[a, a],
        &["*.names.conformance.test"],
        &["names.conformance.test"],
    ] {
        trial.refuses(&Csr::of(wrong).der());
    }
    trial.refuses(&Csr::default().der());
    let twice_and_turned = Csr::of(&[b, a, b]).der();
    trial.accepts(&twice_and_turned);
}

/// Names in a CSR that no order has are refused, not dropped (§7.4).
#[test]
fn a_csr_with_names_of_other_kinds_is_refused() {
    let trial = Trial::of(&[NAME]);
    let good = Csr::of(&[NAME]);
    let upn = der::sequence(&[
        &der::oid("1.3.6.1.4.1.311.20.2.3"),
        &der::element(0xa0, &der::element(der::UTF8, b"admin@example.org")),
    ]);
    let upn = der::elements(&upn)[0].1.to_vec();
    let folder = der::sequence(&[]);
    for (tag, content) in [
        (0x81, &b"root@conformance.test"[..]),
        (0x86, b"spiffe://conformance.test/x"),
        (0xa0, &upn),
        (0xa4, &folder),
        (0x88, &[0x2a, 3]),
        (0x87, &[127, 0, 0, 1]),
        (0x87, &[127, 0, 0]),
        (0x87, &[127, 0, 0, 1, 255, 255, 255, 0]),
        (0x82, b""),
        (0x82, b"csr.conformance.test\0.evil.example"),
        (0x82, b"csr.conformance.test."),
        (0x82, b"\xffcsr.conformance.test"),
        (0x8f, b"x"),
    ] {
        trial.refuses(&good.clone().general_name(tag, content).der());
    }
    trial.accepts(&good.der());
}

/// A common name is one of the order's names (§7.4).
#[test]
fn a_common_name_that_the_order_lacks_is_refused() {
    let trial = Trial::of(&[NAME]);
    for name in [
        "other.conformance.test",
        "conformance.test",
        "*.conformance.test",
        "127.0.0.1",
        "John Doe",
        "csr.conformance.test\0.evil.example",
        "\0csr.conformance.test",
        "csr.conformance.test.",
        "{{ .Token }}",
        "\", \"isCA\": true, \"",
    ] {
        trial.refuses(&Csr::of(&[NAME]).common_name(name).der());
        trial.refuses(&Csr::default().common_name(name).der());
    }
    trial.refuses(
        &Csr::of(&[NAME])
            .common_name(NAME)
            .common_name("evil.example")
            .der(),
    );
    trial.accepts(&Csr::of(&[NAME]).common_name(NAME).der());
}

/// A CSR may have its one name in the subject only; the certificate has it as an alternative name too (§7.4).
#[test]
fn a_name_in_the_common_name_alone_is_enough() {
    let certificate = Trial::of(&[NAME]).accepts(&Csr::default().common_name(NAME).der());
    let alternative = der::sequence(&[&der::element(0x82, NAME.as_bytes())]);
    assert!(contains(&certificate, &alternative));
}

/// Names compare without regard to case, and the certificate has them in lower case (§7.4).
#[test]
fn names_in_upper_case_are_the_same_and_issued_in_lower_case() {
    let upper = NAME.to_uppercase();
    let certificate = Trial::of(&[NAME]).accepts(&Csr::of(&[&upper]).common_name(&upper).der());
    assert!(contains(&certificate, NAME.as_bytes()));
    assert!(!contains(&certificate, upper.as_bytes()));
}

/// What a CSR requests besides names and key is not granted (§7.4).
#[test]
fn requested_extensions_and_subjects_are_not_granted() {
    let certificate_sign = [0x03, 0x02, 0x02, 0x04];
    let ca = der::sequence(&[&[0x01, 0x01, 0xff]]);
    let code_signing = der::sequence(&[&der::oid("1.3.6.1.5.5.7.3.3")]);
    let csr = Csr::of(&[NAME])
        .attribute_of_subject("2.5.4.10", "Evil Corporation")
        .extension("2.5.29.19", &ca)
        .extension("2.5.29.15", &certificate_sign)
        .extension("2.5.29.37", &code_signing)
        .extension("2.5.29.30", &der::sequence(&[]))
        .extension("1.3.6.1.4.1.55555.1", b"\x05\x00")
        .attribute(
            "1.2.840.113549.1.9.7",
            &der::element(der::UTF8, b"challenge password"),
        );
    let certificate = Trial::of(&[NAME]).accepts(&csr.der());
    assert!(!contains(&certificate, b"Evil Corporation"));
    assert!(!contains(&certificate, &ca), "no CA");
    assert!(
        !contains(&certificate, &der::oid("1.3.6.1.5.5.7.3.3")),
        "no code signing"
    );
    assert!(!contains(&certificate, &der::oid("1.3.6.1.4.1.55555.1")));
    assert!(!contains(&certificate, &der::oid("2.5.29.30")));
}

/// Two lists of names leave open which counts (RFC 2986 §4.1).
#[test]
fn a_csr_with_two_lists_of_names_is_refused() {
    let trial = Trial::of(&[NAME]);
    let evil = Csr::alt_names(&["evil.example"]);
    let two_extensions = Csr::of(&[NAME]).extension(csr::ALT_NAMES, &evil);
    trial.refuses(&two_extensions.der());
    let value = der::element(der::OCTETS, &evil);
    let asked = der::sequence(&[&der::sequence(&[&der::oid(csr::ALT_NAMES), &value])]);
    let two_attributes = Csr::of(&[NAME]).attribute(csr::EXTENSION_REQUEST, &asked);
    trial.refuses(&two_attributes.der());
    let same = Csr::alt_names(&[NAME]);
    trial.refuses(&Csr::of(&[NAME]).extension(csr::ALT_NAMES, &same).der());
}

/// The signature of a CSR proves that its key is at hand (RFC 2986 §4.2).
#[test]
fn a_csr_signed_by_another_key_is_refused() {
    let trial = Trial::of(&[NAME]);
    let (one, two) = (AnyKey::generate("ES256"), AnyKey::generate("ES256"));
    trial.refuses(&Csr::of(&[NAME]).signed(&one, &two));
    let rsa = AnyKey::generate("RS256");
    trial.refuses(&Csr::of(&[NAME]).signed(&one, &rsa));
    let mut altered = Csr::of(&[NAME]).der();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    trial.refuses(&altered);
}

/// A CSR is one DER structure, whole and alone (RFC 2986 §4).
#[test]
fn a_csr_that_is_not_exact_der_is_refused() {
    let trial = Trial::of(&[NAME]);
    let good = Csr::of(&[NAME]).der();
    let long_form = {
        // The same length in one octet more than it needs.
        let content = der::elements(&good)[0].1;
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x83, 0][..], &length, content].concat()
    };
    let indefinite = [&[0x30, 0x80][..], der::elements(&good)[0].1, &[0, 0]].concat();
    for csr in [
        [&good[..], &[0]].concat(),
        [&good[..], &good[..]].concat(),
        good[..good.len() - 1].to_vec(),
        long_form,
        indefinite,
        vec![0x30; 10_000],
        [0x30, 0x84, 0xff, 0xff, 0xff, 0xff].to_vec(),
    ] {
        trial.refuses(&csr);
    }
}

/// A CSR of great size is refused by its size (§10).
#[test]
fn an_oversized_csr_is_refused() {
    let trial = Trial::of(&[NAME]);
    let large = Csr::of(&[NAME]).attribute("1.2.3.4", &der::element(der::UTF8, &[b'x'; 70_000]));
    let finalize = trial.order.body["finalize"].as_str().unwrap();
    let payload = serde_json::json!({"csr": BASE64URL_NOPAD.encode(&large.der())});
    match trial.account.try_post(finalize, Some(&payload)) {
        Ok(answer) => drop(refused(&answer, 413, "malformed")),
        // The server may close while the client still writes.
        Err(broken) => assert!(!broken.to_string().contains("nonces"), "{broken}"),
    }
    trial.accepts(&Csr::of(&[NAME]).der());
}

/// Keys of every sound kind are certified (§7.4).
#[test]
fn keys_of_every_accepted_kind_are_certified() {
    for alg in ["ES256", "ES384", "ES512", "EdDSA", "RS256"] {
        let key = AnyKey::generate(alg);
        let certificate = Trial::of(&[NAME]).accepts(&Csr::of(&[NAME]).signed_by(&key));
        assert!(contains(&certificate, &key.spki), "{alg}");
    }
}

/// Keys that are weak or of another kind are badCSR (§6.7).
#[test]
fn keys_that_are_weak_or_unknown_are_refused() {
    let trial = Trial::of(&["weak.conformance.test"]);
    for (csr, word) in [
        (&include_bytes!("../testdata/rsa-1024.csr")[..], "1024"),
        (include_bytes!("../testdata/rsa-e3.csr"), "exponent"),
        (include_bytes!("../testdata/secp256k1.csr"), "key"),
        (include_bytes!("../testdata/p-224.csr"), "key"),
        (include_bytes!("../testdata/ed448.csr"), "key"),
    ] {
        let detail = trial.refuses(csr);
        assert!(detail.contains(word), "{detail}");
    }
}

/// A key whose private half can be computed is badCSR, with the reason (§6.7).
#[test]
fn keys_that_can_be_computed_from_the_public_key_are_refused_with_the_reason() {
    let trial = Trial::of(&["factored.conformance.test"]);
    let refused = |spki: Vec<u8>, signer: &'static str| {
        let mut weak = AnyKey::generate("ES256");
        weak.spki = spki;
        let signer = AnyKey::generate(signer);
        trial.refuses(&Csr::of(&["factored.conformance.test"]).signed(&weak, &signer))
    };
    for (modulus, reason) in weak::MODULI {
        let detail = refused(weak::rsa(&weak::octets(modulus)), "RS256");
        assert!(detail.contains(reason), "{detail}");
    }
    let detail = refused(weak::rsa(&weak::octets(weak::SOUND)), "RS256");
    assert!(detail.contains("signature does not verify"), "{detail}");
    for point in weak::SMALL_ORDER {
        let detail = refused(weak::ed25519(point), "EdDSA");
        assert!(detail.contains("small order"), "{detail}");
    }
}
