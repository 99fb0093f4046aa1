//! Certificate requests (PKCS #10), valid and invalid.

use std::net::IpAddr;

use super::der;
use super::key::AnyKey;

/// A request in the making.
#[derive(Clone, Default)]
pub struct Csr {
    subject: Vec<u8>,
    names: Vec<u8>,
    extensions: Vec<u8>,
    attributes: Vec<u8>,
}

impl Csr {
    /// Empty subject, and these DNS names and addresses as subjectAltName.
    pub fn of(names: &[&str]) -> Self {
        let name = |name: &&str| match name.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => der::element(0x87, &address.octets()),
            Ok(IpAddr::V6(address)) => der::element(0x87, &address.octets()),
            Err(_) => der::element(0x82, name.as_bytes()),
        };
        Self {
            names: names.iter().flat_map(name).collect(),
            ..Self::default()
        }
    }

    /// With a common name more.
    pub fn common_name(self, name: &str) -> Self {
        self.attribute_of_subject("2.5.4.3", name)
    }

    /// With one more attribute in the subject.
    pub fn attribute_of_subject(mut self, oid: &str, text: &str) -> Self {
        let value = der::element(der::UTF8, text.as_bytes());
        let pair = der::sequence(&[&der::oid(oid), &value]);
        self.subject.extend(der::element(der::SET, &pair));
        self
    }

    /// With one more GeneralName, tag and content.
    pub fn general_name(mut self, tag: u8, content: &[u8]) -> Self {
        self.names.extend(der::element(tag, content));
        self
    }

    /// With an additional requested extension.
    pub fn extension(mut self, oid: &str, value: &[u8]) -> Self {
        let critical = [0x01, 0x01, 0xff];
        let value = der::element(der::OCTETS, value);
        self.extensions
            .extend(der::sequence(&[&der::oid(oid), &critical, &value]));
        self
    }

    /// With an additional attribute.
    pub fn attribute(mut self, oid: &str, value: &[u8]) -> Self {
        let values = der::element(der::SET, value);
        self.attributes
            .extend(der::sequence(&[&der::oid(oid), &values]));
        self
    }

    /// The subjectAltName extension of these names.
    pub fn alt_names(names: &[&str]) -> Vec<u8> {
        der::element(der::SEQUENCE, &Self::of(names).names)
    }

    /// The DER, signed by a fresh P-256 key.
    pub fn der(&self) -> Vec<u8> {
        self.signed_by(&AnyKey::generate("ES256"))
    }

    /// The DER, signed by this key.
    pub fn signed_by(&self, key: &AnyKey) -> Vec<u8> {
        self.signed(key, key)
    }

    /// The DER for one key, signed by another.
    pub fn signed(&self, subject: &AnyKey, signer: &AnyKey) -> Vec<u8> {
        let mut extensions = Vec::new();
        if !self.names.is_empty() {
            let names = der::element(der::OCTETS, &der::element(der::SEQUENCE, &self.names));
            extensions.extend(der::sequence(&[&der::oid(ALT_NAMES), &names]));
        }
        extensions.extend(&self.extensions);
        let mut attributes = self.attributes.clone();
        if !extensions.is_empty() {
            let asked = der::element(der::SET, &der::element(der::SEQUENCE, &extensions));
            attributes.extend(der::sequence(&[&der::oid(EXTENSION_REQUEST), &asked]));
        }
        let subject_name = der::element(der::SEQUENCE, &self.subject);
        let info = der::sequence(&[
            &der::integer(&[0]),
            &subject_name,
            &subject.spki,
            &der::element(0xa0, &attributes),
        ]);
        let (signature, algorithm) = signer.sign_der(&info);
        der::sequence(&[&info, &algorithm, &der::bits(&signature)])
    }
}

/// subjectAltName.
pub const ALT_NAMES: &str = "2.5.29.17";
/// extensionRequest (PKCS #9).
pub const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
