//! The signed request: a flattened JWS that is parsed, then verified (RFC 8555 §6.2–§6.5). Only a
//! [`Verified`] gives access to its payload.
//!
//! Not here: whether a nonce is valid, and which key an account has.

use pki::jose::Alg;
use pki::jose::jwk::Jwk;
use pki::jose::jws::Flattened;
use serde::de::DeserializeOwned;

use crate::message::body;
use crate::problem::{Kind, Problem, quote};

/// A request with a valid header, whose signature is not verified yet.
#[derive(Clone, Debug)]
pub struct Parsed {
    jws: Flattened,
    signer: Signer,
    url: String,
}

/// The claimed signer.
#[derive(Clone, Debug, PartialEq)]
pub enum Signer {
    /// The holder of this key, for a new account.
    Jwk(Jwk),
    /// The account with this URL.
    Kid(String),
}

impl Parsed {
    /// Parses a request body.
    ///
    /// # Errors
    /// `badSignatureAlgorithm` with the permitted algorithms, `badPublicKey` for an unsuitable key,
    /// otherwise `malformed`.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let jws = Flattened::parse(body).map_err(|error| {
            Problem::malformed(format!(
                "The request body is not a flattened JSON JWS: {error}."
            ))
        })?;
        let header = jws.header();
        let alg = algorithm(&header.alg)?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(Problem::malformed(
                "The protected header has crit or b64, and no such extension is supported.",
            ));
        }
        let signer = match (&header.jwk, &header.kid) {
            (Some(jwk), None) => Signer::Jwk(public_key(jwk, alg)?),
            (None, Some(kid)) => Signer::Kid(kid.clone()),
            (Some(_), Some(_)) => {
                return Err(Problem::malformed(
                    "The protected header has both jwk and kid: send exactly one of them.",
                ));
            }
            (None, None) => {
                return Err(Problem::malformed(
                    "The protected header has neither jwk nor kid: send the account's URL as kid, \
                     or the key as jwk for a new account.",
                ));
            }
        };
        let Some(url) = header.url.clone() else {
            return Err(Problem::malformed(
                "The protected header has no url: it must repeat the URL of the request.",
            ));
        };
        Ok(Self { jws, signer, url })
    }

    /// The claimed signer.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The nonce in the protected header.
    ///
    /// # Errors
    /// `badNonce` if there is none, `malformed` if it is not base64url
    /// (RFC 8555 §6.5.2).
    pub fn nonce(&self) -> Result<&str, Problem> {
        let Some(nonce) = self.jws.header().nonce.as_deref() else {
            return Err(Problem::bad_nonce(
                "The protected header has no nonce: use the Replay-Nonce of this answer.",
            ));
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if nonce.is_empty() || !nonce.bytes().all(fits) {
            return Err(Problem::malformed(
                "The nonce in the protected header is not base64url: send the Replay-Nonce unchanged.",
            ));
        }
        Ok(nonce)
    }

    /// Whether the protected header has a nonce, valid or not.
    pub fn has_nonce(&self) -> bool {
        self.jws.header().nonce.is_some()
    }

    /// The URL in the protected header.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Verifies the signature by `key`, and that the request was signed for `request_url`.
    ///
    /// # Errors
    /// `unauthorized` if the URLs differ (RFC 8555 §6.4), `malformed` if the
    /// algorithm does not fit the key or the signature is wrong.
    pub fn verify(self, key: &Jwk, request_url: &str) -> Result<Verified, Problem> {
        if self.url != request_url {
            return Err(Problem::unauthorized(format!(
                "The request was signed for {}, but it was sent to {}: sign the URL of the request.",
                quote(&self.url),
                quote(request_url)
            )));
        }
        fits_key(key, algorithm(&self.jws.header().alg)?)?;
        self.jws.verify(key).map_err(|error| {
            Problem::malformed(format!(
                "The signature is not valid for the key of this request: {error}."
            ))
        })?;
        Ok(Verified {
            jws: self.jws,
            signer: self.signer,
        })
    }
}

