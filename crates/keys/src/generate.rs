//! New keys and random bytes.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use pki::{KeyKind, PrivateKey};
use zeroize::Zeroizing;

use crate::Error;

/// A new private key. RSA keys have 2048, 3072, 4096 or 8192 bits.
///
/// # Errors
/// When there is no such kind of key, or the library fails.
pub fn generate(kind: KeyKind) -> Result<PrivateKey, Error> {
    let pkcs8 = pkcs8(kind).ok_or(Error::Generate(kind))?;
    Ok(PrivateKey::from_pkcs8_der(&pkcs8)?)
}

/// Random bytes, good for keys, serial numbers and tokens.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes).expect("the library ends the process where the system has no randomness");
    bytes
}

fn pkcs8(kind: KeyKind) -> Option<Zeroizing<Vec<u8>>> {
    match kind {
        KeyKind::EcP256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyKind::EcP384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyKind::EcP521 => ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING),
        KeyKind::Ed25519 => {
            let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).ok()?;
            Some(Zeroizing::new(document.as_ref().to_vec()))
        }
        KeyKind::Rsa { bits } => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                3072 => KeySize::Rsa3072,
                4096 => KeySize::Rsa4096,
                8192 => KeySize::Rsa8192,
                _ => return None,
            };
            let pair = RsaKeyPair::generate(size).ok()?;
            let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            Some(Zeroizing::new(der.as_ref().to_vec()))
        }
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Option<Zeroizing<Vec<u8>>> {
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).ok()?;
    Some(Zeroizing::new(document.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_each_kind_can_be_made() {
        for kind in [
            KeyKind::EcP256,
            KeyKind::EcP384,
            KeyKind::EcP521,
            KeyKind::Ed25519,
            KeyKind::Rsa { bits: 2048 },
        ] {
            assert_eq!(generate(kind).ok().unwrap().kind(), kind);
        }
    }

    #[test]
    fn an_odd_size_is_refused() {
        let kind = KeyKind::Rsa { bits: 1000 };
        assert_eq!(generate(kind).err(), Some(Error::Generate(kind)));
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(random::<16>(), random::<16>());
    }
}
