//! Serial numbers (RFC 5280 §4.1.2.2).

use std::{fmt, str::FromStr};

use crate::{asn1, error::Error};

/// A serial number: positive and at most 20 bytes long when ours; others' may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial {
    negative: bool,
    /// Big-endian without leading zeros.
    magnitude: Vec<u8>,
}

impl Serial {
    /// The serial number of 16 random bytes, 126 bits of which it keeps. It begins with 01 in binary, so
    /// that DER needs no leading zero byte: some clients drop it when they name a certificate
    /// (RFC 9773 §4.1).
    #[must_use]
    pub fn from_random(mut random: [u8; 16]) -> Self {
        random[0] = random[0] & 0x3f | 0x40;
        Self {
            negative: false,
            magnitude: random.to_vec(),
        }
    }

    /// The positive number of these big-endian bytes.
    ///
    /// # Errors
    /// [`Error::Serial`] when it is zero or longer than 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        match asn1::trim(bytes) {
            [] => Err(Error::Serial),
            some if some.len() > 20 => Err(Error::Serial),
            some => Ok(Self {
                negative: false,
                magnitude: some.to_vec(),
            }),
        }
    }

    /// The magnitude, big-endian without leading zeros.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.magnitude
    }

    /// The magnitude in lower-case hex without leading zeros.
    #[must_use]
    pub fn hex(&self) -> String {
        let full = data_encoding::HEXLOWER.encode(&self.magnitude);
        match full.trim_start_matches('0') {
            "" => "0".to_owned(),
            some => some.to_owned(),
        }
    }

    /// Whether it is below zero, as in some certificates of others.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// The number of an INTEGER's contents.
    pub(super) fn from_integer(contents: &[u8]) -> Self {
        let negative = contents.first().is_some_and(|first| first & 0x80 != 0);
        if !negative {
            return Self {
                negative,
                magnitude: asn1::trim(contents).to_vec(),
            };
        }
        let mut magnitude: Vec<u8> = contents.iter().map(|byte| !byte).collect();
        for byte in magnitude.iter_mut().rev() {
            let (sum, carry) = byte.overflowing_add(1);
            *byte = sum;
            if !carry {
                break;
            }
        }
        Self {
            negative,
            magnitude: asn1::trim(&magnitude).to_vec(),
        }
    }

    /// The INTEGER, for numbers that may be issued.
    pub(super) fn to_der(&self) -> Result<Vec<u8>, Error> {
        if self.negative {
            return Err(Error::Serial);
        }
        Self::from_bytes(&self.magnitude).map(|serial| asn1::unsigned(&serial.magnitude))
    }
}

/// Decimal.
impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = vec![0_u8];
        for byte in &self.magnitude {
            let mut carry = u32::from(*byte);
            for digit in &mut digits {
                let sum = u32::from(*digit) * 256 + carry;
                *digit = u8::try_from(sum % 10).unwrap_or_default();
                carry = sum / 10;
            }
            while carry > 0 {
                digits.push(u8::try_from(carry % 10).unwrap_or_default());
                carry /= 10;
            }
        }
        let text: String = digits
            .iter()
            .rev()
            .map(|digit| char::from(b'0' + digit))
            .collect();
        f.pad_integral(!self.negative, "", &text)
    }
}

/// Decimal, as the step API names certificates.
impl FromStr for Serial {
    type Err = Error;

    fn from_str(decimal: &str) -> Result<Self, Error> {
        if decimal.len() > 60 || decimal.is_empty() {
            return Err(Error::Serial);
        }
        let mut bytes = [0_u8; 32];
        for letter in decimal.bytes() {
            let digit = letter
                .checked_sub(b'0')
                .filter(|digit| *digit < 10)
                .ok_or(Error::Serial)?;
            let mut carry = u32::from(digit);
            for byte in bytes.iter_mut().rev() {
                let sum = u32::from(*byte) * 10 + carry;
                [_, _, _, *byte] = sum.to_be_bytes();
                carry = sum >> 8;
            }
        }
        Self::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_written_in_decimal() {
        let serial = Serial::from_bytes(&[0xff; 16]).unwrap();
        assert_eq!(
            serial.to_string(),
            "340282366920938463463374607431768211455"
        );
        assert_eq!(
            "340282366920938463463374607431768211455".parse(),
            Ok(serial)
        );
        assert_eq!("256".parse::<Serial>().unwrap().bytes(), [1, 0]);
        for bad in [
            "",
            "0",
            "-1",
            "1x",
            "9".repeat(60).as_str(),
            "9".repeat(61).as_str(),
        ] {
            assert_eq!(bad.parse::<Serial>(), Err(Error::Serial), "{bad}");
        }
    }

    #[test]
    fn a_random_serial_needs_no_leading_zero_in_der() {
        for (random, first) in [(0xff, 0x7f), (0x80, 0x40), (0, 0x40)] {
            let serial = Serial::from_random([random; 16]);
            assert_eq!(serial.to_der().unwrap()[..3], [2, 16, first]);
            assert_eq!(serial.bytes()[1..], [random; 15]);
        }
        let serial = Serial::from_bytes(&[0x0a, 0]).unwrap();
        assert_eq!(
            (serial.hex(), serial.to_string()),
            ("a00".into(), "2560".into())
        );
    }

    #[test]
    fn our_own_have_at_most_twenty_bytes() {
        assert_eq!(Serial::from_bytes(&[1; 21]), Err(Error::Serial));
        assert_eq!(Serial::from_bytes(&[0; 3]), Err(Error::Serial));
        assert_eq!(
            Serial::from_bytes(&[0x80]).unwrap().to_der().unwrap(),
            [2, 2, 0, 0x80]
        );
    }

    #[test]
    fn negative_serials_of_others_are_read() {
        assert_eq!(Serial::from_integer(&[0xff]).to_string(), "-1");
        assert_eq!(Serial::from_integer(&[0x80, 0]).to_string(), "-32768");
        assert_eq!(Serial::from_integer(&[0]).to_string(), "0");
        assert_eq!(Serial::from_integer(&[0]).hex(), "0");
        assert!(Serial::from_integer(&[0xff]).to_der().is_err());
    }
}
