//! Names and addresses: an accepted identifier is canonical, so that two are equal only if their texts
//! are, and no name parses as an address.

use std::net::IpAddr;

use acme::Identifier;
use pki::alt_name;

/// Parses the octets as the value of an identifier of each type.
pub fn check(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    let kinds = ["dns", "ip"].map(|kind| Identifier::parse(kind, text));
    let guessed = Identifier::guess(text);
    for identifier in kinds.iter().chain([&guessed]).flatten() {
        let shown = identifier.to_string();
        assert_eq!(
            Identifier::parse(identifier.kind(), &shown).as_ref(),
            Ok(identifier)
        );
        assert_eq!(Identifier::guess(&shown).as_ref(), Ok(identifier));
        assert!(shown.len() <= 253 && shown.is_ascii(), "{shown}");
        assert_eq!(shown, shown.to_ascii_lowercase());
        let names = [identifier.to_alt_name()];
        assert_eq!(
            alt_name::parse(&alt_name::encode(&names)).as_deref(),
            Ok(&names[..])
        );
        if identifier.kind() == "dns" {
            name(&shown, identifier.is_wildcard());
        }
        let json = serde_json::to_string(identifier).expect("it is written");
        assert_eq!(
            serde_json::from_str::<Identifier>(&json).ok().as_ref(),
            Some(identifier)
        );
    }
    let both = kinds.iter().filter(|kind| kind.is_ok()).count();
    assert!(both < 2, "both a name and an address: {text}");
    both == 1
}

fn name(shown: &str, wildcard: bool) {
    let base = shown.strip_prefix("*.");
    assert_eq!(base.is_some(), wildcard);
    let base = base.unwrap_or(shown);
    assert!(base.parse::<IpAddr>().is_err());
    for label in base.split('.') {
        assert!((1..=63).contains(&label.len()), "{shown}");
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        assert!(label.bytes().all(fits), "{shown}");
    }
    let last = base.rsplit('.').next().unwrap_or(base);
    assert!(
        !last.bytes().all(|b| b.is_ascii_digit()),
        "{shown} parses as an address"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn any_text_is_parsed_or_refused_and_a_name_has_one_form() {
        run::nearly_valid("identifier");
    }

    /// Very long text is refused by its length; the problem does not repeat it.
    #[test]
    fn names_of_a_million_octets_are_refused_with_a_short_problem() {
        for piece in ["a", "a.", "xn--a.", "\u{fc}", "*.", "1.", ":"] {
            let long = piece.repeat(1_000_000 / piece.len());
            for kind in ["dns", "ip", "dns-account", &long] {
                let problem = Identifier::parse(kind, &long).unwrap_err();
                assert!(
                    problem.detail.len() < 2_000,
                    "{piece}: {}",
                    problem.detail.len()
                );
            }
        }
    }
}
