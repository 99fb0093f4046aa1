//! Certificate extensions (RFC 5280 §4.2) and the one that names a step provisioner.

use der::asn1::ObjectIdentifier;

use crate::{
    alt_name::{self, AltName},
    asn1::{self, Cursor, Malformed},
    error::Error,
    name::text,
    oid,
};

/// One extension, its value undecoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// What it is.
    pub oid: ObjectIdentifier,
    /// Whether software that does not understand it must refuse the certificate.
    pub critical: bool,
    /// The contents of `extnValue`.
    pub value: Vec<u8>,
}

/// The bits of keyUsage (RFC 5280 §4.2.1.3); combine with `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsages(u16);

/// A key purpose (RFC 5280 §4.2.1.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtendedKeyUsage {
    /// id-kp-serverAuth.
    ServerAuth,
    /// id-kp-clientAuth.
    ClientAuth,
    /// id-kp-codeSigning.
    CodeSigning,
    /// id-kp-emailProtection.
    EmailProtection,
    /// id-kp-timeStamping.
    TimeStamping,
    /// id-kp-OCSPSigning.
    OcspSigning,
    /// anyExtendedKeyUsage.
    Any,
    /// Another purpose.
    Other(ObjectIdentifier),
}

/// The provisioner that authorized a certificate, as step writes it (`1.3.6.1.4.1.37476.9000.64.1`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepProvisioner {
    /// The provisioner's type: JWK 1, OIDC 2, GCP 3, AWS 4, Azure 5, ACME 6, X5C 7, K8sSA 8, SSHPOP 9,
    /// SCEP 10, Nebula 11.
    pub kind: u32,
    /// The provisioner's name.
    pub name: String,
    /// The id of the key that authorized; empty for ACME.
    pub credential_id: String,
    /// Keys and values in turn.
    pub pairs: Vec<String>,
}

/// keyUsage, critical.
#[must_use]
pub fn key_usage(usages: KeyUsages) -> Extension {
    let [high, low] = usages.0.to_be_bytes();
    let bytes: &[u8] = if low == 0 { &[high] } else { &[high, low] };
    let unused = bytes
        .last()
        .map_or(0, |last| last.trailing_zeros().min(7))
        .to_be_bytes()[3];
    let value = asn1::wrap(asn1::BIT_STRING, &[&[unused], bytes]);
    Extension {
        oid: oid::KEY_USAGE,
        critical: true,
        value,
    }
}

/// basicConstraints of a CA, critical; `path_len` is how many CAs may follow below.
#[must_use]
pub fn basic_constraints(path_len: Option<u8>) -> Extension {
    let length = path_len
        .map(|length| asn1::unsigned(&[length]))
        .unwrap_or_default();
    let value = asn1::sequence(&[&asn1::wrap(asn1::BOOLEAN, &[&[0xff]]), &length]);
    Extension {
        oid: oid::BASIC_CONSTRAINTS,
        critical: true,
        value,
    }
}

/// extKeyUsage, not critical, in the order given.
#[must_use]
pub fn extended_key_usage(usages: &[ExtendedKeyUsage]) -> Extension {
    let parts: Vec<Vec<u8>> = usages.iter().map(|usage| asn1::oid(usage.oid())).collect();
    let value = asn1::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
    Extension {
        oid: oid::EXTENDED_KEY_USAGE,
        critical: false,
        value,
    }
}

/// subjectKeyIdentifier.
#[must_use]
pub fn subject_key_id(id: &[u8; 20]) -> Extension {
    Extension {
        oid: oid::SUBJECT_KEY_ID,
        critical: false,
        value: asn1::octet_string(id),
    }
}

/// authorityKeyIdentifier with the keyid alone.
#[must_use]
pub fn authority_key_id(id: &[u8]) -> Extension {
    let value = asn1::sequence(&[&asn1::wrap(asn1::primitive(0), &[id])]);
    Extension {
        oid: oid::AUTHORITY_KEY_ID,
        critical: false,
        value,
    }
}

/// subjectAltName; critical when the subject is empty (RFC 5280 §4.2.1.6).
#[must_use]
pub fn subject_alt_names(names: &[AltName], critical: bool) -> Extension {
    Extension {
        oid: oid::SUBJECT_ALT_NAME,
        critical,
        value: alt_name::encode(names),
    }
}

/// noRevAvail (RFC 9608 §2): there is no revocation information for the certificate.
#[must_use]
pub fn no_rev_avail() -> Extension {
    Extension {
        oid: oid::NO_REV_AVAIL,
        critical: false,
        value: asn1::null(),
    }
}

