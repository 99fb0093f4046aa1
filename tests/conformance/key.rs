//! Keys of every kind that an account or a certificate may have.

use acceptance::acme::Key;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::der;

/// Signs a message in the form of JOSE.
type Sign = Box<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// A key with all that it takes to sign a JWS or a certificate request.
pub struct AnyKey {
    /// The JOSE algorithm.
    pub alg: &'static str,
    /// The public half.
    pub jwk: Value,
    /// SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    sign: Sign,
}

impl AnyKey {
    /// A fresh key for this JOSE algorithm.
    pub fn generate(alg: &'static str) -> Self {
        match alg {
            "ES256" | "ES384" | "ES512" => Self::ec(alg),
            "EdDSA" | "Ed25519" => Self::ed25519(alg),
            _ => Self::rsa(alg),
        }
    }

    /// A flattened JWS over this header.
    pub fn seal(&self, header: &Value, payload: &str) -> Value {
        let protected = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
        let payload = BASE64URL_NOPAD.encode(payload.as_bytes());
        let signature = (self.sign)(format!("{protected}.{payload}").as_bytes());
        json!({
            "protected": protected, "payload": payload,
            "signature": BASE64URL_NOPAD.encode(&signature),
        })
    }

    /// A signature as X.509 has it, and its AlgorithmIdentifier.
    pub fn sign_der(&self, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let signature = (self.sign)(message);
        let plain = |oid: &str| der::sequence(&[&der::oid(oid)]);
        match self.alg {
            "ES256" => (der::ecdsa(&signature), plain("1.2.840.10045.4.3.2")),
            "ES384" => (der::ecdsa(&signature), plain("1.2.840.10045.4.3.3")),
            "ES512" => (der::ecdsa(&signature), plain("1.2.840.10045.4.3.4")),
            "EdDSA" | "Ed25519" => (signature, plain("1.3.101.112")),
            "RS256" => {
                let oid = der::oid("1.2.840.113549.1.1.11");
                (signature, der::sequence(&[&oid, &[5, 0]]))
            }
            other => panic!("no certificate request is signed with {other} here"),
        }
    }

    fn ec(alg: &'static str) -> Self {
        let (algorithm, crv, curve) = match alg {
            "ES256" => (
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                "P-256",
                "1.2.840.10045.3.1.7",
            ),
            "ES384" => (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", "1.3.132.0.34"),
            _ => (&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521", "1.3.132.0.35"),
        };
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        let (x, y) = point[1..].split_at(point.len() / 2);
        let kind = der::sequence(&[&der::oid("1.2.840.10045.2.1"), &der::oid(curve)]);
        Self {
            alg,
            jwk: json!({
                "kty": "EC", "crv": crv,
                "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y),
            }),
            spki: der::sequence(&[&kind, &der::bits(&point)]),
            sign: Box::new(move |message| {
                let signature = pair.sign(&SystemRandom::new(), message);
                signature.unwrap().as_ref().to_vec()
            }),
        }
    }

    fn ed25519(alg: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = pair.public_key().as_ref().to_vec();
        let kind = der::sequence(&[&der::oid("1.3.101.112")]);
        Self {
            alg,
            jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(&public)}),
            spki: der::sequence(&[&kind, &der::bits(&public)]),
            sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()),
        }
    }

    fn rsa(alg: &'static str) -> Self {
        let encoding: &'static dyn RsaEncoding = match alg {
            "RS256" => &RSA_PKCS1_SHA256,
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            "PS256" => &RSA_PSS_SHA256,
            other => panic!("{other} is not made here"),
        };
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = pair.public_key().as_ref().to_vec();
        // PKCS #1: a SEQUENCE of the modulus and the exponent.
        let numbers = der::elements(der::elements(&public)[0].1);
        let modulus = numbers[0].1.strip_prefix(&[0]).unwrap_or(numbers[0].1);
        let jwk = json!({
            "kty": "RSA",
            "n": BASE64URL_NOPAD.encode(modulus), "e": BASE64URL_NOPAD.encode(numbers[1].1),
        });
        let kind = der::sequence(&[&der::oid("1.2.840.113549.1.1.1"), &[5, 0]]);
        Self {
            alg,
            jwk,
            spki: der::sequence(&[&kind, &der::bits(&public)]),
            sign: Box::new(move |message| {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
                    .unwrap();
                signature
            }),
        }
    }
}

impl From<std::sync::Arc<Key>> for AnyKey {
    /// An account's key as the key of a certificate.
    fn from(key: std::sync::Arc<Key>) -> Self {
        let jwk = key.jwk();
        let number = |name: &str| {
            let text = jwk[name].as_str().unwrap();
            BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
        };
        let point = [vec![4], number("x"), number("y")].concat();
        let curve = der::oid("1.2.840.10045.3.1.7");
        let kind = der::sequence(&[&der::oid("1.2.840.10045.2.1"), &curve]);
        Self {
            alg: "ES256",
            spki: der::sequence(&[&kind, &der::bits(&point)]),
            jwk,
            sign: Box::new(move |message| key.sign_octets(message)),
        }
    }
}
