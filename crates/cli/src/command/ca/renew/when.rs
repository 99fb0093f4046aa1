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

/// How the daemon's last renewals ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Streak {
    /// How many in a row failed, or led to a certificate that is due at once.
    pub(crate) useless: u32,
}

/// A random number from 0 to [`Jitter::MOST`], so that many machines do not renew at the same moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jitter(pub(crate) u8);

impl Jitter {
    const MOST: i32 = 255;
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
        for (flag, duration) in [("--expires-in", expires_in), ("--renew-period", period)] {
            if let Some(duration) = duration
                && (duration >= life(leaf) || duration <= SignedDuration::ZERO)
            {
                bail!(
                    "flag '{flag}' is {}, but the lifetime of the certificate is {}: give a duration \
                     between 0 and that",
                    rounded(duration),
                    rounded(life(leaf))
                );
            }
        }
        Ok(Self { expires_in, period })
    }

    /// Whether `leaf`, which was just issued, is due already: the clocks differ, or `--expires-in` is too long
    /// for it.
    pub(crate) fn is_due(&self, leaf: &Certificate, now: Timestamp) -> bool {
        self.until_due(leaf, now) <= SignedDuration::ZERO
    }

    /// How long to wait for the first renewal: not at all where it is due.
    pub(crate) fn first(&self, leaf: &Certificate, now: Timestamp) -> SignedDuration {
        self.until_due(leaf, now).max(SignedDuration::ZERO)
    }

    /// How long to wait after a renewal until the next. Nothing makes it shorter than a least pause, which
    /// doubles with each renewal that was of no use, up to an hour or a twelfth of the lifetime; only the end of
    /// `leaf` brings the next attempt nearer.
    pub(crate) fn wait(
        &self,
        leaf: &Certificate,
        now: Timestamp,
        streak: Streak,
        jitter: Jitter,
    ) -> SignedDuration {
        let part = |of: SignedDuration| of / Jitter::MOST * i32::from(jitter.0);
        if streak.useless == 0 {
            let due = self.until_due(leaf, now);
            // A period that the operator chose may be shorter than the least pause.
            let least = match self.period {
                Some(period) => period.min(least(leaf)),
                None => least(leaf),
            };
            return (due - part(due) / EARLIER).max(least);
        }
        let most = (life(leaf) / 12).clamp(least(leaf), SignedDuration::from_hours(1));
        let doublings = (streak.useless - 1).min(DOUBLINGS);
        let pause = least(leaf).saturating_mul(1 << doublings).min(most);
        let left = leaf.not_after().duration_since(now);
        if left > SignedDuration::ZERO && left / 2 < pause {
            return (left / 2).max(SignedDuration::from_secs(1));
        }
        pause + part(pause) / LATER
    }

    fn until_due(&self, leaf: &Certificate, now: Timestamp) -> SignedDuration {
        let left = leaf.not_after().duration_since(now);
        match (self.period, self.expires_in) {
            (Some(period), _) => period.min(left),
            (None, Some(expires_in)) => left - expires_in,
            (None, None) => left - life(leaf) / 3,
        }
    }
}

/// A renewal is earlier by at most this part of its wait, and a pause longer.
const EARLIER: i32 = 20;
const LATER: i32 = 5;
/// A second is doubled to more than an hour.
const DOUBLINGS: u32 = 12;

fn life(leaf: &Certificate) -> SignedDuration {
    leaf.not_after().duration_since(leaf.not_before())
}