/// The TLS feature status_request (RFC 7633 §4.2.3.1), called must-staple: a server that shows the
/// certificate has to show an OCSP answer with it.
#[must_use]
pub fn must_staple() -> Extension {
    Extension {
        oid: oid::TLS_FEATURE,
        critical: false,
        value: asn1::sequence(&[&asn1::unsigned(&[5])]),
    }
}

/// cRLDistributionPoints (RFC 5280 §4.2.1.13): one point for each URL.
#[must_use]
pub fn crl_distribution_points(urls: &[String]) -> Extension {
    let points = urls.iter().map(|url| {
        let full_name = asn1::wrap(asn1::constructed(0), &[&uri(url)]);
        asn1::sequence(&[&asn1::wrap(asn1::constructed(0), &[&full_name])])
    });
    Extension {
        oid: oid::CRL_DISTRIBUTION_POINTS,
        critical: false,
        value: list(points),
    }
}

/// authorityInfoAccess (RFC 5280 §4.2.2.1): OCSP responders, then places of the issuer's certificate.
#[must_use]
pub fn authority_info_access(ocsp: &[String], issuer: &[String]) -> Extension {
    let ocsp = ocsp.iter().map(|url| (oid::OCSP, url));
    let issuer = issuer.iter().map(|url| (oid::CA_ISSUERS, url));
    let ways = ocsp
        .chain(issuer)
        .map(|(method, url)| asn1::sequence(&[&asn1::oid(method), &uri(url)]));
    Extension {
        oid: oid::AUTHORITY_INFO_ACCESS,
        critical: false,
        value: list(ways),
    }
}

/// A GeneralName with a URL.
fn uri(url: &str) -> Vec<u8> {
    asn1::wrap(asn1::primitive(6), &[url.as_bytes()])
}

fn list(elements: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let elements: Vec<_> = elements.collect();
    asn1::sequence(&elements.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Reads which ways to more about the issuer an authorityInfoAccess names (RFC 5280 §4.2.2.1).
///
/// # Errors
/// [`Error::Der`].
pub fn parse_access_methods(value: &[u8]) -> Result<Vec<ObjectIdentifier>, Error> {
    let read = || -> Result<Vec<ObjectIdentifier>, Malformed> {
        let mut all = Cursor::only(value, asn1::SEQUENCE)?;
        let mut methods = Vec::new();
        while !all.is_empty() {
            methods.push(all.enter(asn1::SEQUENCE)?.oid()?);
        }
        Ok(methods)
    };
    read().map_err(|_| Error::Der("authority information access"))
}

/// Reads the bits of a keyUsage extension's value.
///
/// # Errors
/// [`Error::Der`].
pub fn parse_key_usage(value: &[u8]) -> Result<KeyUsages, Error> {
    let malformed = Error::Der("key usage");
    let mut cursor = Cursor::new(value).map_err(|_| malformed.clone())?;
    match cursor
        .take(asn1::BIT_STRING)
        .map_err(|_| malformed.clone())?
        .value
    {
        [0..8] => Ok(KeyUsages(0)),
        [0..8, high] => Ok(KeyUsages(u16::from_be_bytes([*high, 0]))),
        [0..8, high, low] => Ok(KeyUsages(u16::from_be_bytes([*high, *low]))),
        _ => Err(malformed),
    }
}

/// Reads the purposes of an extKeyUsage extension's value.
///
/// # Errors
/// [`Error::Der`].
pub fn parse_extended_key_usage(value: &[u8]) -> Result<Vec<ExtendedKeyUsage>, Error> {
    let read = || -> Result<Vec<ExtendedKeyUsage>, Malformed> {
        let mut purposes = Cursor::only(value, asn1::SEQUENCE)?;
        let mut out = Vec::new();
        while !purposes.is_empty() {
            out.push(ExtendedKeyUsage::from_oid(purposes.oid()?));
        }
        Ok(out)
    };
    read().map_err(|_| Error::Der("extended key usage"))
}

/// Reads basicConstraints: whether it is a CA, and its path length.
///
/// # Errors
/// [`Error::Der`].
pub fn parse_basic_constraints(value: &[u8]) -> Result<(bool, Option<u32>), Error> {
    let read = || -> Result<(bool, Option<u32>), Malformed> {
        let mut fields = Cursor::only(value, asn1::SEQUENCE)?;
        let is_ca = fields
            .take_if(asn1::BOOLEAN)?
            .is_some_and(|flag| flag.value != [0]);
        let length = if fields.is_empty() {
            None
        } else {
            Some(fields.small()?)
        };
        fields.finish()?;
        Ok((is_ca, length))
    };
    read().map_err(|_| Error::Der("basic constraints"))
}

/// Reads the `Extensions` SEQUENCE.
pub(crate) fn parse_all(mut list: Cursor<'_>) -> Result<Vec<Extension>, Malformed> {
    let mut out = Vec::new();
    while !list.is_empty() {
        let mut fields = list.enter(asn1::SEQUENCE)?;
        let oid = fields.oid()?;
        let critical = fields
            .take_if(asn1::BOOLEAN)?
            .is_some_and(|flag| flag.value != [0]);
        let value = fields.take(asn1::OCTET_STRING)?.value.to_vec();
        fields.finish()?;
        out.push(Extension {
            oid,
            critical,
            value,
        });
    }
    Ok(out)
}

impl Extension {
    /// The DER of the extension.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let critical = if self.critical {
            asn1::wrap(asn1::BOOLEAN, &[&[0xff]])
        } else {
            Vec::new()
        };
        asn1::sequence(&[
            &asn1::oid(self.oid),
            &critical,
            &asn1::octet_string(&self.value),
        ])
    }
}

