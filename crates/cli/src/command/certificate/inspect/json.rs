//! The JSON form: the members that the reference implementation prints, in its order.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest as _, Md5};
use pki::{AltName, Certificate, KeyKind, PublicKey};
use serde_json::{Map, Value, json};

use super::key::{Numbers, numbers};
use super::text::signature_algorithm;
use super::{json_extensions, json_name, words};

/// A certificate as JSON.
pub(crate) fn value(certificate: &Certificate) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    let algorithm = algorithm(certificate);
    let serial = certificate.serial().to_string();
    put("version", certificate.version().into());
    put("serial_number", serial.into());
    put("signature_algorithm", algorithm.clone());
    put("issuer", json_name::members(certificate.issuer()));
    if !certificate.issuer().is_empty() {
        put("issuer_dn", json_name::line(certificate.issuer()).into());
    }
    put("validity", validity(certificate));
    put("subject", json_name::members(certificate.subject()));
    if !certificate.subject().is_empty() {
        put("subject_dn", json_name::line(certificate.subject()).into());
    }
    put("subject_key_info", key_info(certificate));
    let (extensions, unknown) = json_extensions::values(certificate);
    if !extensions.is_empty() {
        put("extensions", Value::Object(extensions));
    }
    if !unknown.is_empty() {
        put("unknown_extensions", Value::Array(unknown));
    }
    put("signature", signature(certificate, algorithm));
    let tbs = hex(&SHA256, certificate.tbs_der());
    put("fingerprint_md5", md5(certificate.der()).into());
    put(
        "fingerprint_sha1",
        hex(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der()).into(),
    );
    put("fingerprint_sha256", certificate.fingerprint().into());
    put("tbs_noct_fingerprint", tbs.clone().into());
    let bound = [certificate.spki_der(), certificate.subject().der()].concat();
    put("spki_subject_fingerprint", hex(&SHA256, &bound).into());
    put("tbs_fingerprint", tbs.into());
    put("validation_level", "unknown".into());
    let names = names(certificate);
    if !names.is_empty() {
        put("names", json!(names));
    }
    put("redacted", false.into());
    Value::Object(out)
}

fn hex(algorithm: &'static Algorithm, bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(algorithm, bytes).as_ref())
}

fn md5(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Md5::digest(bytes))
}

fn algorithm(certificate: &Certificate) -> Value {
    let mut out = Map::new();
    out.insert("name".to_owned(), signature_algorithm(certificate).into());
    if let Some(oid) = certificate
        .signature_algorithm()
        .ok()
        .and_then(|known| json_extensions::algorithm_oid(&known.identifier_der()))
    {
        out.insert("oid".to_owned(), oid.into());
    }
    Value::Object(out)
}

fn validity(certificate: &Certificate) -> Value {
    let (start, end) = (certificate.not_before(), certificate.not_after());
    json!({
        "start": start.to_string(),
        "end": end.to_string(),
        "length": end.duration_since(start).as_secs(),
    })
}

fn key_info(certificate: &Certificate) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    let key = certificate.public_key().ok();
    let algorithm = key.map_or("unknown", |key| words::algorithm(key.kind()));
    put("key_algorithm", json!({"name": algorithm}));
    if let Some(key) = key {
        match numbers(key) {
            Numbers::Rsa { modulus, exponent } => {
                let rsa = json!({
                    "exponent": exponent,
                    "modulus": BASE64.encode(&modulus),
                    "length": modulus.len() * 8,
                });
                put("rsa_public_key", rsa);
            }
            Numbers::Point { x, y, bits } => {
                put("ecdsa_public_key", point(key, &x, &y, bits));
            }
            Numbers::Bytes(_) => {}
        }
    }
    let fingerprint = hex(&SHA256, certificate.spki_der());
    put("fingerprint_sha256", fingerprint.into());
    Value::Object(out)
}

/// A key on a curve, with the curve's parameters (SEC 2): b, gx, gy, n, p.
fn point(key: &PublicKey, x: &[u8], y: &[u8], bits: usize) -> Value {
    let [b, gx, gy, n, p] = match key.kind() {
        KeyKind::EcP384 => P384,
        KeyKind::EcP521 => P521,
        KeyKind::EcP256 | KeyKind::Rsa { .. } | KeyKind::Ed25519 => P256,
    };
    json!({
        "b": b,
        "curve": words::parameters(key.kind()),
        "gx": gx,
        "gy": gy,
        "length": bits,
        "n": n,
        "p": p,
        "pub": BASE64.encode(key.subject_public_key()),
        "x": BASE64.encode(x),
        "y": BASE64.encode(y),
    })
}

fn signature(certificate: &Certificate, algorithm: Value) -> Value {
    let is_self_signed = certificate.issuer() == certificate.subject()
        && certificate.is_issued_by(certificate).is_ok();
    json!({
        "signature_algorithm": algorithm,
        "value": BASE64.encode(certificate.signature()),
        "valid": false,
        "self_signed": is_self_signed,
    })
}

/// What the certificate is for as host names: common name, DNS names, IPv4 addresses, each once.
fn names(certificate: &Certificate) -> Vec<String> {
    let mut names = Vec::new();
    let common_name = certificate.subject().cn().unwrap_or_default();
    if is_host(&common_name) {
        names.push(common_name);
    }
    for name in certificate.alt_names() {
        let text = match name {
            AltName::Dns(name) => name.clone(),
            AltName::Ip(address) if address.is_ipv4() => address.to_string(),
            AltName::Ip(_) | AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => {
                continue;
            }
        };
        if !names.contains(&text) {
            names.push(text);
        }
    }
    names
}

fn is_host(name: &str) -> bool {
    let is_label = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte);
    !name.is_empty()
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_label))
}

const P256: [&str; 5] = [
    "WsY12Ko6k+ez671VdpiGvGUdBrDMU7D2O848PifSYEs=",
    "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY=",
    "T+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU=",
    "/////wAAAAD//////////7zm+q2nF56E87nKwvxjJVE=",
    "/////wAAAAEAAAAAAAAAAAAAAAD///////////////8=",
];
const P384: [&str; 5] = [
    "szEvp+I+5+SYjgVr4/gtGRgdnG7+gUESAxQIj1ATh1rGVjmNii7RnSqFyO3T7Crv",
    "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
    "NhfeSpYmLG9dnpi/kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    "////////////////////////////////x2NNgfQ3Ld9YGg2ySLCneuzsGWrMxSlz",
    "//////////////////////////////////////////7/////AAAAAAAAAAD/////",
];
const P521: [&str; 5] = [
    "UZU+uWGOHJofkpohoLaFQO6i2nJbmbMV87i0iZGO8QnhVhk5Uex+k3sWUsC9O7G/BzVz34g9LDTx70Uf1GtQPwA=",
    "xoWOBrcEBOnNnj7LZiOVtEKcZIE5BT+1Ifgor2BrTT26oUted+/nWSj+HcEnov+o3jNIs8GFakKb+X5+McLlvWY=",
    "ARg5KWp4mjvABFyKX7QsfRvZmPVESVebRGgXr70XJz5mLJfucple9CZAxVC5AT+tB2E1PHCGonLCQIi+lHaf0WZQ",
    "Af//////////////////////////////////////////+lGGh4O/L5Zrf8wBSPcJpdA7tcm4iZxHrrtvtx6ROGQJ",
    "Af//////////////////////////////////////////////////////////////////////////////////////",
];
