//! Contacts of accounts (RFC 8555 §7.3): an accepted contact is one plain address that is safe to
//! display and to log.

use acme::contact;

/// Checks the octets as the only contact of an account.
pub fn check(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    match contact::check(&[text.to_owned()]) {
        Ok(()) => {
            assert!(text.bytes().all(|b| b.is_ascii_graphic()), "{text:?}");
            let ats = text.matches('@').count() + text.matches("%40").count();
            assert_eq!(ats, 1, "{text}");
            assert!(!text.contains(['?', '#', ',']), "{text}");
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
    fn any_text_is_refused_or_one_address() {
        run::nearly_valid("contact");
    }
}
