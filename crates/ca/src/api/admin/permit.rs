//! Bodies of `/admin/acme/permits/`: names that an operator gives to an account without a
//! challenge.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `POST /admin/acme/permits/{provisioner}`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewPermits {
    /// The account: its id or its URL.
    pub account: String,
    /// The external account key's id, in place of an account.
    pub external_key: String,
    /// Names, addresses and patterns; a permit is made for each.
    pub names: Vec<String>,
    /// When they end by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A permit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permit {
    /// Its id.
    pub id: String,
    /// The provisioner's name.
    pub provisioner: String,
    /// The account's id; empty if it is for a key.
    #[serde(default)]
    pub account: String,
    /// The external account key's id; empty if it is for an account.
    #[serde(default)]
    pub external_key: String,
    /// The name, address or pattern.
    pub name: String,
    /// Who gave it.
    pub by: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// `GET /admin/acme/permits/{provisioner}`, and the answer to the POST.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permits {
    /// Oldest first.
    pub permits: Vec<Permit>,
}
