//! Times in certificates: UTCTime and GeneralizedTime (RFC 5280 §4.1.2.5).

use jiff::{Timestamp, civil::DateTime, tz::Offset};

use crate::{
    asn1::{self, Element},
    error::Error,
};

/// Reads a time; seconds may be missing and an offset may replace `Z`, as old tools wrote.
pub(crate) fn parse(element: Element<'_>) -> Result<Timestamp, Error> {
    let text = std::str::from_utf8(element.value).map_err(|_| Error::Time)?;
    let (year, rest) = match element.tag {
        asn1::UTC_TIME => {
            let year: i16 = digits(text, 0..2)?;
            (
                if year < 50 { 2000 + year } else { 1900 + year },
                text.get(2..),
            )
        }
        asn1::GENERALIZED_TIME => (digits(text, 0..4)?, text.get(4..)),
        _ => return Err(Error::Time),
    };
    let rest = rest.ok_or(Error::Time)?;
    let (clock, offset) = split_zone(rest)?;
    let second = if clock.len() > 8 {
        digits(clock, 8..10)?
    } else {
        0
    };
    let civil = DateTime::new(
        year,
        digits(clock, 0..2)?,
        digits(clock, 2..4)?,
        digits(clock, 4..6)?,
        digits(clock, 6..8)?,
        second,
        0,
    )
    .map_err(|_| Error::Time)?;
    // The end of 9999 (RFC 5280: "no well-defined expiration") lies just beyond what a timestamp can hold.
    Ok(offset.to_timestamp(civil).unwrap_or(Timestamp::MAX))
}

/// Writes a time as RFC 5280 asks: UTCTime through 2049, GeneralizedTime from 2050; fractions are cut.
pub(crate) fn write(at: Timestamp) -> Result<Vec<u8>, Error> {
    let civil = Offset::UTC.to_datetime(at);
    let clock = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second()
    );
    match civil.year() {
        year @ 1950..2050 => Ok(asn1::wrap(
            asn1::UTC_TIME,
            &[format!("{:02}{clock}", year % 100).as_bytes()],
        )),
        year @ 0..=9999 => Ok(asn1::wrap(
            asn1::GENERALIZED_TIME,
            &[format!("{year:04}{clock}").as_bytes()],
        )),
        _ => Err(Error::Time),
    }
}

fn split_zone(text: &str) -> Result<(&str, Offset), Error> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Ok((clock, Offset::UTC));
    }
    let place = text.find(['+', '-']).ok_or(Error::Time)?;
    let (clock, zone) = text.split_at(place);
    let seconds = digits::<i32>(zone, 1..3)? * 3600 + digits::<i32>(zone, 3..5)? * 60;
    let signed = if zone.starts_with('-') {
        -seconds
    } else {
        seconds
    };
    Ok((
        clock,
        Offset::from_seconds(signed).map_err(|_| Error::Time)?,
    ))
}

fn digits<T: std::str::FromStr>(text: &str, range: std::ops::Range<usize>) -> Result<T, Error> {
    let part = text.get(range).ok_or(Error::Time)?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::Time);
    }
    part.parse().map_err(|_| Error::Time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Cursor;

    fn read(tag: u8, text: &str) -> Result<String, Error> {
        let der = asn1::wrap(tag, &[text.as_bytes()]);
        parse(Cursor::new(&der).unwrap().next().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn years_pivot_at_fifty() {
        assert_eq!(
            read(asn1::UTC_TIME, "491231235959Z").unwrap(),
            "2049-12-31T23:59:59Z"
        );
        assert_eq!(
            read(asn1::UTC_TIME, "500101000000Z").unwrap(),
            "1950-01-01T00:00:00Z"
        );
        let before: Timestamp = "2049-12-31T23:59:59.9Z".parse().unwrap();
        assert_eq!(
            write(before).unwrap(),
            asn1::wrap(asn1::UTC_TIME, &[b"491231235959Z"])
        );
        let after: Timestamp = "2050-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(
            write(after).unwrap(),
            asn1::wrap(asn1::GENERALIZED_TIME, &[b"20500101000000Z"])
        );
    }

    #[test]
    fn odd_times_of_old_certificates_are_read() {
        assert_eq!(
            read(asn1::UTC_TIME, "2001020304Z").unwrap(),
            "2020-01-02T03:04:00Z"
        );
        assert_eq!(
            read(asn1::UTC_TIME, "200102030405+0200").unwrap(),
            "2020-01-02T01:04:05Z"
        );
        assert_eq!(
            read(asn1::GENERALIZED_TIME, "20200102030405.123Z").unwrap(),
            "2020-01-02T03:04:05Z"
        );
        assert_eq!(
            read(asn1::GENERALIZED_TIME, "99991231235959Z").unwrap(),
            Timestamp::MAX.to_string()
        );
        assert!(read(asn1::UTC_TIME, "201302030405Z").is_err());
        assert!(read(asn1::UTC_TIME, "20+1020304Z").is_err());
    }
}