impl KeyUsages {
    /// Bit 0.
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// Bit 1, also called nonRepudiation.
    pub const CONTENT_COMMITMENT: Self = Self(0x4000);
    /// Bit 2.
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// Bit 3.
    pub const DATA_ENCIPHERMENT: Self = Self(0x1000);
    /// Bit 4.
    pub const KEY_AGREEMENT: Self = Self(0x0800);
    /// Bit 5.
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// Bit 6.
    pub const CRL_SIGN: Self = Self(0x0200);
    /// Bit 7.
    pub const ENCIPHER_ONLY: Self = Self(0x0100);
    /// Bit 8.
    pub const DECIPHER_ONLY: Self = Self(0x0080);

    /// These without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for KeyUsages {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl ExtendedKeyUsage {
    /// The purpose's object identifier.
    #[must_use]
    pub const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::ServerAuth => oid::SERVER_AUTH,
            Self::ClientAuth => oid::CLIENT_AUTH,
            Self::CodeSigning => oid::CODE_SIGNING,
            Self::EmailProtection => oid::EMAIL_PROTECTION,
            Self::TimeStamping => oid::TIME_STAMPING,
            Self::OcspSigning => oid::OCSP_SIGNING,
            Self::Any => oid::ANY_EXTENDED_KEY_USAGE,
            Self::Other(oid) => oid,
        }
    }

    /// The purpose with this object identifier.
    #[must_use]
    pub fn from_oid(oid: ObjectIdentifier) -> Self {
        let known = [
            Self::ServerAuth,
            Self::ClientAuth,
            Self::CodeSigning,
            Self::EmailProtection,
            Self::TimeStamping,
            Self::OcspSigning,
            Self::Any,
        ];
        known
            .into_iter()
            .find(|usage| usage.oid() == oid)
            .unwrap_or(Self::Other(oid))
    }
}

