//! Bodies of `/admin/acme/eab/`: external account keys. Members that smallstep's step-ca does
//! not have come after those that it has, and are optional in a request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::external_key::ExternalKey;
use crate::policy::Lists;

/// `POST /admin/acme/eab/{provisioner}`
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewKey {
    /// What the operator calls it.
    pub reference: String,
    /// Which names its accounts may order.
    pub policy: Lists,
    /// The profile that its accounts' orders get.
    pub profile: Option<String>,
    /// How many accounts it may bind; one if nothing is said.
    pub accounts: Option<u32>,
    /// From then on it binds none.
    pub expires_at: Option<Timestamp>,
    /// The id of a key that clients have already; by default a random one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The secret of that key in base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hmac_key: Option<String>,
}

/// An external account key.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The `kid` of bindings.
    pub id: String,
    /// The provisioner's name.
    pub provisioner: String,
    /// What the operator calls it; empty for nothing.
    #[serde(default)]
    pub reference: String,
    /// The first account that it has bound; empty for none.
    #[serde(default)]
    pub account: String,
    /// The secret in base64url without padding; only in the answer that makes the key.
    #[serde(default)]
    pub hmac_key: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it bound the latest account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_at: Option<Timestamp>,
    /// How many accounts it may bind.
    #[serde(default)]
    pub accounts: u32,
    /// How many accounts it has bound.
    #[serde(default)]
    pub bound: u32,
    /// From then on it binds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Which names its accounts may order.
    #[serde(default)]
    pub policy: Lists,
    /// The one profile that its accounts' orders get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The directory that its clients use; only in the answer that makes the key.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub directory: String,
}

/// `GET /admin/acme/eab/{provisioner}?cursor=&limit=`
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Keys {
    /// The keys of this page.
    pub eaks: Vec<Key>,
    /// Where the next page begins; empty on the last one.
    #[serde(default)]
    pub next_cursor: String,
}

/// What `DELETE /admin/acme/eab/{provisioner}/{id}` came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// `ok`
    pub status: String,
    /// How many unfinished orders of its accounts have ended with it.
    #[serde(default)]
    pub orders: u64,
}

impl Key {
    /// A key as it is listed: without its secret.
    #[must_use]
    pub fn show(key: &ExternalKey) -> Self {
        let first = key.use_made.first;
        Self {
            id: key.id.clone(),
            provisioner: key.provisioner.clone(),
            reference: key.reference.clone(),
            account: first.map_or_else(String::new, |id| id.simple().to_string()),
            hmac_key: String::new(),
            created_at: key.created_at,
            bound_at: key.use_made.latest_at,
            accounts: key.limits.accounts,
            bound: key.use_made.accounts,
            expires_at: key.limits.expires_at,
            policy: key.rules.policy.clone().into(),
            profile: key.rules.profile.clone(),
            directory: String::new(),
        }
    }
}
