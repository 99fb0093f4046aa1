//! Signature algorithms of X.509 and their identifiers.

use aws_lc_rs::signature::{self as lc, RsaEncoding, VerificationAlgorithm};
use der::asn1::ObjectIdentifier;

use super::KeyKind;
use crate::{
    asn1::{self, Cursor},
    error::Error,
    oid,
};

/// A signature algorithm of X.509.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// ecdsa-with-SHA256.
    EcdsaSha256,
    /// ecdsa-with-SHA384.
    EcdsaSha384,
    /// ecdsa-with-SHA512.
    EcdsaSha512,
    /// sha256WithRSAEncryption.
    RsaSha256,
    /// sha384WithRSAEncryption.
    RsaSha384,
    /// sha512WithRSAEncryption.
    RsaSha512,
    /// RSASSA-PSS with SHA-256, MGF1 of the same, 32 bytes of salt.
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384, MGF1 of the same, 48 bytes of salt.
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512, MGF1 of the same, 64 bytes of salt.
    RsaPssSha512,
    /// Ed25519.
    Ed25519,
}

use SignatureAlgorithm as A;

const ALL: [A; 10] = [
    A::EcdsaSha256,
    A::EcdsaSha384,
    A::EcdsaSha512,
    A::RsaSha256,
    A::RsaSha384,
    A::RsaSha512,
    A::RsaPssSha256,
    A::RsaPssSha384,
    A::RsaPssSha512,
    A::Ed25519,
];

impl SignatureAlgorithm {
    /// The AlgorithmIdentifier's DER.
    #[must_use]
    pub fn identifier_der(self) -> Vec<u8> {
        match self {
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 | Self::Ed25519 => {
                asn1::sequence(&[&asn1::oid(self.oid())])
            }
            Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512 => {
                asn1::sequence(&[&asn1::oid(self.oid()), &asn1::null()])
            }
            Self::RsaPssSha256 => pss_identifier(oid::SHA256, 32, &asn1::null()),
            Self::RsaPssSha384 => pss_identifier(oid::SHA384, 48, &asn1::null()),
            Self::RsaPssSha512 => pss_identifier(oid::SHA512, 64, &asn1::null()),
        }
    }

    /// The algorithm that an AlgorithmIdentifier's DER names; parameters that may be left out may.
    ///
    /// # Errors
    /// [`Error::Der`], and [`Error::UnsupportedSignature`] with the object identifier.
    pub fn from_identifier(der: &[u8]) -> Result<Self, Error> {
        if let Some(known) = ALL
            .into_iter()
            .find(|algorithm| algorithm.identifier_der() == der)
        {
            return Ok(known);
        }
        let mut fields =
            Cursor::only(der, asn1::SEQUENCE).map_err(|_| Error::Der("algorithm identifier"))?;
        let oid = fields
            .oid()
            .map_err(|_| Error::Der("algorithm identifier"))?;
        let unsupported = || Error::UnsupportedSignature(oid.to_string());
        if oid == oid::RSA_PSS {
            let bare = [
                (Self::RsaPssSha256, oid::SHA256, 32),
                (Self::RsaPssSha384, oid::SHA384, 48),
                (Self::RsaPssSha512, oid::SHA512, 64),
            ];
            let found = bare
                .into_iter()
                .find(|(_, hash, salt)| pss_identifier(*hash, *salt, &[]) == der);
            return found
                .map(|(algorithm, ..)| algorithm)
                .ok_or_else(unsupported);
        }
        if fields.is_empty() || fields.take(asn1::NULL).is_ok() && fields.is_empty() {
            return ALL
                .into_iter()
                .find(|algorithm| algorithm.oid() == oid)
                .ok_or_else(unsupported);
        }
        Err(unsupported())
    }

