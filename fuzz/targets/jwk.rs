//! Keys in JSON: a key has one canonical form, and private keys are refused.

use pki::jose::Jwk;
use serde_json::Value;

/// Parses the octets as the text of a JWK.
pub fn check(octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return false;
    };
    let Ok(jwk) = Jwk::parse_text(text) else {
        return false;
    };
    let json = jwk.to_json();
    assert_eq!(Jwk::parse(&json).as_ref(), Ok(&jwk));
    assert_eq!(
        Jwk::from_public_key(jwk.public_key()).thumbprint(),
        jwk.thumbprint()
    );
    let sent: Value = serde_json::from_str(text).expect("it was parsed");
    for (name, value) in json.as_object().expect("an object") {
        assert_eq!(
            sent.get(name),
            Some(value),
            "{name} was parsed as another value"
        );
    }
    for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert_eq!(sent.get(private), None, "a private member was accepted");
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_text_is_parsed_or_refused_and_a_key_has_one_form() {
        run::nearly_valid("jwk");
    }
}
