//! The small structures of X.509, each parsed from the same octets: a name, alternative names, a key,
//! an algorithm, the values of extensions. What is parsed is written back to the same octets.

use pki::{Extension, Name, PublicKey, SignatureAlgorithm, StepProvisioner, alt_name, extension};

/// Parses the octets as each of the structures.
pub fn check(octets: &[u8]) -> bool {
    let name = Name::from_der(octets);
    if let Ok(name) = &name {
        assert_eq!(name.der(), octets);
        drop((name.to_string(), name.in_order(), name.attributes()));
    }
    let names = alt_name::parse(octets);
    if let Ok(names) = &names {
        assert_eq!(alt_name::encode(names), octets);
        super::csr::names(names);
    }
    let key = PublicKey::from_spki_der(octets);
    if let Ok(key) = &key {
        assert_eq!(key.spki_der(), octets);
        let jwk = pki::jose::Jwk::from_public_key(key);
        let again = pki::jose::Jwk::parse(&jwk.to_json());
        assert_eq!(again.as_ref().map(pki::jose::Jwk::public_key), Ok(key));
    }
    let algorithm = SignatureAlgorithm::from_identifier(octets);
    if let Ok(algorithm) = &algorithm {
        let again = SignatureAlgorithm::from_identifier(&algorithm.identifier_der());
        assert_eq!(again.as_ref(), Ok(algorithm));
    }
    let provisioner = StepProvisioner::parse(octets);
    if let Ok(provisioner) = &provisioner {
        let Extension { value, .. } = provisioner.to_extension();
        assert_eq!(StepProvisioner::parse(&value).as_ref(), Ok(provisioner));
    }
    [
        name.is_ok(),
        names.is_ok(),
        key.is_ok(),
        algorithm.is_ok(),
        provisioner.is_ok(),
        extension::parse_key_usage(octets).is_ok(),
        extension::parse_extended_key_usage(octets).is_ok(),
        extension::parse_basic_constraints(octets).is_ok(),
    ]
    .contains(&true)
}

/// The tag, the content and the rest.
pub(crate) fn split(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = octets else {
        return None;
    };
    let count = if length & 0x80 == 0 {
        0
    } else {
        usize::from(length & 0x7f)
    };
    if count > 4 {
        return None;
    }
    let (long, rest) = rest.split_at_checked(count)?;
    let length = match count {
        0 => usize::from(*length),
        _ => long
            .iter()
            .fold(0, |sum, octet| sum << 8 | usize::from(*octet)),
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use pki::Error;

    use super::*;
    use crate::run;
    use crate::tree::element;

    #[test]
    fn any_octets_are_refused_or_round_trip() {
        run::nearly_valid("der");
    }

    fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
        let number = |octets: &[u8]| element(2, octets);
        let key = element(0x30, &[number(n), number(e)].concat());
        let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00".to_vec();
        let bits = element(3, &[vec![0], key].concat());
        element(0x30, &[algorithm, bits].concat())
    }

    /// A number is not used before its size is checked.
    #[test]
    fn numbers_of_a_million_octets_are_refused_by_their_size() {
        let huge = vec![0x55; 1_000_000];
        let modulus = PublicKey::from_spki_der(&rsa(&huge, &[1, 0, 1]));
        assert_eq!(modulus, Err(Error::RsaTooLarge(7_999_999)));
        let exponent = PublicKey::from_spki_der(&rsa(&[&[0][..], &[0xd5; 256]].concat(), &huge));
        assert_eq!(exponent, Err(Error::RsaExponent));
    }

    /// A recursive parser needs a stack frame for each level.
    #[test]
    fn elements_a_hundred_thousand_deep_are_refused() {
        let mut deep = Vec::new();
        for _ in 0..100_000 {
            deep.extend(b"\x30\x84\x00\x07\xa1\x20");
        }
        assert!(!check(&deep));
        assert!(!check(&[0x30, 0x80].repeat(100_000)));
    }
}
