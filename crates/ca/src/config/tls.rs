//! The `tls` of ca.json: protocol versions and cipher suites, by Go's names.

use serde::{Deserialize, Serialize};

use super::section::{Section, Unknown};

/// TLS settings: of the server, and as the sign response tells them to clients.
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

/// Suites that the server can speak.
const SPOKEN: [&str; 11] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// Reads the `tls` section.
pub(super) fn read(mut section: Section<'_>) -> TlsOptions {
    let mut options = TlsOptions::default();
    let suites = section.strings("cipherSuites");
    if !suites.is_empty() {
        options.cipher_suites = known_suites(&section, suites);
    }
    if let Some(version) = version(&mut section, "minVersion") {
        options.min_version = version;
    }
    if let Some(version) = version(&mut section, "maxVersion") {
        options.max_version = version;
    }
    if options.min_version > options.max_version {
        section.fault("minVersion", "must not be greater than maxVersion");
    }
    options.renegotiation = section.bool("renegotiation").unwrap_or_default();
    if options.renegotiation {
        section.warn("renegotiation", "the server itself never renegotiates");
    }
    section.finish(Unknown::Warn);
    options
}

fn known_suites(section: &Section<'_>, suites: Vec<String>) -> Vec<String> {
    for (n, suite) in suites.iter().enumerate() {
        let key = format!("cipherSuites[{n}]");
        if SPOKEN.contains(&suite.as_str()) {
            continue;
        }
        if suite.starts_with("TLS_RSA_") || suite.contains("_CBC_") || suite.contains("_RC4_") {
            section.warn(
                &key,
                format!("{suite} is too weak; the server does not speak it"),
            );
        } else {
            section.fault(&key, format!("{suite:?} is not a cipher suite"));
        }
    }
    if !suites.iter().any(|suite| SPOKEN.contains(&suite.as_str())) {
        section.fault("cipherSuites", "names no suite that the server speaks");
    }
    suites
}

fn version(section: &mut Section<'_>, key: &str) -> Option<TlsVersion> {
    let number = section.float(key).filter(|number| *number != 0.0)?;
    if number < 1.15 {
        if key == "minVersion" {
            section.warn(key, "the server speaks TLS 1.2 and 1.3 only; 1.2 it is");
        } else {
            section.fault(key, "the server speaks TLS 1.2 and 1.3 only");
        }
    }
    match TlsVersion::try_from(number) {
        Ok(version) => Some(version),
        Err(what) => {
            section.fault(key, what);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::section::Log;
    use super::*;

    #[test]
    fn versions_are_numbers_in_json() {
        let text = serde_json::to_string(&TlsOptions::default()).unwrap();
        assert_eq!(
            text,
            r#"{"cipherSuites":["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256","TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],"minVersion":1.2,"maxVersion":1.3,"renegotiation":false}"#
        );
    }

    #[test]
    fn an_empty_section_means_the_defaults() {
        let value = json!({"cipherSuites": null, "minVersion": 0});
        let log = Log::new("ca.json");
        let options = read(Section::new(value.as_object().unwrap(), "tls", &log));
        assert_eq!(options, TlsOptions::default());
    }

    #[test]
    fn reversed_versions_and_unknown_suites_are_faults() {
        let value = json!({"cipherSuites": ["TLS_NULL"], "minVersion": 1.3, "maxVersion": 1.2});
        let log = Log::new("ca.json");
        read(Section::new(value.as_object().unwrap(), "tls", &log));
        let (faults, _) = log.into_parts();
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(
            places,
            ["tls.cipherSuites[0]", "tls.cipherSuites", "tls.minVersion"]
        );
    }
}
