//! Identifiers of certificates in the URLs of renewal information (RFC 9773 §4.1), which need no
//! account: each certificate has one identifier.

use acme::renewal::CertificateId;

/// Parses the octets as an identifier.
pub fn check(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    match CertificateId::parse(text) {
        Ok(id) => {
            assert_eq!(id.to_string(), text);
            assert!((1..=20).contains(&id.serial().bytes().len()), "{text}");
            true
        }
        Err(problem) => {
            assert!(problem.detail.len() < 2_000);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_text_is_parsed_or_refused_and_a_certificate_has_one_identifier() {
        run::nearly_valid("certificate_id");
    }
}
