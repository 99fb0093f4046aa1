//! Operators and how they were authenticated: every audit entry of their actions records both.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{AuditEntry, Event};

/// An authenticated operator, made by `http/` after the caller has been identified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// A user of this machine on the admin socket, as the kernel reports.
    Socket {
        /// The user's id.
        uid: u32,
    },
}

impl Operator {
    /// The operator on the admin socket with this user id.
    pub(crate) const fn at_the_socket(uid: u32) -> Self {
        Self::Socket { uid }
    }

    /// The operator's name in records.
    pub(crate) fn name(&self) -> String {
        let Self::Socket { uid } = self;
        format!("uid {uid}")
    }

    /// The audit entry of an action: `detail`, the entry point and the user.
    pub(crate) fn entry(
        &self,
        event: Event,
        at: Timestamp,
        detail: Map<String, Value>,
    ) -> AuditEntry {
        let Self::Socket { uid } = self;
        let mut all = detail;
        all.insert("entry_point".to_owned(), json!("socket"));
        all.insert("uid".to_owned(), json!(uid));
        AuditEntry {
            detail: Value::Object(all),
            ..AuditEntry::new(event, at)
        }
    }
}
