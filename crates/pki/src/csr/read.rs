//! Taking a received request apart, and verifying it.

use std::collections::BTreeSet;

use super::{Csr, Fault};
use crate::{
    alt_name::{self, AltName},
    asn1::{self, Cursor, Malformed},
    error::Error,
    extension::{self, Extension},
    key::{PublicKey, SignatureAlgorithm},
    name::Name,
    oid,
};

impl From<Malformed> for Fault {
    fn from(_: Malformed) -> Self {
        Self::NotDer
    }
}

pub(super) fn verify(der: &[u8]) -> Result<Csr, Fault> {
    if asn1::has_trailing_bytes(der) {
        return Err(Fault::TrailingBytes);
    }
    let mut outer = Cursor::only(der, asn1::SEQUENCE)?;
    let info = outer.take(asn1::SEQUENCE)?;
    let algorithm = outer.take(asn1::SEQUENCE)?;
    let signature = outer.bits()?;
    outer.finish()?;

    let mut fields = Cursor::new(info.value)?;
    fields.small()?;
    let subject = Name::from_der(fields.take(asn1::SEQUENCE)?.raw).map_err(|_| Fault::NotDer)?;
    let public_key =
        PublicKey::from_spki_der(fields.take(asn1::SEQUENCE)?.raw).map_err(key_fault)?;
    let attributes = fields.take_if(asn1::constructed(0))?;
    fields.finish()?;

    let algorithm = SignatureAlgorithm::from_identifier(algorithm.raw).map_err(key_fault)?;
    public_key
        .verify(algorithm, info.raw, signature)
        .map_err(key_fault)?;

    let alt_names = match attributes {
        Some(attributes) => alt_names(&requested(Cursor::new(attributes.value)?)?)?,
        None => Vec::new(),
    };
    let common_name = common_name(&subject)?;
    Ok(Csr {
        der: der.to_vec(),
        subject,
        common_name,
        alt_names,
        public_key,
    })
}

fn key_fault(error: Error) -> Fault {
    match error {
        Error::BadSignature => Fault::BadSignature,
        Error::UnsupportedSignature(oid) => Fault::UnsupportedAlgorithm(oid),
        Error::KeyMismatch { algorithm, key } => Fault::KeyMismatch { algorithm, key },
        Error::UnsupportedKey(what) => Fault::UnsupportedKey(what),
        Error::InvalidKey(family) => Fault::InvalidKey(family),
        Error::RsaTooSmall(bits) => Fault::RsaTooSmall(bits),
        Error::RsaTooLarge(bits) => Fault::RsaTooLarge(bits),
        Error::RsaExponent => Fault::RsaExponent,
        Error::WeakKey(weakness) => Fault::WeakKey(weakness),
        Error::Der(_)
        | Error::TrailingBytes(_)
        | Error::Pem(_)
        | Error::NoPem(_)
        | Error::PasswordRequired
        | Error::WrongPassword
        | Error::UnsupportedEncryption(_)
        | Error::Crypto(_)
        | Error::Name(_)
        | Error::Serial
        | Error::Time
        | Error::Csr(_)
        | Error::Jwk(_)
        | Error::Jwe(_)
        | Error::Jose(_) => Fault::NotDer,
    }
}

/// The extensions of the one extensionRequest attribute (RFC 2985 §5.4.2); other attributes are passed over.
fn requested(mut attributes: Cursor<'_>) -> Result<Vec<Extension>, Fault> {
    let mut found = None;
    while !attributes.is_empty() {
        let mut attribute = attributes.enter(asn1::SEQUENCE)?;
        let kind = attribute.oid()?;
        let values = attribute.take(asn1::SET)?;
        attribute.finish()?;
        if kind != oid::EXTENSION_REQUEST {
            continue;
        }
        if found.is_some() {
            return Err(Fault::DuplicateExtensionRequest);
        }
        let mut values = Cursor::new(values.value)?;
        found = Some(extension::parse_all(values.enter(asn1::SEQUENCE)?)?);
        if !values.is_empty() {
            return Err(Fault::DuplicateExtensionRequest);
        }
    }
    let extensions = found.unwrap_or_default();
    let mut seen = BTreeSet::new();
    match extensions
        .iter()
        .find(|extension| !seen.insert(extension.oid))
    {
        Some(again) => Err(Fault::DuplicateExtension(again.oid.to_string())),
        None => Ok(extensions),
    }
}

fn alt_names(extensions: &[Extension]) -> Result<Vec<AltName>, Fault> {
    match extensions
        .iter()
        .find(|extension| extension.oid == oid::SUBJECT_ALT_NAME)
    {
        // A SEQUENCE of no names is not legal, but some clients send it when they want none.
        Some(san) if san.value == [0x30, 0] => Ok(Vec::new()),
        Some(san) => alt_name::parse(&san.value).map_err(|error| Fault::AltNames(Box::new(error))),
        None => Ok(Vec::new()),
    }
}

fn common_name(subject: &Name) -> Result<Option<String>, Fault> {
    if !subject.is_clean() {
        return Err(Fault::Subject);
    }
    if subject.common_names().count() > 1 {
        return Err(Fault::SeveralCommonNames);
    }
    Ok(subject.cn())
}
