//! Signed requests: an altered body never verifies, whatever key it names.

use std::sync::LazyLock;

use acme::envelope::{Parsed, Payload, Signer};
use pki::jose::{Jwk, jws::Flattened};
use serde_json::Value;

/// The bodies of the corpus, which are everything that their keys have signed.
const SIGNED: [&[u8]; 6] = [
    include_bytes!("../corpus/jws/es256.json"),
    include_bytes!("../corpus/jws/es384.json"),
    include_bytes!("../corpus/jws/es512-kid.json"),
    include_bytes!("../corpus/jws/eddsa.json"),
    include_bytes!("../corpus/jws/rs256.json"),
    include_bytes!("../corpus/jws/ps256-kid.json"),
];

/// The keys of the corpus; a `kid` selects one by the end of its URL.
static KEYS: LazyLock<Vec<Jwk>> = LazyLock::new(|| {
    let read = |text| Jwk::parse_text(text).expect("the corpus is valid");
    vec![
        read(include_str!("../corpus/jwk/p521.json")),
        read(include_str!("../corpus/jwk/rsa.json")),
    ]
});

/// Verifies the octets as the body of a request.
pub fn check(octets: &[u8]) -> bool {
    let parsed = Parsed::parse(octets);
    let flattened = Flattened::parse(octets);
    assert!(
        flattened.is_ok() || parsed.is_err(),
        "the envelope accepts what JWS refuses"
    );
    let Ok(parsed) = parsed else {
        return false;
    };
    drop(parsed.nonce().map(str::to_owned));
    let keys = match parsed.signer() {
        Signer::Jwk(jwk) => vec![jwk.clone()],
        Signer::Kid(_) => KEYS.clone(),
    };
    let url = parsed.url().to_owned();
    let verified = keys
        .iter()
        .find_map(|key| parsed.clone().verify(key, &url).ok());
    if let Some(verified) = verified {
        let sent = members(octets);
        assert!(
            SIGNED.iter().any(|seed| members(seed) == sent),
            "a request verifies without a signature by the key"
        );
        let empty = verified.payload() == Payload::Empty;
        assert_eq!(empty, verified.empty().is_ok());
        assert!(!empty || verified.json::<Value>().is_err());
    }
    true
}

/// The signed input: `protected` and `payload` as received.
fn members(body: &[u8]) -> Option<(Value, Value)> {
    let json: Value = serde_json::from_slice(body).ok()?;
    Some((json.get("protected")?.clone(), json.get("payload")?.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run;

    #[test]
    fn any_body_is_parsed_or_refused_and_an_altered_one_never_verifies() {
        run::nearly_valid("jws");
    }

    #[test]
    fn the_requests_of_the_corpus_verify() {
        for seed in SIGNED {
            let parsed = Parsed::parse(seed).unwrap();
            let url = parsed.url().to_owned();
            let key = match parsed.signer() {
                Signer::Jwk(jwk) => jwk.clone(),
                Signer::Kid(kid) => KEYS[kid.ends_with("/2") as usize].clone(),
            };
            assert!(parsed.verify(&key, &url).is_ok(), "{}", seed.escape_ascii());
        }
    }

    #[test]
    fn a_signature_with_a_flipped_bit_never_verifies() {
        for seed in SIGNED {
            let json: Value = serde_json::from_slice(seed).unwrap();
            let text = json["signature"].as_str().unwrap();
            let good = data_encoding::BASE64URL_NOPAD
                .decode(text.as_bytes())
                .unwrap();
            for place in 0..good.len() {
                let mut changed = good.clone();
                changed[place] ^= 1 << (place % 8);
                let mut body = json.clone();
                body["signature"] = data_encoding::BASE64URL_NOPAD.encode(&changed).into();
                let parsed = Parsed::parse(body.to_string().as_bytes()).unwrap();
                let url = parsed.url().to_owned();
                let key = match parsed.signer() {
                    Signer::Jwk(jwk) => jwk.clone(),
                    Signer::Kid(kid) => KEYS[kid.ends_with("/2") as usize].clone(),
                };
                assert!(parsed.verify(&key, &url).is_err(), "octet {place}");
            }
        }
    }

    /// The JSON parser is recursive, so the depth must be limited.
    #[test]
    fn json_twenty_thousand_levels_deep_is_refused() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
            let body = format!(r#"{{"protected":{deep},"payload":"","signature":""}}"#);
            assert!(Parsed::parse(body.as_bytes()).is_err());
            let protected = data_encoding::BASE64URL_NOPAD.encode(deep.as_bytes());
            let body = format!(r#"{{"protected":"{protected}","payload":"","signature":""}}"#);
            assert!(Parsed::parse(body.as_bytes()).is_err());
        }
    }
}
