//! Flattened JSON Web Signatures (RFC 7515 §7.2.2), as strict as RFC 8555 §6.2 requires.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::{Alg, Jwk, UnknownAlg, object::object};
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
    /// A forbidden member, such as `header` or `signatures`.
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
        /// The header's value.
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
    /// `crit`, with any value.
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
        | Alg::Ed25519
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../../testdata/openssl/p256.key"), None).unwrap()
    }

    fn header() -> Map<String, Value> {
        let header =
            serde_json::json!({ "kid": "https://ca/a", "nonce": "n", "url": "https://ca/u" });
        header.as_object().unwrap().clone()
    }

    /// A JWS whose three members decode to these.
    fn jws(protected: &str, payload: &[u8], signature: &[u8]) -> String {
        serialize(
            &BASE64URL_NOPAD.encode(protected.as_bytes()),
            &BASE64URL_NOPAD.encode(payload),
            signature,
        )
    }

    fn refused(body: &str) -> Error {
        Flattened::parse(body.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_signed_verifies_with_its_key_alone() {
        let text = sign(&key(), &header(), b"{}").unwrap();
        let jws = Flattened::parse(text.as_bytes()).unwrap();
        assert_eq!(jws.verify(&Jwk::from_public_key(key().public())), Ok(()));
        assert_eq!(
            (jws.payload(), jws.header().nonce.as_deref()),
            (&b"{}"[..], Some("n"))
        );
        assert_eq!(jws.header().names, ["alg", "kid", "nonce", "url"]);
        let other =
            PrivateKey::from_pem(include_bytes!("../../testdata/step/ec.key"), None).unwrap();
        assert_eq!(
            jws.verify(&Jwk::from_public_key(other.public())),
            Err(Error::BadSignature)
        );
        let rsa =
            PrivateKey::from_pem(include_bytes!("../../testdata/step/rsa.key"), None).unwrap();
        assert!(matches!(
            jws.verify(&Jwk::from_public_key(rsa.public())),
            Err(Error::Mismatch { .. })
        ));
    }

    #[test]
    fn the_example_of_the_rfc_verifies() {
        let key = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        let body = r#"{"protected":"eyJhbGciOiJFUzI1NiJ9","payload":"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ","signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"}"#;
        assert_eq!(
            Flattened::parse(body.as_bytes())
                .unwrap()
                .verify(&Jwk::parse_text(key).unwrap()),
            Ok(())
        );
    }

    #[test]
    fn zeros_that_a_platform_dropped_are_put_back() {
        let jwk = Jwk::from_public_key(key().public());
        let mut seen = [false; 2];
        for number in 0_u32.. {
            let text = sign(&key(), &header(), &number.to_be_bytes()).unwrap();
            let mut jws = Flattened::parse(text.as_bytes()).unwrap();
            for (place, half) in [0, 32].into_iter().enumerate() {
                if jws.signature[half] == 0 {
                    jws.signature.remove(half);
                    assert_eq!(jws.verify(&jwk), Ok(()));
                    seen[place] = true;
                    break;
                }
            }
            if seen == [true; 2] {
                break;
            }
        }
        let text = sign(&key(), &header(), b"").unwrap();
        let mut jws = Flattened::parse(text.as_bytes()).unwrap();
        jws.signature.insert(0, 0);
        assert_eq!(jws.verify(&jwk), Err(Error::BadSignature));
        jws.signature.clear();
        assert_eq!(jws.verify(&jwk), Err(Error::BadSignature));
    }

    #[test]
    fn members_that_come_twice_or_must_not_come_are_refused() {
        let good = jws(r#"{"alg":"ES256"}"#, b"", b"s");
        let with = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
        assert!(Flattened::parse(with(r#""more":1"#).as_bytes()).is_ok());
        assert_eq!(
            refused(&with(r#""header":{}"#)),
            Error::Unexpected("header")
        );
        assert_eq!(
            refused(&with(r#""signatures":[]"#)),
            Error::Unexpected("signatures")
        );
        assert_eq!(
            refused(&with(r#""payload":"""#)),
            Error::Duplicate {
                place: "JWS",
                name: "payload".into()
            }
        );
        let twice = jws(r#"{"alg":"ES256","url":"a","url":"b"}"#, b"", b"s");
        assert_eq!(
            refused(&twice),
            Error::Duplicate {
                place: "protected header",
                name: "url".into()
            }
        );
        assert_eq!(refused(&jws("{}", b"", b"")), Error::Missing("alg"));
        assert_eq!(
            refused(&jws(r#"{"alg":"ES256","kid":7}"#, b"", b"")),
            Error::Type("kid")
        );
    }

    #[test]
    fn what_is_not_one_object_of_strict_base64url_is_refused() {
        for body in ["", "[]", "\"a\"", "{} {}", "{\"protected\":\"\u{0}\"}"] {
            assert!(
                matches!(refused(body), Error::Json { place: "JWS", .. }),
                "{body}"
            );
        }
        assert!(matches!(
            Flattened::parse(b"{\"a\":\"\xff\"}"),
            Err(Error::Json { .. })
        ));
        assert!(matches!(refused(&"[".repeat(500)), Error::Json { .. }));
        assert!(matches!(
            refused(&jws("not json", b"", b"")),
            Error::Json {
                place: "protected header",
                ..
            }
        ));
        let body = |payload: &str| {
            format!(r#"{{"protected":"e30","payload":"{payload}","signature":""}}"#)
        };
        for payload in ["AQ==", "AQ=", "A/", "A+", "AR", "A", " AQ", "AQ\\n"] {
            let error =
                refused(&body(payload).replace("e30", &BASE64URL_NOPAD.encode(br#"{"alg":"x"}"#)));
            assert_eq!(error, Error::Base64("payload"), "{payload}");
        }
        assert_eq!(refused("{}"), Error::Missing("protected"));
        assert_eq!(refused(r#"{"protected":1}"#), Error::Type("protected"));
    }

    #[test]
    fn a_mac_is_no_signature_and_none_is_nothing() {
        let text = sign_hmac(Alg::Hs256, b"secret", &header(), b"{}").unwrap();
        let mac = Flattened::parse(text.as_bytes()).unwrap();
        assert_eq!(mac.verify_hmac(b"secret"), Ok(()));
        assert_eq!(mac.verify_hmac(b"Secret"), Err(Error::BadSignature));
        let jwk = Jwk::from_public_key(key().public());
        assert!(matches!(
            mac.verify(&jwk),
            Err(Error::Mismatch {
                alg: Alg::Hs256,
                ..
            })
        ));
        let none = Flattened::parse(jws(r#"{"alg":"none"}"#, b"", b"").as_bytes()).unwrap();
        assert_eq!(
            none.verify(&jwk),
            Err(Error::UnknownAlg(UnknownAlg("none".into())))
        );
        let signed = Flattened::parse(sign(&key(), &header(), b"").unwrap().as_bytes()).unwrap();
        assert!(matches!(
            signed.verify_hmac(b"secret"),
            Err(Error::UnknownAlg(_))
        ));
        let mut twice = header();
        twice.insert("alg".into(), "ES256".into());
        assert!(sign(&key(), &twice, b"").is_err());
    }
}
