//! Names of algorithms, usages and provisioner types as smallstep's `step` prints them.

use pki::{KeyKind, KeyUsages, ObjectIdentifier};

/// Every key usage with its words and its JSON member, in the order of its bit.
pub(crate) const KEY_USAGES: [(KeyUsages, &str, &str); 9] = [
    (
        KeyUsages::DIGITAL_SIGNATURE,
        "Digital Signature",
        "digital_signature",
    ),
    (
        KeyUsages::CONTENT_COMMITMENT,
        "Content Commitment",
        "content_commitment",
    ),
    (
        KeyUsages::KEY_ENCIPHERMENT,
        "Key Encipherment",
        "key_encipherment",
    ),
    (
        KeyUsages::DATA_ENCIPHERMENT,
        "Data Encipherment",
        "data_encipherment",
    ),
    (KeyUsages::KEY_AGREEMENT, "Key Agreement", "key_agreement"),
    (
        KeyUsages::KEY_CERT_SIGN,
        "Certificate Sign",
        "certificate_sign",
    ),
    (KeyUsages::CRL_SIGN, "CRL Sign", "crl_sign"),
    (KeyUsages::ENCIPHER_ONLY, "Encipher Only", "encipher_only"),
    (KeyUsages::DECIPHER_ONLY, "Decipher Only", "decipher_only"),
];

/// Every extended key usage that has words: its object identifier, words, JSON member.
const EXTENDED: [(&str, &str, &str); 10] = [
    ("2.5.29.37.0", "Any Usage", "any"),
    ("1.3.6.1.5.5.7.3.1", "Server Authentication", "server_auth"),
    ("1.3.6.1.5.5.7.3.2", "Client Authentication", "client_auth"),
    ("1.3.6.1.5.5.7.3.3", "Code Signing", "code_signing"),
    ("1.3.6.1.5.5.7.3.4", "E-mail Protection", "email_protection"),
    ("1.3.6.1.5.5.7.3.5", "IPSec End System", "ipsec_end_system"),
    ("1.3.6.1.5.5.7.3.6", "IPSec Tunnel", "ipsec_tunnel"),
    ("1.3.6.1.5.5.7.3.7", "IPSec User", "ipsec_user"),
    ("1.3.6.1.5.5.7.3.8", "Time Stamping", "time_stamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSP Signing", "ocsp_signing"),
];

/// Provisioner types by their number in the extension.
const PROVISIONERS: [&str; 12] = [
    "NOOP", "JWK", "OIDC", "GCP", "AWS", "Azure", "ACME", "X5C", "K8sSA", "SSHPOP", "SCEP",
    "Nebula",
];

/// Words and JSON member of an extended key usage, where it has some.
pub(crate) fn extended_key_usage(oid: &ObjectIdentifier) -> Option<(&'static str, &'static str)> {
    let oid = oid.to_string();
    let found = EXTENDED.iter().find(|(known, ..)| *known == oid)?;
    Some((found.1, found.2))
}

/// The type of a provisioner.
pub(crate) fn provisioner(kind: u32) -> String {
    let known = usize::try_from(kind)
        .ok()
        .and_then(|at| PROVISIONERS.get(at));
    known.map_or_else(|| format!("{kind} (unknown)"), |name| (*name).to_owned())
}

/// `ECDSA`, `RSA`, `Ed25519`.
pub(crate) const fn algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 => "ECDSA",
        KeyKind::Rsa { .. } => "RSA",
        KeyKind::Ed25519 => "Ed25519",
    }
}

/// `P-256` and so on; the size in bits for other keys.
pub(crate) fn parameters(kind: KeyKind) -> String {
    match kind {
        KeyKind::EcP256 => "P-256".to_owned(),
        KeyKind::EcP384 => "P-384".to_owned(),
        KeyKind::EcP521 => "P-521".to_owned(),
        KeyKind::Rsa { bits } => bits.to_string(),
        KeyKind::Ed25519 => "256".to_owned(),
    }
}
