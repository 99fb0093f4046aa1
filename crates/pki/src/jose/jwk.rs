//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037).

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::Alg;
use crate::{
    asn1,
    error::Error,
    key::{KeyKind, PublicKey, ec_spki, rsa_spki},
    oid,
};

/// A public key that can verify JOSE signatures; cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    key: PublicKey,
    thumbprint: String,
}

/// Why a JWK was refused, beside what is wrong with the key itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The text is no JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// A member is missing or is no string.
    #[error("{0:?} is missing or not a string")]
    Member(&'static str),
    /// A member is not base64url without padding.
    #[error("{0:?} is not base64url")]
    Base64(&'static str),
    /// The key type is a symmetric one.
    #[error("symmetric keys (\"oct\") are not accepted")]
    Symmetric,
    /// The key type is none that is supported.
    #[error("unsupported key type {0:?}")]
    KeyType(String),
    /// The curve is none that is supported.
    #[error("unsupported curve {0:?}")]
    Curve(String),
    /// A member that only private keys have.
    #[error("it holds the private member {0:?}")]
    Private(&'static str),
    /// A coordinate has the wrong number of bytes.
    #[error("{member:?} has {found} bytes in place of {wanted}")]
    Length {
        /// The member's name.
        member: &'static str,
        /// How many bytes it has.
        found: usize,
        /// How many it must have.
        wanted: usize,
    },
    /// A number is empty or begins with a zero byte.
    #[error("{0:?} is not in its shortest form")]
    NotMinimal(&'static str),
    /// The point does not lie on the curve.
    #[error("the point is not on the curve")]
    OffCurve,
    /// A private key was needed.
    #[error("it holds no private key")]
    NotPrivate,
}

/// The members that make a key private or symmetric (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Jwk {
    /// Reads a public JWK from parsed JSON. Members that say nothing about the key itself are passed over.
    ///
    /// # Errors
    /// [`Error::Jwk`], and the errors of [`PublicKey::from_spki_der`] about sizes and curves.
    pub fn parse(value: &Value) -> Result<Self, Error> {
        let members = value.as_object().ok_or(Fault::NotAnObject)?;
        if text(members, "kty")? == "oct" {
            return Err(Fault::Symmetric.into());
        }
        if let Some(private) = PRIVATE.into_iter().find(|name| members.contains_key(*name)) {
            return Err(Fault::Private(private).into());
        }
        public_key(members).map(|key| Self::from_public_key(&key))
    }

    /// Reads a public JWK from JSON text.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_text(text: &str) -> Result<Self, Error> {
        Self::parse(&serde_json::from_str(text).map_err(|_| Fault::NotAnObject)?)
    }

    /// The JWK of a public key.
    #[must_use]
    pub fn from_public_key(key: &PublicKey) -> Self {
        let canonical = canonical(key).to_string();
        let thumbprint =
            BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        Self {
            key: key.clone(),
            thumbprint,
        }
    }

    /// The key itself.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.thumbprint.clone()
    }

    /// The required members alone, in the order of RFC 7638 §3.2.
    #[must_use]
    pub fn to_json(&self) -> Value {
        canonical(&self.key)
    }

    /// Whether signatures with this algorithm can be made with such a key.
    #[must_use]
    pub fn allows(&self, alg: Alg) -> bool {
        alg.signature(self.key.kind()).is_some()
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).map_err(serde::de::Error::custom)
    }
}

/// The public key that the public members describe.
pub(super) fn public_key(members: &Map<String, Value>) -> Result<PublicKey, Error> {
    match text(members, "kty")? {
        "EC" => {
            let kind = match text(members, "crv")? {
                "P-256" => KeyKind::EcP256,
                "P-384" => KeyKind::EcP384,
                "P-521" => KeyKind::EcP521,
                other => return Err(Fault::Curve(other.to_owned()).into()),
            };
            let width = kind.coordinate_len().unwrap_or_default();
            let mut point = vec![4];
            point.extend(exact(members, "x", width)?);
            point.extend(exact(members, "y", width)?);
            let spki = ec_spki(kind, &point).ok_or(Error::InvalidKey("EC"))?;
            PublicKey::from_spki_der(&spki).map_err(|_| Fault::OffCurve.into())
        }
        "RSA" => {
            PublicKey::from_spki_der(&rsa_spki(&minimal(members, "n")?, &minimal(members, "e")?))
        }
        "OKP" => match text(members, "crv")? {
            "Ed25519" => {
                let algorithm = asn1::sequence(&[&asn1::oid(oid::ED25519)]);
                let x = exact(members, "x", 32)?;
                PublicKey::from_spki_der(&asn1::sequence(&[&algorithm, &asn1::bit_string(&x)]))
            }
            other => Err(Fault::Curve(other.to_owned()).into()),
        },
        other => Err(Fault::KeyType(other.to_owned()).into()),
    }
}

/// A member that must be a string.
pub(super) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, Fault> {
    members
        .get(name)
        .and_then(Value::as_str)
        .ok_or(Fault::Member(name))
}

/// A member's bytes.
pub(super) fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, Fault> {
    BASE64URL_NOPAD
        .decode(text(members, name)?.as_bytes())
        .map_err(|_| Fault::Base64(name))
}

/// A member of exactly so many bytes.
pub(super) fn exact(
    members: &Map<String, Value>,
    name: &'static str,
    wanted: usize,
) -> Result<Vec<u8>, Fault> {
    let bytes = bytes(members, name)?;
    if bytes.len() == wanted {
        Ok(bytes)
    } else {
        Err(Fault::Length {
            member: name,
            found: bytes.len(),
            wanted,
        })
    }
}

/// A positive number without leading zeros.
pub(super) fn minimal(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, Fault> {
    let bytes = bytes(members, name)?;
    match bytes.first() {
        None | Some(0) => Err(Fault::NotMinimal(name)),
        Some(_) => Ok(bytes),
    }
}

fn canonical(key: &PublicKey) -> Value {
    let b64 = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    if let Some((x, y)) = key.ec_coordinates() {
        return json!({ "crv": curve_name(key.kind()), "kty": "EC", "x": b64(x), "y": b64(y) });
    }
    if let Some((n, e)) = key.rsa_numbers() {
        return json!({ "e": b64(e), "kty": "RSA", "n": b64(n) });
    }
    json!({ "crv": "Ed25519", "kty": "OKP", "x": b64(key.subject_public_key()) })
}

const fn curve_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::EcP256 => "P-256",
        KeyKind::EcP384 => "P-384",
        KeyKind::EcP521 => "P-521",
        KeyKind::Ed25519 | KeyKind::Rsa { .. } => "Ed25519",
    }
}
