//! Durations in the notation of ca.json and the wire: Go's `"24h0m0s"`, `"1.5h"`, `"300ms"`.

use jiff::SignedDuration;

const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// What is wrong with a duration's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not a number with a unit, or several of them.
    #[error("{0:?} is not a duration; write it like \"24h\", \"1h30m\" or \"90s\"")]
    Malformed(String),
    /// The duration is longer than 292 years.
    #[error("{0:?} is too long a duration (292 years at most)")]
    TooLong(String),
}

/// Reads a duration as Go's `time.ParseDuration` does.
///
/// # Errors
/// When the text has no unit, an unknown unit, or does not fit 64 bits of nanoseconds.
pub fn parse(text: &str) -> Result<SignedDuration, Error> {
    let malformed = || Error::Malformed(text.to_owned());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(SignedDuration::ZERO);
    }
    if rest.is_empty() {
        return Err(malformed());
    }
    let mut nanos: i128 = 0;
    while !rest.is_empty() {
        let (part, after) = component(rest).ok_or_else(malformed)?;
        nanos += part;
        if nanos > i128::from(i64::MAX) {
            return Err(Error::TooLong(text.to_owned()));
        }
        rest = after;
    }
    let nanos = if negative { -nanos } else { nanos };
    i64::try_from(nanos)
        .map(SignedDuration::from_nanos)
        .map_err(|_| Error::TooLong(text.to_owned()))
}

/// Writes a duration as Go's `time.Duration.String` does: `24h0m0s`, `1.5s`, `100ms`, `0s`.
#[must_use]
pub fn format(duration: SignedDuration) -> String {
    let nanos = duration.as_nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000 {
        return format!("{sign}{nanos}ns");
    }
    if nanos < 1_000_000 {
        return format!("{sign}{}µs", decimal(nanos, 1_000));
    }
    if nanos < 1_000_000_000 {
        return format!("{sign}{}ms", decimal(nanos, 1_000_000));
    }
    let minutes = nanos / 60_000_000_000;
    let seconds = decimal(nanos % 60_000_000_000, 1_000_000_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// One number with its unit, in nanoseconds, and the text after it.
fn component(text: &str) -> Option<(i128, &str)> {
    let number_len = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(number_len);
    let unit_len = rest
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_len);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || whole.len() > 19 || fraction.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = whole * scale;
    let mut place = *scale;
    for digit in fraction.bytes() {
        place /= 10;
        nanos += i128::from(digit - b'0') * place;
    }
    Some((nanos, rest))
}

fn decimal(value: u128, unit: u128) -> String {
    let (whole, fraction) = (value / unit, value % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_as_go_does() {
        for (text, written) in [
            ("24h", "24h0m0s"),
            ("1m0s", "1m0s"),
            ("0", "0s"),
            ("1.5h", "1h30m0s"),
            ("90s", "1m30s"),
            ("1500ms", "1.5s"),
            ("100us", "100µs"),
            ("-1m", "-1m0s"),
            (".5s", "500ms"),
            ("720h", "720h0m0s"),
        ] {
            assert_eq!(format(parse(text).unwrap()), written, "{text}");
        }
    }

    #[test]
    fn text_without_a_unit_is_refused() {
        for text in ["", "24", "h", "1d", "1h x", "1..2s", "-", "."] {
            assert_eq!(
                parse(text),
                Err(Error::Malformed(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn three_hundred_years_are_too_long() {
        assert!(matches!(parse("2628000h"), Err(Error::TooLong(_))));
    }
}
