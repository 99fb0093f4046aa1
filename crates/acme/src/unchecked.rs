//! An identifier as received. Both [`problem`](crate::problem), whose subproblems have the identifier
//! at fault, and [`identifier`](crate::identifier), which checks it, use this module.

use serde::{Deserialize, Serialize};

/// An identifier as received: a type and a value, not checked yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unchecked {
    /// `dns`, `ip`, or anything.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value as sent.
    pub value: String,
}

impl Unchecked {
    /// Creates an identifier from a type and a value.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            value: value.into(),
        }
    }
}
