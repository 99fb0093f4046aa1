//! External account bindings: an altered one never verifies.

use acme::eab::{MacKey, Parsed};
use pki::jose::Jwk;
use serde_json::Value;

/// The key of the corpus.
const KEY: &[u8] = b"a MAC key that an operator gives";
const URL: &str = "https://ca.lab/acme/acme/new-account";
/// Everything that the key has signed.
const BOUND: [&str; 3] = [
    include_str!("../corpus/eab/hs256.json"),
    include_str!("../corpus/eab/hs384.json"),
    include_str!("../corpus/eab/hs512.json"),
];

/// Verifies the octets as the member `externalAccountBinding` of a newAccount request by the account
/// key of the corpus.
pub fn check(octets: &[u8]) -> bool {
    let Ok(sent) = serde_json::from_slice::<Value>(octets) else {
        return false;
    };
    let Ok(parsed) = Parsed::parse(&sent) else {
        return false;
    };
    let account = Jwk::parse_text(include_str!("../corpus/jwk/p256.json")).expect("a key");
    let other = Jwk::parse_text(include_str!("../corpus/jwk/p384.json")).expect("a key");
    let key = MacKey::new(KEY.to_vec());
    let wrong = MacKey::new(b"another MAC key".to_vec());
    let verify =
        |key: &MacKey, url: &str, account: &Jwk| parsed.clone().verify(key, url, account).is_ok();
    assert!(!verify(&wrong, URL, &account), "another key verifies it");
    assert!(
        !verify(&key, "https://ca.lab/elsewhere", &account),
        "it verifies for another URL"
    );
    assert!(
        !verify(&key, URL, &other),
        "it verifies for another account key"
    );
    let binds = verify(&key, URL, &account);
    let signed = |seed: &&str| members(seed.as_bytes()) == members(octets);
    assert_eq!(
        binds,
        binds && BOUND.iter().any(signed),
        "it verifies without a MAC by the key"
    );
    binds
}

/// The input of the MAC.
fn members(octets: &[u8]) -> Option<(Value, Value)> {
    let json: Value = serde_json::from_slice(octets).ok()?;
    Some((json.get("protected")?.clone(), json.get("payload")?.clone()))
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_binding_is_parsed_or_refused_and_an_altered_one_never_verifies() {
        run::nearly_valid("eab");
    }
}
