//! The two forms of an ECDSA signature: X.509's SEQUENCE of two INTEGERs and JOSE's fixed width.

use crate::asn1::{self, Cursor, Malformed};

/// `r` and `s`, each padded to `width` bytes (RFC 7518 §3.4).
pub(crate) fn der_to_fixed(der: &[u8], width: usize) -> Result<Vec<u8>, Malformed> {
    let mut numbers = Cursor::only(der, asn1::SEQUENCE)?;
    let mut out = vec![0; 2 * width];
    for half in out.chunks_exact_mut(width) {
        let number = numbers.unsigned()?;
        let start = width.checked_sub(number.len()).ok_or(Malformed)?;
        half[start..].copy_from_slice(number);
    }
    numbers.finish()?;
    Ok(out)
}

/// The SEQUENCE of the two halves.
pub(crate) fn fixed_to_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    asn1::sequence(&[&asn1::unsigned(r), &asn1::unsigned(s)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_come_and_go() {
        let fixed = [0, 0, 1, 0x80, 2, 3];
        let der = fixed_to_der(&fixed[..3], &fixed[3..]);
        assert_eq!(der, [0x30, 9, 2, 1, 1, 2, 4, 0, 0x80, 2, 3]);
        assert_eq!(der_to_fixed(&der, 3).unwrap(), fixed);
        assert_eq!(der_to_fixed(&der, 2), Err(Malformed));
    }
}
