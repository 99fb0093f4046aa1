//! Bodies of `/admin/acme/renewal`: windows in which certificates should be renewed (RFC 9773 §4.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A window and the certificates that it is for; `POST /admin/acme/renewal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalSetting {
    /// Which certificates.
    #[serde(flatten)]
    pub scope: RenewalScope,
    /// The first moment.
    pub start: Timestamp,
    /// The last moment.
    pub end: Timestamp,
    /// A page for people that says why.
    #[serde(
        rename = "explanationURL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub explanation_url: Option<String>,
}

/// Which certificates a window is for: one, or those of a provisioner, of a time, or of both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalScope {
    /// The serial number of one certificate, decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Those that were issued before this moment; until now where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<Timestamp>,
    /// Those of this provisioner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioner: Option<String>,
}

/// The windows in force, newest first; `GET /admin/acme/renewal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalWindows {
    /// The windows.
    pub windows: Vec<RenewalSetting>,
}

/// `DELETE /admin/acme/renewal` and `/admin/acme/renewal/{serial}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewalCleared {
    /// How many windows there were.
    pub cleared: usize,
}
