//! An identifier as it came by wire. It lies below both [`problem`](crate::problem), whose
//! subproblems name the identifier at fault, and [`identifier`](crate::identifier), which checks it.

use serde::{Deserialize, Serialize};

/// An identifier as it came by wire: a type and a value, nothing checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unchecked {
    /// `dns`, `ip`, or anything.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value as sent.
    pub value: String,
}

impl Unchecked {
    /// Puts type and value together.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            value: value.into(),
        }
    }
}
