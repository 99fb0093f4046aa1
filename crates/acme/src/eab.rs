//! External account binding (RFC 8555 §7.3.4): a JWS inside the newAccount request, by a key from
//! the operator, over the account's own key.
//!
//! Not here: which keys exist, and whether a key may bind another account.

use data_encoding::BASE64URL_NOPAD;
use pki::jose::jws::{self, Flattened};
use pki::jose::{Alg, Jwk};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::message::body;
use crate::problem::{Kind, Problem, quote};

/// The permitted algorithms of a binding.
const ALGORITHMS: [Alg; 3] = [Alg::Hs256, Alg::Hs384, Alg::Hs512];

/// A MAC key that the operator gives to a client. It is secret: it cannot be printed, and is zeroed
/// when dropped.
#[derive(Clone)]
pub struct MacKey(Zeroizing<Vec<u8>>);

impl MacKey {
    /// The key of these octets.
    #[must_use]
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// Parses the text form given to clients: base64url, with or without padding.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('=');
        let octets = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        (!octets.is_empty()).then(|| Self::new(octets))
    }

    /// The octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The text form given to clients: base64url without padding.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(&self.0))
    }
}

/// A well-formed binding whose MAC is not verified yet.
#[derive(Clone, Debug)]
pub struct Parsed {
    jws: Flattened,
    kid: String,
    url: String,
    sent: Value,
}

/// A verified binding, for one account key at one URL.
#[derive(Debug, PartialEq)]
pub struct Bound {
    kid: String,
    sent: Value,
}

impl Parsed {
    /// Parses the member `externalAccountBinding` of a newAccount request.
    ///
    /// # Errors
    /// `badSignatureAlgorithm` with the permitted algorithms, otherwise `malformed`.
    pub fn parse(sent: &Value) -> Result<Self, Problem> {
        let jws = Flattened::parse(sent.to_string().as_bytes())
            .map_err(|error| malformed(&format!("is not a flattened JSON JWS: {error}")))?;
        let header = jws.header();
        algorithm(&header.alg)?;
        if header.nonce.is_some() {
            return Err(malformed("must not have a nonce in its protected header"));
        }
        if header.jwk.is_some() {
            return Err(malformed(
                "must not have a jwk in its protected header: its key is named by kid",
            ));
        }
        if header.crit.is_some() || header.b64.is_some() {
            return Err(malformed(
                "has crit or b64 in its protected header, and no such extension is supported",
            ));
        }
        let kid = header.kid.clone().filter(|kid| !kid.is_empty());
        let kid = kid.ok_or_else(|| {
            malformed("has no kid in its protected header: use the id of your external account key")
        })?;
        let url = header.url.clone().ok_or_else(|| {
            malformed("has no url in its protected header: it must repeat that of newAccount")
        })?;
        Ok(Self {
            jws,
            kid,
            url,
            sent: sent.clone(),
        })
    }

    /// The id of the key, not verified yet.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Verifies that the key has bound `account` at `url`, the URL of the outer request.
    ///
    /// # Errors
    /// `malformed` if it is for another URL or another account key, `unauthorized` if the MAC is
    /// wrong.
    pub fn verify(self, key: &MacKey, url: &str, account: &Jwk) -> Result<Bound, Problem> {
        if self.url != url {
            return Err(malformed(&format!(
                "is for {}, but the outer request is for {}",
                quote(&self.url),
                quote(url)
            )));
        }
        let payload: Value = body::read(self.jws.payload())
            .map_err(|_| malformed("has a payload that is not a JSON Web Key"))?;
        let bound = Jwk::parse(&payload).map_err(|error| {
            malformed(&format!("has a payload that is not a public key: {error}"))
        })?;
        if bound != *account {
            return Err(malformed(
                "has another key as its payload than the key that signed the request",
            ));
        }
        // The comparison takes constant time.
        self.jws.verify_hmac(key.octets()).map_err(|_| {
            Problem::unauthorized(
                "The MAC of the external account binding is wrong: check that the HMAC key was \
                 copied completely, and that the client decodes it from base64url.",
            )
        })?;
        Ok(Bound {
            kid: self.kid,
            sent: self.sent,
        })
    }
}

