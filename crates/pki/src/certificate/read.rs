//! Parses a certificate; what is needed as bytes is kept as a range of the original.

use std::ops::Range;

use jiff::Timestamp;

use super::Serial;
use crate::{
    asn1::{self, Cursor, Element, Malformed},
    error::Error,
    extension::{self, Extension},
    name::Name,
    time,
};

/// The fields of a certificate.
pub(super) struct Fields {
    pub(super) tbs: Range<usize>,
    pub(super) algorithm: Range<usize>,
    pub(super) signature: Vec<u8>,
    pub(super) version: u32,
    pub(super) serial: Serial,
    pub(super) issuer: Name,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) subject: Name,
    pub(super) spki: Range<usize>,
    pub(super) extensions: Vec<Extension>,
}

/// Maps an error of the reader to that of a malformed certificate.
struct Broken(Error);

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Self(Error::Der("certificate"))
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

pub(super) fn fields(der: &[u8]) -> Result<Fields, Error> {
    read(der).map_err(|Broken(error)| error)
}

fn read(der: &[u8]) -> Result<Fields, Broken> {
    let mut outer = Cursor::only(der, asn1::SEQUENCE)?;
    let tbs = outer.take(asn1::SEQUENCE)?;
    let algorithm = outer.take(asn1::SEQUENCE)?;
    let signature = outer.bits()?.to_vec();
    outer.finish()?;

    let mut inner = Cursor::new(tbs.value)?;
    let version = match inner.take_if(asn1::constructed(0))? {
        Some(version) => Cursor::new(version.value)?.small()?.saturating_add(1),
        None => 1,
    };
    let serial = Serial::from_integer(inner.take(asn1::INTEGER)?.value);
    // Else what is signed could name another algorithm than what is verified (RFC 5280 §4.1.1.2).
    if inner.take(asn1::SEQUENCE)?.raw != algorithm.raw {
        return Err(Malformed.into());
    }
    let issuer = Name::from_der(inner.take(asn1::SEQUENCE)?.raw)?;
    let mut validity = inner.enter(asn1::SEQUENCE)?;
    let (not_before, not_after) = (
        time::parse(validity.next()?)?,
        time::parse(validity.next()?)?,
    );
    let subject = Name::from_der(inner.take(asn1::SEQUENCE)?.raw)?;
    let spki = inner.take(asn1::SEQUENCE)?;
    inner.take_if(asn1::primitive(1))?;
    inner.take_if(asn1::primitive(2))?;
    let extensions = match inner.take_if(asn1::constructed(3))? {
        Some(list) => extension::parse_all(Cursor::only(list.value, asn1::SEQUENCE)?)?,
        None => Vec::new(),
    };
    Ok(Fields {
        tbs: place(der, tbs),
        algorithm: place(der, algorithm),
        signature,
        version,
        serial,
        issuer,
        not_before,
        not_after,
        subject,
        spki: place(der, spki),
        extensions,
    })
}

/// The range of an element within `der`.
fn place(der: &[u8], element: Element<'_>) -> Range<usize> {
    let start = element.raw.as_ptr().addr() - der.as_ptr().addr();
    start..start + element.raw.len()
}