/// A request whose signature and URL are verified.
#[derive(Debug)]
pub struct Verified {
    jws: Flattened,
    signer: Signer,
}

/// The payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Empty: a POST-as-GET (RFC 8555 §6.3).
    Empty,
    /// Octets, which should be JSON.
    Json(&'a [u8]),
}

impl Verified {
    /// The signer.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The payload.
    pub fn payload(&self) -> Payload<'_> {
        match self.jws.payload() {
            [] => Payload::Empty,
            bytes => Payload::Json(bytes),
        }
    }

    /// The payload's octets; empty for a POST-as-GET.
    pub fn bytes(&self) -> &[u8] {
        self.jws.payload()
    }

    /// Parses the payload as a JSON object.
    ///
    /// # Errors
    /// `malformed` with the position of the error.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let Payload::Json(bytes) = self.payload() else {
            return Err(Problem::malformed(
                "The payload is empty (POST-as-GET), but this request needs a JSON object.",
            ));
        };
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::malformed("The payload is not a JSON object."));
        }
        body::read(bytes).map_err(|error| {
            Problem::malformed(format!("The payload does not fit this resource: {error}."))
        })
    }

    /// Checks that the request is a POST-as-GET (RFC 8555 §6.3).
    ///
    /// # Errors
    /// `malformed` if there is a payload.
    pub fn empty(&self) -> Result<(), Problem> {
        match self.payload() {
            Payload::Empty => Ok(()),
            Payload::Json(_) => Err(Problem::malformed(
                "POST-as-GET requires an empty payload (\"\"), not even an empty object: \
                 see RFC 8555 §6.3.",
            )),
        }
    }
}

/// Checks that the algorithm is a signature: a MAC is for external accounts only.
fn algorithm(name: &str) -> Result<Alg, Problem> {
    let known = Alg::SIGNATURES.into_iter().find(|alg| alg.as_str() == name);
    known.ok_or_else(|| {
        let names = Alg::SIGNATURES.iter().map(|alg| alg.as_str().to_owned());
        let names: Vec<String> = names.collect();
        let detail = format!(
            "The signature algorithm {} is not accepted: use one of {}.",
            quote(name),
            names.join(", ")
        );
        Problem::new(Kind::BadSignatureAlgorithm, detail).with_algorithms(names)
    })
}

fn public_key(jwk: &serde_json::Value, alg: Alg) -> Result<Jwk, Problem> {
    let key = Jwk::parse(jwk).map_err(|error| {
        Problem::new(
            Kind::BadPublicKey,
            format!("The key in the protected header is not accepted: {error}."),
        )
    })?;
    fits_key(&key, alg)?;
    match jwk.get("alg").and_then(|own| own.as_str()) {
        Some(own) if !own.parse::<Alg>().is_ok_and(|own| own.is_same_as(alg)) => {
            Err(Problem::malformed(format!(
                "The key is for {} by its alg, but the request is signed with {}.",
                quote(own),
                alg.as_str()
            )))
        }
        _ => Ok(key),
    }
}

fn fits_key(key: &Jwk, alg: Alg) -> Result<(), Problem> {
    if key.allows(alg) {
        return Ok(());
    }
    Err(Problem::malformed(format!(
        "The algorithm {} does not fit the key, which is {}.",
        alg.as_str(),
        key.public_key().kind()
    )))
}

#[cfg(test)]
mod tests {
    use pki::PrivateKey;
    use pki::jose::jws;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::message::account::NewAccount;

