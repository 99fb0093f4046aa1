//! RFC 8555 §6.2 and §6.7: which account keys are not accepted.

use acceptance::https::Response;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::key::AnyKey;
use crate::conformance::subject::{refused, subject};
use crate::conformance::weak;

/// newAccount with this JWK; whatever the signature, the key is refused before the signature is verified.
#[track_caller]
fn register(alg: &str, jwk: &Value) -> Response {
    let subject = subject();
    let url = subject.url("/acme/acme/new-account");
    let header = json!({"alg": alg, "jwk": jwk, "nonce": subject.nonce(), "url": url});
    let body = AnyKey::generate("ES256").seal(&header, "{}");
    subject.send(&url, &body.to_string())
}

fn base64(octets: &[u8]) -> String {
    BASE64URL_NOPAD.encode(octets)
}

/// A number with this many bits, in the form of a modulus.
fn modulus(bits: usize) -> Vec<u8> {
    let mut octets = vec![0xc5; bits / 8];
    if let Some(last) = octets.last_mut() {
        *last = 0xa7;
    }
    octets
}

fn rsa(bits: usize, exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": base64(&modulus(bits)), "e": base64(exponent)})
}

const F4: &[u8] = &[1, 0, 1];

/// A key that is too weak, or so large that it costs the server dear, is badPublicKey (§6.7).
#[test]
fn rsa_keys_of_unfit_size_are_refused() {
    for bits in [0, 512, 1024, 2040, 8200, 16_384] {
        refused(&register("RS256", &rsa(bits, F4)), 400, "badPublicKey");
    }
}

/// Small, even and huge exponents are badPublicKey (§6.7).
#[test]
fn rsa_keys_with_an_unfit_exponent_are_refused() {
    for exponent in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[3],
        &[17],
        &[1, 0, 0],
        &[1, 0, 2],
        &[1, 0, 0, 0, 0, 0, 0, 0, 1],
    ] {
        refused(
            &register("RS256", &rsa(2048, exponent)),
            400,
            "badPublicKey",
        );
    }
}

/// An even modulus is no product of two odd primes.
#[test]
fn an_rsa_key_with_an_even_modulus_is_refused() {
    let mut octets = modulus(2048);
    octets[255] = 0xa6;
    let jwk = json!({"kty": "RSA", "n": base64(&octets), "e": base64(F4)});
    let detail = refused(&register("RS256", &jwk), 400, "badPublicKey");
    assert!(detail.contains("divisible by 2"), "{detail}");
}

/// A key whose private half can be computed proves nothing; the refusal has the reason (§6.7).
#[test]
fn rsa_keys_that_can_be_factored_are_refused_with_the_reason() {
    for (modulus, reason) in weak::MODULI {
        let jwk = json!({"kty": "RSA", "n": base64(&weak::octets(modulus)), "e": base64(F4)});
        let detail = refused(&register("RS256", &jwk), 400, "badPublicKey");
        assert!(detail.contains(reason), "{detail}");
    }
    let sound = json!({"kty": "RSA", "n": base64(&weak::octets(weak::SOUND)), "e": base64(F4)});
    let detail = refused(&register("RS256", &sound), 400, "malformed");
    assert!(detail.contains("signature"), "{detail}");
}

/// Signatures for a point of small order can be forged (RFC 8032 §5.1.7 lets such signatures verify).
#[test]
fn ed25519_keys_of_small_order_are_refused() {
    for point in weak::SMALL_ORDER {
        let x = base64(&data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
        let detail = refused(&register("EdDSA", &jwk), 400, "badPublicKey");
        assert!(detail.contains("small order"), "{detail}");
    }
}

/// Numbers have no leading zeros (RFC 7518 §2, §6.3.1).
#[test]
fn an_rsa_key_with_leading_zeros_is_refused() {
    let n = [vec![0], modulus(2048)].concat();
    let long_n = json!({"kty": "RSA", "n": base64(&n), "e": base64(F4)});
    refused(&register("RS256", &long_n), 400, "badPublicKey");
    let mut long_e = rsa(2048, &[0, 1, 0, 1]);
    refused(&register("RS256", &long_e), 400, "badPublicKey");
    long_e["e"] = json!("AQAB=");
    refused(&register("RS256", &long_e), 400, "badPublicKey");
}

/// A private key has no business in a request (RFC 7517 §9.2).
#[test]
fn a_jwk_with_a_private_member_is_refused() {
    let key = AnyKey::generate("ES256");
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut jwk = key.jwk.clone();
        jwk[member] = json!("AQ");
        refused(&register("ES256", &jwk), 400, "badPublicKey");
    }
}

/// Coordinates have the full width of the curve, and lie on it (RFC 7518 §6.2.1).
#[test]
fn points_that_are_not_on_their_curve_are_refused() {
    let jwk = AnyKey::generate("ES256").jwk;
    let x = BASE64URL_NOPAD
        .decode(jwk["x"].as_str().unwrap().as_bytes())
        .unwrap();
    for wrong in [
        vec![],
        vec![0; 32],
        vec![0xff; 32],
        x[1..].to_vec(),
        [vec![0], x.clone()].concat(),
        x.iter().map(|b| b ^ 1).collect(),
    ] {
        let mut off = jwk.clone();
        off["x"] = json!(base64(&wrong));
        let answer = register("ES256", &off);
        // One changed octet may by chance be another point; then the signature is wrong.
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    let mut infinity = jwk.clone();
    infinity["x"] = json!(base64(&[0; 32]));
    infinity["y"] = json!(base64(&[0; 32]));
    refused(&register("ES256", &infinity), 400, "badPublicKey");
    let mut other_curve = jwk;
    other_curve["crv"] = json!("P-384");
    refused(&register("ES384", &other_curve), 400, "badPublicKey");
}

/// Kinds of keys that sign nothing here (§6.2).
#[test]
fn keys_of_other_kinds_are_refused() {
    let octets = base64(&[7; 32]);
    for jwk in [
        json!({"kty": "oct", "k": octets}),
        json!({"kty": "OKP", "crv": "X25519", "x": octets}),
        json!({"kty": "OKP", "crv": "Ed448", "x": octets}),
        json!({"kty": "EC", "crv": "secp256k1", "x": octets, "y": octets}),
        json!({"kty": "EC", "crv": "P-224", "x": octets, "y": octets}),
        json!({"kty": "EC", "crv": "P-256"}),
        json!({"kty": "EC"}),
        json!({"kty": "AKP", "pub": octets}),
        json!({"kty": 1}),
        json!({}),
        json!("key"),
        json!([]),
        Value::Null,
    ] {
        let answer = register("ES256", &jwk);
        refused(&answer, 400, "badPublicKey");
    }
}
