//! Revocation requests (RFC 8555 §7.6).

use serde::{Deserialize, Serialize};

/// What a client sends to revokeCert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The certificate: base64url of its DER.
    pub certificate: String,
    /// The reason code of RFC 5280 §5.3.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<i64>,
}
