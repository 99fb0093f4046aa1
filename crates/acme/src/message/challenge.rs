//! Challenges on the wire (RFC 8555 §7.1.5, §8).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::time;
use crate::challenge::{self, CaaIdentity, Method, Status};
use crate::problem::Problem;

/// The challenge object that a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The name of the method; other servers have more methods.
    #[serde(rename = "type")]
    pub kind: String,
    /// The URL where the client answers it.
    pub url: String,
    /// Its status.
    pub status: Status,
    /// The random part of the key authorization; not every method has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// With dns-persist-01: the issuer domain names, one of which the record must have
    /// (draft-ietf-acme-dns-persist).
    #[serde(
        default,
        rename = "issuer-domain-names",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub issuer_domain_names: Vec<String>,
    /// With dns-persist-01: the account's URL, which the record must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accounturi: Option<String>,
    /// When it was validated.
    #[serde(
        default,
        with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub validated: Option<Timestamp>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

impl Challenge {
    /// Creates the object of a challenge with its URL; `caa_identity` is what persistent records must
    /// name.
    pub fn show(challenge: &challenge::Challenge, url: String, caa_identity: &CaaIdentity) -> Self {
        let method = challenge.method;
        let bound = (method == Method::DnsPersist01).then(|| caa_identity.clone());
        let (issuers, account) = bound.map_or_else(Default::default, |caa_identity| {
            (caa_identity.issuers, Some(caa_identity.account_url))
        });
        Self {
            kind: challenge.method.as_str().to_owned(),
            url,
            status: challenge.status,
            token: method.has_token().then(|| challenge.token.clone()),
            issuer_domain_names: issuers,
            accounturi: account,
            validated: challenge.validated,
            error: challenge.error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn shown(method: Method) -> serde_json::Value {
        let challenge = challenge::Challenge::new(Uuid::nil(), method, &[0; 32]);
        let caa_identity = CaaIdentity {
            account_url: "https://ca.lab/acme/acme/account/1".into(),
            issuers: vec!["ca.lab".into()],
        };
        let body = Challenge::show(&challenge, "https://ca.lab/c".into(), &caa_identity);
        serde_json::to_value(body).unwrap()
    }

    #[test]
    fn a_dns_persist_01_challenge_has_issuer_and_account_instead_of_a_token() {
        let body = shown(Method::DnsPersist01);
        assert_eq!(
            body,
            serde_json::json!({
                "type": "dns-persist-01",
                "url": "https://ca.lab/c",
                "status": "pending",
                "issuer-domain-names": ["ca.lab"],
                "accounturi": "https://ca.lab/acme/acme/account/1",
            })
        );
        let body = shown(Method::DnsAccount01);
        assert_eq!(body["token"].as_str().unwrap().len(), 43);
        assert_eq!(body.get("accounturi"), None);
    }
}
