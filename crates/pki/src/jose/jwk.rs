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
    /// The point is not on the curve.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 7515 §A.3.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    /// The key of RFC 7638 §3.1.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    /// The key of RFC 8037 §A.2.
    const ED: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn changed(base: &str, name: &str, value: Value) -> Result<Jwk, Error> {
        let mut json: Value = serde_json::from_str(base).unwrap();
        json[name] = value;
        Jwk::parse(&json)
    }

    fn fault(result: Result<Jwk, Error>) -> Fault {
        match result {
            Err(Error::Jwk(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn thumbprints_are_those_of_the_rfcs() {
        assert_eq!(
            Jwk::parse_text(RSA).unwrap().thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(
            Jwk::parse_text(ED).unwrap().thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        let step = include_str!("../../testdata/step/jwk-public.json");
        let json: Value = serde_json::from_str(step).unwrap();
        assert_eq!(Jwk::parse(&json).unwrap().thumbprint(), json["kid"]);
    }

    #[test]
    fn a_key_is_written_with_its_required_members_alone() {
        let jwk = Jwk::parse_text(RSA).unwrap();
        let text = serde_json::to_string(&jwk).unwrap();
        assert!(
            text.starts_with(r#"{"e":"AQAB","kty":"RSA","n":"0vx7"#) && !text.contains("kid"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Jwk>(&text).unwrap(), jwk);
        assert_eq!(Jwk::from_public_key(jwk.public_key()), jwk);
        assert!(jwk.allows(Alg::Ps384) && !jwk.allows(Alg::Es256) && !jwk.allows(Alg::Hs256));
    }

    #[test]
    fn private_and_symmetric_keys_are_refused() {
        for (name, base) in [("d", EC), ("p", RSA), ("k", ED), ("oth", RSA)] {
            assert_eq!(
                fault(changed(base, name, "AQ".into())),
                Fault::Private(name)
            );
        }
        assert_eq!(fault(changed(EC, "kty", "oct".into())), Fault::Symmetric);
        assert_eq!(
            fault(changed(EC, "kty", "AKP".into())),
            Fault::KeyType("AKP".into())
        );
    }

    #[test]
    fn coordinates_have_their_full_length_and_lie_on_the_curve() {
        let short = Fault::Length {
            member: "x",
            found: 31,
            wanted: 32,
        };
        assert_eq!(
            fault(changed(EC, "x", BASE64URL_NOPAD.encode(&[1; 31]).into())),
            short
        );
        let long = Fault::Length {
            member: "y",
            found: 33,
            wanted: 32,
        };
        assert_eq!(
            fault(changed(EC, "y", BASE64URL_NOPAD.encode(&[0; 33]).into())),
            long
        );
        assert_eq!(
            fault(changed(EC, "x", BASE64URL_NOPAD.encode(&[1; 32]).into())),
            Fault::OffCurve
        );
        assert_eq!(
            fault(changed(EC, "crv", "secp256k1".into())),
            Fault::Curve("secp256k1".into())
        );
        assert_eq!(
            fault(changed(ED, "crv", "X25519".into())),
            Fault::Curve("X25519".into())
        );
        assert!(matches!(
            fault(changed(ED, "x", "AQ".into())),
            Fault::Length { .. }
        ));
    }

    #[test]
    fn rsa_sizes_and_exponents_are_said_when_refused() {
        let n = |bytes: usize| Value::from(BASE64URL_NOPAD.encode(&vec![0xff; bytes]));
        assert_eq!(changed(RSA, "n", n(128)), Err(Error::RsaTooSmall(1024)));
        assert_eq!(changed(RSA, "n", n(1025)), Err(Error::RsaTooLarge(8200)));
        for e in ["Aw", "AQAA", "AQE"] {
            assert_eq!(changed(RSA, "e", e.into()), Err(Error::RsaExponent), "{e}");
        }
        assert_eq!(
            fault(changed(RSA, "e", "AAEAAQ".into())),
            Fault::NotMinimal("e")
        );
        assert_eq!(fault(changed(RSA, "n", "".into())), Fault::NotMinimal("n"));
    }

    #[test]
    fn members_must_be_strings_in_strict_base64url() {
        assert_eq!(fault(changed(EC, "x", 5.into())), Fault::Member("x"));
        assert_eq!(
            fault(changed(
                ED,
                "x",
                "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into()
            )),
            Fault::Base64("x")
        );
        assert_eq!(
            fault(changed(
                ED,
                "x",
                "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()
            )),
            Fault::Base64("x")
        );
        assert_eq!(
            fault(changed(
                ED,
                "x",
                "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp".into()
            )),
            Fault::Base64("x")
        );
        assert_eq!(fault(Jwk::parse_text("[]")), Fault::NotAnObject);
        assert_eq!(fault(Jwk::parse_text("{}")), Fault::Member("kty"));
    }
}
