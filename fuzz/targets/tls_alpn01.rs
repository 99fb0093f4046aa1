//! Certificates of TLS servers for tls-alpn-01, for a name and for an address. Only the certificates of
//! the corpus prove one of the two, as no other is signed by its own key.

use acme::Identifier;
use acme::challenge::{
    CaaIdentity, Context, Method, Observation, Ports, RedirectPorts, TlsObservation, Trace,
    Verdict, judge,
};
use jiff::Timestamp;
use pki::Certificate;
use uuid::Uuid;

const KEY_AUTHORIZATION: &str =
    "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";
/// The certificates that prove something.
const RIGHT: [&[u8]; 4] = [
    include_bytes!("../corpus/tls_alpn01/address.der"),
    include_bytes!("../corpus/tls_alpn01/case.der"),
    include_bytes!("../corpus/tls_alpn01/name.der"),
    include_bytes!("../corpus/tls_alpn01/rsa.der"),
];

/// Judges the octets as a server's certificate.
pub fn check(octets: &[u8]) -> bool {
    let observation = Observation::Tls(TlsObservation {
        protocol: Some("acme-tls/1".to_owned()),
        version: 0x0304,
        leaf: octets.to_vec(),
        length: octets.len(),
        trace: Trace::default(),
    });
    let named = judged("dns", "foo.lab", &observation);
    let addressed = judged("ip", "192.0.2.1", &observation);
    assert!(
        !(named && addressed),
        "one certificate proves two identifiers"
    );
    if named || addressed {
        let signed = |der: &[u8]| Certificate::from_der(der).map(|c| c.tbs_der().to_vec());
        let shown = signed(octets);
        assert!(shown.is_ok(), "an invalid certificate proves an identifier");
        assert!(RIGHT.iter().any(|right| signed(right) == shown));
    }
    named || addressed
}

fn judged(kind: &str, value: &str, observation: &Observation) -> bool {
    let identifier = Identifier::parse(kind, value).expect("an identifier");
    let context = Context {
        identifier: &identifier,
        token: &KEY_AUTHORIZATION[..43],
        payload: b"{}",
        key_authorization: KEY_AUTHORIZATION,
        account: Uuid::nil(),
        caa_identity: &CaaIdentity::default(),
        ports: Ports::default(),
        redirect_ports: RedirectPorts::NONE,
        attestation: acme::challenge::AttestationRules::NONE,
        now: Timestamp::UNIX_EPOCH,
        redirects: &[],
    };
    match judge(Method::TlsAlpn01, &context, observation) {
        Verdict::Valid(proof) => {
            assert_eq!(proof.identifier(), &identifier);
            true
        }
        Verdict::Retry(finding) => {
            assert!(finding.problem.detail.len() < 2_000);
            false
        }
        Verdict::Ask(_) => false,
        Verdict::Invalid(_) => panic!("a certificate has no such verdict"),
    }
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn only_the_certificate_of_the_challenge_proves_anything() {
        run::nearly_valid("tls_alpn01");
    }
}
