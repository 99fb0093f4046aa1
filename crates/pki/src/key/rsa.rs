//! RSA numbers: what sizes are accepted, and the PKCS #1 structures (RFC 8017 appendix A).

use zeroize::Zeroizing;

use super::weak;
use crate::{
    asn1::{self, Cursor, Malformed},
    error::Error,
    oid,
};

/// The private numbers of a two-prime key, big-endian without leading zeros.
pub(crate) struct CrtNumbers {
    pub(crate) d: Zeroizing<Vec<u8>>,
    pub(crate) p: Zeroizing<Vec<u8>>,
    pub(crate) q: Zeroizing<Vec<u8>>,
    pub(crate) dp: Zeroizing<Vec<u8>>,
    pub(crate) dq: Zeroizing<Vec<u8>>,
    pub(crate) qi: Zeroizing<Vec<u8>>,
}

/// The SubjectPublicKeyInfo of a modulus and an exponent.
pub(crate) fn rsa_spki(n: &[u8], e: &[u8]) -> Vec<u8> {
    let key = asn1::sequence(&[&asn1::unsigned(n), &asn1::unsigned(e)]);
    let algorithm = asn1::sequence(&[&asn1::oid(oid::RSA), &asn1::null()]);
    asn1::sequence(&[&algorithm, &asn1::bit_string(&key)])
}

/// The modulus and the exponent of an RSAPublicKey.
pub(crate) fn pkcs1_numbers(der: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut fields = Cursor::only(der, asn1::SEQUENCE)?;
    let numbers = (fields.unsigned()?, fields.unsigned()?);
    fields.finish()?;
    Ok(numbers)
}

/// The size of the modulus in bits, when it and the exponent are of acceptable size.
pub(super) fn check_size(n: &[u8], e: &[u8]) -> Result<usize, Error> {
    let bits = match n.first() {
        Some(first) => n.len() * 8 - first.leading_zeros() as usize,
        None => 0,
    };
    if bits < 2048 {
        return Err(Error::RsaTooSmall(bits));
    }
    if bits > 8192 {
        return Err(Error::RsaTooLarge(bits));
    }
    let odd = e.last().is_some_and(|last| last & 1 == 1);
    let value = e.iter().fold(0_u64, |sum, byte| {
        sum.checked_mul(256)
            .map_or(u64::MAX, |sum| sum | u64::from(*byte))
    });
    if !odd || !(65537..1 << 31).contains(&value) || e.len() > 4 {
        return Err(Error::RsaExponent);
    }
    Ok(bits)
}

/// The size of the modulus in bits, when modulus and exponent are acceptable and no known weakness
/// makes the modulus easy to factor.
pub(super) fn check(n: &[u8], e: &[u8]) -> Result<usize, Error> {
    let bits = check_size(n, e)?;
    weak::modulus(n)?;
    Ok(bits)
}

/// An RSAPrivateKey from its numbers.
pub(crate) fn pkcs1_private(n: &[u8], e: &[u8], private: &CrtNumbers) -> Zeroizing<Vec<u8>> {
    let secret = |bytes: &[u8]| Zeroizing::new(asn1::unsigned(bytes));
    Zeroizing::new(asn1::sequence(&[
        &asn1::unsigned(&[]),
        &asn1::unsigned(n),
        &asn1::unsigned(e),
        &secret(&private.d),
        &secret(&private.p),
        &secret(&private.q),
        &secret(&private.dp),
        &secret(&private.dq),
        &secret(&private.qi),
    ]))
}

impl CrtNumbers {
    /// The private numbers of an RSAPrivateKey.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Cursor::only(der, asn1::SEQUENCE)?;
        for _ in ["version", "modulus", "public exponent"] {
            fields.unsigned()?;
        }
        let mut next = || {
            fields
                .unsigned()
                .map(|bytes| Zeroizing::new(bytes.to_vec()))
        };
        Ok(Self {
            d: next()?,
            p: next()?,
            q: next()?,
            dp: next()?,
            dq: next()?,
            qi: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0xff; bits.div_ceil(8)];
        if !bits.is_multiple_of(8) {
            n[0] >>= 8 - bits % 8;
        }
        n
    }

    #[test]
    fn sizes_are_counted_in_bits() {
        let e = [1, 0, 1];
        assert_eq!(check_size(&modulus(2048), &e), Ok(2048));
        assert_eq!(
            check_size(&modulus(2047), &e),
            Err(Error::RsaTooSmall(2047))
        );
        assert_eq!(
            check_size(&modulus(1024), &e),
            Err(Error::RsaTooSmall(1024))
        );
        assert_eq!(check_size(&modulus(8192), &e), Ok(8192));
        assert_eq!(
            check_size(&modulus(8193), &e),
            Err(Error::RsaTooLarge(8193))
        );
    }

    #[test]
    fn exponents_are_odd_and_neither_small_nor_huge() {
        let n = modulus(2048);
        for bad in [
            &[3][..],
            &[],
            &[1, 0, 0],
            &[1, 0, 2],
            &[0x80, 0, 0, 1],
            &[1, 0, 0, 0, 1],
            &[1; 400],
        ] {
            assert_eq!(check_size(&n, bad), Err(Error::RsaExponent), "{bad:?}");
        }
        assert_eq!(check_size(&n, &[0x7f, 0xff, 0xff, 0xff]), Ok(2048));
    }
}
