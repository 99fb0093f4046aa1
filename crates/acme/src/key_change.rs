//! Key rollover (RFC 8555 §7.3.5): a JWS by the new key inside a request by the old key.
//!
//! Not here: whether another account has the new key.

use pki::PrivateKey;
use pki::jose::{Jwk, jws};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::envelope::{Parsed, Payload, Signer, Verified};
use crate::problem::{Problem, quote};

/// The payload of the inner JWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    account: String,
    old_key: Value,
}

/// A change signed by the old and the new key, for one account.
#[derive(Debug, PartialEq)]
pub struct KeyChange {
    old: Jwk,
    new: Jwk,
}

impl KeyChange {
    /// Verifies the change in a request that the account's key `old` has signed for `url`. `is_own`
    /// returns whether a URL is that of the account.
    ///
    /// # Errors
    /// `malformed`, `badPublicKey` or `badSignatureAlgorithm` for an inner JWS that is not a valid one
    /// by the new key for this account and this old key.
    pub fn verify(
        outer: &Verified,
        url: &str,
        old: &Jwk,
        is_own: impl Fn(&str) -> bool,
    ) -> Result<Self, Problem> {
        let Payload::Json(inner) = outer.payload() else {
            return Err(Problem::malformed(
                "The payload is empty: a key change needs a JWS by the new key (RFC 8555 §7.3.5).",
            ));
        };
        let parsed = Parsed::parse(inner).map_err(within)?;
        let Signer::Jwk(new) = parsed.signer() else {
            return Err(malformed(
                "has a kid: its protected header must have the new key as jwk",
            ));
        };
        let new = new.clone();
        if parsed.has_nonce() {
            return Err(malformed("has a nonce: only the outer JWS may have one"));
        }
        if parsed.url() != url {
            return Err(malformed(&format!(
                "is for {}, but the outer request is for {}",
                quote(parsed.url()),
                quote(url)
            )));
        }
        let verified = parsed.verify(&new, url).map_err(within)?;
        let message: Message = verified.json().map_err(within)?;
        if !is_own(&message.account) {
            return Err(malformed(&format!(
                "is for the account {}, which is not the one that signed the request",
                quote(&message.account)
            )));
        }
        match Jwk::parse(&message.old_key) {
            Ok(key) if key == *old => Ok(Self {
                old: old.clone(),
                new,
            }),
            Ok(_) => Err(malformed(
                "has another oldKey than the current key of the account",
            )),
            Err(error) => Err(malformed(&format!(
                "has an oldKey that is not a public key: {error}"
            ))),
        }
    }

    /// The current key of the account.
    #[must_use]
    pub const fn old_key(&self) -> &Jwk {
        &self.old
    }

    /// The new key.
    #[must_use]
    pub const fn new_key(&self) -> &Jwk {
        &self.new
    }
}

/// Creates the inner JWS, which replaces the key `old` of `account` by the new key; a client sends
/// it to `url`.
///
/// # Errors
/// When the new key cannot sign.
pub fn agree(new: &PrivateKey, old: &Jwk, account: &str, url: &str) -> Result<String, pki::Error> {
    let header = Map::from_iter([
        (
            "jwk".to_owned(),
            Jwk::from_public_key(new.public()).to_json(),
        ),
        ("url".to_owned(), Value::String(url.to_owned())),
    ]);
    let message = json!({ "account": account, "oldKey": old.to_json() });
    jws::sign(new, &header, message.to_string().as_bytes())
}

fn malformed(what: &str) -> Problem {
    Problem::malformed(format!("The inner JWS of the key change {what}."))
}

