//! Certificate requests (PKCS #10, RFC 2986): received ones are verified before they are used.

mod read;
mod request;

pub use request::request;

use crate::{
    alt_name::AltName,
    error::Error,
    key::{KeyKind, PublicKey, Weakness},
    name::Name,
};

/// A certificate request whose signature proves possession of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csr {
    der: Vec<u8>,
    subject: Name,
    common_name: Option<String>,
    alt_names: Vec<AltName>,
    public_key: PublicKey,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not the DER of a request.
    #[error("not the DER encoding of a PKCS #10 request")]
    NotDer,
    /// Bytes follow its end.
    #[error("bytes follow the end of the request")]
    TrailingBytes,
    /// Its signature is not by its key.
    #[error("the signature does not verify")]
    BadSignature,
    /// Its signature algorithm is none that is supported; with the object identifier.
    #[error(
        "unsupported signature algorithm {}: sign the request with SHA-256 or more (`openssl req -sha256`), or \
         update the program that makes it",
        named(.0)
    )]
    UnsupportedAlgorithm(String),
    /// Its signature algorithm cannot be used with its key.
    #[error("the signature algorithm {algorithm} does not fit an {key} key")]
    KeyMismatch {
        /// The algorithm's name.
        algorithm: &'static str,
        /// The key's kind.
        key: KeyKind,
    },
    /// Its key is of a kind that is not supported.
    #[error("unsupported key: {0}")]
    UnsupportedKey(String),
    /// Its key is damaged, such as a point off its curve.
    #[error("invalid {0} key")]
    InvalidKey(&'static str),
    /// Its RSA key is shorter than 2048 bits.
    #[error("RSA key of {0} bits is too small: 2048 bits is the least")]
    RsaTooSmall(usize),
    /// Its RSA key is longer than 8192 bits.
    #[error("RSA key of {0} bits is too large: 8192 bits is the most")]
    RsaTooLarge(usize),
    /// Its RSA exponent is even, below 65537 or above 2^31.
    #[error("RSA public exponent must be odd, at least 65537 and below 2^31")]
    RsaExponent,
    /// The private half of its key can be computed.
    #[error("the key is weak: {0}")]
    WeakKey(Weakness),
    /// It has more than one extensionRequest attribute.
    #[error("more than one extensionRequest attribute")]
    DuplicateExtensionRequest,
    /// It asks for one extension twice; with the object identifier.
    #[error("the extension {0} is requested twice")]
    DuplicateExtension(String),
    /// Its alternative names cannot be read; with the reason.
    #[error("unreadable subject alternative names: {0}")]
    AltNames(Box<Error>),
    /// Its subject holds what is no text, or a NUL.
    #[error("the subject holds an attribute that is not clean text")]
    Subject,
    /// Its subject has more than one common name.
    #[error("the subject has more than one common name")]
    SeveralCommonNames,
}

impl Csr {
    /// Reads a request and checks its signature.
    ///
    /// # Errors
    /// [`Error::Csr`] with what is wrong.
    pub fn verify(der: &[u8]) -> Result<Self, Error> {
        Ok(read::verify(der)?)
    }

    /// The common name of the subject; an empty one counts as none.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// All alternative names that are asked for, of every kind, as they were written.
    #[must_use]
    pub fn alt_names(&self) -> &[AltName] {
        &self.alt_names
    }

    /// The key to be certified.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject as it was sent.
    #[must_use]
    pub const fn subject(&self) -> &Name {
        &self.subject
    }

    /// The bytes of the request.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// The object identifier of a signature algorithm with the name that people know, where it has one.
fn named(oid: &str) -> String {
    let known = WEAK.iter().find(|(known, _)| *known == oid);
    known.map_or_else(|| oid.to_owned(), |(_, name)| format!("{name} ({oid})"))
}

/// Signature algorithms that older programs use.
const WEAK: [(&str, &str); 6] = [
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10040.4.3", "dsa-with-SHA1"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{asn1, extension, key::PrivateKey, oid, pem};

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../../testdata/openssl/p256.key"), None).unwrap()
    }

    macro_rules! file {
        ($name:literal) => {
            Csr::verify(
                &pem::parse(include_bytes!(concat!("../../testdata/", $name))).unwrap()[0].der,
            )
        };
    }

