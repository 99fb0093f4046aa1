//! Revocation requests (RFC 8555 §7.6).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::octets;
use crate::problem::Problem;
use crate::revocation::Reason;

/// What a client sends to revokeCert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The certificate: base64url of its DER.
    pub certificate: String,
    /// The reason code of RFC 5280 §5.3.1, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Value>,
}

impl Revocation {
    /// Creates a request to revoke a certificate, with an optional reason.
    #[must_use]
    pub fn new(der: &[u8], reason: Option<Reason>) -> Self {
        Self {
            certificate: octets::write(der),
            reason: reason.map(|reason| Value::from(reason.code())),
        }
    }

    /// The certificate's DER.
    ///
    /// # Errors
    /// `malformed` if it is not base64url.
    pub fn der(&self) -> Result<Vec<u8>, Problem> {
        octets::read(&self.certificate, "certificate", "certificate")
    }

    /// The reason.
    ///
    /// # Errors
    /// `badRevocationReason` with the permitted codes.
    pub fn reason(&self) -> Result<Reason, Problem> {
        Reason::parse(self.reason.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_round_trips_through_json() {
        let asked = Revocation::new(&[1, 2], Some(Reason::KeyCompromise));
        let json = serde_json::to_string(&asked).unwrap();
        assert_eq!(json, r#"{"certificate":"AQI","reason":1}"#);
        let read: Revocation = serde_json::from_str(&json).unwrap();
        assert_eq!(read.der(), Ok(vec![1, 2]));
        assert_eq!(read.reason(), Ok(Reason::KeyCompromise));
    }

    #[test]
    fn no_reason_and_null_are_unspecified() {
        for text in [
            r#"{"certificate":""}"#,
            r#"{"certificate":"","reason":null}"#,
        ] {
            let read: Revocation = serde_json::from_str(text).unwrap();
            assert_eq!(read.reason(), Ok(Reason::Unspecified));
        }
    }

    #[test]
    fn a_pem_certificate_is_mentioned_as_such() {
        let asked = Revocation {
            certificate: "-----BEGIN CERTIFICATE-----".to_owned(),
            reason: None,
        };
        let problem = asked.der().unwrap_err();
        assert!(problem.detail.contains("it is PEM"), "{problem}");
    }
}
