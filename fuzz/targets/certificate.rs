//! Untrusted certificates: every part is a part of the input, names round-trip, and only the true
//! issuer verifies.

use std::sync::LazyLock;

use pki::{Certificate, Name, Serial, extension};

/// The certificates of the authority that issued the leaf in the corpus.
static AUTHORITY: LazyLock<[Certificate; 2]> = LazyLock::new(|| {
    let read = |octets| Certificate::from_der(octets).expect("the corpus is valid");
    [
        read(include_bytes!("../corpus/certificate/root_ca.der")),
        read(include_bytes!("../corpus/certificate/intermediate_ca.der")),
    ]
});

/// What the two have signed besides the root.
const SIGNED: [&[u8]; 3] = [
    include_bytes!("../corpus/certificate/root_ca.der"),
    include_bytes!("../corpus/certificate/intermediate_ca.der"),
    include_bytes!("../corpus/certificate/leaf.der"),
];

/// Parses the octets as a certificate.
pub fn check(octets: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(octets) else {
        return false;
    };
    assert_eq!(certificate.der(), octets);
    for part in [
        certificate.tbs_der(),
        certificate.spki_der(),
        certificate.signature(),
    ] {
        assert!(holds(octets, part));
    }
    let again = Certificate::from_pem(certificate.to_pem().as_bytes());
    assert_eq!(
        again.map(|again| again.der().to_vec()).as_deref(),
        Ok(octets)
    );
    for name in [certificate.subject(), certificate.issuer()] {
        assert_eq!(Name::from_der(name.der()).as_ref(), Ok(name));
        drop((name.to_string(), name.in_order(), name.attributes()));
    }
    let serial = certificate.serial();
    if let Ok(same) = Serial::from_bytes(serial.bytes()) {
        assert!(serial.is_negative() || same.bytes() == serial.bytes());
    }
    super::csr::names(certificate.alt_names());
    extensions(&certificate);
    for issuer in &*AUTHORITY {
        if certificate.is_issued_by(issuer).is_ok() {
            assert!(
                SIGNED.iter().any(|seed| {
                    Certificate::from_der(seed)
                        .is_ok_and(|seed| seed.tbs_der() == certificate.tbs_der())
                }),
                "a certificate verifies without a signature by the key"
            );
        }
    }
    true
}

fn extensions(certificate: &Certificate) {
    drop((certificate.subject_key_id(), certificate.authority_key_id()));
    drop((
        certificate.step_provisioner(),
        certificate.basic_constraints(),
    ));
    drop((
        certificate.signature_algorithm(),
        certificate.public_key().cloned(),
    ));
    for one in certificate.extensions() {
        drop(extension::parse_key_usage(&one.value));
        drop(extension::parse_extended_key_usage(&one.value));
        assert!(holds(&one.to_der(), &one.value));
        assert!(holds(certificate.der(), &one.value));
    }
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    part.is_empty() || all.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_certificate_is_parsed_or_refused_and_an_altered_one_never_verifies() {
        run::nearly_valid("certificate");
    }
}
