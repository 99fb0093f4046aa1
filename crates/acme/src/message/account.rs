//! Accounts on the wire (RFC 8555 §7.1.2, §7.3).

use serde::{Deserialize, Serialize};

use crate::account::{self, Status};

/// What a client sends to newAccount (§7.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NewAccount {
    /// Contact URLs.
    #[serde(deserialize_with = "null_as_default")]
    pub contact: Vec<String>,
    /// Whether the client agrees to the terms of service.
    pub terms_of_service_agreed: bool,
    /// Whether only to look up an account, not to create one (§7.3.1).
    pub only_return_existing: bool,
    /// The external account binding: a JWS by a key from the operator (§7.3.4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<serde_json::Value>,
}

/// What a client sends to its account's URL (§7.3.2, §7.3.6); absent members stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Update {
    /// The new contact URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Vec<String>>,
    /// The new status; only `deactivated` is permitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Agreement to changed terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
}

/// The account object that a server sends (§7.1.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The status.
    pub status: Status,
    /// Contact URLs.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub contact: Vec<String>,
    /// Whether the client has agreed to the terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
    /// The external account binding as the client sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<serde_json::Value>,
    /// The URL of the account's list of orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<String>,
}

impl Account {
    /// Creates the object of an account; `orders` is the URL of its list.
    pub fn show(account: &account::Account, orders: String) -> Self {
        Self {
            status: account.status,
            contact: account.contact.clone(),
            terms_of_service_agreed: account.terms_agreed.then_some(true),
            external_account_binding: account.external.as_ref().map(|it| it.binding.clone()),
            orders: Some(orders),
        }
    }
}

/// The list at an account's `orders` URL (§7.1.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    /// Order URLs.
    pub orders: Vec<String>,
}

fn null_as_default<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_step_is_parsed() {
        let read: NewAccount = serde_json::from_str(
            r#"{"contact":[],"onlyReturnExisting":false,"termsOfServiceAgreed":true}"#,
        )
        .unwrap();
        assert!(read.terms_of_service_agreed && !read.only_return_existing);
        let null: NewAccount = serde_json::from_str(r#"{"contact":null,"status":"x"}"#).unwrap();
        assert_eq!(null, NewAccount::default());
    }

    #[test]
    fn an_update_distinguishes_an_empty_contact_list_from_none() {
        let empty: Update = serde_json::from_str(r#"{"contact":[]}"#).unwrap();
        assert_eq!(empty.contact, Some(vec![]));
        let none: Update = serde_json::from_str("{}").unwrap();
        assert_eq!(none, Update::default());
    }
}
