//! What a configuration restricts, one by one: so that an edit which removes a restriction can be told from one that
//! adds something, and named.
//!
//! Not here: what is done about it.

mod list;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Config;

/// One restriction that a configuration makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// The file that makes it: `ca.json` or `riser.toml`.
    pub file: String,
    /// The provisioner that it holds for; `None` where it holds for all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub provisioner: Option<String>,
    /// Its place in the file, or in the provisioner, with the rule where it is one of a list:
    /// `authority.policy.x509.deny.dns "*.internal"`.
    pub place: String,
    /// What it allows at most, in a unit that depends on the place; `None` where it only holds or does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub most: Option<u64>,
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.provisioner {
            Some(name) => write!(f, "{}: provisioner.{name}.{}", self.file, self.place),
            None => write!(f, "{}: {}", self.file, self.place),
        }
    }
}

impl Config {
    /// Everything that this configuration restricts.
    #[must_use]
    pub fn restrictions(&self) -> Vec<Restriction> {
        list::of(self)
    }
}

/// The restrictions of `old` that `new` no longer makes, or makes wider. A provisioner that is gone needs none; where
/// one is gone and others have come, each of those counts as the same one with a new name.
#[must_use]
pub fn removed(old: &[Restriction], new: &[Restriction]) -> Vec<Restriction> {
    let has = |all: &[Restriction], name: &str| {
        all.iter()
            .any(|one| one.provisioner.as_deref() == Some(name))
    };
    let come: Vec<&str> = new
        .iter()
        .filter_map(|one| one.provisioner.as_deref())
        .filter(|name| !has(old, name))
        .collect();
    let holds = |restriction: &Restriction| match restriction.provisioner.as_deref() {
        None => is_made(restriction, None, new),
        Some(name) if has(new, name) => is_made(restriction, Some(name), new),
        Some(_) => come
            .iter()
            .all(|name| is_made(restriction, Some(name), new)),
    };
    old.iter().filter(|one| !holds(one)).cloned().collect()
}

/// Whether the same place is restricted as much, for this provisioner. Which file says so does not matter.
fn is_made(restriction: &Restriction, provisioner: Option<&str>, new: &[Restriction]) -> bool {
    new.iter().any(|other| {
        let is_within = match (restriction.most, other.most) {
            (Some(old), Some(new)) => new <= old,
            (None, Some(_)) | (_, None) => true,
        };
        let is_same = other.provisioner.as_deref() == provisioner;
        is_same && other.place == restriction.place && is_within
    })
}

#[cfg(test)]
mod tests;
