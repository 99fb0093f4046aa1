//! Android's KeyDescription, the extension of an attestation certificate
//! (Android Open Source Project, "Key and ID attestation").

use crate::{
    Certificate,
    asn1::{self, Cursor, Malformed},
    error::Error,
    oid,
};

/// Where a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecurityLevel {
    /// In software.
    Software,
    /// In the trusted execution environment.
    TrustedEnvironment,
    /// In a StrongBox, a chip of its own.
    StrongBox,
}

/// What the device says about a key. Lists of authorizations are read for what is named here only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDescription {
    /// Where the attestation was made.
    pub attestation_level: SecurityLevel,
    /// Where the key lives.
    pub key_level: SecurityLevel,
    /// Whether the hardware made the key, so that no copy of it is elsewhere.
    pub generated: bool,
    /// What the client wanted to be attested with the key.
    pub challenge: Vec<u8>,
    /// The device's serial number, vouched for by the hardware.
    pub serial: Option<String>,
    /// The version of the operating system as six digits, vouched for by the hardware.
    pub os_version: Option<u32>,
    /// The month of its security patches as `YYYYMM`, vouched for by the hardware.
    pub patch_level: Option<u32>,
}

/// The tag in an AuthorizationList of a key that all applications may use.
const ALL_APPLICATIONS: u32 = 600;
/// The tag of the origin of the key.
const ORIGIN: u32 = 702;
/// The tag of the version of the operating system.
const OS_VERSION: u32 = 705;
/// The tag of the month of the security patches.
const PATCH_LEVEL: u32 = 706;
/// The tag of the device's serial number.
const ID_SERIAL: u32 = 713;
/// The most authorizations that are read of a list.
const MOST: usize = 200;

/// The description of the certificate's key; none if it has no such extension.
///
/// # Errors
/// [`Error::Der`].
pub fn key_description(certificate: &Certificate) -> Result<Option<KeyDescription>, Error> {
    let value = certificate.extension_value(&oid::ANDROID_KEY_DESCRIPTION);
    value.map(KeyDescription::parse).transpose()
}

impl KeyDescription {
    /// Reads the value of the extension.
    ///
    /// # Errors
    /// [`Error::Der`].
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let read = || {
            let mut fields = Cursor::only(value, asn1::SEQUENCE)?;
            fields.small()?;
            let attestation_level = level(fields.take(asn1::ENUMERATED)?.value)?;
            fields.small()?;
            let key_level = level(fields.take(asn1::ENUMERATED)?.value)?;
            let challenge = fields.take(asn1::OCTET_STRING)?.value.to_vec();
            fields.take(asn1::OCTET_STRING)?;
            let software = authorizations(fields.take(asn1::SEQUENCE)?.value)?;
            let hardware = authorizations(fields.take(asn1::SEQUENCE)?.value)?;
            fields.finish()?;
            if software.for_all || hardware.for_all {
                return Err(Malformed);
            }
            Ok(Self {
                attestation_level,
                key_level,
                generated: hardware.origin == Some(0),
                challenge,
                serial: hardware.serial,
                os_version: hardware.os_version,
                patch_level: hardware.patch_level,
            })
        };
        read().map_err(|_: Malformed| Error::Der("KeyDescription"))
    }
}

fn level(value: &[u8]) -> Result<SecurityLevel, Malformed> {
    match value {
        [0] => Ok(SecurityLevel::Software),
        [1] => Ok(SecurityLevel::TrustedEnvironment),
        [2] => Ok(SecurityLevel::StrongBox),
        _ => Err(Malformed),
    }
}

/// What is read of an AuthorizationList.
#[derive(Default)]
struct Authorizations {
    for_all: bool,
    origin: Option<u32>,
    serial: Option<String>,
    os_version: Option<u32>,
    patch_level: Option<u32>,
}

/// Reads a list. Its tags go beyond 30, so that they take several octets, which DER readers of one
/// octet do not know.
fn authorizations(mut list: &[u8]) -> Result<Authorizations, Malformed> {
    let mut out = Authorizations::default();
    let mut last = None;
    for _ in 0..MOST {
        if list.is_empty() {
            return Ok(out);
        }
        let (tag, value, rest) = tagged(list)?;
        if last.is_some_and(|last| tag <= last) {
            return Err(Malformed);
        }
        last = Some(tag);
        list = rest;
        let number = || {
            let mut inside = Cursor::new(value)?;
            let number = inside.small()?;
            inside.finish().map(|()| Some(number))
        };
        match tag {
            ID_SERIAL => {
                let mut inside = Cursor::new(value)?;
                let text = inside.take(asn1::OCTET_STRING)?.value;
                inside.finish()?;
                out.serial = Some(String::from_utf8(text.to_vec()).map_err(|_| Malformed)?);
            }
            ALL_APPLICATIONS => out.for_all = true,
            ORIGIN => out.origin = number()?,
            OS_VERSION => out.os_version = number()?,
            PATCH_LEVEL => out.patch_level = number()?,
            _ => {}
        }
    }
    Err(Malformed)
}

