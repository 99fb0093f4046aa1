//! `--not-before`, `--not-after`: a time or a duration from now.

use anyhow::{Result, anyhow, bail};
use ca::go_duration;
use jiff::Timestamp;

/// The flags of the certificate's lifetime.
#[derive(clap::Args)]
#[group(id = "times")]
pub(crate) struct Flags {
    /// Start of the lifetime: a time (RFC 3339) or a duration from now
    #[arg(long, value_name = "time|duration", allow_hyphen_values = true)]
    not_before: Option<String>,
    /// End of the lifetime: a time (RFC 3339) or a duration from now, such as 1h30m
    #[arg(long, value_name = "time|duration", allow_hyphen_values = true)]
    not_after: Option<String>,
}

/// The requested lifetime.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// Its start.
    pub(crate) not_before: Option<Timestamp>,
    /// Its end.
    pub(crate) not_after: Option<Timestamp>,
}

impl Flags {
    /// Reads both.
    ///
    /// # Errors
    /// When a value is neither time nor duration, or the end is not after the start.
    pub(crate) fn read(&self, now: Timestamp) -> Result<Times> {
        let not_before = moment("not-before", self.not_before.as_deref(), now)?;
        let not_after = moment("not-after", self.not_after.as_deref(), now)?;
        if let (Some(start), Some(end)) = (not_before, not_after)
            && end <= start
        {
            bail!("'--not-after' ({end}) is not later than '--not-before' ({start})");
        }
        Ok(Times {
            not_before,
            not_after,
        })
    }
}

/// A flag's time, or duration from `now`; `None` for an empty value.
///
/// # Errors
/// When it is neither.
pub(crate) fn moment(flag: &str, text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    let duration = go_duration::parse(text).map_err(|_| {
        anyhow!(
            "invalid value '{text}' for flag '--{flag}': give a time such as 2027-01-31T12:00:00Z or a duration such as 24h"
        )
    })?;
    Ok(Some(now.checked_add(duration)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(not_before: Option<&str>, not_after: Option<&str>) -> Result<Times> {
        let flags = Flags {
            not_before: not_before.map(str::to_owned),
            not_after: not_after.map(str::to_owned),
        };
        flags.read("2027-01-01T00:00:00Z".parse().unwrap())
    }

    #[test]
    fn times_and_durations_are_read() {
        let times = read(Some("-5m"), Some("2027-01-02T00:00:00+01:00")).unwrap();
        assert_eq!(
            times.not_before.unwrap().to_string(),
            "2026-12-31T23:55:00Z"
        );
        assert_eq!(times.not_after.unwrap().to_string(), "2027-01-01T23:00:00Z");
        assert!(read(None, Some("tomorrow")).is_err());
        assert!(read(Some("2h"), Some("1h")).is_err());
    }
}
