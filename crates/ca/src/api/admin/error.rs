//! The error body of the admin API: `{"type","detail","message"}`.

use serde::{Deserialize, Serialize};

/// An error of the admin API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of error it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The kind, as a sentence.
    #[serde(default)]
    pub detail: String,
    /// What happened and what to do next.
    pub message: String,
}

/// The kinds of error, by the words that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// There is no such thing.
    NotFound,
    /// The caller may not do this.
    Unauthorized,
    /// The request is wrong.
    BadRequest,
    /// It stands against what is there.
    Conflict,
    /// The server cannot do this.
    NotImplemented,
    /// The server failed, or is out of order for the moment.
    InternalServerError,
    /// A kind of another server's.
    #[serde(other)]
    Other,
}

impl Error {
    /// An error of this kind.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            detail: kind.sentence().to_owned(),
            message: message.into(),
        }
    }
}

impl Kind {
    /// The kind as a sentence.
    const fn sentence(self) -> &'static str {
        match self {
            Self::NotFound => "there is no such resource",
            Self::Unauthorized => "the caller may not do this",
            Self::BadRequest => "the request is wrong",
            Self::Conflict => "the request stands against what is there",
            Self::NotImplemented => "the server cannot do this",
            Self::InternalServerError => "the server failed",
            Self::Other => "another error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_members_that_clients_read() {
        let error = Error::new(Kind::NotFound, "no key");
        assert_eq!(
            serde_json::to_string(&error).unwrap(),
            r#"{"type":"notFound","detail":"there is no such resource","message":"no key"}"#
        );
        let foreign = r#"{"type":"authorityMismatch","message":"x"}"#;
        let foreign: Error = serde_json::from_str(foreign).unwrap();
        assert_eq!((foreign.kind, foreign.detail.as_str()), (Kind::Other, ""));
    }
}