impl Bound {
    /// The id of the key.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The JWS as the client sent it, for the account object (RFC 8555 §7.1.2).
    #[must_use]
    pub const fn sent(&self) -> &Value {
        &self.sent
    }
}

/// Creates the binding of `account` for a newAccount request to `url`, as a client does.
///
/// # Errors
/// When the MAC cannot be computed.
pub fn bind(kid: &str, key: &MacKey, url: &str, account: &Jwk) -> Result<Value, pki::Error> {
    let header = Map::from_iter([
        ("kid".to_owned(), Value::String(kid.to_owned())),
        ("url".to_owned(), Value::String(url.to_owned())),
    ]);
    let payload = account.to_json().to_string();
    let jws = jws::sign_hmac(Alg::Hs256, key.octets(), &header, payload.as_bytes())?;
    body::read(jws.as_bytes()).map_err(|_| pki::Error::Jose("the JWS is no JSON"))
}

fn algorithm(name: &str) -> Result<(), Problem> {
    if ALGORITHMS.iter().any(|alg| alg.as_str() == name) {
        return Ok(());
    }
    let names: Vec<String> = ALGORITHMS.map(|alg| alg.as_str().to_owned()).to_vec();
    let detail = format!(
        "The external account binding has the algorithm {}, which is not a MAC: use one of {}.",
        quote(name),
        names.join(", ")
    );
    Err(Problem::new(Kind::BadSignatureAlgorithm, detail).with_algorithms(names))
}

fn malformed(what: &str) -> Problem {
    Problem::malformed(format!("The external account binding {what}."))
}

#[cfg(test)]
mod tests {
    use pki::PrivateKey;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const URL: &str = "https://ca.lab/acme/acme/new-account";

    fn account() -> Jwk {
        let pem = include_bytes!("../testdata/account.pem");
        Jwk::from_public_key(PrivateKey::from_pem(pem, None).unwrap().public())
    }

    fn other() -> Jwk {
        let pem = include_bytes!("../testdata/rsa.pem");
        Jwk::from_public_key(PrivateKey::from_pem(pem, None).unwrap().public())
    }

    fn mac() -> MacKey {
        MacKey::new(vec![7; 32])
    }

    fn sealed(alg: Alg, header: &Value, payload: &[u8]) -> Value {
        let header: Map<String, Value> = serde_json::from_value(header.clone()).unwrap();
        let jws = jws::sign_hmac(alg, mac().octets(), &header, payload).unwrap();
        serde_json::from_str(&jws).unwrap()
    }

    fn usual(alg: Alg) -> Value {
        let payload = account().to_json().to_string();
        sealed(alg, &json!({"kid": "k1", "url": URL}), payload.as_bytes())
    }

    fn refused(header: &Value) -> Problem {
        let payload = account().to_json().to_string();
        Parsed::parse(&sealed(Alg::Hs256, header, payload.as_bytes())).unwrap_err()
    }

    fn judged(sent: &Value, key: &MacKey, url: &str) -> Result<Bound, Problem> {
        Parsed::parse(sent)?.verify(key, url, &account())
    }

    #[test]
    fn a_binding_by_each_mac_algorithm_has_its_kid_and_is_kept_as_sent() {
        for alg in ALGORITHMS {
            let sent = usual(alg);
            let bound = judged(&sent, &mac(), URL).unwrap();
            assert_eq!((bound.kid(), bound.sent()), ("k1", &sent));
        }
    }

    #[test]
    fn a_binding_by_our_client_is_accepted() {
        let sent = bind("k1", &mac(), URL, &account()).unwrap();
        assert!(judged(&sent, &mac(), URL).is_ok());
    }

