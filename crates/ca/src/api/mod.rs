//! Bodies of `/`, `/1.0/` and `/admin/`, shared by the server, which writes them, and the client, which
//! reads them. Paths, headers and the choice of a status are not here.

pub mod admin;
mod error;
mod provisioners;

use pki::Certificate;
use serde::{Deserialize, Serialize};

use crate::tls::TlsOptions;

pub use error::Error;
pub use provisioners::{BadPage, Page, Provisioners};

/// `GET /health`, and the answer to what needs no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or `error` where the server does not work, or will soon not
    pub status: String,
    /// What is not in order although the server works, such as a configuration that could not
    /// be taken over; absent when there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl Health {
    /// `{"status":"ok"}`, with the problems where there are some.
    #[must_use]
    pub fn ok(problems: Vec<String>) -> Self {
        Self {
            status: "ok".to_owned(),
            problems,
        }
    }

    /// `{"status":"error"}` with the problems.
    #[must_use]
    pub fn error(problems: Vec<String>) -> Self {
        Self {
            status: "error".to_owned(),
            problems,
        }
    }
}

/// `GET /version`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The version of the server.
    pub version: String,
    /// Set where every client needs a certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_client_authentication: bool,
}

/// `GET /root/{sha256}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// The certificate as PEM.
    pub ca: String,
}

impl Root {
    /// The root with this fingerprint, written with or without dashes, in any letter case.
    #[must_use]
    pub fn find<'a>(roots: &'a [Certificate], fingerprint: &str) -> Option<&'a Certificate> {
        let wanted = fingerprint.replace('-', "").to_ascii_lowercase();
        roots.iter().find(|root| root.fingerprint() == wanted)
    }
}

/// `GET /roots`, `/intermediates`, `/federation`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// Each certificate as PEM.
    pub crts: Vec<String>,
}

impl Certificates {
    /// The list of these.
    #[must_use]
    pub fn new(certificates: &[Certificate]) -> Self {
        Self {
            crts: certificates.iter().map(Certificate::to_pem).collect(),
        }
    }
}

/// `GET /provisioners/{kid}/encrypted-key`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptedKey {
    /// The private key as a compact JWE.
    pub key: String,
}

/// `POST /rekey`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RekeyRequest {
    /// A request with the new key, as PEM.
    pub csr: String,
}

/// The answer of `/sign`, `/renew` and `/rekey`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignResponse {
    /// The leaf as PEM.
    pub crt: String,
    /// The issuing intermediate as PEM.
    pub ca: String,
    /// Leaf and intermediates, each as PEM; never the root.
    #[serde(default)]
    pub cert_chain: Vec<String>,
    /// The TLS settings that the authority recommends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_options: Option<TlsOptions>,
}

impl SignResponse {
    /// The answer that hands out a leaf with the chain above it.
    #[must_use]
    pub fn new(leaf: &Certificate, intermediates: &[Certificate], tls: &TlsOptions) -> Self {
        let chain: Vec<String> = std::iter::once(leaf)
            .chain(intermediates)
            .map(Certificate::to_pem)
            .collect();
        Self {
            crt: leaf.to_pem(),
            ca: intermediates
                .first()
                .map_or_else(String::new, Certificate::to_pem),
            cert_chain: chain,
            tls_options: Some(tls.clone()),
        }
    }

    /// The chain as one PEM text, as it is written to a file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        if self.cert_chain.is_empty() {
            format!("{}{}", self.crt, self.ca)
        } else {
            self.cert_chain.concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_members_that_clients_read() {
        let json = |value: serde_json::Result<String>| value.unwrap();
        assert_eq!(
            json(serde_json::to_string(&Health::ok(Vec::new()))),
            r#"{"status":"ok"}"#
        );
        let version = Version {
            version: "0.1.0".into(),
            require_client_authentication: false,
        };
        assert_eq!(
            json(serde_json::to_string(&version)),
            r#"{"version":"0.1.0"}"#
        );
        let answer = SignResponse {
            crt: "A\n".into(),
            ca: "B\n".into(),
            cert_chain: vec!["A\n".into(), "B\n".into()],
            tls_options: Some(TlsOptions::default()),
        };
        assert_eq!(
            json(serde_json::to_string(&answer)),
            r#"{"crt":"A\n","ca":"B\n","certChain":["A\n","B\n"],"tlsOptions":{"cipherSuites":["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256","TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"],"minVersion":1.2,"maxVersion":1.3,"renegotiation":false}}"#
        );
        assert_eq!(answer.to_pem(), "A\nB\n");
    }

    #[test]
    fn an_answer_of_an_older_server_is_read() {
        let answer: SignResponse = serde_json::from_str(r#"{"crt":"A\n","ca":"B\n"}"#).unwrap();
        assert_eq!(answer.to_pem(), "A\nB\n");
    }
}