/// The shortest time between two renewals: a minute, less for certificates that live for less than an hour.
fn least(leaf: &Certificate) -> SignedDuration {
    (life(leaf) / 60).clamp(SignedDuration::from_secs(1), SignedDuration::from_mins(1))
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

    fn leaf() -> Certificate {
        let text = include_bytes!("../../../../testdata/p256.crt");
        Certificate::from_pem(text).unwrap()
    }

    const NONE: Streak = Streak { useless: 0 };

    #[test]
    fn a_third_of_the_lifetime_is_left_at_renewal() {
        let leaf = leaf();
        let schedule = Schedule::new(&leaf, None, None).unwrap();
        let wait = |at| schedule.wait(&leaf, at, NONE, Jitter(0));
        assert_eq!(wait(leaf.not_before()), life(&leaf) - life(&leaf) / 3);
        assert_eq!(wait(leaf.not_after()), least(&leaf));
        let first = schedule.first(&leaf, leaf.not_after());
        assert_eq!(
            first,
            SignedDuration::ZERO,
            "a restart is no reason to wait"
        );
        let hour = SignedDuration::from_hours(1);
        let schedule = Schedule::new(&leaf, Some(hour), None).unwrap();
        let wait = schedule.wait(&leaf, leaf.not_before(), NONE, Jitter(0));
        assert_eq!(wait, life(&leaf) - hour);
        let second = SignedDuration::from_secs(1);
        let schedule = Schedule::new(&leaf, None, Some(second)).unwrap();
        let wait = schedule.wait(&leaf, leaf.not_before(), NONE, Jitter(255));
        assert_eq!(wait, second, "a period that is asked for is kept");
    }

    #[test]
    fn a_duration_that_is_not_shorter_than_the_lifetime_is_refused_with_both() {
        let leaf = leaf();
        for factor in [1, 2] {
            let given = life(&leaf) * factor;
            let error = Schedule::new(&leaf, Some(given), None)
                .err()
                .unwrap()
                .to_string();
            for duration in [given, life(&leaf)] {
                assert!(error.contains(&rounded(duration)), "{error}");
            }
        }
    }

    #[test]
    fn renewals_that_are_of_no_use_become_rarer() {
        let leaf = leaf();
        let schedule = Schedule::new(&leaf, None, None).unwrap();
        // By this machine's clock, which is ahead, each certificate is due as soon as it is issued.
        let ahead = leaf.not_after();
        assert!(schedule.is_due(&leaf, ahead) && !schedule.is_due(&leaf, leaf.not_before()));
        let most = (life(&leaf) / 12).min(SignedDuration::from_hours(1));
        for jitter in [Jitter(0), Jitter(255)] {
            let waits: Vec<_> = (1..100)
                .map(|useless| schedule.wait(&leaf, ahead, Streak { useless }, jitter))
                .collect();
            assert!(waits.is_sorted() && waits[0] >= least(&leaf), "{waits:?}");
            assert!(waits[98] >= most && waits[98] <= most * 6 / 5, "{waits:?}");
        }
    }

    #[test]
    fn attempts_do_not_become_rarer_than_the_time_that_is_left() {
        let leaf = leaf();
        let schedule = Schedule::new(&leaf, None, None).unwrap();
        let half = SignedDuration::from_secs(30);
        let at = leaf.not_after() - half * 2;
        let wait = |at| schedule.wait(&leaf, at, Streak { useless: 9 }, Jitter(255));
        assert_eq!(wait(at), half);
        let last = leaf.not_after() - SignedDuration::from_millis(1);
        assert_eq!(wait(last), SignedDuration::from_secs(1));
    }

    #[test]
    fn jitter_makes_renewals_earlier_by_a_twentieth_at_most() {
        let leaf = leaf();
        let schedule = Schedule::new(&leaf, None, None).unwrap();
        let wait = |jitter| schedule.wait(&leaf, leaf.not_before(), NONE, Jitter(jitter));
        assert!(wait(255) < wait(1) && wait(1) < wait(0));
        assert!(wait(255) >= wait(0) * 19 / 20);
    }

    #[test]
    fn durations_are_shown_in_whole_seconds() {
        assert_eq!(rounded(SignedDuration::from_millis(86_399_600)), "24h0m0s");
        assert!(duration("expires-in", Some("soon")).is_err());
    }
}
