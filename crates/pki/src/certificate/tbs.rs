//! What is signed, and putting signature and signed together.

use jiff::Timestamp;

use super::{Certificate, Serial};
use crate::{
    asn1,
    error::Error,
    extension::Extension,
    key::{PublicKey, SignatureAlgorithm},
    name::Name,
    time,
};

/// The fields of a certificate before it is signed (RFC 5280 §4.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TbsCertificate {
    /// The serial number.
    pub serial: Serial,
    /// The issuer's name.
    pub issuer: Name,
    /// The subject's name; may be empty.
    pub subject: Name,
    /// The first instant of validity; fractions of a second are cut.
    pub not_before: Timestamp,
    /// The last instant of validity; fractions of a second are cut.
    pub not_after: Timestamp,
    /// The key that is certified.
    pub public_key: PublicKey,
    /// The extensions in their order.
    pub extensions: Vec<Extension>,
}

impl TbsCertificate {
    /// The DER that is signed: version 3, times by RFC 5280 §4.1.2.5.
    ///
    /// # Errors
    /// [`Error::Serial`] and [`Error::Time`].
    pub fn to_der(&self, signature: SignatureAlgorithm) -> Result<Vec<u8>, Error> {
        let extensions: Vec<Vec<u8>> = self.extensions.iter().map(Extension::to_der).collect();
        let extensions = match extensions.as_slice() {
            [] => Vec::new(),
            some => {
                let list = asn1::sequence(&some.iter().map(Vec::as_slice).collect::<Vec<_>>());
                asn1::wrap(asn1::constructed(3), &[&list])
            }
        };
        Ok(asn1::sequence(&[
            &asn1::wrap(asn1::constructed(0), &[&asn1::unsigned(&[2])]),
            &self.serial.to_der()?,
            &signature.identifier_der(),
            self.issuer.der(),
            &asn1::sequence(&[
                &time::write(self.not_before)?,
                &time::write(self.not_after)?,
            ]),
            self.subject.der(),
            self.public_key.spki_der(),
            &extensions,
        ]))
    }
}

/// The certificate of what was signed and its signature, which is not checked here.
///
/// # Errors
/// [`Error::Der`] when `tbs_der` is no TBSCertificate or names another algorithm.
pub fn assemble(
    tbs_der: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Certificate, Error> {
    let der = asn1::sequence(&[
        tbs_der,
        &algorithm.identifier_der(),
        &asn1::bit_string(signature),
    ]);
    Certificate::from_der(&der)
}
