//! Subject alternative names (RFC 5280 §4.2.1.6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    asn1::{self, Cursor, Element, Malformed},
    error::Error,
};

/// One GeneralName.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AltName {
    /// dNSName, as it was written (letter case kept).
    Dns(String),
    /// iPAddress.
    Ip(IpAddr),
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// Any other form.
    Other {
        /// An otherName's type, or the name of the form, such as `directoryName`.
        oid: String,
        /// The whole GeneralName.
        der: Vec<u8>,
    },
}

impl std::fmt::Display for AltName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) => f.write_str(text),
            Self::Ip(address) => address.fmt(f),
            Self::Other { oid, .. } => f.write_str(oid),
        }
    }
}

/// Reads GeneralNames.
///
/// # Errors
/// [`Error::Der`] when it is none or empty; [`Error::Name`] for a name that is not printable ASCII or
/// an address that is neither 4 nor 16 bytes long.
pub fn parse(der: &[u8]) -> Result<Vec<AltName>, Error> {
    let malformed = |_: Malformed| Error::Der("subject alternative name");
    let mut names = Cursor::only(der, asn1::SEQUENCE).map_err(malformed)?;
    let mut out = Vec::new();
    while !names.is_empty() {
        out.push(one(names.next().map_err(malformed)?)?);
    }
    if out.is_empty() {
        Err(malformed(Malformed))
    } else {
        Ok(out)
    }
}

/// Writes GeneralNames in the order given.
#[must_use]
pub fn encode(names: &[AltName]) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = names.iter().map(general_name).collect();
    asn1::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn general_name(name: &AltName) -> Vec<u8> {
    match name {
        AltName::Email(text) => asn1::wrap(asn1::primitive(1), &[text.as_bytes()]),
        AltName::Dns(text) => asn1::wrap(asn1::primitive(2), &[text.as_bytes()]),
        AltName::Uri(text) => asn1::wrap(asn1::primitive(6), &[text.as_bytes()]),
        AltName::Ip(IpAddr::V4(address)) => asn1::wrap(asn1::primitive(7), &[&address.octets()]),
        AltName::Ip(IpAddr::V6(address)) => asn1::wrap(asn1::primitive(7), &[&address.octets()]),
        AltName::Other { der, .. } => der.clone(),
    }
}

fn one(element: Element<'_>) -> Result<AltName, Error> {
    let form = match element.tag {
        0x81 => return text(element).map(AltName::Email),
        0x82 => return text(element).map(AltName::Dns),
        0x86 => return text(element).map(AltName::Uri),
        0x87 => return address(element.value).map(AltName::Ip),
        0xa0 => {
            let oid = Cursor::new(element.value).and_then(|mut inside| inside.oid());
            oid.map_err(|Malformed| Error::Der("subject alternative name"))?
                .to_string()
        }
        0xa3 => "x400Address".to_owned(),
        0xa4 => "directoryName".to_owned(),
        0xa5 => "ediPartyName".to_owned(),
        0x88 => "registeredID".to_owned(),
        _ => return Err(Error::Der("subject alternative name")),
    };
    Ok(AltName::Other {
        oid: form,
        der: element.raw.to_vec(),
    })
}

fn text(element: Element<'_>) -> Result<String, Error> {
    if !element.value.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return Err(Error::Name("an alternative name is not printable ASCII"));
    }
    Ok(element.value.iter().map(|byte| char::from(*byte)).collect())
}

fn address(bytes: &[u8]) -> Result<IpAddr, Error> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes)
        .map_err(|_| Error::Name("an IP address has the wrong length"))?;
    Ok(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_back() {
        let other = asn1::wrap(
            0xa0,
            &[&asn1::oid("1.2.3".parse().unwrap()), &[0xa0, 2, 5, 0]],
        );
        let directory = asn1::wrap(0xa4, &[&asn1::sequence(&[])]);
        let names = vec![
            AltName::Dns("a.example".into()),
            AltName::Ip("192.0.2.1".parse().unwrap()),
            AltName::Ip("2001:db8::1".parse().unwrap()),
            AltName::Email("a@b".into()),
            AltName::Uri("https://a/".into()),
            AltName::Other {
                oid: "1.2.3".into(),
                der: other,
            },
            AltName::Other {
                oid: "directoryName".into(),
                der: directory,
            },
        ];
        assert_eq!(parse(&encode(&names)).unwrap(), names);
    }

    #[test]
    fn letters_that_do_not_belong_are_refused() {
        for bad in [&b"a\0b"[..], b"\xc3\xbc.example", b"a\n"] {
            let der = asn1::sequence(&[&asn1::wrap(0x82, &[bad])]);
            assert!(matches!(parse(&der), Err(Error::Name(_))), "{bad:?}");
        }
        assert!(matches!(
            parse(&asn1::sequence(&[&asn1::wrap(0x87, &[&[1, 2, 3]])])),
            Err(Error::Name(_))
        ));
    }

    #[test]
    fn none_at_all_is_refused() {
        assert!(matches!(parse(&asn1::sequence(&[])), Err(Error::Der(_))));
        assert!(matches!(parse(&[0x30, 0, 0]), Err(Error::Der(_))));
        assert!(matches!(
            parse(&asn1::sequence(&[&[0x89, 0]])),
            Err(Error::Der(_))
        ));
    }
}
