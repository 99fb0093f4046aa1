//! Renewal information (RFC 9773): the identifier of a certificate, when it should be renewed, and
//! whether an order may replace it.
//!
//! Not here: windows set by an operator, and which orders replace which certificates (in the store).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use pki::{AltName, Certificate, Serial};

use crate::identifier::Identifier;
use crate::problem::{Problem, quote};

/// The identifier of a certificate (RFC 9773 §4.1): the authority key identifier, a dot, and the
/// content octets of the serial number's INTEGER, each in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateId {
    authority: Vec<u8>,
    serial: Serial,
}

impl CertificateId {
    /// The identifier of this certificate; none if it has no authority key identifier.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Option<Self> {
        Some(Self {
            authority: certificate.authority_key_id()?,
            serial: certificate.serial().clone(),
        })
    }

    /// Parses an identifier. The serial number is read as a number without a sign, with or without the
    /// leading zero octet that DER needs: some clients leave it out.
    ///
    /// # Errors
    /// `malformed` with what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bad = |why: &str| {
            Problem::malformed(format!(
                "{} is not a certificate identifier: {why}. Send the authority key identifier and the \
                 content octets of the serial number, each in base64url without padding, with a \
                 dot between them (RFC 9773 §4.1).",
                quote(text)
            ))
        };
        let (authority, serial) = text.split_once('.').ok_or_else(|| bad("it has no dot"))?;
        let octets = |part: &str, what| match BASE64URL_NOPAD.decode(part.as_bytes()) {
            Ok(octets) if octets.is_empty() => Err(bad(&format!("its {what} is empty"))),
            Ok(octets) if octets.len() > LONGEST => Err(bad(&format!("its {what} is too long"))),
            Ok(octets) => Ok(octets),
            Err(why) => Err(bad(&format!("its {what} is not base64url: {why}"))),
        };
        let authority = octets(authority, "first part")?;
        let serial = match octets(serial, "second part")?.as_slice() {
            [0, second, ..] if second & 0x80 == 0 => {
                return Err(bad("its serial number has an extra leading zero"));
            }
            octets => Serial::from_bytes(octets).map_err(|why| bad(&why.to_string()))?,
        };
        Ok(Self { authority, serial })
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut serial = self.serial.bytes().to_vec();
        if serial.first().is_some_and(|first| first & 0x80 != 0) {
            serial.insert(0, 0);
        }
        let (authority, serial) = (
            BASE64URL_NOPAD.encode(&self.authority),
            BASE64URL_NOPAD.encode(&serial),
        );
        write!(f, "{authority}.{serial}")
    }
}

/// When a certificate should be renewed (RFC 9773 §4.2): the client selects a moment in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment.
    pub start: Timestamp,
    /// The last moment, later than the first.
    pub end: Timestamp,
}

impl Window {
    /// A window of a twelfth of the lifetime from `begin` to `end`, around two thirds of it. Its
    /// position depends on the serial number alone, so that renewals of certificates issued at the
    /// same time are spread.
    #[must_use]
    pub fn suggested(begin: Timestamp, end: Timestamp, serial: &Serial) -> Self {
        let life = life(begin, end);
        let place = serial.bytes().iter().rev().take(2).enumerate();
        let place = place.fold(0, |sum, (at, byte)| sum | i64::from(*byte) << (8 * at));
        let start = life * 7 / 12 + life * place / 12 / 0xffff;
        let from = |seconds| whole(begin.saturating_add(SignedDuration::from_secs(seconds)));
        Self {
            start: from(start),
            end: from(start + (life / 12).max(1)),
        }
    }

    /// The window of a certificate revoked at this moment: an hour, entirely in the past.
    #[must_use]
    pub fn revoked(at: Timestamp) -> Self {
        let end = whole(at.saturating_add(SignedDuration::from_secs(-1)));
        Self {
            start: whole(end.saturating_add(SignedDuration::from_hours(-1))),
            end,
        }
    }
}

/// How long a client should wait before it requests the window again (RFC 9773 §4.3), for a
/// certificate with this lifetime: half the width of the window, at least a second and at most six
/// hours.
#[must_use]
pub fn pause(begin: Timestamp, end: Timestamp) -> SignedDuration {
    SignedDuration::from_secs((life(begin, end) / 24).clamp(1, MOST))
}

/// Checks that an order for `wanted` may replace this certificate: they share an identifier (RFC 9773 §5).
///
/// # Errors
/// `malformed`, if they do not.
pub fn replaces<'a>(
    certificate: &Certificate,
    wanted: impl IntoIterator<Item = &'a Identifier>,
) -> Result<(), Problem> {
    if wanted.into_iter().any(|wanted| has(certificate, wanted)) {
        return Ok(());
    }
    let named = certificate.alt_names().iter();
    let named: Vec<_> = named.map(ToString::to_string).collect();
    Err(Problem::malformed(format!(
        "The order shares no identifier with the certificate that it would replace ({}): leave \
         replaces out.",
        named.join(", ")
    )))
}

