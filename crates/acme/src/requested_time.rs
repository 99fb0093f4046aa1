//! A time that a client asked for: it is compared as a time and shown as it was written, with its
//! fraction and offset (RFC 8555 §7.1.3).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment and the text that names it (RFC 3339).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedTime {
    at: Timestamp,
    text: String,
}

impl RequestedTime {
    /// Parses a text; none if it is not a time. One that says more than RFC 3339 permits is shown in UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at: Timestamp = text.parse().ok()?;
        Some(if is_plain(text) {
            Self {
                at,
                text: text.to_owned(),
            }
        } else {
            at.into()
        })
    }

    /// The moment.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// In UTC at whole seconds, which every client can parse.
impl From<Timestamp> for RequestedTime {
    fn from(at: Timestamp) -> Self {
        let second = at.as_nanosecond().div_euclid(1_000_000_000);
        let second = i64::try_from(second).ok();
        let whole = second.and_then(|second| Timestamp::from_second(second).ok());
        Self {
            at,
            text: whole.unwrap_or(at).to_string(),
        }
    }
}

impl fmt::Display for RequestedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for RequestedTime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for RequestedTime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || serde::de::Error::custom(format_args!("{text:?} is not an RFC 3339 time"));
        Self::parse(&text).ok_or_else(wrong)
    }
}

/// Whether a text that is a time has the form of RFC 3339 §5.6: other forms are known to parsers too.
fn is_plain(text: &str) -> bool {
    let form = |place: usize, byte: u8| match place {
        4 | 7 => byte == b'-',
        10 => matches!(byte, b'T' | b't'),
        13 | 16 => byte == b':',
        0..19 => byte.is_ascii_digit(),
        _ => byte.is_ascii_digit() || b".+-:Zz".contains(&byte),
    };
    let offset = text.get(19..).unwrap_or_default();
    let offset = offset.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let in_full = matches!(offset, "Z" | "z") || offset.len() == 6 && offset.as_bytes()[3] == b':';
    in_full
        && text
            .bytes()
            .enumerate()
            .all(|(place, byte)| form(place, byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_it_was_written_and_compared_as_a_time() {
        for text in [
            "2026-11-23T12:00:00Z",
            "2026-11-23T12:00:00.120Z",
            "2026-11-23T14:00:00.123456789+02:00",
            "2026-11-23t07:30:00-04:30",
        ] {
            let time = RequestedTime::parse(text).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(time.at().to_string()[..19], *"2026-11-23T12:00:00");
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(serde_json::from_str::<RequestedTime>(&json).unwrap(), time);
        }
    }

    #[test]
    fn what_rfc_3339_does_not_have_is_shown_in_utc() {
        for text in [
            "2026-11-23T14:00:00+02:00[Europe/Paris]",
            "2026-11-23 14:00:00+02:00",
            "2026-11-23T14:00:00+02",
            "2026-11-23T14:00+02:00",
            "20261123T120000Z",
        ] {
            let time = RequestedTime::parse(text).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some("2026-11-23T12:00:00Z"), "{text}");
        }
        for text in ["", "tomorrow", "2026-13-01T00:00:00Z", "2026-11-23"] {
            assert_eq!(RequestedTime::parse(text), None, "{text}");
        }
    }
}
