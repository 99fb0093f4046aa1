//! Private keys in memory: read from any form they are kept in, used to sign, written back.

use aws_lc_rs::{
    encoding::AsBigEndian,
    rsa::KeyPair as RsaKeyPair,
    signature::{self as lc, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _},
};
use zeroize::Zeroizing;

use super::{CrtNumbers, KeyKind, PublicKey, SignatureAlgorithm, der_to_fixed, public, rsa, sec1};
use crate::{
    asn1::{self, Cursor, Malformed},
    error::Error,
    jose, oid, pem,
};

/// A private key. It has no `Debug`; its bytes are wiped when it is dropped.
pub struct PrivateKey {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Reads an unencrypted PKCS #8 key (RFC 5958).
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::UnsupportedKey`], [`Error::InvalidKey`], and for RSA the errors about sizes.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        let malformed = |_: Malformed| Error::Der("PKCS #8 private key");
        let mut fields = Cursor::only(der, asn1::SEQUENCE).map_err(malformed)?;
        fields.small().map_err(malformed)?;
        let mut algorithm = fields.enter(asn1::SEQUENCE).map_err(malformed)?;
        let inner = fields.take(asn1::OCTET_STRING).map_err(malformed)?.value;
        match algorithm.oid().map_err(malformed)? {
            oid::EC_PUBLIC_KEY => {
                let kind = public::curve(algorithm.oid().map_err(malformed)?)?;
                let pair = EcdsaKeyPair::from_pkcs8(signing(kind)?, der)
                    .map_err(|_| Error::InvalidKey("EC"))?;
                Self::ec(kind, pair)
            }
            oid::RSA => Self::from_pkcs1_der(inner),
            oid::ED25519 => {
                let pair =
                    Ed25519KeyPair::from_pkcs8(der).map_err(|_| Error::InvalidKey("Ed25519"))?;
                Self::ed25519(pair)
            }
            other => Err(Error::UnsupportedKey(format!("algorithm {other}"))),
        }
    }

    /// What kind of key it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.public.kind()
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key as unencrypted PKCS #8.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The key as unencrypted PEM, as `step` writes it: SEC 1 for EC, PKCS #1 for RSA, PKCS #8 for Ed25519.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let label = match self.pair {
            Pair::Ec(_) => "EC PRIVATE KEY",
            Pair::Rsa(_) => "RSA PRIVATE KEY",
            Pair::Ed25519(_) => return Zeroizing::new(pem::encode("PRIVATE KEY", &self.pkcs8)),
        };
        let inner = match &self.pair {
            Pair::Ec(pair) => ec_scalar(pair)
                .and_then(|scalar| sec1::write(&self.public, &scalar))
                .ok(),
            Pair::Rsa(_) | Pair::Ed25519(_) => self.pkcs1().map(|der| Zeroizing::new(der.to_vec())),
        };
        match inner {
            Some(der) => Zeroizing::new(pem::encode(label, &der)),
            None => Zeroizing::new(pem::encode("PRIVATE KEY", &self.pkcs8)),
        }
    }

    /// The key's default signature algorithm.
    #[must_use]
    pub fn default_signature(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::default_for(self.kind())
    }

    /// Signs a message in the form of X.509 (ECDSA as a SEQUENCE).
    ///
    /// # Errors
    /// [`Error::KeyMismatch`] when the key cannot sign so: an EC key signs with its curve's own hash only.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mismatch = || Error::KeyMismatch {
            algorithm: algorithm.name(),
            key: self.kind(),
        };
        let failed = |_| Error::Crypto("signing");
        match &self.pair {
            Pair::Ec(pair) if algorithm == self.default_signature() => pair
                .sign(&unused_random(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(failed),
            Pair::Ed25519(pair) if algorithm == SignatureAlgorithm::Ed25519 => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(failed),
            Pair::Rsa(pair) => {
                let encoding = algorithm.rsa_encoding().ok_or_else(mismatch)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &unused_random(), message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            Pair::Ec(_) | Pair::Ed25519(_) => Err(mismatch()),
        }
    }

    /// Signs in the form of JOSE (RFC 7518 §3): ECDSA as two halves of fixed width.
    ///
    /// # Errors
    /// [`Error::KeyMismatch`].
    pub fn sign_jose(&self, alg: jose::Alg, signing_input: &[u8]) -> Result<Vec<u8>, Error> {
        let mismatch = || Error::KeyMismatch {
            algorithm: alg.as_str(),
            key: self.kind(),
        };
        let algorithm = alg.signature(self.kind()).ok_or_else(mismatch)?;
        let signature = self.sign(algorithm, signing_input)?;
        match self.kind().coordinate_len() {
            Some(width) => der_to_fixed(&signature, width).map_err(|_| Error::Crypto("signing")),
            None => Ok(signature),
        }
    }

    /// The scalar of an EC key, of the curve's full width, or the seed of an Ed25519 key.
    pub(crate) fn scalar(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.pair {
            Pair::Ec(pair) => ec_scalar(pair),
            Pair::Ed25519(pair) => {
                let seed = pair
                    .seed()
                    .and_then(|seed| seed.as_be_bytes().map(|b| b.as_ref().to_vec()));
                seed.map(Zeroizing::new)
                    .map_err(|_| Error::Crypto("reading the seed"))
            }
            Pair::Rsa(_) => Err(Error::Crypto("an RSA key has no scalar")),
        }
    }

    /// The private numbers of an RSA key.
    pub(crate) fn crt_numbers(&self) -> Option<CrtNumbers> {
        CrtNumbers::from_pkcs1(self.pkcs1()?).ok()
    }

    /// Reads an RSAPrivateKey (RFC 8017 appendix A.1.2).
    pub(crate) fn from_pkcs1_der(der: &[u8]) -> Result<Self, Error> {
        let size = || -> Result<Result<usize, Error>, Malformed> {
            let mut fields = Cursor::only(der, asn1::SEQUENCE)?;
            fields.unsigned()?;
            Ok(rsa::check_size(fields.unsigned()?, fields.unsigned()?))
        };
        size().map_err(|_| Error::Der("RSA private key"))??;
        let pair = RsaKeyPair::from_der(der).map_err(|_| Error::InvalidKey("RSA"))?;
        let (n, e) =
            rsa::pkcs1_numbers(pair.public_key().as_ref()).map_err(|_| Error::InvalidKey("RSA"))?;
        let public = PublicKey::from_spki_der(&super::rsa_spki(n, e))?;
        let algorithm = asn1::sequence(&[&asn1::oid(oid::RSA), &asn1::null()]);
        let inner = Zeroizing::new(asn1::octet_string(der));
        let pkcs8 = Zeroizing::new(asn1::sequence(&[&asn1::unsigned(&[]), &algorithm, &inner]));
        Ok(Self {
            pair: Pair::Rsa(pair),
            pkcs8,
            public,
        })
    }

    /// An EC key from its scalar and its point, which must belong together.
    pub(crate) fn from_ec_numbers(
        kind: KeyKind,
        scalar: &[u8],
        point: &[u8],
    ) -> Result<Self, Error> {
        let pair = EcdsaKeyPair::from_private_key_and_public_key(signing(kind)?, scalar, point);
        Self::ec(kind, pair.map_err(|_| Error::InvalidKey("EC"))?)
    }

    /// An Ed25519 key from its seed and its public bytes, which must belong together.
    pub(crate) fn from_ed25519_seed(seed: &[u8], public: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public);
        Self::ed25519(pair.map_err(|_| Error::InvalidKey("Ed25519"))?)
    }

    /// Reads an ECPrivateKey (RFC 5915 §3).
    pub(super) fn from_sec1_der(der: &[u8]) -> Result<Self, Error> {
        let kind = sec1::kind(der)?;
        let pair = EcdsaKeyPair::from_private_key_der(signing(kind)?, der)
            .map_err(|_| Error::InvalidKey("EC"))?;
        Self::ec(kind, pair)
    }

    fn ec(kind: KeyKind, pair: EcdsaKeyPair) -> Result<Self, Error> {
        let spki =
            super::ec_spki(kind, pair.public_key().as_ref()).ok_or(Error::InvalidKey("EC"))?;
        let public = PublicKey::from_spki_der(&spki)?;
        let pkcs8 = pair
            .to_pkcs8v1()
            .map_err(|_| Error::Crypto("writing the key"))?;
        Ok(Self {
            pkcs8: Zeroizing::new(pkcs8.as_ref().to_vec()),
            pair: Pair::Ec(pair),
            public,
        })
    }

    fn ed25519(pair: Ed25519KeyPair) -> Result<Self, Error> {
        let algorithm = asn1::sequence(&[&asn1::oid(oid::ED25519)]);
        let spki = asn1::sequence(&[&algorithm, &asn1::bit_string(pair.public_key().as_ref())]);
        let public = PublicKey::from_spki_der(&spki)?;
        let pkcs8 = pair
            .to_pkcs8v1()
            .map_err(|_| Error::Crypto("writing the key"))?;
        Ok(Self {
            pkcs8: Zeroizing::new(pkcs8.as_ref().to_vec()),
            pair: Pair::Ed25519(pair),
            public,
        })
    }

    /// The RSAPrivateKey inside the PKCS #8.
    fn pkcs1(&self) -> Option<&[u8]> {
        let mut fields = Cursor::only(&self.pkcs8, asn1::SEQUENCE).ok()?;
        fields.unsigned().ok()?;
        fields.next().ok()?;
        matches!(self.pair, Pair::Rsa(_)).then(|| {
            fields
                .take(asn1::OCTET_STRING)
                .ok()
                .map(|inner| inner.value)
        })?
    }
}

/// The library draws nonces and salts from its own generator and ignores this argument.
#[expect(
    clippy::disallowed_types,
    reason = "the library's signing calls have this unused parameter"
)]
fn unused_random() -> aws_lc_rs::rand::SystemRandom {
    aws_lc_rs::rand::SystemRandom::new()
}

fn signing(kind: KeyKind) -> Result<&'static EcdsaSigningAlgorithm, Error> {
    match kind {
        KeyKind::EcP256 => Ok(&lc::ECDSA_P256_SHA256_ASN1_SIGNING),
        KeyKind::EcP384 => Ok(&lc::ECDSA_P384_SHA384_ASN1_SIGNING),
        KeyKind::EcP521 => Ok(&lc::ECDSA_P521_SHA512_ASN1_SIGNING),
        KeyKind::Rsa { .. } | KeyKind::Ed25519 => Err(Error::InvalidKey("EC")),
    }
}

fn ec_scalar(pair: &EcdsaKeyPair) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = pair
        .private_key()
        .as_be_bytes()
        .map_err(|_| Error::Crypto("reading the scalar"))?;
    Ok(Zeroizing::new(bytes.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::Alg;

    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!("../../testdata/", $name)).as_slice()
        };
    }

    fn key(text: &[u8]) -> PrivateKey {
        PrivateKey::from_pem(text, None).unwrap()
    }

    #[test]
    fn every_unencrypted_form_of_a_key_is_the_same_key() {
        let curves = [
            (
                file!("openssl/p256-sec1.key"),
                file!("openssl/p256.key"),
                "EC P-256",
            ),
            (
                file!("openssl/p384-sec1.key"),
                file!("openssl/p384.key"),
                "EC P-384",
            ),
            (
                file!("openssl/p521-sec1.key"),
                file!("openssl/p521.key"),
                "EC P-521",
            ),
        ];
        for (sec1, pkcs8, name) in curves {
            assert_eq!(key(sec1).public(), key(pkcs8).public());
            assert_eq!(key(sec1).kind().to_string(), name);
        }
        assert_eq!(
            key(file!("openssl/rsa-pkcs1.key")).kind(),
            KeyKind::Rsa { bits: 2048 }
        );
        assert_eq!(key(file!("openssl/ed25519.key")).kind(), KeyKind::Ed25519);
    }

    #[test]
    fn what_step_writes_is_written_byte_for_byte() {
        for text in [
            file!("step/ec.key"),
            file!("step/rsa.key"),
            file!("step/ed25519.key"),
        ] {
            assert_eq!(key(text).to_pem().as_bytes(), text);
        }
    }

    #[test]
    fn signatures_verify_and_only_for_their_message() {
        let keys = [
            file!("openssl/p256.key"),
            file!("openssl/p384.key"),
            file!("openssl/p521.key"),
            file!("openssl/rsa-pkcs1.key"),
            file!("openssl/ed25519.key"),
        ];
        for text in keys {
            let key = key(text);
            let signature = key.sign(key.default_signature(), b"message").unwrap();
            assert_eq!(
                key.public()
                    .verify(key.default_signature(), b"message", &signature),
                Ok(())
            );
            let other = key
                .public()
                .verify(key.default_signature(), b"messagf", &signature);
            assert_eq!(other, Err(Error::BadSignature));
        }
    }

    #[test]
    fn rsa_signs_in_every_padding_and_ec_with_its_own_hash_only() {
        let rsa = key(file!("openssl/rsa-pkcs1.key"));
        for algorithm in [
            SignatureAlgorithm::RsaSha512,
            SignatureAlgorithm::RsaPssSha256,
            SignatureAlgorithm::RsaPssSha384,
        ] {
            let signature = rsa.sign(algorithm, b"m").unwrap();
            assert_eq!(rsa.public().verify(algorithm, b"m", &signature), Ok(()));
        }
        let ec = key(file!("openssl/p256.key"));
        assert!(matches!(
            ec.sign(SignatureAlgorithm::EcdsaSha384, b"m"),
            Err(Error::KeyMismatch { .. })
        ));
        assert!(matches!(
            ec.sign_jose(Alg::Rs256, b"m"),
            Err(Error::KeyMismatch { .. })
        ));
        assert_eq!(ec.sign_jose(Alg::Es256, b"m").unwrap().len(), 64);
        assert_eq!(
            key(file!("openssl/p521.key"))
                .sign_jose(Alg::Es512, b"m")
                .unwrap()
                .len(),
            132
        );
    }
}
