//! Names of certificates in the URLs of renewal information (RFC 9773 §4.1), which anybody may ask
//! for: one certificate has one name.

use acme::renewal::CertificateId;

/// The octets as a name.
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
    fn no_text_breaks_the_reader_and_a_certificate_has_one_name() {
        run::nearly_right("certificate_id");
    }
}
