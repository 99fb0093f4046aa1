//! The signed request: a flattened JWS that is parsed, then verified
//! (RFC 8555 §6.2–§6.5). Its payload can be had only from a [`Verified`].
//!
//! Not here: whether a nonce is fresh, and which key an account has.

use pki::jose::Alg;
use pki::jose::jwk::Jwk;
use pki::jose::jws::Flattened;
use serde::de::DeserializeOwned;

use crate::problem::{Kind, Problem, quote};

/// A request that obeys the rules for its header; nobody has looked at its
/// signature yet.
#[derive(Clone, Debug)]
pub struct Parsed {
    jws: Flattened,
    signer: Signer,
    url: String,
}

/// Who says to have signed.
#[derive(Clone, Debug, PartialEq)]
pub enum Signer {
    /// The holder of this key.
    Jwk(Jwk),
    /// The account with this URL.
    Kid(String),
}

impl Parsed {
    /// Reads a request body.
    ///
    /// # Errors
    /// `badSignatureAlgorithm` with the algorithms that would do, `badPublicKey`
    /// for a key that will not do, `malformed` for the rest.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let jws = Flattened::parse(body).map_err(|error| {
            Problem::malformed(format!(
                "The request body is not a flattened JSON JWS: {error}."
            ))
        })?;
        let header = jws.header();
        let alg = algorithm(&header.alg)?;
        if header.crit.is_some() {
            return Err(Problem::malformed(
                "The protected header has crit, and no critical extension is supported.",
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
                     or the key as jwk when the account is new.",
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

    /// Who says to have signed.
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
                "The protected header has no nonce: use the one in this answer's Replay-Nonce.",
            ));
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if nonce.is_empty() || !nonce.bytes().all(fits) {
            return Err(Problem::malformed(
                "The nonce in the protected header is not base64url: send it as Replay-Nonce had it.",
            ));
        }
        Ok(nonce)
    }

    /// The URL in the protected header.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Checks the signature by `key` and that the request was meant for
    /// `request_url`.
    ///
    /// # Errors
    /// `unauthorized` if the URLs differ (RFC 8555 §6.4), `malformed` if the
    /// algorithm does not fit the key or the signature is not its.
    pub fn verify(self, key: &Jwk, request_url: &str) -> Result<Verified, Problem> {
        if self.url != request_url {
            return Err(Problem::unauthorized(format!(
                "The request was signed for {}, but it came to {}: sign the URL that you post to.",
                quote(&self.url),
                quote(request_url)
            )));
        }
        fits_key(key, algorithm(&self.jws.header().alg)?)?;
        self.jws.verify(key).map_err(|error| {
            Problem::malformed(format!(
                "The signature was not made by the key of this request: {error}."
            ))
        })?;
        Ok(Verified {
            jws: self.jws,
            signer: self.signer,
        })
    }
}

/// A request whose signature and URL are right.
#[derive(Clone, Debug)]
pub struct Verified {
    jws: Flattened,
    signer: Signer,
}

/// What was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Nothing: a POST-as-GET (RFC 8555 §6.3).
    Empty,
    /// Something, which should be JSON.
    Json(&'a [u8]),
}

impl Verified {
    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// What was signed.
    pub fn payload(&self) -> Payload<'_> {
        match self.jws.payload() {
            [] => Payload::Empty,
            bytes => Payload::Json(bytes),
        }
    }

    /// Reads the payload as a JSON object.
    ///
    /// # Errors
    /// `malformed` with the place where it goes wrong.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let Payload::Json(bytes) = self.payload() else {
            return Err(Problem::malformed(
                "The payload is empty, as for reading: this request needs a JSON object.",
            ));
        };
        // serde would also read an array as a structure.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::malformed("The payload is not a JSON object."));
        }
        serde_json::from_slice(bytes).map_err(|error| {
            Problem::malformed(format!(
                "The payload is not what is asked for here: {error}."
            ))
        })
    }

    /// Checks that the request only reads (POST-as-GET, RFC 8555 §6.3).
    ///
    /// # Errors
    /// `malformed` if there is a payload.
    pub fn empty(&self) -> Result<(), Problem> {
        match self.payload() {
            Payload::Empty => Ok(()),
            Payload::Json(_) => Err(Problem::malformed(
                "Reading takes an empty payload (\"\"), not even an empty object: \
                 see RFC 8555 §6.3.",
            )),
        }
    }
}

/// Signatures only: a MAC is for external accounts, and `none` is nothing.
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
        Some(own) if own != alg.as_str() => Err(Problem::malformed(format!(
            "The key says that it is for {}, but {} signed the request.",
            quote(own),
            alg.as_str()
        ))),
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
