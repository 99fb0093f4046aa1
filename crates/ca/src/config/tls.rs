//! The `tls` of ca.json: protocol versions and cipher suites, by Go's names.

use super::section::{Section, Unknown};
use crate::tls::{TlsOptions, TlsVersion};

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
                format!("{suite} is too weak; the server does not support it"),
            );
        } else {
            section.fault(&key, format!("{suite:?} is not a cipher suite"));
        }
    }
    if !suites.iter().any(|suite| SPOKEN.contains(&suite.as_str())) {
        section.fault("cipherSuites", "lists no suite that the server supports");
    }
    suites
}

fn version(section: &mut Section<'_>, key: &str) -> Option<TlsVersion> {
    let number = section.float(key).filter(|number| *number != 0.0)?;
    if number < 1.15 {
        if key == "minVersion" {
            section.warn(key, "the server supports only TLS 1.2 and 1.3; it uses 1.2");
        } else {
            section.fault(key, "the server supports only TLS 1.2 and 1.3");
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