    const URL: &str = "https://ca.lab/acme/acme/new-account";

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../testdata/account.pem"), None).unwrap()
    }

    fn other_key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../testdata/rsa.pem"), None).unwrap()
    }

    fn jwk() -> Jwk {
        Jwk::from_public_key(key().public())
    }

    fn signed(header: Value, payload: &[u8]) -> String {
        let header: Map<String, Value> = serde_json::from_value(header).unwrap();
        jws::sign(&key(), &header, payload).unwrap()
    }

    fn usual(payload: &[u8]) -> String {
        let header = json!({"jwk": jwk().to_json(), "nonce": "abc-_9", "url": URL});
        signed(header, payload)
    }

    fn refused(header: Value) -> Problem {
        Parsed::parse(signed(header, b"{}").as_bytes()).unwrap_err()
    }

    /// A body with exactly this protected header and an empty signature.
    fn forged(header: &str) -> Problem {
        let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
        let body = format!(r#"{{"protected":"{header}","payload":"","signature":"AA"}}"#);
        Parsed::parse(body.as_bytes()).unwrap_err()
    }

    fn verified(payload: &[u8]) -> Verified {
        let parsed = Parsed::parse(usual(payload).as_bytes()).unwrap();
        parsed.verify(&jwk(), URL).unwrap()
    }

    #[test]
    fn a_verified_request_gives_its_payload() {
        let parsed = Parsed::parse(usual(br#"{"onlyReturnExisting":true}"#).as_bytes()).unwrap();
        assert_eq!(parsed.signer(), &Signer::Jwk(jwk()));
        assert_eq!(parsed.nonce(), Ok("abc-_9"));
        assert_eq!(parsed.url(), URL);
        let verified = parsed.verify(&jwk(), URL).unwrap();
        let read: NewAccount = verified.json().unwrap();
        assert!(read.only_return_existing);
        assert_eq!(verified.signer(), &Signer::Jwk(jwk()));
    }

    #[test]
    fn a_kid_is_kept_unchanged() {
        let body = signed(json!({"kid": "https://ca.lab/a/1", "url": URL}), b"");
        let parsed = Parsed::parse(body.as_bytes()).unwrap();
        assert_eq!(parsed.signer(), &Signer::Kid("https://ca.lab/a/1".into()));
        assert_eq!(parsed.nonce().unwrap_err().kind, Kind::BadNonce);
    }

    #[test]
    fn a_request_for_another_url_is_unauthorized() {
        let parsed = Parsed::parse(usual(b"").as_bytes()).unwrap();
        let problem = parsed.verify(&jwk(), "https://ca.lab/x").unwrap_err();
        assert_eq!((problem.kind, problem.status), (Kind::Unauthorized, 403));
    }

    #[test]
    fn a_request_signed_by_another_key_is_refused() {
        let other = Jwk::from_public_key(other_key().public());
        let parsed = Parsed::parse(usual(b"").as_bytes()).unwrap();
        let problem = parsed.verify(&other, URL).unwrap_err();
        assert!(problem.detail.contains("does not fit"), "{problem}");
        let certificate = include_bytes!("../testdata/certificate.pem");
        let same_kind = PrivateKey::from_pem(certificate, None).unwrap();
        let parsed = Parsed::parse(usual(b"").as_bytes()).unwrap();
        let problem = parsed
            .verify(&Jwk::from_public_key(same_kind.public()), URL)
            .unwrap_err();
        assert!(problem.detail.contains("signature"), "{problem}");
    }

    #[test]
    fn exactly_one_of_jwk_and_kid_is_required() {
        let both = refused(json!({"jwk": jwk().to_json(), "kid": "x", "url": URL}));
        assert!(both.detail.contains("both"), "{both}");
        let none = refused(json!({"url": URL}));
        assert!(none.detail.contains("neither"), "{none}");
    }

    #[test]
    fn macs_and_none_are_refused_with_the_permitted_algorithms() {
        for alg in ["none", "HS256", "ES256K", "es256", ""] {
            let problem = forged(&format!(r#"{{"alg":"{alg}","kid":"x","url":"{URL}"}}"#));
            assert_eq!(problem.kind, Kind::BadSignatureAlgorithm, "{alg}");
            assert!(problem.algorithms.contains(&"ES256".into()));
            assert!(problem.algorithms.contains(&"EdDSA".into()));
            assert!(!problem.algorithms.contains(&"HS256".into()));
        }
    }

    #[test]
    fn an_algorithm_that_does_not_fit_the_key_is_malformed() {
        let header = json!({"alg": "RS256", "jwk": jwk().to_json(), "url": URL});
        let problem = forged(&header.to_string());
        assert_eq!(problem.kind, Kind::Malformed);
        assert!(problem.detail.contains("EC P-256"), "{problem}");
    }

    #[test]
    fn a_key_with_another_alg_is_malformed() {
        let mut own = jwk().to_json();
        own["alg"] = json!("ES384");
        let problem = refused(json!({"jwk": own, "url": URL}));
        assert!(problem.detail.contains("ES384"), "{problem}");
        own["alg"] = json!("ES256");
        own["use"] = json!("sig");
        own["kid"] = json!("anything");
        let body = signed(json!({"jwk": own, "url": URL}), b"{}");
        assert!(Parsed::parse(body.as_bytes()).is_ok());
    }

    #[test]
    fn an_unsuitable_key_is_a_bad_public_key() {
        let mut private = jwk().to_json();
        private["d"] = json!("AA");
        let symmetric = json!({"kty": "oct", "k": "AAAA"});
        for bad in [private, symmetric, json!({}), json!("x"), Value::Null] {
            let problem = refused(json!({"jwk": bad, "url": URL}));
            assert_eq!(problem.kind, Kind::BadPublicKey, "{bad}");
        }
    }

    #[test]
    fn critical_extensions_and_a_missing_url_are_malformed() {
        for header in [
            json!({"kid": "x", "url": URL, "crit": ["b64"], "b64": false}),
            json!({"kid": "x", "url": URL, "b64": false}),
            json!({"kid": "x"}),
        ] {
            assert_eq!(refused(header).kind, Kind::Malformed);
        }
    }

    #[test]
    fn a_nonce_that_is_not_base64url_is_malformed() {
        for nonce in ["", "a=", "a+b", "a b", "ü"] {
            let body = signed(json!({"kid": "x", "url": URL, "nonce": nonce}), b"");
            let parsed = Parsed::parse(body.as_bytes()).unwrap();
            assert_eq!(parsed.nonce().unwrap_err().kind, Kind::Malformed);
        }
    }

    #[test]
    fn anything_but_a_flattened_jws_is_malformed() {
        for body in [
            "",
            "[]",
            "{}",
            "a.b.c",
            "\u{0}",
            r#"{"protected":"e30","payload":"","signature":""}"#,
            r#"{"protected":"e30","payload":"","signature":"","header":{}}"#,
            r#"{"payload":"","signatures":[]}"#,
            r#"{"protected":"e30=","payload":"","signature":""}"#,
            r#"{"protected":"e30","protected":"e30","payload":"","signature":""}"#,
        ] {
            let problem = Parsed::parse(body.as_bytes()).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed, "{body}");
        }
        let deep = "[".repeat(20_000);
        assert!(Parsed::parse(deep.as_bytes()).is_err());
    }

    #[test]
    fn post_as_get_requires_an_empty_payload_and_other_requests_an_object() {
        assert_eq!(verified(b"").payload(), Payload::Empty);
        assert_eq!(verified(b"").empty(), Ok(()));
        assert!(verified(b"{}").empty().is_err());
        for wrong in [
            &b""[..],
            b"[]",
            b"null",
            b"{",
            b"\xff",
            br#"{"contact":"x"}"#,
            br#"{"contact":[],"contact":[]}"#,
        ] {
            let problem = verified(wrong).json::<NewAccount>().unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed);
        }
    }

    proptest! {
        #[test]
        fn any_body_is_parsed_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Parsed::parse(&body);
        }

        #[test]
        fn any_header_is_parsed_or_refused(
            header in "\\{(\"(alg|jwk|kid|nonce|url|crit)\":(\"ES256\"|\"x\"|\\{\\}|1|null|\\[\\]),?){0,6}\\}"
        ) {
            let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
            let body = format!(r#"{{"protected":"{header}","payload":"","signature":"AA"}}"#);
            let _ = Parsed::parse(body.as_bytes()).map(|p| p.nonce().map(str::to_owned));
        }
    }
}
