//! Orders on the wire (RFC 8555 §7.1.3, §7.4).

use jiff::Timestamp;
use pki::Csr;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::identifier::Asked;
use super::{octets, time};
use crate::identifier::Unchecked;
use crate::order::{self, Status};
use crate::problem::Problem;
use crate::requested_time::RequestedTime;

/// What a client sends to newOrder (§7.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// The identifiers of the certificate.
    pub identifiers: Vec<Asked>,
    /// The requested start of the validity; Go's zero time counts as absent.
    #[serde(
        default,
        deserialize_with = "time::requested::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_before: Option<RequestedTime>,
    /// The requested end of the validity; Go's zero time counts as absent.
    #[serde(
        default,
        deserialize_with = "time::requested::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_after: Option<RequestedTime>,
    /// The identifier of the certificate that the new one replaces (RFC 9773 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The requested profile (draft-ietf-acme-profiles §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// The order object that a server sends (§7.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its status.
    pub status: Status,
    /// When it expires, if the server sends it.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<Timestamp>,
    /// The identifiers of the certificate.
    pub identifiers: Vec<Unchecked>,
    /// The requested start of the validity.
    #[serde(
        default,
        deserialize_with = "time::requested::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_before: Option<RequestedTime>,
    /// The requested end of the validity.
    #[serde(
        default,
        deserialize_with = "time::requested::deserialize",
        skip_serializing_if = "Option::is_none"
    )]
    pub not_after: Option<RequestedTime>,
    /// The profile of the certificate (draft-ietf-acme-profiles §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Why it is invalid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// The URLs of its authorizations.
    pub authorizations: Vec<String>,
    /// The URL to send the CSR to.
    pub finalize: String,
    /// The URL of the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The identifier of the certificate that the new one replaces (RFC 9773 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// How the URLs of an order are built.
pub trait Urls {
    /// The URL of an authorization.
    fn authorization(&self, id: Uuid) -> String;
    /// The URL that finalizes an order.
    fn finalize(&self, order: Uuid) -> String;
    /// The URL of a certificate.
    fn certificate(&self, id: Uuid) -> String;
}

impl Order {
    /// Creates the object of an order at `now`.
    pub fn show(order: &order::Order, now: Timestamp, urls: &impl Urls) -> Self {
        Self {
            status: order.status_at(now),
            expires: Some(order.expires),
            identifiers: order.identifiers.iter().map(Unchecked::from).collect(),
            not_before: order.not_before.clone(),
            not_after: order.not_after.clone(),
            profile: order.profile.clone(),
            error: order.error_at(now),
            authorizations: (order.authorizations.iter())
                .map(|id| urls.authorization(*id))
                .collect(),
            finalize: urls.finalize(order.id),
            certificate: order.certificate.map(|id| urls.certificate(id)),
            replaces: order.replaces.as_ref().map(ToString::to_string),
        }
    }
}

/// What a client sends to an order's `finalize` (§7.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalize {
    /// The CSR: base64url of its DER.
    pub csr: String,
}

impl Finalize {
    /// Creates a request with a CSR.
    pub fn new(der: &[u8]) -> Self {
        Self {
            csr: data_encoding::BASE64URL_NOPAD.encode(der),
        }
    }

    /// Parses the CSR and verifies its signature.
    ///
    /// # Errors
    /// `malformed` if it is not base64url, otherwise `badCSR` with the fault.
    pub fn csr(&self) -> Result<Csr, Problem> {
        Csr::verify(&self.der()?)
            .map_err(|fault| Problem::bad_csr(format!("The CSR is not accepted: {fault}.")))
    }

    /// The DER of the CSR.
    ///
    /// # Errors
    /// `malformed` if it is not base64url without padding; the detail mentions PEM.
    pub fn der(&self) -> Result<Vec<u8>, Problem> {
        octets::read(&self.csr, "csr", "CSR")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_zero_times_count_as_absent() {
        let read: NewOrder = serde_json::from_str(
            r#"{"identifiers":[{"type":"dns","value":"a.b"}],
                "notBefore":"0001-01-01T00:00:00Z","notAfter":"0001-01-01T00:00:00Z"}"#,
        )
        .unwrap();
        assert_eq!((read.not_before, read.not_after), (None, None));
        let null: NewOrder =
            serde_json::from_str(r#"{"identifiers":[],"notBefore":null}"#).unwrap();
        assert_eq!(null.not_before, None);
    }

    #[test]
    fn fractions_and_offsets_are_kept_as_they_were_sent() {
        let sent = r#"{"identifiers":[],"notBefore":"2026-11-23T12:00:00.123456789Z","notAfter":"2026-11-23T15:00:00.5+02:00"}"#;
        let read: NewOrder = serde_json::from_str(sent).unwrap();
        let begin = read.not_before.as_ref().unwrap().at();
        assert_eq!(begin.subsec_nanosecond(), 123_456_789);
        assert_eq!(serde_json::to_string(&read).unwrap(), sent);
    }

    #[test]
    fn an_invalid_time_is_refused() {
        for time in ["tomorrow", "2026-13-01T00:00:00Z", "2026-11-23", ""] {
            let text = format!(r#"{{"identifiers":[],"notAfter":"{time}"}}"#);
            assert!(serde_json::from_str::<NewOrder>(&text).is_err(), "{time}");
        }
    }

    #[test]
    fn a_csr_in_another_encoding_is_refused_and_the_encoding_mentioned() {
        let asked = |csr: &str| Finalize { csr: csr.into() }.der();
        assert!(asked("AQ==").unwrap_err().detail.contains("padding"));
        assert_eq!(Finalize::new(&[1]).der().unwrap(), [1]);
        let pem = asked("-----BEGIN CERTIFICATE REQUEST-----").unwrap_err();
        assert!(pem.detail.contains("PEM"), "{pem}");
        assert!(asked("+/+/").unwrap_err().detail.contains("plain base64"));
        assert!(asked("A").is_err());
    }
}
