//! Checks the requested validity of an order (`notBefore`, `notAfter`, RFC 8555 §7.4).

use jiff::{SignedDuration, Timestamp};

use super::Limits;
use crate::problem::Problem;

pub(super) fn check(
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    now: Timestamp,
    limits: &Limits,
) -> Result<(), Problem> {
    if let Some(begin) = not_before
        && now.duration_since(begin) > limits.leeway
    {
        return Err(Problem::malformed(format!(
            "notBefore {begin} is in the past (it is {now}): omit it for a certificate that \
             begins now."
        )));
    }
    // Control of a name today does not prove control years from now.
    let minute = SignedDuration::from_mins(1);
    if let Some(begin) = not_before
        && begin.duration_since(now) > limits.longest.saturating_add(minute)
    {
        return Err(Problem::malformed(format!(
            "notBefore {begin} is further ahead than the longest lifetime, {:#}: order later.",
            limits.longest
        )));
    }
    let Some(end) = not_after else {
        return Ok(());
    };
    if end <= now {
        return Err(Problem::malformed(format!(
            "notAfter {end} is in the past (it is {now}): omit it for the default lifetime."
        )));
    }
    let begin = not_before.unwrap_or(now);
    let life = end.duration_since(begin);
    if !life.is_positive() {
        return Err(Problem::malformed(format!(
            "notAfter {end} is not after notBefore {begin}: swap them or omit both."
        )));
    }
    // A minute is tolerated: requests take time, and clients compute from their own clock.
    let bound = if life > limits.longest.saturating_add(minute) {
        format!("at most {:#}", limits.longest)
    } else if life < limits.shortest.saturating_sub(minute) {
        format!("at least {:#}", limits.shortest)
    } else {
        return Ok(());
    };
    let life = life.round(jiff::Unit::Second).unwrap_or(life);
    Err(Problem::malformed(format!(
        "notAfter {end} requests a lifetime of {life:#}, and this provisioner permits {bound}: \
         choose another notAfter or omit it."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::order::NewOrder;
    use crate::order::new_order::tests::{names, opened};
    use crate::problem::Kind;
    use crate::requested_time::RequestedTime;

    fn lasting(not_before: Option<&str>, not_after: Option<&str>) -> Result<(), Problem> {
        let time = |text: Option<&str>| text.map(|text| RequestedTime::parse(text).unwrap());
        let asked = NewOrder {
            not_before: time(not_before),
            not_after: time(not_after),
            ..names(&["a.lab"])
        };
        opened(&asked).map(|_| ())
    }

    #[test]
    fn a_certificate_cannot_start_years_from_now() {
        assert_eq!(lasting(Some("2026-11-24T12:00:00Z"), None), Ok(()));
        for (begin, end) in [
            ("2026-11-24T12:05:00Z", None),
            ("2036-11-23T12:00:00Z", Some("2036-11-24T12:00:00Z")),
        ] {
            let problem = lasting(Some(begin), end).unwrap_err();
            assert!(problem.detail.contains("is further ahead"), "{problem}");
        }
    }

    #[test]
    fn a_lifetime_out_of_bounds_is_reported_in_whole_seconds() {
        let problem = lasting(None, Some("2026-11-23T12:01:59.477872122Z")).unwrap_err();
        assert!(
            problem.detail.contains("a lifetime of 1m 59s, and"),
            "{problem}"
        );
    }

    #[test]
    fn valid_times_are_accepted() {
        for (not_before, not_after) in [
            (None, None),
            (None, Some("2026-11-23T13:00:00Z")),
            (None, Some("2026-11-24T12:00:59Z")),
            (Some("2026-11-23T11:55:00Z"), Some("2026-11-23T12:30:00Z")),
            (Some("2026-11-24T00:00:00Z"), Some("2026-11-24T23:00:00Z")),
        ] {
            assert_eq!(lasting(not_before, not_after), Ok(()));
        }
    }

    #[test]
    fn invalid_times_are_malformed() {
        for (not_before, not_after, word) in [
            (Some("2026-11-23T11:00:00Z"), None, "notBefore"),
            (None, Some("2026-11-23T12:00:00Z"), "in the past"),
            (None, Some("0001-01-02T00:00:00Z"), "in the past"),
            (
                Some("2026-11-24T12:00:00Z"),
                Some("2026-11-24T11:00:00Z"),
                "not after",
            ),
            (
                Some("2026-11-24T12:00:00Z"),
                Some("2026-11-24T12:00:00Z"),
                "not after",
            ),
            (None, Some("2076-11-23T12:00:00Z"), "at most 24h"),
            (None, Some("2026-11-23T12:01:00Z"), "at least 5m"),
        ] {
            let problem = lasting(not_before, not_after).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed);
            assert!(problem.detail.contains(word), "{problem}");
        }
    }
}