/// A context-specific, constructed element with a tag of one or more octets: its tag, its contents,
/// and what follows.
fn tagged(bytes: &[u8]) -> Result<(u32, &[u8], &[u8]), Malformed> {
    let (first, mut rest) = bytes.split_first().ok_or(Malformed)?;
    if first & 0xe0 != 0xa0 {
        return Err(Malformed);
    }
    let mut tag = u32::from(first & 0x1f);
    if tag == 0x1f {
        tag = 0;
        loop {
            let (octet, further) = rest.split_first().ok_or(Malformed)?;
            rest = further;
            if tag > u32::from(u16::MAX) || tag == 0 && octet & 0x7f == 0 {
                return Err(Malformed);
            }
            tag = tag << 7 | u32::from(octet & 0x7f);
            if octet & 0x80 == 0 {
                break;
            }
        }
        if tag < 0x1f {
            return Err(Malformed);
        }
    }
    let (length, rest) = length(rest)?;
    let (value, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
    Ok((tag, value, rest))
}

/// A length in DER, of at most two octets after the first.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), Malformed> {
    match bytes {
        [short @ 0..=0x7f, rest @ ..] => Ok((usize::from(*short), rest)),
        [0x81, long @ 0x80..=0xff, rest @ ..] => Ok((usize::from(*long), rest)),
        [0x82, high @ 1..=0xff, low, rest @ ..] => {
            Ok((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description with this list of what the hardware vouches for.
    fn description(hardware: &[u8]) -> Vec<u8> {
        asn1::sequence(&[
            &[2, 2, 1, 44],
            &[0x0a, 1, 1],
            &[2, 2, 1, 44],
            &[0x0a, 1, 2],
            &asn1::octet_string(b"token.thumbprint"),
            &asn1::octet_string(b""),
            &asn1::sequence(&[]),
            &asn1::sequence(&[hardware]),
        ])
    }

    /// `[702] 0, [705] 140000, [706] 202610, [713] "SER1"`.
    const LIST: &[u8] = b"\xbf\x85\x3e\x03\x02\x01\x00\xbf\x85\x41\x05\x02\x03\x02\x22\xe0\xbf\x85\x42\x05\x02\x03\x03\x17\x72\xbf\x85\x49\x06\x04\x04SER1";

    #[test]
    fn a_description_is_read() {
        let read = KeyDescription::parse(&description(LIST)).unwrap();
        assert_eq!(read.attestation_level, SecurityLevel::TrustedEnvironment);
        assert_eq!(read.key_level, SecurityLevel::StrongBox);
        assert!(read.generated);
        assert_eq!(read.challenge, b"token.thumbprint");
        assert_eq!(read.serial.as_deref(), Some("SER1"));
        assert_eq!(
            (read.os_version, read.patch_level),
            (Some(140_000), Some(202_610))
        );
    }

    #[test]
    fn a_list_out_of_order_or_with_an_entry_twice_is_refused() {
        let twice = [&LIST[25..], &LIST[25..]].concat();
        assert!(KeyDescription::parse(&description(&twice)).is_err());
        let reversed = [&LIST[7..], &LIST[..7]].concat();
        assert!(KeyDescription::parse(&description(&reversed)).is_err());
    }

    #[test]
    fn a_key_that_was_imported_or_is_for_all_applications_is_told_apart() {
        let imported = [&LIST[..6], &[2], &LIST[7..]].concat();
        let read = KeyDescription::parse(&description(&imported)).unwrap();
        assert!(!read.generated);
        let unsaid = KeyDescription::parse(&description(&LIST[7..])).unwrap();
        assert!(!unsaid.generated);
        let for_all = [b"\xbf\x84\x58\x02\x05\x00", LIST].concat();
        assert!(KeyDescription::parse(&description(&for_all)).is_err());
    }

    #[test]
    fn what_is_cut_off_anywhere_is_refused() {
        let whole = description(LIST);
        for end in 0..whole.len() {
            assert!(KeyDescription::parse(&whole[..end]).is_err(), "{end}");
        }
        let trailing = [&whole[..], &[0]].concat();
        assert!(KeyDescription::parse(&trailing).is_err());
        assert!(tagged(b"\xbf\x1e\x00").is_err(), "a tag in too many octets");
    }
}