    /// The name as Go writes it: `ECDSA-SHA256`, `SHA256-RSA`, `SHA256-RSAPSS`, `Ed25519`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaSha256 => "ECDSA-SHA256",
            Self::EcdsaSha384 => "ECDSA-SHA384",
            Self::EcdsaSha512 => "ECDSA-SHA512",
            Self::RsaSha256 => "SHA256-RSA",
            Self::RsaSha384 => "SHA384-RSA",
            Self::RsaSha512 => "SHA512-RSA",
            Self::RsaPssSha256 => "SHA256-RSAPSS",
            Self::RsaPssSha384 => "SHA384-RSAPSS",
            Self::RsaPssSha512 => "SHA512-RSAPSS",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The default signature algorithm of a key of this kind.
    #[must_use]
    pub const fn default_for(kind: KeyKind) -> Self {
        match kind {
            KeyKind::EcP256 => Self::EcdsaSha256,
            KeyKind::EcP384 => Self::EcdsaSha384,
            KeyKind::EcP521 => Self::EcdsaSha512,
            KeyKind::Rsa { .. } => Self::RsaSha256,
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }

    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::EcdsaSha256 => oid::ECDSA_SHA256,
            Self::EcdsaSha384 => oid::ECDSA_SHA384,
            Self::EcdsaSha512 => oid::ECDSA_SHA512,
            Self::RsaSha256 => oid::RSA_SHA256,
            Self::RsaSha384 => oid::RSA_SHA384,
            Self::RsaSha512 => oid::RSA_SHA512,
            Self::RsaPssSha256 | Self::RsaPssSha384 | Self::RsaPssSha512 => oid::RSA_PSS,
            Self::Ed25519 => oid::ED25519,
        }
    }

    /// How a signature by a key of this kind is verified; `None` when they do not fit.
    pub(super) fn verification(self, kind: KeyKind) -> Option<&'static dyn VerificationAlgorithm> {
        Some(match (self, kind) {
            (Self::EcdsaSha256, KeyKind::EcP256) => &lc::ECDSA_P256_SHA256_ASN1,
            (Self::EcdsaSha384, KeyKind::EcP256) => &lc::ECDSA_P256_SHA384_ASN1,
            (Self::EcdsaSha512, KeyKind::EcP256) => &lc::ECDSA_P256_SHA512_ASN1,
            (Self::EcdsaSha256, KeyKind::EcP384) => &lc::ECDSA_P384_SHA256_ASN1,
            (Self::EcdsaSha384, KeyKind::EcP384) => &lc::ECDSA_P384_SHA384_ASN1,
            (Self::EcdsaSha512, KeyKind::EcP384) => &lc::ECDSA_P384_SHA512_ASN1,
            (Self::EcdsaSha256, KeyKind::EcP521) => &lc::ECDSA_P521_SHA256_ASN1,
            (Self::EcdsaSha384, KeyKind::EcP521) => &lc::ECDSA_P521_SHA384_ASN1,
            (Self::EcdsaSha512, KeyKind::EcP521) => &lc::ECDSA_P521_SHA512_ASN1,
            (Self::RsaSha256, KeyKind::Rsa { .. }) => &lc::RSA_PKCS1_2048_8192_SHA256,
            (Self::RsaSha384, KeyKind::Rsa { .. }) => &lc::RSA_PKCS1_2048_8192_SHA384,
            (Self::RsaSha512, KeyKind::Rsa { .. }) => &lc::RSA_PKCS1_2048_8192_SHA512,
            (Self::RsaPssSha256, KeyKind::Rsa { .. }) => &lc::RSA_PSS_2048_8192_SHA256,
            (Self::RsaPssSha384, KeyKind::Rsa { .. }) => &lc::RSA_PSS_2048_8192_SHA384,
            (Self::RsaPssSha512, KeyKind::Rsa { .. }) => &lc::RSA_PSS_2048_8192_SHA512,
            (Self::Ed25519, KeyKind::Ed25519) => &lc::ED25519,
            _ => return None,
        })
    }

    /// How an RSA key pads for this algorithm.
    pub(super) fn rsa_encoding(self) -> Option<&'static dyn RsaEncoding> {
        Some(match self {
            Self::RsaSha256 => &lc::RSA_PKCS1_SHA256,
            Self::RsaSha384 => &lc::RSA_PKCS1_SHA384,
            Self::RsaSha512 => &lc::RSA_PKCS1_SHA512,
            Self::RsaPssSha256 => &lc::RSA_PSS_SHA256,
            Self::RsaPssSha384 => &lc::RSA_PSS_SHA384,
            Self::RsaPssSha512 => &lc::RSA_PSS_SHA512,
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 | Self::Ed25519 => {
                return None;
            }
        })
    }
}

impl std::fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

fn pss_identifier(hash: ObjectIdentifier, salt: u8, hash_parameters: &[u8]) -> Vec<u8> {
    let hash = asn1::sequence(&[&asn1::oid(hash), hash_parameters]);
    let mgf = asn1::sequence(&[&asn1::oid(oid::MGF1), &hash]);
    let parameters = asn1::sequence(&[
        &asn1::wrap(asn1::constructed(0), &[&hash]),
        &asn1::wrap(asn1::constructed(1), &[&mgf]),
        &asn1::wrap(asn1::constructed(2), &[&asn1::unsigned(&[salt])]),
    ]);
    asn1::sequence(&[&asn1::oid(oid::RSA_PSS), &parameters])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_is_read_back() {
        for algorithm in ALL {
            assert_eq!(
                A::from_identifier(&algorithm.identifier_der()),
                Ok(algorithm)
            );
        }
        let bare = asn1::sequence(&[&asn1::oid(oid::RSA_SHA256)]);
        assert_eq!(A::from_identifier(&bare), Ok(A::RsaSha256));
        assert_eq!(
            A::from_identifier(&pss_identifier(oid::SHA384, 48, &[])),
            Ok(A::RsaPssSha384)
        );
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let sha1 = asn1::sequence(&[
            &asn1::oid("1.2.840.113549.1.1.5".parse().unwrap()),
            &asn1::null(),
        ]);
        assert_eq!(
            A::from_identifier(&sha1),
            Err(Error::UnsupportedSignature("1.2.840.113549.1.1.5".into()))
        );
        let salt = pss_identifier(oid::SHA256, 20, &asn1::null());
        assert_eq!(
            A::from_identifier(&salt),
            Err(Error::UnsupportedSignature("1.2.840.113549.1.1.10".into()))
        );
        assert_eq!(
            A::from_identifier(&[5, 0]),
            Err(Error::Der("algorithm identifier"))
        );
    }
}
