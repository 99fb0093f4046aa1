//! Reading and writing DER one element at a time, on `der`'s strict reader.
//!
//! A certificate of another issuer is taken apart element by element so that what is odd in one
//! field does not hide the others; nothing is ever re-encoded to be hashed or verified.

use der::{Decode, Header, Reader, SliceReader, asn1::ObjectIdentifier};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const NUMERIC_STRING: u8 = 0x12;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const T61_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The context-specific constructed tag `[number]`.
pub(crate) const fn constructed(number: u8) -> u8 {
    0xa0 | number
}

/// The context-specific primitive tag `[number]`.
pub(crate) const fn primitive(number: u8) -> u8 {
    0x80 | number
}

/// The bytes are not DER, or not the element that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One element: its identifier octet, its contents, and the whole of its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    pub(crate) raw: &'a [u8],
}

/// A place in a run of elements.
#[derive(Clone)]
pub(crate) struct Cursor<'a>(SliceReader<'a>);

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        SliceReader::new(bytes).map(Self).map_err(|_| Malformed)
    }

    /// The contents of the one element that `bytes` is, which must have this tag.
    pub(crate) fn only(bytes: &'a [u8], tag: u8) -> Result<Self, Malformed> {
        let mut outer = Self::new(bytes)?;
        let element = outer.take(tag)?;
        outer.finish()?;
        Self::new(element.value)
    }

    pub(crate) fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let header = Header::peek(&self.0).map_err(|_| Malformed)?;
        let raw = self.0.tlv_bytes().map_err(|_| Malformed)?;
        let length = usize::try_from(header.length()).map_err(|_| Malformed)?;
        let start = raw.len().checked_sub(length).ok_or(Malformed)?;
        Ok(Element {
            tag: raw[0],
            value: &raw[start..],
            raw,
        })
    }

    pub(crate) fn take(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        let element = self.next()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(Malformed)
        }
    }

    pub(crate) fn take_if(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.0.peek_byte() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    pub(crate) fn enter(&mut self, tag: u8) -> Result<Self, Malformed> {
        Self::new(self.take(tag)?.value)
    }

    pub(crate) fn oid(&mut self) -> Result<ObjectIdentifier, Malformed> {
        ObjectIdentifier::from_der(self.take(OID)?.raw).map_err(|_| Malformed)
    }

    /// A non-negative INTEGER, big-endian without leading zeros (zero is empty).
    pub(crate) fn unsigned(&mut self) -> Result<&'a [u8], Malformed> {
        let value = self.take(INTEGER)?.value;
        match value {
            [] => Err(Malformed),
            [first, ..] if first & 0x80 != 0 => Err(Malformed),
            [0, second, ..] if second & 0x80 == 0 => Err(Malformed),
            [0, rest @ ..] => Ok(rest),
            all => Ok(all),
        }
    }

    pub(crate) fn small(&mut self) -> Result<u32, Malformed> {
        let bytes = self.unsigned()?;
        if bytes.len() > 4 {
            return Err(Malformed);
        }
        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// A BIT STRING of whole bytes.
    pub(crate) fn bits(&mut self) -> Result<&'a [u8], Malformed> {
        match self.take(BIT_STRING)?.value {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_finished()
    }

    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// Whether `bytes` begins with one whole element that ends before they do.
pub(crate) fn has_trailing_bytes(bytes: &[u8]) -> bool {
    Cursor::new(bytes)
        .and_then(|mut all| all.next())
        .is_ok_and(|first| first.raw.len() < bytes.len())
}

/// One element with these parts as its contents.
pub(crate) fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    let bytes = length.to_be_bytes();
    let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    match (length, u8::try_from(significant.len())) {
        (0..0x80, _) => {
            out.extend_from_slice(significant.last().map_or(&[0], std::slice::from_ref))
        }
        (_, Ok(count)) => {
            out.push(0x80 | count);
            out.extend_from_slice(significant);
        }
        (_, Err(_)) => {}
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    wrap(SEQUENCE, parts)
}

pub(crate) fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    wrap(OID, &[oid.as_bytes()])
}

/// A non-negative INTEGER from big-endian bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let minimal = trim(bytes);
    match minimal.first() {
        None => wrap(INTEGER, &[&[0]]),
        Some(first) if first & 0x80 != 0 => wrap(INTEGER, &[&[0], minimal]),
        Some(_) => wrap(INTEGER, &[minimal]),
    }
}

pub(crate) fn octet_string(bytes: &[u8]) -> Vec<u8> {
    wrap(OCTET_STRING, &[bytes])
}

pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    wrap(BIT_STRING, &[&[0], bytes])
}

pub(crate) fn null() -> Vec<u8> {
    wrap(NULL, &[])
}

/// Without leading zero bytes.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        assert_eq!(wrap(4, &[]), [4, 0]);
        assert_eq!(wrap(4, &[&[7; 127]])[..2], [4, 127]);
        assert_eq!(wrap(4, &[&[7; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(wrap(4, &[&[7; 300]])[..4], [4, 0x82, 1, 44]);
    }

    #[test]
    fn integers_keep_their_sign_and_lose_leading_zeros() {
        assert_eq!(unsigned(&[]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(
            Cursor::new(&[2, 2, 0, 0x80]).unwrap().unsigned().unwrap(),
            [0x80]
        );
        assert!(Cursor::new(&[2, 2, 0, 1]).unwrap().unsigned().is_err());
        assert!(Cursor::new(&[2, 1, 0x80]).unwrap().unsigned().is_err());
    }

    #[test]
    fn lengths_that_are_not_minimal_or_not_there_are_refused() {
        assert!(Cursor::new(&[4, 0x81, 1, 0]).unwrap().next().is_err());
        assert!(Cursor::new(&[4, 0x80, 0, 0]).unwrap().next().is_err());
        assert!(Cursor::new(&[4, 5, 0]).unwrap().next().is_err());
        assert!(has_trailing_bytes(&[4, 0, 1]));
        assert!(!has_trailing_bytes(&[4, 0]));
    }

    /// Elements of few tags and lengths, so that some of the octets are DER.
    fn likely() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![
            prop::sample::select(&[2_u8, 3, 4, 5, 6, 0x1f, 0x30, 0x31, 0x81, 0x82, 0xa0][..]),
            0..6_u8,
            any::<u8>(),
        ];
        vec(octet, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back_and_nothing_is_left_out(octets in likely()) {
            let mut cursor = Cursor::new(&octets).unwrap();
            let mut read = Vec::new();
            while let Ok(element) = cursor.next() {
                read.extend_from_slice(element.raw);
                if element.tag & 0x1f != 0x1f {
                    prop_assert_eq!(wrap(element.tag, &[element.value]), element.raw);
                }
            }
            prop_assert!(octets.starts_with(&read));
            prop_assert_eq!(cursor.is_empty(), read == octets);
        }

        #[test]
        fn numbers_objects_and_bits_are_read_as_they_were_written(octets in vec(any::<u8>(), 0..40)) {
            let number = unsigned(&octets);
            prop_assert_eq!(Cursor::new(&number).unwrap().unsigned().unwrap(), trim(&octets));
            let bits = bit_string(&octets);
            prop_assert_eq!(Cursor::new(&bits).unwrap().bits().unwrap(), &octets[..]);
            let object = wrap(OID, &[&octets]);
            if let Ok(read) = Cursor::new(&object).unwrap().oid() {
                prop_assert_eq!(oid(read), object);
            }
        }
    }
}