impl StepProvisioner {
    /// The extension, not critical.
    #[must_use]
    pub fn to_extension(&self) -> Extension {
        let pairs: Vec<Vec<u8>> = self.pairs.iter().map(|text| text::write(text)).collect();
        let pairs = match pairs.as_slice() {
            [] => Vec::new(),
            some => asn1::sequence(&some.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        };
        let value = asn1::sequence(&[
            &asn1::unsigned(&self.kind.to_be_bytes()),
            &asn1::octet_string(self.name.as_bytes()),
            &asn1::octet_string(self.credential_id.as_bytes()),
            &pairs,
        ]);
        Extension {
            oid: oid::STEP_PROVISIONER,
            critical: false,
            value,
        }
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// [`Error::Der`], also when a text is not UTF-8.
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let read = || -> Result<Self, Malformed> {
            let mut fields = Cursor::only(value, asn1::SEQUENCE)?;
            let kind = fields.small()?;
            let name = utf8(fields.take(asn1::OCTET_STRING)?.value)?;
            let credential_id = utf8(fields.take(asn1::OCTET_STRING)?.value)?;
            let mut pairs = Vec::new();
            if let Some(list) = fields.take_if(asn1::SEQUENCE)? {
                let mut list = Cursor::new(list.value)?;
                while !list.is_empty() {
                    pairs.push(utf8(list.next()?.value)?);
                }
            }
            Ok(Self {
                kind,
                name,
                credential_id,
                pairs,
            })
        };
        read().map_err(|_| Error::Der("step provisioner extension"))
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_acme_provisioner_is_the_eleven_bytes_that_step_writes() {
        let acme = StepProvisioner {
            kind: 6,
            name: "acme".into(),
            credential_id: String::new(),
            pairs: vec![],
        };
        let value = acme.to_extension().value;
        assert_eq!(value, b"\x30\x0b\x02\x01\x06\x04\x04acme\x04\x00");
        assert_eq!(StepProvisioner::parse(&value).unwrap(), acme);
        let pairs = StepProvisioner {
            pairs: vec!["k".into(), "ü".into()],
            ..acme
        };
        assert_eq!(
            StepProvisioner::parse(&pairs.to_extension().value).unwrap(),
            pairs
        );
    }

    #[test]
    fn key_usage_has_no_more_bytes_and_bits_than_needed() {
        assert_eq!(
            key_usage(KeyUsages::DIGITAL_SIGNATURE).value,
            [3, 2, 7, 0x80]
        );
        assert_eq!(
            key_usage(KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN).value,
            [3, 2, 1, 6]
        );
        assert_eq!(
            key_usage(KeyUsages::DECIPHER_ONLY).value,
            [3, 3, 7, 0, 0x80]
        );
        for usages in [
            KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_ENCIPHERMENT,
            KeyUsages::DECIPHER_ONLY,
        ] {
            assert_eq!(parse_key_usage(&key_usage(usages).value).unwrap(), usages);
        }
        assert!(parse_key_usage(&[3, 1]).is_err());
    }

    #[test]
    fn a_ca_keeps_its_path_length() {
        assert_eq!(
            basic_constraints(Some(0)).value,
            [0x30, 6, 1, 1, 0xff, 2, 1, 0]
        );
        assert_eq!(
            parse_basic_constraints(&basic_constraints(Some(1)).value).unwrap(),
            (true, Some(1))
        );
        assert_eq!(
            parse_basic_constraints(&basic_constraints(None).value).unwrap(),
            (true, None)
        );
        assert_eq!(parse_basic_constraints(&[0x30, 0]).unwrap(), (false, None));
    }

    #[test]
    fn short_extensions_are_the_octets_of_their_documents() {
        let none = no_rev_avail();
        assert_eq!((none.value.as_slice(), none.critical), (&[5, 0][..], false));
        let staple = must_staple();
        assert_eq!(staple.value, [0x30, 3, 2, 1, 5]);
        assert!(!staple.critical);
    }

    #[test]
    fn where_revocation_is_published_is_written_as_url() {
        let urls = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let crl = crl_distribution_points(&urls(&["http://a/c"]));
        let point = [
            &[0x30, 0x12, 0x30, 0x10, 0xa0, 0x0e, 0xa0, 0x0c, 0x86, 0x0a][..],
            b"http://a/c",
        ];
        assert_eq!(crl.value, point.concat());
        let access = authority_info_access(&urls(&["http://a/o"]), &urls(&["http://a/i"]));
        let way = |last: u8| {
            let method = [0x30, 0x16, 6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, last];
            [&method[..], &[0x86, 0x0a]].concat()
        };
        let ways = [
            &[0x30, 0x30][..],
            &way(1),
            b"http://a/o",
            &way(2),
            b"http://a/i",
        ];
        assert_eq!(access.value, ways.concat());
        let read = parse_access_methods(&access.value);
        assert_eq!(read, Ok(vec![oid::OCSP, oid::CA_ISSUERS]));
        assert!(!crl.critical && !access.critical);
    }

    #[test]
    fn purposes_are_read_back_in_order() {
        let usages = [
            ExtendedKeyUsage::ServerAuth,
            ExtendedKeyUsage::Other("1.2.3".parse().unwrap()),
        ];
        assert_eq!(
            parse_extended_key_usage(&extended_key_usage(&usages).value).unwrap(),
            usages
        );
    }

    #[test]
    fn extensions_are_read_back_whole() {
        let all = [
            key_usage(KeyUsages::CRL_SIGN),
            subject_key_id(&[7; 20]),
            authority_key_id(&[8; 3]),
        ];
        let der: Vec<u8> = all.iter().flat_map(Extension::to_der).collect();
        assert_eq!(parse_all(Cursor::new(&der).unwrap()).unwrap(), all);
    }
}
