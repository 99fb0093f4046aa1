//! External account bindings: one that was altered never binds, whatever it says.

use acme::eab::{MacKey, Parsed};
use pki::jose::Jwk;
use serde_json::Value;

/// The key of the corpus.
const KEY: &[u8] = b"a MAC key that an operator gives";
const URL: &str = "https://ca.lab/acme/acme/new-account";
/// All that the key has bound.
const BOUND: [&str; 3] = [
    include_str!("../corpus/eab/hs256.json"),
    include_str!("../corpus/eab/hs384.json"),
    include_str!("../corpus/eab/hs512.json"),
];

/// The octets as the member `externalAccountBinding` of a newAccount request by the corpus' account key.
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
    assert!(!verify(&wrong, URL, &account), "another key has made it");
    assert!(
        !verify(&key, "https://ca.lab/elsewhere", &account),
        "it is for another URL"
    );
    assert!(!verify(&key, URL, &other), "it binds another account key");
    let binds = verify(&key, URL, &account);
    let signed = |seed: &&str| members(seed.as_bytes()) == members(octets);
    assert_eq!(
        binds,
        binds && BOUND.iter().any(signed),
        "nobody has made it"
    );
    binds
}

/// What the MAC is over.
fn members(octets: &[u8]) -> Option<(Value, Value)> {
    let json: Value = serde_json::from_slice(octets).ok()?;
    Some((json.get("protected")?.clone(), json.get("payload")?.clone()))
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn no_binding_breaks_the_reader_and_none_that_was_altered_binds() {
        run::nearly_right("eab");
    }
}
