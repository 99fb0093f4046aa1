//! Certificates (RFC 5280 §4.1): parsed from untrusted input, encoded for signing.

mod read;
mod serial;
mod tbs;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use der::asn1::ObjectIdentifier;
use jiff::Timestamp;

pub use serial::Serial;
pub use tbs::{TbsCertificate, assemble};

use crate::{
    alt_name::{self, AltName},
    asn1::{self, Cursor},
    error::Error,
    extension::{self, Extension, StepProvisioner},
    key::{PublicKey, SignatureAlgorithm},
    name::Name,
    oid, pem,
};

/// A certificate with the bytes it came in; cloning is cheap, equality is that of the bytes.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    fields: read::Fields,
    alt_names: Vec<AltName>,
    public_key: OnceLock<Result<PublicKey, Error>>,
}

impl Certificate {
    /// Reads a certificate, also one that breaks RFC 5280 in what does not matter for its meaning.
    ///
    /// # Errors
    /// [`Error::Der`], [`Error::TrailingBytes`], [`Error::Time`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if asn1::has_trailing_bytes(der) {
            return Err(Error::TrailingBytes("certificate"));
        }
        let fields = read::fields(der)?;
        let san = fields
            .extensions
            .iter()
            .find(|extension| extension.oid == oid::SUBJECT_ALT_NAME);
        let alt_names = san
            .and_then(|san| alt_name::parse(&san.value).ok())
            .unwrap_or_default();
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            fields,
            alt_names,
            public_key: OnceLock::new(),
        })))
    }

    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// [`Error::Pem`], [`Error::NoPem`], and those of [`Self::from_der`].
    pub fn from_pem(text: &[u8]) -> Result<Self, Error> {
        let blocks = pem::parse(text)?;
        let first = blocks
            .iter()
            .find(|block| block.label == "CERTIFICATE")
            .ok_or(Error::NoPem("certificate"))?;
        Self::from_der(&first.der)
    }

    /// Reads all certificates of a PEM text, at least one.
    ///
    /// # Errors
    /// As [`Self::from_pem`].
    pub fn all_from_pem(text: &[u8]) -> Result<Vec<Self>, Error> {
        let blocks = pem::parse(text)?;
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        let all: Vec<Self> = certificates
            .map(|block| Self::from_der(&block.der))
            .collect::<Result<_, _>>()?;
        if all.is_empty() {
            Err(Error::NoPem("certificate"))
        } else {
            Ok(all)
        }
    }

    /// Reads all certificates of a file: one in DER, or a PEM text with at least one.
    ///
    /// # Errors
    /// As [`Self::from_der`] and [`Self::from_pem`].
    pub fn all_from_file(content: &[u8]) -> Result<Vec<Self>, Error> {
        // A SEQUENCE's tag; PEM is text.
        if content.first() == Some(&0x30) {
            return Ok(vec![Self::from_der(content)?]);
        }
        Self::all_from_pem(content)
    }

    /// The bytes it came in.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// One `CERTIFICATE` block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", self.der())
    }

    /// The version: 1, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.0.fields.version
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.0.fields.serial
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &Name {
        &self.0.fields.subject
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &Name {
        &self.0.fields.issuer
    }

    /// The first instant at which it is valid.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.0.fields.not_before
    }

    /// The last instant at which it is valid.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.0.fields.not_after
    }

    /// The SubjectPublicKeyInfo, of whatever kind.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.der[self.0.fields.spki.clone()]
    }

    /// The public key.
    ///
    /// # Errors
    /// Those of [`PublicKey::from_spki_der`], when the key is of another kind or too weak.
    pub fn public_key(&self) -> Result<&PublicKey, Error> {
        self.0
            .public_key
            .get_or_init(|| PublicKey::from_spki_der(self.spki_der()))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The alternative names; none when the extension is missing or cannot be read.
    #[must_use]
    pub fn alt_names(&self) -> &[AltName] {
        &self.0.alt_names
    }

    /// The extensions in their order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.0.fields.extensions
    }

    /// The first extension of this kind.
    #[must_use]
    pub fn extension(&self, oid: &ObjectIdentifier) -> Option<&Extension> {
        self.extensions()
            .iter()
            .find(|extension| extension.oid == *oid)
    }

    /// The value of the extension of this kind, undecoded; none if there is no such extension.
    #[must_use]
    pub fn extension_value(&self, oid: &ObjectIdentifier) -> Option<&[u8]> {
        let extension = self.extension(oid)?;
        Some(&extension.value)
    }

    /// Whether basicConstraints marks it as a CA.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.basic_constraints().is_some_and(|(is_ca, _)| is_ca)
    }

    /// basicConstraints: whether it is a CA, and its path length.
    #[must_use]
    pub fn basic_constraints(&self) -> Option<(bool, Option<u32>)> {
        let extension = self.extension(&oid::BASIC_CONSTRAINTS)?;
        extension::parse_basic_constraints(&extension.value).ok()
    }

    /// The SHA-256 of the DER in lower-case hex: what `step` calls the fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        HEXLOWER.encode(digest::digest(&digest::SHA256, self.der()).as_ref())
    }

    /// The contents of subjectKeyIdentifier.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<Vec<u8>> {
        let value = &self.extension(&oid::SUBJECT_KEY_ID)?.value;
        Cursor::new(value)
            .ok()?
            .take(asn1::OCTET_STRING)
            .ok()
            .map(|id| id.value.to_vec())
    }

    /// The keyid of authorityKeyIdentifier.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<Vec<u8>> {
        let value = &self.extension(&oid::AUTHORITY_KEY_ID)?.value;
        let mut fields = Cursor::only(value, asn1::SEQUENCE).ok()?;
        fields
            .take_if(asn1::primitive(0))
            .ok()?
            .map(|id| id.value.to_vec())
    }

    /// The provisioner that authorized it, from step's extension; none if it has no such extension.
    ///
    /// # Errors
    /// [`Error::Der`] if the extension cannot be read.
    pub fn step_provisioner(&self) -> Result<Option<StepProvisioner>, Error> {
        let extension = self.extension(&oid::STEP_PROVISIONER);
        extension
            .map(|extension| StepProvisioner::parse(&extension.value))
            .transpose()
    }

    /// The algorithm it is signed with.
    ///
    /// # Errors
    /// [`Error::UnsupportedSignature`] with its object identifier.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, Error> {
        SignatureAlgorithm::from_identifier(&self.0.der[self.0.fields.algorithm.clone()])
    }

    /// The bytes of the signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.0.fields.signature
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn tbs_der(&self) -> &[u8] {
        &self.0.der[self.0.fields.tbs.clone()]
    }

    /// Whether `issuer` signed it: the names match and the signature verifies. Nothing else is checked.
    ///
    /// # Errors
    /// [`Error::Name`] when the names differ, [`Error::BadSignature`], and those about keys and algorithms.
    pub fn is_issued_by(&self, issuer: &Self) -> Result<(), Error> {
        if self.issuer() != issuer.subject() {
            return Err(Error::Name("the issuer has another name"));
        }
        issuer.public_key()?.verify(
            self.signature_algorithm()?,
            self.tbs_der(),
            self.signature(),
        )
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({}, serial {})",
            self.subject(),
            self.serial()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        extension::{ExtendedKeyUsage, KeyUsages},
        key::PrivateKey,
    };

    const ROOT: &[u8] = include_bytes!("../../testdata/step/root_ca.crt");
    const INTERMEDIATE: &[u8] = include_bytes!("../../testdata/step/intermediate_ca.crt");
    const NEGATIVE: &[u8] = include_bytes!("../../testdata/openssl/negative-serial.crt");
    const V1: &[u8] = include_bytes!("../../testdata/openssl/v1-rsa.crt");

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../../testdata/openssl/p256.key"), None).unwrap()
    }

    fn tbs() -> TbsCertificate {
        TbsCertificate {
            serial: Serial::from_random([0xff; 16]),
            issuer: Name::organization_and_common_name("Test CA", "Test CA Root CA").unwrap(),
            subject: Name::empty(),
            not_before: "2026-11-23T00:00:00.5Z".parse().unwrap(),
            not_after: "2050-11-23T00:00:00Z".parse().unwrap(),
            public_key: key().public().clone(),
            extensions: vec![
                extension::key_usage(KeyUsages::DIGITAL_SIGNATURE),
                extension::extended_key_usage(&[
                    ExtendedKeyUsage::ServerAuth,
                    ExtendedKeyUsage::ClientAuth,
                ]),
                extension::subject_key_id(&key().public().key_id()),
                extension::authority_key_id(&[9; 20]),
                extension::subject_alt_names(&[AltName::Dns("a.example".into())], true),
            ],
        }
    }

    fn signed(tbs: &TbsCertificate) -> Certificate {
        let algorithm = key().default_signature();
        let der = tbs.to_der(algorithm).unwrap();
        assemble(&der, algorithm, &key().sign(algorithm, &der).unwrap()).unwrap()
    }

    #[test]
    fn a_provisioner_extension_that_cannot_be_read_is_a_fault_and_not_none() {
        assert_eq!(signed(&tbs()).step_provisioner(), Ok(None));
        let mut broken = tbs();
        broken.extensions.push(Extension {
            oid: oid::STEP_PROVISIONER,
            critical: false,
            value: vec![0x30, 1, 0],
        });
        assert!(signed(&broken).step_provisioner().is_err());
    }

    #[test]
    fn the_certificates_of_step_are_read() {
        let root = Certificate::from_pem(ROOT).unwrap();
        let intermediate = Certificate::from_pem(INTERMEDIATE).unwrap();
        assert_eq!(root.subject().in_order(), "O=Test CA,CN=Test CA Root CA");
        assert_eq!(
            (root.basic_constraints(), root.is_ca()),
            (Some((true, Some(1))), true)
        );
        assert_eq!(intermediate.authority_key_id(), root.subject_key_id());
        assert_eq!(
            root.subject_key_id().unwrap(),
            root.public_key().unwrap().key_id()
        );
        assert_eq!(
            (intermediate.is_issued_by(&root), root.is_issued_by(&root)),
            (Ok(()), Ok(()))
        );
        assert!(matches!(
            root.is_issued_by(&intermediate),
            Err(Error::Name(_))
        ));
        assert_eq!(
            root.fingerprint(),
            "6c015a328482fdf63179fe3b8accee6e4f4eccfc6ad14b1917804737f35ddbf9"
        );
    }

    #[test]
    fn the_subjects_of_step_are_written_byte_for_byte() {
        let root = Certificate::from_pem(ROOT).unwrap();
        assert_eq!(
            Name::organization_and_common_name("Test CA", "Test CA Root CA").as_ref(),
            Ok(root.subject())
        );
        let oids: Vec<_> = root
            .extensions()
            .iter()
            .map(|extension| extension.oid)
            .collect();
        assert_eq!(
            oids,
            [oid::KEY_USAGE, oid::BASIC_CONSTRAINTS, oid::SUBJECT_KEY_ID]
        );
        assert_eq!(
            root.extensions()[0],
            extension::key_usage(KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN)
        );
        assert_eq!(root.extensions()[1], extension::basic_constraints(Some(1)));
        assert_eq!(
            root.extensions()[2],
            extension::subject_key_id(&root.public_key().unwrap().key_id())
        );
    }

    #[test]
    fn odd_certificates_of_others_are_read() {
        let negative = Certificate::from_pem(NEGATIVE).unwrap();
        assert_eq!(
            (
                negative.serial().to_string(),
                negative.serial().is_negative()
            ),
            ("-5".into(), true)
        );
        assert_eq!(
            negative.subject().in_order(),
            "C=CH,O=Old & Co,OU=one,OU=two,CN=Negative"
        );
        assert_eq!(
            negative.subject().to_string(),
            "CN=Negative,OU=one+OU=two,O=Old & Co,C=CH"
        );
        assert!(negative.not_after().to_string().starts_with("21"));
        let v1 = Certificate::from_pem(V1).unwrap();
        assert_eq!(
            (v1.version(), v1.extensions(), v1.is_ca()),
            (1, &[][..], false)
        );
        assert_eq!(v1.signature_algorithm(), Ok(SignatureAlgorithm::RsaSha256));
        assert_eq!(v1.is_issued_by(&v1), Ok(()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let tbs = tbs();
        let certificate = signed(&tbs);
        assert_eq!(
            (
                certificate.serial(),
                certificate.subject(),
                certificate.issuer()
            ),
            (&tbs.serial, &tbs.subject, &tbs.issuer)
        );
        assert_eq!(certificate.not_before().to_string(), "2026-11-23T00:00:00Z");
        assert_eq!(certificate.not_after(), tbs.not_after);
        assert_eq!(
            (certificate.extensions(), certificate.version()),
            (tbs.extensions.as_slice(), 3)
        );
        assert_eq!(certificate.alt_names(), [AltName::Dns("a.example".into())]);
        assert_eq!(certificate.authority_key_id(), Some(vec![9; 20]));
        assert_eq!(
            Certificate::from_pem(certificate.to_pem().as_bytes()).unwrap(),
            certificate
        );
        assert_eq!(
            key().public().verify(
                SignatureAlgorithm::EcdsaSha256,
                certificate.tbs_der(),
                certificate.signature()
            ),
            Ok(())
        );
    }

    #[test]
    fn a_signature_by_another_algorithm_than_the_signed_one_is_refused() {
        let der = tbs().to_der(SignatureAlgorithm::EcdsaSha256).unwrap();
        assert_eq!(
            assemble(&der, SignatureAlgorithm::EcdsaSha384, &[0; 70]),
            Err(Error::Der("certificate"))
        );
    }

    #[test]
    fn cut_or_longer_bytes_are_refused_and_never_panic() {
        let der = signed(&tbs()).der().to_vec();
        for length in 0..der.len() {
            assert!(Certificate::from_der(&der[..length]).is_err());
        }
        let longer = [der.as_slice(), &[0]].concat();
        assert_eq!(
            Certificate::from_der(&longer),
            Err(Error::TrailingBytes("certificate"))
        );
        for place in 0..der.len() {
            let mut changed = der.clone();
            changed[place] ^= 0x55;
            let _ = Certificate::from_der(&changed);
        }
    }

    #[test]
    fn a_bundle_is_read_whole() {
        let bundle = [INTERMEDIATE, b"\r\nnotes\r\n", ROOT].concat();
        assert_eq!(Certificate::all_from_pem(&bundle).unwrap().len(), 2);
        assert_eq!(
            Certificate::all_from_pem(b""),
            Err(Error::NoPem("certificate"))
        );
    }
}
