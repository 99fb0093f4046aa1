//! A certificate request as `step certificate inspect` shows it: read, not verified, since what is wrong with a
//! request is often why somebody looks at it.

use anyhow::{Context as _, Result};
use der::{Decode, Encode};
use pki::{AltName, Extension, Name, PublicKey, alt_name, pem};
use x509_cert::request::{CertReq, ExtensionReq};

/// The attribute with the extensions that are asked for (PKCS #9).
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
const SUBJECT_ALT_NAME: &str = "2.5.29.17";
/// The label in PEM, after an optional `NEW`.
const LABEL: &str = "CERTIFICATE REQUEST";

/// A certificate request (RFC 2986).
pub(super) struct Request {
    /// All of it.
    pub(super) der: Vec<u8>,
    /// What is signed.
    pub(super) info: Vec<u8>,
    /// The subject.
    pub(super) subject: Name,
    /// The key as it was sent.
    pub(super) spki: Vec<u8>,
    /// The key, if it is of a known kind.
    pub(super) key: Option<PublicKey>,
    /// The extensions that are asked for.
    pub(super) extensions: Vec<Extension>,
    /// The DER of the signature's AlgorithmIdentifier.
    pub(super) algorithm: Vec<u8>,
    /// The signature.
    pub(super) signature: Vec<u8>,
}

impl Request {
    /// The request in a file's content; nothing where the first thing in it is something else.
    ///
    /// # Errors
    /// When it is a request in PEM that cannot be read.
    pub(super) fn find(content: &[u8]) -> Result<Option<Self>> {
        if content.first() == Some(&0x30) {
            return Ok(Self::from_der(content).ok());
        }
        let blocks = pem::parse(content).unwrap_or_default();
        match blocks.first() {
            Some(block) if block.label.ends_with(LABEL) => Self::from_der(&block.der).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self> {
        let read = CertReq::from_der(der).context("not the DER encoding of a PKCS #10 request")?;
        let spki = read.info.public_key.to_der()?;
        let mut extensions = Vec::new();
        for attribute in read.info.attributes.iter() {
            if attribute.oid.to_string() != EXTENSION_REQUEST {
                continue;
            }
            for value in attribute.values.iter() {
                let asked = ExtensionReq::from_der(&value.to_der()?)
                    .context("the requested extensions cannot be read")?;
                extensions.extend(asked.0.into_iter().map(|one| Extension {
                    oid: one.extn_id,
                    critical: one.critical,
                    value: one.extn_value.into_bytes().into(),
                }));
            }
        }
        Ok(Self {
            der: der.to_vec(),
            info: read.info.to_der()?,
            subject: Name::from_der(&read.info.subject.to_der()?)?,
            key: PublicKey::from_spki_der(&spki).ok(),
            spki,
            extensions,
            algorithm: read.algorithm.to_der()?,
            signature: read.signature.raw_bytes().to_vec(),
        })
    }

    /// The alternative names that are asked for.
    pub(super) fn alt_names(&self) -> Vec<AltName> {
        let mut asked = self.extensions.iter();
        let found = asked.find(|one| one.oid.to_string() == SUBJECT_ALT_NAME);
        found
            .and_then(|one| alt_name::parse(&one.value).ok())
            .unwrap_or_default()
    }

    /// One block.
    pub(super) fn to_pem(&self) -> String {
        pem::encode(LABEL, &self.der)
    }
}