/// Marks a problem as one of the inner JWS.
fn within(problem: Problem) -> Problem {
    let detail = format!("In the inner JWS of the key change: {}", problem.detail);
    Problem { detail, ..problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;

    const URL: &str = "https://ca.lab/acme/acme/key-change";
    const ACCOUNT: &str = "https://ca.lab/acme/acme/account/1";

    fn key(pem: &[u8]) -> PrivateKey {
        PrivateKey::from_pem(pem, None).unwrap()
    }

    fn old() -> PrivateKey {
        key(include_bytes!("../testdata/account.pem"))
    }

    fn new() -> PrivateKey {
        key(include_bytes!("../testdata/certificate.pem"))
    }

    fn jwk(key: &PrivateKey) -> Jwk {
        Jwk::from_public_key(key.public())
    }

    fn signed(key: &PrivateKey, header: &Value, payload: &[u8]) -> String {
        let header: Map<String, Value> = serde_json::from_value(header.clone()).unwrap();
        jws::sign(key, &header, payload).unwrap()
    }

    /// The outer request with `inner` as its payload.
    fn judged(inner: &str) -> Result<KeyChange, Problem> {
        let header = json!({"kid": ACCOUNT, "nonce": "n", "url": URL});
        let outer = signed(&old(), &header, inner.as_bytes());
        let outer = Parsed::parse(outer.as_bytes()).unwrap();
        let outer = outer.verify(&jwk(&old()), URL).unwrap();
        KeyChange::verify(&outer, URL, &jwk(&old()), |url| url == ACCOUNT)
    }

    fn inner(header: &Value, message: &Value) -> String {
        signed(&new(), header, message.to_string().as_bytes())
    }

    fn header() -> Value {
        json!({"jwk": jwk(&new()).to_json(), "url": URL})
    }

    fn message() -> Value {
        json!({"account": ACCOUNT, "oldKey": jwk(&old()).to_json()})
    }

    #[test]
    fn a_change_signed_by_both_keys_is_accepted() {
        let change = judged(&agree(&new(), &jwk(&old()), ACCOUNT, URL).unwrap()).unwrap();
        assert_eq!(
            (change.old_key(), change.new_key()),
            (&jwk(&old()), &jwk(&new()))
        );
        let rsa = key(include_bytes!("../testdata/rsa.pem"));
        assert!(judged(&agree(&rsa, &jwk(&old()), ACCOUNT, URL).unwrap()).is_ok());
    }

    #[test]
    fn an_invalid_inner_header_is_malformed() {
        let mut nonce = header();
        nonce["nonce"] = json!("n");
        let mut url = header();
        url["url"] = json!("https://ca.lab/x");
        let kid = json!({"kid": ACCOUNT, "url": URL});
        for (header, words) in [(nonce, "nonce"), (url, "/x"), (kid, "has a kid")] {
            let problem = judged(&inner(&header, &message())).unwrap_err();
            assert_eq!((problem.kind, problem.status), (Kind::Malformed, 400));
            assert!(problem.detail.contains(words), "{problem}");
        }
    }

    #[test]
    fn another_account_or_old_key_is_malformed() {
        let mut account = message();
        account["account"] = json!("https://ca.lab/acme/acme/account/2");
        let mut old_key = message();
        old_key["oldKey"] = jwk(&new()).to_json();
        let mut private = message();
        private["oldKey"]["d"] = json!("AAAA");
        for (message, words) in [
            (account, "account/2"),
            (old_key, "another oldKey"),
            (private, "not a public key"),
            (json!({"account": ACCOUNT}), "oldKey"),
            (json!([]), "not a JSON object"),
        ] {
            let problem = judged(&inner(&header(), &message)).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed);
            assert!(problem.detail.contains(words), "{problem}");
        }
    }

    #[test]
    fn a_new_key_that_did_not_sign_is_refused() {
        let claimed = json!({"jwk": jwk(&new()).to_json(), "url": URL});
        let forged = signed(&old(), &claimed, message().to_string().as_bytes());
        let problem = judged(&forged).unwrap_err();
        assert!(problem.detail.contains("signature"), "{problem}");
        for junk in ["{}", "x", "\"\""] {
            let problem = judged(junk).unwrap_err();
            assert!((400..500).contains(&problem.status), "{problem}");
        }
    }
}
