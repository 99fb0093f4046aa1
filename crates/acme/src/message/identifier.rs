//! Identifiers in requests: type and value, and the members of RFC 9444 for ancestor domains and
//! subdomains.
//!
//! Not here: whether the server permits subdomains; if it does not, those members are ignored.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identifier::{DnsName, Identifier, Unchecked};
use crate::problem::{Problem, quote};

/// An identifier of newOrder or newAuthz (RFC 8555 §7.4, §7.4.1), not checked yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `dns`, `ip`, or anything.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value as sent.
    pub value: String,
    /// The parent domain that the client can prove (RFC 9444 §4.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ancestor_domain: Option<Value>,
    /// Whether to authorize its subdomains as well (RFC 9444 §4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdomain_auth_allowed: Option<Value>,
}

impl Asked {
    /// Creates an identifier from a type and a value.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    /// Checks type and value.
    ///
    /// # Errors
    /// As in [`Identifier::parse`].
    pub fn check(&self) -> Result<Identifier, Problem> {
        Identifier::parse(&self.kind, &self.value)
    }

    /// The type and the value.
    pub fn to_unchecked(&self) -> Unchecked {
        Unchecked::new(&self.kind, &self.value)
    }

    /// The ancestor domain by which the client can prove `identifier`, if there is one (RFC 9444
    /// §4.3): the identifier's name or a parent.
    ///
    /// # Errors
    /// `malformed` for anything else.
    pub fn ancestor_of(&self, identifier: &Identifier) -> Result<Option<DnsName>, Problem> {
        let ancestor = match &self.ancestor_domain {
            None => return Ok(None),
            Some(Value::String(text)) => DnsName::parse(text)?,
            Some(_) => {
                return Err(Problem::malformed(format!(
                    "The ancestorDomain of {identifier} is not a string: send the domain as one, or \
                     omit it."
                )));
            }
        };
        match identifier.host_name() {
            Some(name) if name.is_within(&ancestor) => Ok(Some(ancestor)),
            Some(_) => Err(Problem::malformed(format!(
                "{identifier} is not within its ancestorDomain {}: name a domain above it, or \
                 omit ancestorDomain.",
                quote(ancestor.as_str())
            ))),
            None => Err(Problem::malformed(format!(
                "{identifier} is an IP address, which has no ancestor domain: omit ancestorDomain."
            ))),
        }
    }

    /// Whether the client requests the subdomains of `identifier` as well (RFC 9444 §4.2).
    ///
    /// # Errors
    /// `malformed` for an address, and for a value that is neither true nor false.
    pub fn wants_subdomains(&self, identifier: &Identifier) -> Result<bool, Problem> {
        match (&self.subdomain_auth_allowed, identifier.host_name()) {
            (None | Some(Value::Bool(false)), _) => Ok(false),
            (Some(Value::Bool(true)), Some(_)) => Ok(true),
            (Some(Value::Bool(true)), None) => Err(Problem::malformed(format!(
                "{identifier} is an IP address, which has no subdomains: omit \
                 subdomainAuthAllowed."
            ))),
            (Some(_), _) => Err(Problem::malformed(format!(
                "The subdomainAuthAllowed of {identifier} is neither true nor false: use one of \
                 the two, or omit it."
            ))),
        }
    }
}

impl From<&Identifier> for Asked {
    fn from(identifier: &Identifier) -> Self {
        Self::new(identifier.kind(), identifier.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(kind: &str, value: &str, ancestor: Value) -> Result<Option<String>, String> {
        let asked: Asked = serde_json::from_value(
            json!({ "type": kind, "value": value, "ancestorDomain": ancestor }),
        )
        .unwrap();
        let found = asked.ancestor_of(&asked.check().unwrap());
        let found = found.map_err(|problem| problem.detail)?;
        Ok(found.map(|name| name.to_string()))
    }

    #[test]
    fn an_ancestor_is_the_name_itself_or_one_above() {
        for (value, ancestor, found) in [
            ("a.b.lab", "lab", "lab"),
            ("a.b.lab", "B.Lab", "b.lab"),
            ("a.b.lab", "a.b.lab", "a.b.lab"),
            ("*.b.lab", "b.lab", "b.lab"),
        ] {
            let found = Ok(Some(found.to_owned()));
            assert_eq!(asked("dns", value, json!(ancestor)), found);
        }
        assert_eq!(asked("dns", "a.b.lab", Value::Null), Ok(None));
    }

    #[test]
    fn anything_else_is_refused_as_ancestor() {
        for (kind, value, ancestor, word) in [
            ("dns", "a.b.lab", json!("c.lab"), "is not within"),
            ("dns", "ab.lab", json!("b.lab"), "is not within"),
            ("dns", "b.lab", json!("a.b.lab"), "is not within"),
            ("dns", "*.b.lab", json!("*.lab"), "asterisk"),
            ("dns", "a.lab", json!(""), "empty"),
            ("dns", "a.lab", json!(["lab"]), "not a string"),
            ("ip", "10.0.0.7", json!("lab"), "IP address"),
        ] {
            let detail = asked(kind, value, ancestor).unwrap_err();
            assert!(detail.contains(word), "{detail}");
        }
    }

    #[test]
    fn only_true_requests_subdomains() {
        let wants = |kind, value, flag: Value| {
            let mut asked = Asked::new(kind, value);
            asked.subdomain_auth_allowed = Some(flag);
            asked.wants_subdomains(&asked.check().unwrap())
        };
        assert_eq!(wants("dns", "a.lab", json!(true)), Ok(true));
        assert_eq!(wants("dns", "a.lab", json!(false)), Ok(false));
        assert!(wants("dns", "a.lab", json!("true")).is_err());
        assert!(wants("ip", "::1", json!(true)).is_err());
    }
}
