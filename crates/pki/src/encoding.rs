//! Whether octets from a configuration file are DER (X.690 §10).
//!
//! Not here: what they mean.

use crate::asn1::{self, Cursor, Malformed};
use crate::error::Error;

/// How deeply values may be nested.
const DEEPEST: usize = 16;

/// Checks that `bytes` are one DER value and nothing else, including the nested values.
///
/// # Errors
/// [`Error::Der`].
pub fn check(bytes: &[u8]) -> Result<(), Error> {
    let read = || {
        let mut cursor = Cursor::new(bytes)?;
        one(&mut cursor, DEEPEST)?;
        cursor.finish()
    };
    read().map_err(|Malformed| Error::Der("value"))
}

fn one(cursor: &mut Cursor<'_>, deepest: usize) -> Result<(), Malformed> {
    let element = cursor.next()?;
    let is_constructed = element.tag & 0x20 != 0;
    if is_constructed {
        let deepest = deepest.checked_sub(1).ok_or(Malformed)?;
        let mut inside = Cursor::new(element.value)?;
        while !inside.is_empty() {
            one(&mut inside, deepest)?;
        }
        return Ok(());
    }
    let holds = match (element.tag, element.value) {
        (asn1::BOOLEAN, value) => matches!(value, [0] | [0xff]),
        (asn1::NULL, value) => value.is_empty(),
        (asn1::INTEGER, value) => match value {
            [] | [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] => false,
            [..] => true,
        },
        (asn1::BIT_STRING, value) => matches!(value, [0] | [0..8, _, ..]),
        (asn1::OID, _) => Cursor::new(element.raw)?.oid().is_ok(),
        (asn1::UTF8_STRING, value) => std::str::from_utf8(value).is_ok(),
        (asn1::SEQUENCE | asn1::SET, _) => false,
        _ => true,
    };
    if holds { Ok(()) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_is_distinguished_from_similar_bytes() {
        for good in [
            &[5, 0][..],
            &[1, 1, 0xff],
            &[2, 1, 0],
            &[2, 2, 0, 0x80],
            &[0x30, 3, 2, 1, 5],
            &[0x0c, 2, 0xc3, 0xbc],
            &[0x30, 5, 0xa0, 3, 6, 1, 0x2a],
            &[3, 2, 7, 0x80],
        ] {
            assert_eq!(check(good), Ok(()), "{good:02x?}");
        }
        for bad in [
            &[][..],
            &[5],
            &[5, 1, 0],
            &[5, 0, 0],
            &[1, 1, 1],
            &[2, 0],
            &[2, 2, 0, 1],
            &[2, 2, 0xff, 0x80],
            &[0x30, 0x80, 0, 0],
            &[0x30, 3, 2, 2, 5],
            &[0x30, 0x81, 3, 2, 1, 5],
            &[0x0c, 1, 0xff],
            &[3, 1, 1],
            &[6, 1, 0x80],
        ] {
            assert!(check(bad).is_err(), "{bad:02x?}");
        }
        let deep = (0..20).fold(vec![5, 0], |inner, _| asn1::sequence(&[&inner]));
        assert!(check(&deep).is_err());
    }
}
