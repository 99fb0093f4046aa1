//! Private keys as JSON Web Keys, and the public form that `ca.json` publishes.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Alg,
    jwk::{self, Fault, Jwk},
};
use crate::{
    error::Error,
    key::{CrtNumbers, KeyKind, PrivateKey, PublicKey, pkcs1_private},
};

/// The JSON of a private key with `use`, `kid` (the thumbprint) and `alg`, members in the order of `step`.
///
/// # Errors
/// [`Error::Crypto`] when the library does not give the private numbers.
pub fn private_jwk(key: &PrivateKey) -> Result<Zeroizing<String>, Error> {
    let mut members = described(key.public());
    match key.crt_numbers() {
        Some(numbers) => {
            let CrtNumbers {
                d,
                p,
                q,
                dp,
                dq,
                qi,
            } = &numbers;
            for (name, bytes) in [
                ("d", d),
                ("p", p),
                ("q", q),
                ("dp", dp),
                ("dq", dq),
                ("qi", qi),
            ] {
                put(&mut members, name, bytes);
            }
        }
        None => put(&mut members, "d", &key.scalar()?),
    }
    let text = Zeroizing::new(Value::Object(members.clone()).to_string());
    wipe(&mut members);
    Ok(text)
}

/// The JSON of a public key as `ca.json` has it: `use`, `kty`, `kid`, `crv`, `alg`, then the numbers.
#[must_use]
pub fn published_jwk(key: &PublicKey) -> Value {
    Value::Object(described(key))
}

/// Reads a private JWK.
///
/// # Errors
/// [`Error::Jwk`], [`Error::InvalidKey`] when its numbers do not belong together.
pub fn parse_private_jwk(json: &str) -> Result<PrivateKey, Error> {
    let mut members: Map<String, Value> =
        serde_json::from_str(json).map_err(|_| Fault::NotAnObject)?;
    let key = parse(&members);
    wipe(&mut members);
    key
}

fn parse(members: &Map<String, Value>) -> Result<PrivateKey, Error> {
    let public = jwk::public_key(members)?;
    if !members.contains_key("d") {
        return Err(Fault::NotPrivate.into());
    }
    if let Some((n, e)) = public.rsa_numbers() {
        let number = |name| jwk::bytes(members, name).map(Zeroizing::new);
        let numbers = CrtNumbers {
            d: number("d")?,
            p: number("p")?,
            q: number("q")?,
            dp: number("dp")?,
            dq: number("dq")?,
            qi: number("qi")?,
        };
        return PrivateKey::from_pkcs1_der(&pkcs1_private(n, e, &numbers));
    }
    match public.kind().coordinate_len() {
        Some(width) => {
            let scalar = Zeroizing::new(jwk::exact(members, "d", width)?);
            PrivateKey::from_ec_numbers(public.kind(), &scalar, public.subject_public_key())
        }
        None => {
            let seed = Zeroizing::new(jwk::exact(members, "d", 32)?);
            PrivateKey::from_ed25519_seed(&seed, public.subject_public_key())
        }
    }
}

fn described(key: &PublicKey) -> Map<String, Value> {
    let public = Jwk::from_public_key(key);
    let numbers = public.to_json();
    let alg = Alg::default_for(key.kind());
    let order: &[&str] = match key.kind() {
        KeyKind::Rsa { .. } => &["use", "kty", "kid", "alg", "n", "e"],
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => {
            &["use", "kty", "kid", "crv", "alg", "x", "y"]
        }
        KeyKind::Ed25519 => &["use", "kty", "kid", "crv", "alg", "x"],
    };
    let value = |name: &str| match name {
        "use" => "sig".into(),
        "kid" => public.thumbprint().into(),
        "alg" => alg.as_str().into(),
        other => numbers[other].clone(),
    };
    order
        .iter()
        .map(|name| ((*name).to_owned(), value(name)))
        .collect()
}

fn put(members: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    members.insert(name.to_owned(), BASE64URL_NOPAD.encode(bytes).into());
}

/// Overwrites the texts of a map that held private numbers.
fn wipe(members: &mut Map<String, Value>) {
    for value in members.values_mut() {
        if let Value::String(text) = value {
            text.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> [PrivateKey; 4] {
        let texts = [
            include_bytes!("../../testdata/openssl/p256.key").as_slice(),
            include_bytes!("../../testdata/openssl/p521.key"),
            include_bytes!("../../testdata/openssl/rsa-pkcs1.key"),
            include_bytes!("../../testdata/openssl/ed25519.key"),
        ];
        texts.map(|text| PrivateKey::from_pem(text, None).unwrap())
    }

    #[test]
    fn every_kind_of_key_is_read_back() {
        for key in keys() {
            let json = private_jwk(&key).unwrap();
            assert_eq!(
                parse_private_jwk(&json).unwrap().to_pkcs8_der(),
                key.to_pkcs8_der()
            );
            assert!(matches!(
                Jwk::parse_text(&json),
                Err(Error::Jwk(Fault::Private("d")))
            ));
        }
    }

    #[test]
    fn members_stand_in_the_order_of_step() {
        let names = |json: &str| -> Vec<String> {
            serde_json::from_str::<Map<String, Value>>(json)
                .unwrap()
                .keys()
                .cloned()
                .collect()
        };
        let [ec, _, rsa, _] = keys();
        assert_eq!(
            names(&private_jwk(&ec).unwrap()),
            ["use", "kty", "kid", "crv", "alg", "x", "y", "d"]
        );
        let wanted = [
            "use", "kty", "kid", "alg", "n", "e", "d", "p", "q", "dp", "dq", "qi",
        ];
        assert_eq!(names(&private_jwk(&rsa).unwrap()), wanted);
        assert_eq!(published_jwk(ec.public()).as_object().unwrap().len(), 7);
    }

    #[test]
    fn numbers_that_do_not_belong_together_are_refused() {
        let [ec, ..] = keys();
        let json = private_jwk(&ec).unwrap();
        let mut value: Value = serde_json::from_str(&json).unwrap();
        value["d"] = BASE64URL_NOPAD.encode(&[1; 32]).into();
        assert_eq!(
            parse_private_jwk(&value.to_string()).err(),
            Some(Error::InvalidKey("EC"))
        );
        let public = published_jwk(ec.public()).to_string();
        assert_eq!(
            parse_private_jwk(&public).err(),
            Some(Error::Jwk(Fault::NotPrivate))
        );
    }
}
