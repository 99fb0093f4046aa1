//! When a certificate is renewed.

use anyhow::{Context as _, Result, bail};
use ca::go_duration;
use jiff::{SignedDuration, Timestamp};
use pki::Certificate;

/// How often a daemon renews.
pub(crate) struct Schedule {
    expires_in: Option<SignedDuration>,
    period: Option<SignedDuration>,
}

impl Schedule {
    /// The schedule for certificates like `leaf`.
    ///
    /// # Errors
    /// When it would never renew in time.
    pub(crate) fn new(
        leaf: &Certificate,
        expires_in: Option<SignedDuration>,
        period: Option<SignedDuration>,
    ) -> Result<Self> {
        let life = leaf.not_after().duration_since(leaf.not_before());
        for (flag, duration) in [("--expires-in", expires_in), ("--renew-period", period)] {
            if let Some(duration) = duration
                && (duration >= life || duration <= SignedDuration::ZERO)
            {
                bail!(
                    "flag '{flag}' must be shorter than the certificate's lifetime of {}",
                    rounded(life)
                );
            }
        }
        Ok(Self { expires_in, period })
    }

    /// How long to wait until `leaf` is renewed; zero when it is time.
    pub(crate) fn wait(&self, leaf: &Certificate, now: Timestamp) -> SignedDuration {
        let life = leaf.not_after().duration_since(leaf.not_before());
        let left = leaf.not_after().duration_since(now);
        let wait = match (self.period, self.expires_in) {
            (Some(period), _) => period.min(left),
            (None, Some(expires_in)) => left - expires_in,
            (None, None) => left - life / 3,
        };
        wait.max(SignedDuration::ZERO)
    }
}

/// The duration that a flag gives.
///
/// # Errors
/// When it is no duration.
pub(crate) fn duration(flag: &str, text: Option<&str>) -> Result<Option<SignedDuration>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let duration = go_duration::parse(text)
        .with_context(|| format!("invalid value '{text}' for flag '--{flag}'"))?;
    Ok(Some(duration))
}

/// A duration in whole seconds, as Go writes it.
pub(crate) fn rounded(duration: SignedDuration) -> String {
    let half = i64::from(duration.subsec_millis() >= 500);
    go_duration::format(SignedDuration::from_secs(duration.as_secs() + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_the_lifetime_is_left_at_renewal() {
        let text = include_bytes!("../../../../testdata/p256.crt");
        let leaf = Certificate::from_pem(text).unwrap();
        let schedule = Schedule::new(&leaf, None, None).unwrap();
        let life = leaf.not_after().duration_since(leaf.not_before());
        assert_eq!(schedule.wait(&leaf, leaf.not_before()), life - life / 3);
        assert_eq!(schedule.wait(&leaf, leaf.not_after()), SignedDuration::ZERO);
        let hour = Some(SignedDuration::from_hours(1));
        let schedule = Schedule::new(&leaf, hour, None).unwrap();
        assert_eq!(
            schedule.wait(&leaf, leaf.not_before()),
            life - SignedDuration::from_hours(1)
        );
        assert!(Schedule::new(&leaf, Some(life), None).is_err());
    }

    #[test]
    fn durations_are_shown_in_whole_seconds() {
        assert_eq!(rounded(SignedDuration::from_millis(86_399_600)), "24h0m0s");
        assert!(duration("expires-in", Some("soon")).is_err());
    }
}
