//! TLS settings as values: protocol versions and cipher suites, by Go's names.

use serde::{Deserialize, Serialize};

/// TLS settings: of the server, and as the sign response recommends them to clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsOptions {
    /// Suites for TLS 1.2, by their IANA names.
    pub cipher_suites: Vec<String>,
    /// 1.2 or 1.3.
    pub min_version: TlsVersion,
    /// 1.2 or 1.3.
    pub max_version: TlsVersion,
    /// Written for clients; the server never renegotiates.
    pub renegotiation: bool,
}

/// A version of TLS; a number in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246
    Tls12,
    /// TLS 1.3, RFC 8446
    Tls13,
}

impl From<TlsVersion> for f64 {
    fn from(version: TlsVersion) -> Self {
        match version {
            TlsVersion::Tls12 => 1.2,
            TlsVersion::Tls13 => 1.3,
        }
    }
}

impl TryFrom<f64> for TlsVersion {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        if number <= 1.25 {
            Ok(Self::Tls12)
        } else if number <= 1.35 {
            Ok(Self::Tls13)
        } else {
            Err("no such version of TLS")
        }
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            cipher_suites: DEFAULT_SUITES.map(str::to_owned).to_vec(),
            min_version: TlsVersion::Tls12,
            max_version: TlsVersion::Tls13,
            renegotiation: false,
        }
    }
}

const DEFAULT_SUITES: [&str; 2] = [
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_in_json() {
        let text = serde_json::to_string(&TlsOptions::default()).unwrap();
        assert_eq!(
            text,
            r#"{"cipherSuites":["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256","TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],"minVersion":1.2,"maxVersion":1.3,"renegotiation":false}"#
        );
    }
}
