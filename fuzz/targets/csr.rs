//! Certificate requests: every part is a part of the input, and an altered request never verifies.

use pki::{AltName, Csr, Name, PublicKey, alt_name};

use super::der::split;

/// What the keys of the corpus have signed: the first part of each request.
const SIGNED: [&[u8]; 4] = [
    include_bytes!("../corpus/csr/ed25519.der"),
    include_bytes!("../corpus/csr/p384-sha256.der"),
    include_bytes!("../corpus/csr/rsa-pss.der"),
    include_bytes!("../corpus/csr/step.der"),
];

/// Parses the octets as a request.
pub fn check(octets: &[u8]) -> bool {
    let Ok(csr) = Csr::verify(octets) else {
        return false;
    };
    assert_eq!(csr.der(), octets);
    assert!(
        SIGNED.iter().any(|seed| info(seed) == info(octets)),
        "a request verifies without a signature by its key"
    );
    let key = csr.public_key();
    assert_eq!(PublicKey::from_spki_der(key.spki_der()).as_ref(), Ok(key));
    assert_eq!(
        Name::from_der(csr.subject().der()).as_ref(),
        Ok(csr.subject())
    );
    assert!(
        csr.common_name()
            .is_none_or(|name| !name.is_empty() && !name.contains('\0'))
    );
    names(csr.alt_names());
    true
}

/// Checks that names are printable and round-trip.
pub(super) fn names(names: &[AltName]) {
    for name in names {
        assert!(
            name.to_string()
                .bytes()
                .all(|octet| (0x20..0x7f).contains(&octet)),
            "{name:?}"
        );
    }
    if !names.is_empty() {
        assert_eq!(
            alt_name::parse(&alt_name::encode(names)).as_deref(),
            Ok(names)
        );
    }
}

/// The signed part of a request: the first element inside the outer one.
fn info(request: &[u8]) -> Option<&[u8]> {
    let (_, inside, _) = split(request)?;
    let (_, _, rest) = split(inside)?;
    Some(&inside[..inside.len() - rest.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn any_request_is_parsed_or_refused_and_an_altered_one_never_verifies() {
        run::nearly_valid("csr");
    }

    #[test]
    fn every_octet_counts() {
        for seed in SIGNED {
            for place in 0..seed.len() {
                for bit in [1, 0x20, 0x80] {
                    let mut changed = seed.to_vec();
                    changed[place] ^= bit;
                    assert!(Csr::verify(&changed).is_err(), "octet {place} of {seed:?}");
                }
            }
        }
    }
}
