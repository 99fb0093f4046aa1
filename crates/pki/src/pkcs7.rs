//! Certificates in a PKCS #7 message that signs nothing (RFC 2315 §9.1, RFC 5652 §5).

use crate::{asn1, oid};

/// The `certs-only` message (RFC 8551 §3.8) with these certificates, in their order: not sorted as DER requires
/// of a SET, so that the first is the leaf. RFC 5652 requires BER only.
#[must_use]
pub fn certs_only<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let certificates: Vec<&[u8]> = certificates.into_iter().collect();
    let nothing = asn1::wrap(asn1::SET, &[]);
    let signed = asn1::sequence(&[
        &asn1::unsigned(&[1]),
        &nothing,
        &asn1::sequence(&[&asn1::oid(oid::PKCS7_DATA)]),
        &asn1::wrap(asn1::constructed(0), &certificates),
        &nothing,
    ]);
    asn1::sequence(&[
        &asn1::oid(oid::PKCS7_SIGNED_DATA),
        &asn1::wrap(asn1::constructed(0), &[&signed]),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_without_certificates_has_the_known_bytes() {
        let known = "3025 06092a864886f70d010702 a018 3016 020101 3100 300b06092a864886f70d010701 a000 3100";
        let known = known.replace(' ', "");
        let known = data_encoding::HEXLOWER.decode(known.as_bytes()).unwrap();
        assert_eq!(certs_only([]), known);
    }

    #[test]
    fn the_certificates_keep_their_order() {
        let (leaf, issuer): (&[u8], &[u8]) = (&[0x30, 1, 9], &[0x30, 1, 8]);
        let message = certs_only([leaf, issuer]);
        let both = [leaf, issuer].concat();
        assert!(message.windows(6).any(|window| window == both));
    }
}
