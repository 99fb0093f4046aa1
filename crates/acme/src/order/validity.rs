//! The validity that an order may ask for (`notBefore`, `notAfter`, RFC 8555 §7.4).

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
            "notBefore {begin} is in the past (it is {now}): leave it out for a certificate that \
             begins now."
        )));
    }
    // Who has a name today need not have it years from now: a stock of short lives is a long one.
    let minute = SignedDuration::from_mins(1);
    if let Some(begin) = not_before
        && begin.duration_since(now) > limits.longest.saturating_add(minute)
    {
        return Err(Problem::malformed(format!(
            "notBefore {begin} lies further ahead than the longest life, {:#}: order then.",
            limits.longest
        )));
    }
    let Some(end) = not_after else {
        return Ok(());
    };
    if end <= now {
        return Err(Problem::malformed(format!(
            "notAfter {end} is in the past (it is {now}): leave it out for the usual life."
        )));
    }
    let begin = not_before.unwrap_or(now);
    let life = end.duration_since(begin);
    if !life.is_positive() {
        return Err(Problem::malformed(format!(
            "notAfter {end} is not after notBefore {begin}: swap them or leave both out."
        )));
    }
    // Requests take time and clients reckon from their own clock: a minute is forgiven.
    let bound = if life > limits.longest.saturating_add(minute) {
        format!("at most {:#}", limits.longest)
    } else if life < limits.shortest.saturating_sub(minute) {
        format!("at least {:#}", limits.shortest)
    } else {
        return Ok(());
    };
    let life = life.round(jiff::Unit::Second).unwrap_or(life);
    Err(Problem::malformed(format!(
        "notAfter {end} asks for a life of {life:#}, and this provisioner gives {bound}: choose \
         another notAfter or leave it out."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::order::NewOrder;
    use crate::order::new_order::tests::{names, opened};
    use crate::problem::Kind;

    fn lasting(not_before: Option<&str>, not_after: Option<&str>) -> Result<(), Problem> {
        let time = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let asked = NewOrder {
            not_before: time(not_before),
            not_after: time(not_after),
            ..names(&["a.lab"])
        };
        opened(&asked).map(|_| ())
    }

    #[test]
    fn a_certificate_cannot_be_had_for_years_to_come() {
        assert_eq!(lasting(Some("2026-11-24T12:00:00Z"), None), Ok(()));
        for (begin, end) in [
            ("2026-11-24T12:05:00Z", None),
            ("2036-11-23T12:00:00Z", Some("2036-11-24T12:00:00Z")),
        ] {
            let problem = lasting(Some(begin), end).unwrap_err();
            assert!(problem.detail.contains("lies further ahead"), "{problem}");
        }
    }

    #[test]
    fn a_life_out_of_bounds_is_told_in_whole_seconds() {
        let problem = lasting(None, Some("2026-11-23T12:01:59.477872122Z")).unwrap_err();
        assert!(
            problem.detail.contains("a life of 1m 59s, and"),
            "{problem}"
        );
    }

    #[test]
    fn times_that_make_sense_are_taken() {
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
    fn times_that_make_none_are_malformed() {
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