    #[test]
    fn a_binding_by_another_key_is_unauthorized() {
        for wrong in [vec![8; 32], Vec::new(), vec![7; 31]] {
            let problem = judged(&usual(Alg::Hs256), &MacKey::new(wrong), URL).unwrap_err();
            assert_eq!((problem.kind, problem.status), (Kind::Unauthorized, 403));
        }
        let mut emptied = usual(Alg::Hs256);
        emptied["signature"] = json!("");
        let problem = judged(&emptied, &mac(), URL).unwrap_err();
        assert_eq!(problem.kind, Kind::Unauthorized);
    }

    #[test]
    fn a_binding_for_another_url_or_account_is_malformed() {
        let problem = judged(&usual(Alg::Hs256), &mac(), "https://ca.lab/x").unwrap_err();
        assert!(problem.detail.contains("https://ca.lab/x"), "{problem}");
        let parsed = Parsed::parse(&usual(Alg::Hs256)).unwrap();
        let problem = parsed.verify(&mac(), URL, &other()).unwrap_err();
        assert!(problem.detail.contains("another key"), "{problem}");
        let symmetric = json!({"kty": "oct", "k": "AAAA"}).to_string();
        for payload in ["", "[]", "{}", "null", "\"\"", &symmetric] {
            let header = json!({"kid": "k1", "url": URL});
            let sent = sealed(Alg::Hs256, &header, payload.as_bytes());
            let problem = judged(&sent, &mac(), URL).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed, "{payload}");
        }
    }

    #[test]
    fn each_missing_or_extra_header_member_has_its_own_detail() {
        let key = account().to_json();
        for (header, words) in [
            (json!({"kid": "k", "url": URL, "nonce": "n"}), "nonce"),
            (json!({"kid": "k", "url": URL, "jwk": key}), "jwk"),
            (json!({"kid": "k", "url": URL, "crit": ["x"]}), "crit"),
            (json!({"url": URL}), "no kid"),
            (json!({"kid": "", "url": URL}), "no kid"),
            (json!({"kid": 1, "url": URL}), "kid"),
            (json!({"kid": "k"}), "no url"),
        ] {
            let problem = refused(&header);
            assert_eq!(problem.kind, Kind::Malformed, "{header}");
            assert!(problem.detail.contains(words), "{problem}");
        }
    }

    #[test]
    fn only_macs_will_do() {
        for alg in ["none", "ES256", "RS256", "HS1", "hs256", ""] {
            let header = json!({"alg": alg, "kid": "k", "url": URL}).to_string();
            let header = BASE64URL_NOPAD.encode(header.as_bytes());
            let sent = json!({"protected": header, "payload": "", "signature": ""});
            let problem = Parsed::parse(&sent).unwrap_err();
            assert_eq!(problem.kind, Kind::BadSignatureAlgorithm, "{alg}");
            assert_eq!(problem.algorithms, ["HS256", "HS384", "HS512"]);
        }
    }

    #[test]
    fn the_text_of_a_key_is_parsed_with_and_without_padding() {
        let text = mac().to_text();
        for text in [text.to_string(), format!("{}=\n", text.as_str())] {
            assert_eq!(MacKey::from_text(&text).unwrap().octets(), mac().octets());
        }
        for wrong in ["", "a b", "+/+/", "ä"] {
            assert!(MacKey::from_text(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_json_is_refused_without_a_server_error(
            protected in ".{0,60}", payload in ".{0,60}", signature in ".{0,20}", kind in 0..4
        ) {
            let text = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
            let sent = match kind {
                0 => json!({"protected": protected, "payload": payload, "signature": signature}),
                1 => json!({"protected": text(&protected), "payload": text(&payload), "signature": ""}),
                2 => json!([protected]),
                _ => json!(payload),
            };
            let problem = judged(&sent, &mac(), URL).unwrap_err();
            prop_assert!((400..500).contains(&problem.status));
        }
    }
}
