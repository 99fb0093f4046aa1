//! Who an operator is, and by which door they came: every audit entry of their doing says so.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::AuditEntry;

/// One who may do what only operators may. Made by `http/` once the caller has shown who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// A user of this machine, as the kernel says, at the operator's socket.
    Socket {
        /// The user's number.
        uid: u32,
    },
}

impl Operator {
    /// The operator who came through the socket as this user.
    pub(crate) const fn at_the_socket(uid: u32) -> Self {
        Self::Socket { uid }
    }

    /// Who it is, for those who read what they have said.
    pub(crate) fn name(&self) -> String {
        let Self::Socket { uid } = self;
        format!("uid {uid}")
    }

    /// The audit entry of what they do: `detail`, and by which door and who.
    pub(crate) fn entry(
        &self,
        event: &str,
        at: Timestamp,
        detail: Map<String, Value>,
    ) -> AuditEntry {
        let Self::Socket { uid } = self;
        let mut all = detail;
        all.insert("door".to_owned(), json!("socket"));
        all.insert("uid".to_owned(), json!(uid));
        AuditEntry {
            detail: Value::Object(all),
            ..AuditEntry::new(event, at)
        }
    }
}
