//! Public keys, kept as they were encoded and parsed once.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    digest,
    signature::{ParsedPublicKey, UnparsedPublicKey},
};

use super::{KeyKind, SignatureAlgorithm, rsa, weak};
use crate::{
    asn1::{self, Cursor, Malformed},
    error::Error,
    oid,
};

/// A public key of a supported kind; cloning is cheap.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    spki: Vec<u8>,
    kind: KeyKind,
    /// The contents of subjectPublicKey: a point, an RSAPublicKey, or the 32 bytes of Ed25519.
    bits: Vec<u8>,
    /// Prepared for the default algorithm of the kind, which nearly every signature uses.
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::TrailingBytes`], [`Error::UnsupportedKey`], [`Error::InvalidKey`] (a point
    /// off its curve), [`Error::RsaTooSmall`], [`Error::RsaTooLarge`], [`Error::RsaExponent`],
    /// [`Error::WeakKey`].
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        if asn1::has_trailing_bytes(der) {
            return Err(Error::TrailingBytes("public key"));
        }
        let (algorithm, bits) = split(der).map_err(|_| Error::Der("public key"))?;
        let kind = kind(algorithm, bits)?;
        let verification = SignatureAlgorithm::default_for(kind).verification(kind);
        let verification = verification.ok_or(Error::Crypto("no verification for the key"))?;
        let parsed = ParsedPublicKey::new(verification, bits)
            .map_err(|_| Error::InvalidKey(family(kind)))?;
        Ok(Self(Arc::new(Inner {
            spki: der.to_vec(),
            kind,
            bits: bits.to_vec(),
            parsed,
        })))
    }

    /// The SubjectPublicKeyInfo as it was read.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.0.kind
    }

    /// The SHA-1 of the subjectPublicKey bits (RFC 5280 §4.2.1.2, method 1).
    #[must_use]
    pub fn key_id(&self) -> [u8; 20] {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.0.bits);
        let mut id = [0; 20];
        id.copy_from_slice(digest.as_ref());
        id
    }

    /// The SHA-256 of the subjectPublicKey bits: the same however the algorithm is encoded.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let digest = digest::digest(&digest::SHA256, &self.0.bits);
        let mut id = [0; 32];
        id.copy_from_slice(digest.as_ref());
        id
    }

    /// Checks a signature in the form of X.509 (ECDSA as a SEQUENCE).
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] and [`Error::BadSignature`].
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let kind = self.0.kind;
        let mismatch = || Error::KeyMismatch {
            algorithm: algorithm.name(),
            key: kind,
        };
        let verification = algorithm.verification(kind).ok_or_else(mismatch)?;
        let verified = if algorithm == SignatureAlgorithm::default_for(kind) {
            self.0.parsed.verify_sig(message, signature)
        } else {
            UnparsedPublicKey::new(verification, &self.0.bits).verify(message, signature)
        };
        verified.map_err(|_| Error::BadSignature)
    }

    /// The contents of subjectPublicKey: a point, an RSAPublicKey, or the 32 bytes of Ed25519.
    #[must_use]
    pub fn subject_public_key(&self) -> &[u8] {
        &self.0.bits
    }

    /// The modulus and the exponent of an RSA key, big-endian without leading zeros.
    #[must_use]
    pub fn rsa_numbers(&self) -> Option<(&[u8], &[u8])> {
        match self.0.kind {
            KeyKind::Rsa { .. } => rsa::pkcs1_numbers(&self.0.bits).ok(),
            KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519 => None,
        }
    }

    /// The coordinates of an EC key, each of the curve's full width.
    #[must_use]
    pub fn ec_coordinates(&self) -> Option<(&[u8], &[u8])> {
        let width = self.0.kind.coordinate_len()?;
        self.0.bits.get(1..)?.split_at_checked(width)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind == other.0.kind && self.0.bits == other.0.bits
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey({}, {})",
            self.0.kind,
            data_encoding::HEXLOWER.encode(&self.key_id())
        )
    }
}

/// The SubjectPublicKeyInfo of a point on the curve of `kind`; `None` when it is no curve of ECDSA.
pub(crate) fn ec_spki(kind: KeyKind, point: &[u8]) -> Option<Vec<u8>> {
    let algorithm = asn1::sequence(&[&asn1::oid(oid::EC_PUBLIC_KEY), &asn1::oid(curve_oid(kind)?)]);
    Some(asn1::sequence(&[&algorithm, &asn1::bit_string(point)]))
}

pub(super) const fn curve_oid(kind: KeyKind) -> Option<der::asn1::ObjectIdentifier> {
    match kind {
        KeyKind::EcP256 => Some(oid::P256),
        KeyKind::EcP384 => Some(oid::P384),
        KeyKind::EcP521 => Some(oid::P521),
        KeyKind::Rsa { .. } | KeyKind::Ed25519 => None,
    }
}

/// The kind of EC key on a named curve.
pub(super) fn curve(oid: der::asn1::ObjectIdentifier) -> Result<KeyKind, Error> {
    let all = [KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521];
    let known = all.into_iter().find(|kind| curve_oid(*kind) == Some(oid));
    known.ok_or_else(|| Error::UnsupportedKey(format!("EC curve {oid}")))
}

fn split(der: &[u8]) -> Result<(Cursor<'_>, &[u8]), Malformed> {
    let mut fields = Cursor::only(der, asn1::SEQUENCE)?;
    let algorithm = fields.enter(asn1::SEQUENCE)?;
    let bits = fields.bits()?;
    fields.finish()?;
    Ok((algorithm, bits))
}

fn kind(mut algorithm: Cursor<'_>, bits: &[u8]) -> Result<KeyKind, Error> {
    let malformed = |_: Malformed| Error::Der("public key");
    match algorithm.oid().map_err(malformed)? {
        oid::EC_PUBLIC_KEY => {
            let named = algorithm
                .oid()
                .map_err(|_| Error::UnsupportedKey("EC without a named curve".to_owned()))?;
            let kind = curve(named)?;
            // Compressed points are legal, but hardly any other implementation reads them.
            match (bits.first(), kind.coordinate_len()) {
                (Some(4), Some(width)) if bits.len() == 1 + 2 * width => Ok(kind),
                (Some(2 | 3), _) => Err(Error::UnsupportedKey(
                    "EC with a compressed point".to_owned(),
                )),
                _ => Err(Error::InvalidKey("EC")),
            }
        }
        oid::RSA => {
            algorithm.take(asn1::NULL).map_err(malformed)?;
            let (n, e) = rsa::pkcs1_numbers(bits).map_err(malformed)?;
            rsa::check(n, e).map(|bits| KeyKind::Rsa { bits })
        }
        oid::ED25519 if !algorithm.is_empty() => Err(malformed(Malformed)),
        oid::ED25519 if bits.len() == 32 => {
            weak::ed25519(bits)?;
            Ok(KeyKind::Ed25519)
        }
        oid::ED25519 => Err(Error::InvalidKey("Ed25519")),
        other => Err(Error::UnsupportedKey(format!("algorithm {other}"))),
    }
}

const fn family(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => "EC",
        KeyKind::Rsa { .. } => "RSA",
        KeyKind::Ed25519 => "Ed25519",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ec(point: &[u8]) -> Result<PublicKey, Error> {
        PublicKey::from_spki_der(&ec_spki(KeyKind::EcP256, point).unwrap())
    }

    #[test]
    fn points_off_the_curve_or_of_another_form_are_refused() {
        let mut point = [1; 65];
        point[0] = 4;
        assert_eq!(ec(&point), Err(Error::InvalidKey("EC")));
        assert_eq!(ec(&point[..64]), Err(Error::InvalidKey("EC")));
        point[0] = 2;
        assert!(matches!(ec(&point[..33]), Err(Error::UnsupportedKey(_))));
    }

    #[test]
    fn other_curves_and_algorithms_are_named() {
        let secp256k1 = asn1::oid("1.3.132.0.10".parse().unwrap());
        let algorithm = asn1::sequence(&[&asn1::oid(oid::EC_PUBLIC_KEY), &secp256k1]);
        let spki = asn1::sequence(&[&algorithm, &asn1::bit_string(&[4; 65])]);
        assert_eq!(
            PublicKey::from_spki_der(&spki),
            Err(Error::UnsupportedKey("EC curve 1.3.132.0.10".into()))
        );
        let algorithm = asn1::sequence(&[&asn1::oid(oid::RSA_PSS)]);
        let spki = asn1::sequence(&[&algorithm, &asn1::bit_string(&[])]);
        assert!(matches!(
            PublicKey::from_spki_der(&spki),
            Err(Error::UnsupportedKey(_))
        ));
    }

    #[test]
    fn rsa_needs_its_null_and_nothing_may_follow() {
        let text: String = include_str!("../../testdata/weak/sound.hex")
            .split_whitespace()
            .collect();
        let n = data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let good = rsa::rsa_spki(&n, &[1, 0, 1]);
        assert_eq!(
            PublicKey::from_spki_der(&good).unwrap().kind(),
            KeyKind::Rsa { bits: 2048 }
        );
        let mut longer = good;
        longer.push(0);
        assert_eq!(
            PublicKey::from_spki_der(&longer),
            Err(Error::TrailingBytes("public key"))
        );
        let key = asn1::sequence(&[&asn1::unsigned(&n), &asn1::unsigned(&[1, 0, 1])]);
        let bare = asn1::sequence(&[
            &asn1::sequence(&[&asn1::oid(oid::RSA)]),
            &asn1::bit_string(&key),
        ]);
        assert_eq!(
            PublicKey::from_spki_der(&bare),
            Err(Error::Der("public key"))
        );
    }
}
