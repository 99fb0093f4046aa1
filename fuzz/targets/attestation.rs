//! Attestation objects of every format, for a maker of devices whose root is trusted. Whatever proves the
//! device is about the one key that the maker has vouched for.

use acme::Identifier;
use acme::challenge::{
    AttestationRules, CaaIdentity, Context, Format, FormatRoots, Method, Observation, Ports,
    RedirectPorts, Verdict, judge,
};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use pki::{Certificate, PublicKey};
use uuid::Uuid;

const TOKEN: &str = "DGyRejmCefe7v4NfDGDKfA";
const KEY_AUTHORIZATION: &str =
    "DGyRejmCefe7v4NfDGDKfA.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
/// 2026-11-28T12:00:00Z, within the validity of the maker's certificates.
const NOW: i64 = 1_795_867_200;
const ROOT: &[u8] = include_bytes!("../attestation/root.der");
const KEY: &[u8] = include_bytes!("../attestation/key.der");

/// Judges the octets as the object of a device that has both names of the corpus.
pub fn check(octets: &[u8]) -> bool {
    let root = Certificate::from_der(ROOT).expect("a root");
    let rules = AttestationRules {
        roots: Format::ALL
            .map(|format| FormatRoots {
                format,
                roots: vec![root.clone()],
            })
            .to_vec(),
        ..AttestationRules::default()
    };
    let payload = format!(r#"{{"attObj":"{}"}}"#, BASE64URL_NOPAD.encode(octets));
    let judged = |name: &str| judged(name, payload.as_bytes(), &rules);
    let (by_number, by_serial) = (judged("13906186"), judged("C02PROBE0001"));
    assert!(
        !(by_number && by_serial),
        "one statement proves two devices"
    );
    by_number || by_serial
}

fn judged(name: &str, payload: &[u8], rules: &AttestationRules) -> bool {
    let identifier = Identifier::parse("permanent-identifier", name).expect("an identifier");
    let context = Context {
        identifier: &identifier,
        token: TOKEN,
        payload,
        key_authorization: KEY_AUTHORIZATION,
        account: Uuid::nil(),
        caa_identity: &CaaIdentity::default(),
        ports: Ports::default(),
        redirect_ports: RedirectPorts::NONE,
        attestation: rules,
        now: Timestamp::from_second(NOW).expect("a time"),
        redirects: &[],
    };
    match judge(Method::DeviceAttest01, &context, &Observation::Payload) {
        Verdict::Valid(proof) => {
            let key = PublicKey::from_spki_der(KEY).expect("a key");
            assert_eq!(
                proof.attested_key(),
                Some(&key),
                "a key that nobody vouched for"
            );
            true
        }
        Verdict::Invalid(finding) => {
            assert!(finding.problem.detail.len() < 2_000);
            false
        }
        Verdict::Retry(_) | Verdict::Ask(_) => panic!("a statement has no such verdict"),
    }
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn a_statement_proves_one_device_and_the_key_that_its_maker_vouched_for() {
        run::nearly_valid("attestation");
    }
}
