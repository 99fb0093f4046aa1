//! Provisioners of types that cannot issue here yet: they are listed as they are written, so
//! that the tools that edit the file see all of it.

use serde_json::Value;

use super::Common;
use crate::config::section::Section;

/// Types that ca.json knows, with their numbers in the certificate extension.
const KNOWN: [(&str, u32); 9] = [
    ("OIDC", 2),
    ("GCP", 3),
    ("AWS", 4),
    ("Azure", 5),
    ("X5C", 7),
    ("K8sSA", 8),
    ("SSHPOP", 9),
    ("SCEP", 10),
    ("Nebula", 11),
];

/// Members that must not be read by everyone who can reach `/provisioners`.
const SECRETS: [&str; 3] = ["challenge", "decrypterKeyPEM", "decrypterKeyPassword"];
const BLOTTED: &str = "*** REDACTED ***";

/// A provisioner of a type that cannot issue yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    common: Common,
    kind: String,
}

impl Other {
    pub(super) fn read(mut common: Common, kind: &str, section: &mut Section<'_>) -> Self {
        let known = KNOWN
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(kind));
        let reason = if known.is_some() {
            format!("provisioners of type {kind} are not supported yet")
        } else {
            format!("{kind:?} is not a type of provisioner")
        };
        if !kind.is_empty() {
            section.warn("type", format!("{reason}; it is listed only"));
        }
        common.disabled.get_or_insert(reason);
        Self {
            kind: known.map_or(kind, |(name, _)| name).to_owned(),
            common,
        }
    }

    /// The type's name.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common.name
    }

    pub(super) fn number(&self) -> Option<u32> {
        let known = KNOWN.iter().find(|(name, _)| *name == self.kind);
        known.map(|(_, number)| *number)
    }

    pub(super) fn common(&self) -> &Common {
        &self.common
    }
}

/// The object with its secrets blotted out.
pub(super) fn without_secrets(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        for (key, member) in map.iter_mut() {
            if SECRETS.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                *member = BLOTTED.into();
            }
        }
    }
    value
}
