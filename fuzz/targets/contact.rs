//! Contacts of accounts (RFC 8555 §7.3): what is accepted is one plain address, so that it can be
//! shown, logged and written to.

use acme::contact;

/// The octets as the one contact of an account.
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
    fn no_text_breaks_the_check_and_an_accepted_one_is_one_address() {
        run::nearly_right("contact");
    }
}