/// Whether this certificate has all identifiers in `wanted`.
#[must_use]
pub fn renews<'a>(
    certificate: &Certificate,
    wanted: impl IntoIterator<Item = &'a Identifier>,
) -> bool {
    wanted.into_iter().all(|wanted| has(certificate, wanted))
}

fn has(certificate: &Certificate, identifier: &Identifier) -> bool {
    let name = identifier.to_alt_name();
    let mut named = certificate.alt_names().iter();
    named.any(|has| match (has, &name) {
        (AltName::Dns(has), AltName::Dns(name)) => has.eq_ignore_ascii_case(name),
        (has, name) => has == name,
    })
}

/// Whole seconds, at least one.
fn life(begin: Timestamp, end: Timestamp) -> i64 {
    end.duration_since(begin).as_secs().max(1)
}

/// The time in whole seconds, as in answers.
fn whole(result: Result<Timestamp, jiff::Error>) -> Timestamp {
    let at = result.unwrap_or(Timestamp::MAX);
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The longest part of an identifier, in octets.
const LONGEST: usize = 64;
/// The longest wait, in seconds.
const MOST: i64 = 6 * 3600;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn serial(bytes: &[u8]) -> Serial {
        Serial::from_bytes(bytes).unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_round_trips() {
        let text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
        let id = CertificateId::parse(text).unwrap();
        assert_eq!(id.serial().bytes(), [0x87, 0x65, 0x43, 0x21]);
        assert_eq!(id.to_string(), text);
    }

    #[test]
    fn the_leading_zero_of_the_serial_number_may_be_missing() {
        let (without, with) = ("AQ.h2VDIQ", "AQ.AIdlQyE");
        let id = CertificateId::parse(without).unwrap();
        assert_eq!(id, CertificateId::parse(with).unwrap());
        assert_eq!(id.to_string(), with);
    }

    #[test]
    fn each_fault_of_an_identifier_has_its_own_detail() {
        for (text, word) in [
            ("", "no dot"),
            ("AQ", "no dot"),
            (".AQ", "first part is empty"),
            ("AQ.", "second part is empty"),
            ("AQ==.AQ", "base64url"),
            ("AQ.AQ==", "base64url"),
            ("AQ.AQ.AQ", "base64url"),
            ("A+.AQ", "base64url"),
            ("AR.AQ", "base64url"),
            ("AQ.AAE", "extra leading zero"),
            ("AQ.AA", "serial"),
        ] {
            let problem = CertificateId::parse(text).unwrap_err();
            assert!(problem.detail.contains(word), "{text}: {problem}");
        }
        let long = format!("AQ.{}", BASE64URL_NOPAD.encode(&[1; 21]));
        assert!(CertificateId::parse(&long).is_err());
        assert!(CertificateId::parse(&"A".repeat(10_000)).is_err());
    }

    #[test]
    fn a_window_is_around_two_thirds_of_the_lifetime() {
        let (begin, end) = (at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let first = Window::suggested(begin, end, &serial(&[1, 0, 0]));
        assert_eq!(first.start, at("2026-01-01T14:00:00Z"));
        assert_eq!(first.end, at("2026-01-01T16:00:00Z"));
        let last = Window::suggested(begin, end, &serial(&[0xff, 0xff]));
        assert_eq!(last.start, at("2026-01-01T16:00:00Z"));
        assert_eq!(last.end, at("2026-01-01T18:00:00Z"));
        assert_eq!(last, Window::suggested(begin, end, &serial(&[0xff, 0xff])));
    }

    #[test]
    fn the_wait_fits_the_lifetime() {
        let begin = at("2026-01-01T00:00:00Z");
        for (end, seconds) in [
            ("2026-01-01T00:00:03Z", 1),
            ("2026-01-01T00:05:00Z", 12),
            ("2026-01-02T00:00:00Z", 3600),
            ("2026-04-01T00:00:00Z", 6 * 3600),
        ] {
            assert_eq!(pause(begin, at(end)).as_secs(), seconds, "{end}");
        }
    }

    #[test]
    fn a_revoked_certificate_should_have_been_renewed_already() {
        let revoked = at("2026-01-01T12:00:00.7Z");
        let window = Window::revoked(revoked);
        assert!(window.start < window.end && window.end < revoked);
    }

    proptest! {
        #[test]
        fn a_window_is_within_the_lifetime(
            life in 2_i64..400_000_000, bytes in proptest::collection::vec(1_u8.., 1..20)
        ) {
            let begin = at("2026-01-01T00:00:00Z");
            let end = begin.checked_add(SignedDuration::from_secs(life)).unwrap();
            let window = Window::suggested(begin, end, &serial(&bytes));
            prop_assert!(begin < window.start && window.start < window.end && window.end <= end);
        }

        #[test]
        fn any_identifier_round_trips_or_is_refused(text in "[A-Za-z0-9_=.-]{0,60}") {
            if let Ok(id) = CertificateId::parse(&text) {
                let whole = id.to_string();
                prop_assert_eq!(CertificateId::parse(&whole), Ok(id));
                prop_assert!(whole.len() >= text.len());
            }
        }
    }
}
