//! The character strings of ASN.1, read into Rust strings and written as Go writes them.

use crate::asn1::{self, Element};

/// The text of a DirectoryString or IA5String; `None` when it is none or does not decode.
pub(super) fn read(element: Element<'_>) -> Option<String> {
    let bytes = element.value;
    match element.tag {
        asn1::UTF8_STRING => String::from_utf8(bytes.to_vec()).ok(),
        asn1::PRINTABLE_STRING | asn1::IA5_STRING | asn1::NUMERIC_STRING => bytes
            .is_ascii()
            .then(|| bytes.iter().map(|byte| char::from(*byte)).collect()),
        // T61 is read as Latin-1, as is common practice.
        asn1::T61_STRING => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        asn1::BMP_STRING => {
            let (pairs, []) = bytes.as_chunks::<2>() else {
                return None;
            };
            char::decode_utf16(pairs.iter().map(|pair| u16::from_be_bytes(*pair)))
                .collect::<Result<_, _>>()
                .ok()
        }
        _ => None,
    }
}

/// PrintableString where the characters allow it, else UTF8String.
pub(crate) fn write(text: &str) -> Vec<u8> {
    let tag = if text.bytes().all(is_printable) {
        asn1::PRINTABLE_STRING
    } else {
        asn1::UTF8_STRING
    };
    asn1::wrap(tag, &[text.as_bytes()])
}

/// The PrintableString alphabet of X.680: neither `*` nor `&`.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Cursor;

    fn text(tag: u8, bytes: &[u8]) -> Option<String> {
        let der = asn1::wrap(tag, &[bytes]);
        read(Cursor::new(&der).unwrap().next().unwrap())
    }

    #[test]
    fn every_string_type_is_read() {
        assert_eq!(
            text(asn1::UTF8_STRING, "ü".as_bytes()).as_deref(),
            Some("ü")
        );
        assert_eq!(text(asn1::T61_STRING, &[0xfc]).as_deref(), Some("ü"));
        assert_eq!(
            text(asn1::BMP_STRING, &[0, 0xfc, 0xd8, 0x3d, 0xde, 0]).as_deref(),
            Some("ü😀")
        );
        assert_eq!(text(asn1::BMP_STRING, &[0]), None);
        assert_eq!(text(asn1::PRINTABLE_STRING, &[0xfc]), None);
        assert_eq!(text(asn1::INTEGER, &[1]), None);
    }
}
