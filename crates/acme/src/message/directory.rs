//! The directory (RFC 8555 §7.1.1).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The URLs of the resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// For new nonces (§7.2).
    pub new_nonce: String,
    /// For creating and finding accounts (§7.3).
    pub new_account: String,
    /// For creating orders (§7.4).
    pub new_order: String,
    /// For authorizing names before an order (§7.4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_authz: Option<String>,
    /// For revoking certificates (§7.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_cert: Option<String>,
    /// For changing an account's key (§7.3.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_change: Option<String>,
    /// For renewal information (RFC 9773).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_info: Option<String>,
    /// Metadata of the server; omitted if empty.
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    pub meta: Meta,
}

/// Metadata of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The URL of the terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// The URL of the CA's website.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The issuer domain names of this CA in CAA records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caa_identities: Vec<String>,
    /// Whether new accounts need an external account binding.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external_account_required: bool,
    /// Whether names may be proven by a parent domain (RFC 9444 §4.4); present only if true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subdomain_auth_allowed: bool,
    /// The profiles: names and descriptions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
}

impl Meta {
    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Directory {
        Directory {
            new_nonce: "https://ca/n".into(),
            new_account: "https://ca/a".into(),
            new_order: "https://ca/o".into(),
            new_authz: None,
            revoke_cert: None,
            key_change: None,
            renewal_info: None,
            meta: Meta::default(),
        }
    }

    #[test]
    fn an_empty_meta_is_omitted() {
        let json = serde_json::to_string(&small()).unwrap();
        assert_eq!(
            json,
            r#"{"newNonce":"https://ca/n","newAccount":"https://ca/a","newOrder":"https://ca/o"}"#
        );
        assert_eq!(serde_json::from_str::<Directory>(&json).unwrap(), small());
    }

    #[test]
    fn unknown_members_are_ignored() {
        let text = r#"{"newNonce":"n","newAccount":"a","newOrder":"o","keyChange":"k",
            "x7Yz":"https://community.example/t/adding-random-entries",
            "meta":{"termsOfService":"t","odd":[1],"externalAccountRequired":true}}"#;
        let read: Directory = serde_json::from_str(text).unwrap();
        assert_eq!(read.key_change.as_deref(), Some("k"));
        assert!(read.meta.external_account_required);
    }
}
