//! Flattened JSON Web Signatures (RFC 7515 §7.2.2), as strict as RFC 8555 §6.2 wants them.

use std::fmt;

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{Alg, Jwk, UnknownAlg};
use crate::key::{KeyKind, PrivateKey, fixed_to_der};

/// Why a JWS was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The body, or what one of its members decodes to, is not one JSON object; with the reader's words.
    #[error("the {place} is not one JSON object: {reason}")]
    Json {
        /// `JWS` or `protected header`.
        place: &'static str,
        /// What the JSON reader found.
        reason: String,
    },
    /// An object has two members of one name.
    #[error("the {place} has two members {name:?}")]
    Duplicate {
        /// `JWS` or `protected header`.
        place: &'static str,
        /// The member's name.
        name: String,
    },
    /// A member that must not be there, such as `header` or `signatures`.
    #[error("the JWS must not have a member {0:?}")]
    Unexpected(&'static str),
    /// A member is missing.
    #[error("{0:?} is missing")]
    Missing(&'static str),
    /// A member has the wrong type.
    #[error("{0:?} has the wrong type")]
    Type(&'static str),
    /// A member is not base64url without padding.
    #[error("{0:?} is not base64url without padding")]
    Base64(&'static str),
    /// The algorithm is none that is supported.
    #[error(transparent)]
    UnknownAlg(#[from] UnknownAlg),
    /// The algorithm cannot be used with the key.
    #[error("{alg} does not fit an {key} key")]
    Mismatch {
        /// What the header says.
        alg: Alg,
        /// The key it was to be verified with.
        key: KeyKind,
    },
    /// The signature or MAC is not that of the message.
    #[error("the signature does not verify")]
    BadSignature,
}

/// The members of a protected header that ACME speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// `alg`.
    pub alg: String,
    /// `jwk`, not yet read as a key.
    pub jwk: Option<Value>,
    /// `kid`.
    pub kid: Option<String>,
    /// `nonce`.
    pub nonce: Option<String>,
    /// `url`.
    pub url: Option<String>,
    /// `crit`, whatever it holds.
    pub crit: Option<Value>,
    /// `b64` (RFC 7797), which ACME forbids.
    pub b64: Option<Value>,
    /// The names of all members, in order.
    pub names: Vec<String>,
}

/// A parsed, not yet verified JWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flattened {
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
    /// What was signed: the header and the payload as they came, with a dot between.
    input: Vec<u8>,
}

impl Flattened {
    /// Reads one JWS in flattened JSON serialization: members `protected`, `payload`, `signature`; others
    /// are passed over, but not `header` and `signatures`.
    ///
    /// # Errors
    /// All of [`Error`] but those about the key and the signature.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut members = object(body, "JWS")?;
        for name in ["header", "signatures"] {
            if members.contains_key(name) {
                return Err(Error::Unexpected(name));
            }
        }
        let protected = string(&mut members, "protected")?.ok_or(Error::Missing("protected"))?;
        let payload = string(&mut members, "payload")?.ok_or(Error::Missing("payload"))?;
        let signature = string(&mut members, "signature")?.ok_or(Error::Missing("signature"))?;
        let header = header(&decode(&protected, "protected")?)?;
        let decoded = decode(&payload, "payload")?;
        let input = [protected.as_bytes(), b".", payload.as_bytes()].concat();
        Ok(Self {
            header,
            payload: decoded,
            signature: decode(&signature, "signature")?,
            input,
        })
    }

    /// The protected header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The decoded payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The algorithm of the header.
    ///
    /// # Errors
    /// [`Error::UnknownAlg`].
    pub fn alg(&self) -> Result<Alg, Error> {
        Ok(self.header.alg.parse()?)
    }

    /// Checks the signature. Of an ECDSA signature up to two leading zero bytes may be missing, as some
    /// platforms drop them.
    ///
    /// # Errors
    /// [`Error::UnknownAlg`], [`Error::Mismatch`], [`Error::BadSignature`].
    pub fn verify(&self, key: &Jwk) -> Result<(), Error> {
        let alg = self.alg()?;
        let public = key.public_key();
        let kind = public.kind();
        let algorithm = alg
            .signature(kind)
            .ok_or(Error::Mismatch { alg, key: kind })?;
        let check = |signature: &[u8]| public.verify(algorithm, &self.input, signature).is_ok();
        let verified = match kind.coordinate_len() {
            Some(width) => halves(&self.signature, width).any(|(r, s)| check(&fixed_to_der(r, s))),
            None => check(&self.signature),
        };
        if verified {
            Ok(())
        } else {
            Err(Error::BadSignature)
        }
    }

    /// Checks a MAC, as external account binding has it (RFC 8555 §7.3.4).
    ///
    /// # Errors
    /// [`Error::UnknownAlg`] also when the algorithm is no HMAC, [`Error::BadSignature`].
    pub fn verify_hmac(&self, key: &[u8]) -> Result<(), Error> {
        let algorithm = hmac_algorithm(self.alg()?)?;
        let key = hmac::Key::new(algorithm, key);
        hmac::verify(&key, &self.input, &self.signature).map_err(|_| Error::BadSignature)
    }
}

/// Signs with the key's default algorithm: `alg` is put before the members of `header`. Returns the JSON text.
///
/// # Errors
/// [`crate::Error::Jose`] when `header` already has `alg`; [`crate::Error::Crypto`].
pub fn sign(
    key: &PrivateKey,
    header: &Map<String, Value>,
    payload: &[u8],
) -> Result<String, crate::Error> {
    let alg = Alg::default_for(key.kind());
    let (protected, payload) = encode(alg, header, payload)?;
    let signature = key.sign_jose(alg, format!("{protected}.{payload}").as_bytes())?;
    Ok(serialize(&protected, &payload, &signature))
}

/// Authenticates with a MAC: `alg` is put before the members of `header`. Returns the JSON text.
///
/// # Errors
/// [`crate::Error::Jose`] when `alg` is no HMAC or `header` already has `alg`.
pub fn sign_hmac(
    alg: Alg,
    key: &[u8],
    header: &Map<String, Value>,
    payload: &[u8],
) -> Result<String, crate::Error> {
    let algorithm =
        hmac_algorithm(alg).map_err(|_| crate::Error::Jose("the algorithm is no HMAC"))?;
    let (protected, payload) = encode(alg, header, payload)?;
    let tag = hmac::sign(
        &hmac::Key::new(algorithm, key),
        format!("{protected}.{payload}").as_bytes(),
    );
    Ok(serialize(&protected, &payload, tag.as_ref()))
}

fn hmac_algorithm(alg: Alg) -> Result<hmac::Algorithm, UnknownAlg> {
    match alg {
        Alg::Hs256 => Ok(hmac::HMAC_SHA256),
        Alg::Hs384 => Ok(hmac::HMAC_SHA384),
        Alg::Hs512 => Ok(hmac::HMAC_SHA512),
        Alg::Es256
        | Alg::Es384
        | Alg::Es512
        | Alg::EdDsa
        | Alg::Rs256
        | Alg::Rs384
        | Alg::Rs512
        | Alg::Ps256
        | Alg::Ps384
        | Alg::Ps512 => Err(UnknownAlg(alg.as_str().to_owned())),
    }
}

/// The ways to read a signature as two numbers: one when it has its full length, and one for each
/// distribution of the missing bytes when up to two are missing.
fn halves(signature: &[u8], width: usize) -> impl Iterator<Item = (&[u8], &[u8])> {
    let missing = (2 * width)
        .checked_sub(signature.len())
        .filter(|missing| *missing <= 2);
    let splits = missing.map_or(0..0, |missing| width - missing..width + 1);
    splits.filter_map(|split| signature.split_at_checked(split))
}

fn encode(
    alg: Alg,
    header: &Map<String, Value>,
    payload: &[u8],
) -> Result<(String, String), crate::Error> {
    if header.contains_key("alg") {
        return Err(crate::Error::Jose("alg is given by the key"));
    }
    let mut members = Map::new();
    members.insert("alg".to_owned(), alg.as_str().into());
    members.extend(header.clone());
    let protected = Value::Object(members).to_string();
    Ok((
        BASE64URL_NOPAD.encode(protected.as_bytes()),
        BASE64URL_NOPAD.encode(payload),
    ))
}

fn serialize(protected: &str, payload: &str, signature: &[u8]) -> String {
    let signature = BASE64URL_NOPAD.encode(signature);
    format!(r#"{{"protected":"{protected}","payload":"{payload}","signature":"{signature}"}}"#)
}

fn header(json: &[u8]) -> Result<Header, Error> {
    let mut members = object(json, "protected header")?;
    let names = members.keys().cloned().collect();
    Ok(Header {
        alg: string(&mut members, "alg")?.ok_or(Error::Missing("alg"))?,
        jwk: members.remove("jwk"),
        kid: string(&mut members, "kid")?,
        nonce: string(&mut members, "nonce")?,
        url: string(&mut members, "url")?,
        crit: members.remove("crit"),
        b64: members.remove("b64"),
        names,
    })
}

fn string(members: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, Error> {
    match members.shift_remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        ) => Err(Error::Type(name)),
    }
}

fn decode(text: &str, name: &'static str) -> Result<Vec<u8>, Error> {
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| Error::Base64(name))
}

/// One JSON object whose own members have different names.
fn object(json: &[u8], place: &'static str) -> Result<Map<String, Value>, Error> {
    let members: Members = serde_json::from_slice(json).map_err(|error| Error::Json {
        place,
        reason: error.to_string(),
    })?;
    match members.duplicate {
        Some(name) => Err(Error::Duplicate { place, name }),
        None => Ok(members.map),
    }
}

/// The members of an object, and the first name that came twice.
struct Members {
    map: Map<String, Value>,
    duplicate: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Members {
                    map: Map::new(),
                    duplicate: None,
                };
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.map.insert(name.clone(), value).is_some() {
                        members.duplicate.get_or_insert(name);
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
