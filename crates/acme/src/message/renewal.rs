//! Renewal information on the wire (RFC 9773 §4.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::time;
use crate::renewal::Window;

/// The answer at a `renewalInfo` URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalInfo {
    /// When to renew.
    pub suggested_window: SuggestedWindow,
    /// The URL of a page that explains the window.
    #[serde(
        rename = "explanationURL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub explanation_url: Option<String>,
}

/// The ends of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestedWindow {
    /// The first moment.
    #[serde(serialize_with = "time::exact")]
    pub start: Timestamp,
    /// The last moment.
    #[serde(serialize_with = "time::exact")]
    pub end: Timestamp,
}

impl RenewalInfo {
    /// Creates the object of a window.
    #[must_use]
    pub fn new(window: Window, explanation_url: Option<String>) -> Self {
        let Window { start, end } = window;
        Self {
            suggested_window: SuggestedWindow { start, end },
            explanation_url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_in_the_rfc() {
        let window = Window {
            start: "2025-01-02T04:00:00Z".parse().unwrap(),
            end: "2025-01-03T04:00:00Z".parse().unwrap(),
        };
        let info = RenewalInfo::new(window, Some("https://ca/why".to_owned()));
        let json = serde_json::to_string(&info).unwrap();
        assert_eq!(
            json,
            r#"{"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"},"explanationURL":"https://ca/why"}"#
        );
        assert_eq!(serde_json::from_str::<RenewalInfo>(&json).unwrap(), info);
        let json = serde_json::to_string(&RenewalInfo::new(window, None)).unwrap();
        assert!(!json.contains("explanation"), "{json}");
    }
}