    fn fault(result: Result<Csr, Error>) -> Fault {
        match result {
            Err(Error::Csr(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    /// A signed request with these attributes.
    fn with_attributes(subject: &Name, attributes: &[&[u8]]) -> Result<Csr, Error> {
        let key = key();
        let attributes = asn1::wrap(asn1::constructed(0), attributes);
        let info = asn1::sequence(&[
            &asn1::unsigned(&[]),
            subject.der(),
            key.public().spki_der(),
            &attributes,
        ]);
        let algorithm = key.default_signature();
        let signature = asn1::bit_string(&key.sign(algorithm, &info).unwrap());
        Csr::verify(&asn1::sequence(&[
            &info,
            &algorithm.identifier_der(),
            &signature,
        ]))
    }

    fn extension_request(extensions: &[&[u8]]) -> Vec<u8> {
        let values = asn1::wrap(asn1::SET, &[&asn1::sequence(extensions)]);
        asn1::sequence(&[&asn1::oid(oid::EXTENSION_REQUEST), &values])
    }

    #[test]
    fn the_request_of_step_is_read() {
        let csr = file!("step/request.csr").unwrap();
        assert_eq!(csr.common_name(), Some("a.example"));
        let names: Vec<String> = csr.alt_names().iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "a.example",
                "a@b.example",
                "192.0.2.1",
                "https://u.example/"
            ]
        );
    }

    #[test]
    fn requests_of_openssl_show_every_kind_of_name() {
        let csr = file!("openssl/rsa-pss.csr").unwrap();
        assert_eq!(csr.public_key().kind(), KeyKind::Rsa { bits: 2048 });
        let other: Vec<&str> = csr
            .alt_names()
            .iter()
            .filter_map(|name| {
                if let AltName::Other { oid, .. } = name {
                    Some(oid.as_str())
                } else {
                    None
                }
            })
            .collect();
        assert_eq!(
            (csr.alt_names().len(), other),
            (4, vec!["1.2.3.4", "directoryName"])
        );
        let p384 = file!("openssl/p384-sha256.csr").unwrap();
        assert_eq!((p384.common_name(), p384.alt_names().len()), (None, 1));
        assert_eq!(file!("openssl/ed25519.csr").unwrap().alt_names(), []);
    }

    #[test]
    fn unsupported_keys_and_algorithms_are_reported_differently() {
        assert_eq!(
            fault(file!("openssl/rsa1024.csr")),
            Fault::RsaTooSmall(1024)
        );
        assert_eq!(fault(file!("openssl/rsa-e3.csr")), Fault::RsaExponent);
        assert_eq!(
            fault(file!("openssl/secp256k1.csr")),
            Fault::UnsupportedKey("EC curve 1.3.132.0.10".into())
        );
        let sha1 = fault(file!("openssl/sha1.csr"));
        assert_eq!(
            sha1,
            Fault::UnsupportedAlgorithm("1.2.840.113549.1.1.5".into())
        );
        let words = sha1.to_string();
        assert!(words.contains("sha1WithRSAEncryption (1.2.840"), "{words}");
        assert!(words.contains("SHA-256"), "{words}");
    }

    #[test]
    fn our_own_requests_verify() {
        let names = [
            AltName::Dns("a.example".into()),
            AltName::Ip("::1".parse().unwrap()),
        ];
        let subject = Name::common_name("a.example").unwrap();
        let csr = Csr::verify(&request(&subject, &names, &key()).unwrap()).unwrap();
        assert_eq!(
            (csr.common_name(), csr.alt_names(), csr.subject()),
            (Some("a.example"), &names[..], &subject)
        );
        let bare = Csr::verify(&request(&Name::empty(), &[], &key()).unwrap()).unwrap();
        assert_eq!((bare.common_name(), bare.alt_names()), (None, &[][..]));
    }

    #[test]
    fn changed_and_longer_bytes_are_refused() {
        let der = request(&Name::common_name("a.example").unwrap(), &[], &key()).unwrap();
        for length in 0..der.len() {
            assert_eq!(fault(Csr::verify(&der[..length])), Fault::NotDer);
        }
        assert_eq!(
            fault(Csr::verify(&[der.as_slice(), &[0]].concat())),
            Fault::TrailingBytes
        );
        for place in 0..der.len() {
            let mut changed = der.clone();
            changed[place] ^= 1;
            assert!(Csr::verify(&changed).is_err(), "byte {place}");
        }
        let cn = der
            .windows(9)
            .position(|window| window == b"a.example")
            .unwrap();
        let mut changed = der;
        changed[cn] = b'b';
        assert_eq!(fault(Csr::verify(&changed)), Fault::BadSignature);
    }

    #[test]
    fn an_algorithm_that_does_not_fit_the_key_is_named() {
        let subject = Name::empty();
        let info = asn1::sequence(&[
            &asn1::unsigned(&[]),
            subject.der(),
            key().public().spki_der(),
        ]);
        let rsa = crate::SignatureAlgorithm::RsaSha256.identifier_der();
        let der = asn1::sequence(&[&info, &rsa, &asn1::bit_string(&[0; 256])]);
        assert_eq!(
            fault(Csr::verify(&der)),
            Fault::KeyMismatch {
                algorithm: "SHA256-RSA",
                key: KeyKind::EcP256
            }
        );
    }

    #[test]
    fn what_is_requested_twice_is_refused() {
        let name = Name::empty();
        let san = extension::subject_alt_names(&[AltName::Dns("a".into())], false).to_der();
        let one = extension_request(&[&san]);
        assert!(with_attributes(&name, &[&one]).is_ok());
        assert_eq!(
            fault(with_attributes(&name, &[&one, &one])),
            Fault::DuplicateExtensionRequest
        );
        let twice = extension_request(&[&san, &san]);
        assert_eq!(
            fault(with_attributes(&name, &[&twice])),
            Fault::DuplicateExtension("2.5.29.17".into())
        );
    }

    /// Comparing each extension with each would be five thousand million comparisons.
    #[test]
    fn a_hundred_thousand_extensions_are_read_once_each() {
        let extension = |number: u32| extension::Extension {
            oid: format!("1.2.3.{number}").parse().unwrap(),
            critical: false,
            value: vec![5, 0],
        };
        let many: Vec<Vec<u8>> = (0..100_000).map(|n| extension(n).to_der()).collect();
        let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
        let request = with_attributes(&Name::empty(), &[&extension_request(&many)]);
        assert!(request.unwrap().der().len() > 1_000_000);
        let twice = extension_request(&[&many[..], &many[7..8]].concat());
        assert_eq!(
            fault(with_attributes(&Name::empty(), &[&twice])),
            Fault::DuplicateExtension("1.2.3.7".into())
        );
    }

    #[test]
    fn names_that_cannot_be_read_are_refused() {
        let bad = |value: Vec<u8>| {
            let san = extension::Extension {
                oid: oid::SUBJECT_ALT_NAME,
                critical: false,
                value,
            };
            with_attributes(&Name::empty(), &[&extension_request(&[&san.to_der()])])
        };
        assert!(matches!(fault(bad(vec![0x30, 1])), Fault::AltNames(_)));
        assert!(matches!(
            fault(bad(asn1::sequence(&[&[0x82, 2, b'a', 0]]))),
            Fault::AltNames(_)
        ));
        assert_eq!(bad(vec![0x30, 0]).unwrap().alt_names(), []);
    }

    #[test]
    fn subjects_that_are_not_clean_are_refused() {
        let rdn = |tag: u8, bytes: &[u8]| {
            let pair = asn1::sequence(&[&asn1::oid(oid::COMMON_NAME), &asn1::wrap(tag, &[bytes])]);
            asn1::wrap(asn1::SET, &[&pair])
        };
        let subject = |rdns: &[&[u8]]| Name::from_der(&asn1::sequence(rdns)).unwrap();
        for text in [&b"a\0b"[..], b"\xff"] {
            let subject = subject(&[&rdn(asn1::UTF8_STRING, text)]);
            assert_eq!(fault(with_attributes(&subject, &[])), Fault::Subject);
        }
        let two = subject(&[&rdn(asn1::UTF8_STRING, b"a"), &rdn(asn1::UTF8_STRING, b"b")]);
        assert_eq!(fault(with_attributes(&two, &[])), Fault::SeveralCommonNames);
        assert_eq!(
            with_attributes(&subject(&[&rdn(asn1::UTF8_STRING, b"")]), &[])
                .unwrap()
                .common_name(),
            None
        );
    }
}
