//! Identifiers of certificates in the URLs of renewal information (RFC 9773 §4.1), which need no
//! account: they are read as RFC 9773 writes them, or without the zero octet that DER puts before a
//! serial number whose top bit is set.

use acme::renewal::CertificateId;
use data_encoding::BASE64URL_NOPAD;

/// Parses the octets as an identifier.
pub fn check(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    match CertificateId::parse(text) {
        Ok(id) => {
            let written = id.to_string();
            assert!((1..=20).contains(&id.serial().bytes().len()), "{text}");
            assert!(
                written == text || without_sign_octet(&written) == text,
                "{text}"
            );
            assert_eq!(CertificateId::parse(&written), Ok(id));
            true
        }
        Err(problem) => {
            assert!(problem.detail.len() < 2_000);
            false
        }
    }
}

/// The identifier with DER's leading zero octet of the serial number left out.
fn without_sign_octet(written: &str) -> String {
    let (authority, serial) = written.split_once('.').expect("an identifier has a dot");
    let serial = BASE64URL_NOPAD.decode(serial.as_bytes());
    let serial = serial.expect("an identifier is in base64url");
    let serial = serial.strip_prefix(&[0]).unwrap_or(&serial);
    format!("{authority}.{}", BASE64URL_NOPAD.encode(serial))
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_text_is_parsed_or_refused_and_written_again_in_one_way() {
        run::nearly_valid("certificate_id");
    }
}
