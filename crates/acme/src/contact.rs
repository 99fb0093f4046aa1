//! Contacts of an account (RFC 8555 §7.3): mail addresses as `mailto:` URLs, one address each,
//! without header fields. Not here: whether mail arrives.

use std::borrow::Cow;

use crate::problem::{Kind, Problem, quote};

/// Checks the contacts of an account.
///
/// # Errors
/// `unsupportedContact` for another scheme than `mailto`; `invalidContact` for anything but one
/// plain address, and for too many or too long contacts.
pub fn check(contacts: &[String]) -> Result<(), Problem> {
    if contacts.len() > MOST {
        return Err(invalid(format!(
            "The account has {} contacts, and {MOST} is the limit: send fewer.",
            contacts.len()
        )));
    }
    contacts.iter().try_for_each(|contact| one(contact))
}

fn one(contact: &str) -> Result<(), Problem> {
    let shown = quote(contact);
    let (scheme, address) = contact.split_once(':').unwrap_or(("", contact));
    if !scheme.eq_ignore_ascii_case("mailto") {
        return Err(Problem::new(
            Kind::UnsupportedContact,
            format!("Contact {shown} is not supported: use a mailto: URL."),
        ));
    }
    match fault(address) {
        None => Ok(()),
        Some(what) => Err(invalid(format!(
            "Contact {shown} {what}: write it like \"mailto:admin@example.org\"."
        ))),
    }
}

/// What is wrong with the part after `mailto:` (RFC 6068 §2).
fn fault(address: &str) -> Option<&'static str> {
    if address.contains('?') {
        return Some("has header fields, which are not allowed");
    }
    if address.contains('#') {
        return Some("has a fragment, which is not allowed");
    }
    let Some(address) = decoded(address) else {
        return Some("has a % that is not followed by two hexadecimal digits");
    };
    if address.is_empty() {
        return Some("has no address");
    }
    if !address.iter().all(u8::is_ascii_graphic) {
        return Some("has a space, a control character or a character beyond ASCII");
    }
    let text = String::from_utf8_lossy(&address);
    if text.contains(',') || text.matches('@').count() > 1 {
        return Some("has more than one address");
    }
    let (user, host) = text.split_once('@').unwrap_or((&text, ""));
    let quoting = |c: char| "<>\"\\()[]:;".contains(c);
    let plain = !user.is_empty() && user.len() <= 64 && !user.contains(quoting);
    if plain && text.len() <= LONGEST && is_host(host) {
        return None;
    }
    Some("is not one plain mail address")
}

/// Whether this is a domain name (RFC 5321 §2.3.5); address literals in brackets are rejected.
fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let hyphen = label.starts_with('-') || label.ends_with('-');
        (1..=63).contains(&label.len())
            && !hyphen
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label)
}

/// Decodes percent-encoding; none if it is invalid.
fn decoded(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            octets.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        octets.push(u8::try_from(value).ok()?);
    }
    Some(Cow::Owned(octets))
}

fn invalid(detail: String) -> Problem {
    Problem::new(Kind::InvalidContact, detail)
}

/// The most contacts of an account.
const MOST: usize = 10;
/// The most octets of an address (RFC 5321 §4.5.3.1.3, without its brackets).
const LONGEST: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(contact: &str) -> Kind {
        check(&[contact.to_owned()]).unwrap_err().kind
    }

    #[test]
    fn single_plain_mail_addresses_are_accepted() {
        for contact in [
            "mailto:a@example.com",
            "MailTo:cert-admin+x@sub.example.com",
            "mailto:gorby%25kremvax@example.com",
            "mailto:root@localhost",
            "mailto:o'hara@example.com",
        ] {
            assert_eq!(check(&[contact.to_owned()]), Ok(()), "{contact}");
        }
        assert_eq!(check(&[]), Ok(()));
    }

    #[test]
    fn other_schemes_are_unsupported() {
        for contact in ["tel:+123", "not a url", "", "mailto", "https://a@b"] {
            assert_eq!(refused(contact), Kind::UnsupportedContact, "{contact}");
        }
    }

    #[test]
    fn anything_but_one_plain_address_is_invalid() {
        for contact in [
            "mailto:",
            "mailto:@example.org",
            "mailto:nobody",
            "mailto:nobody@",
            "mailto:a@b,c@d",
            "mailto:a@b%2Cc@d",
            "mailto:a%40b@c",
            "mailto:a@b?subject=x",
            "mailto:a@b?",
            "mailto:a@b#f",
            "mailto:a@b%0D%0ABcc:%20c",
            "mailto:a b@c",
            "mailto:ä@b",
            "mailto:%C3%A4@b",
            "mailto:a%@b",
            "mailto:a%4@b",
            "mailto:a%+1@b",
            "mailto:<a@b>",
            "mailto:a@-b.c",
            "mailto:a@b..c",
            "mailto:a@[127.0.0.1]",
        ] {
            assert_eq!(refused(contact), Kind::InvalidContact, "{contact}");
        }
    }

    #[test]
    fn too_many_or_too_long_contacts_are_invalid() {
        let long = format!("mailto:a@{}.example", "b".repeat(60).repeat(5));
        assert_eq!(refused(&long), Kind::InvalidContact);
        let many = vec!["mailto:a@b.example".to_owned(); 11];
        assert_eq!(check(&many).unwrap_err().kind, Kind::InvalidContact);
        assert_eq!(check(&many[..10]), Ok(()));
    }
}
