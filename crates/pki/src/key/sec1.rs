//! EC private keys as SEC 1 has them (RFC 5915 §3).

use zeroize::Zeroizing;

use super::{KeyKind, PublicKey, public};
use crate::{
    asn1::{self, Cursor, Malformed},
    error::Error,
};

/// An ECPrivateKey with parameters and public key.
pub(super) fn write(public: &PublicKey, scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let curve = public::curve_oid(public.kind()).ok_or(Error::InvalidKey("EC"))?;
    let scalar = Zeroizing::new(asn1::octet_string(scalar));
    let parameters = asn1::wrap(asn1::constructed(0), &[&asn1::oid(curve)]);
    let point = asn1::bit_string(public.subject_public_key());
    let point = asn1::wrap(asn1::constructed(1), &[&point]);
    Ok(Zeroizing::new(asn1::sequence(&[
        &asn1::unsigned(&[1]),
        &scalar,
        &parameters,
        &point,
    ])))
}

/// The curve of an ECPrivateKey: named, or derived from the length of the scalar.
pub(super) fn kind(der: &[u8]) -> Result<KeyKind, Error> {
    let read = || -> Result<Result<KeyKind, Error>, Malformed> {
        let mut fields = Cursor::only(der, asn1::SEQUENCE)?;
        fields.unsigned()?;
        let scalar = fields.take(asn1::OCTET_STRING)?.value;
        if let Some(parameters) = fields.take_if(asn1::constructed(0))? {
            return Ok(public::curve(Cursor::new(parameters.value)?.oid()?));
        }
        let all = [KeyKind::EcP256, KeyKind::EcP384, KeyKind::EcP521];
        let fitting = all
            .into_iter()
            .find(|kind| kind.coordinate_len() == Some(scalar.len()));
        Ok(fitting.ok_or_else(|| Error::UnsupportedKey("EC without a named curve".to_owned())))
    };
    read().map_err(|_| Error::Der("EC private key"))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_named_or_derived_from_the_length_of_the_scalar() {
        let bare = |length: usize| {
            asn1::sequence(&[&asn1::unsigned(&[1]), &asn1::octet_string(&vec![1; length])])
        };
        assert_eq!(kind(&bare(48)), Ok(KeyKind::EcP384));
        assert!(matches!(kind(&bare(31)), Err(Error::UnsupportedKey(_))));
        assert_eq!(kind(&[5, 0]), Err(Error::Der("EC private key")));
    }
}
