//! Issued certificates. They stay when their order goes.

use jiff::Timestamp;
use pki::certificate::Serial;
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::error::Error;
use crate::record::{CertificateRecord, CertificateStanding, Issued, RenewalKeys};
use crate::write::Issuance;

/// The verbs on certificates.
pub trait Certificates {
    /// Records a certificate with its audit entry. Where it has an order, that goes from `ready` to `valid` in the same
    /// transaction, and only if it is `ready` and had not expired when the certificate was issued. A certificate is
    /// recorded only while its key is not barred as compromised. One without an order is a renewal, recorded only while
    /// - the key whose holder asks for it is not barred,
    /// - nothing has ended the renewals of the certificate that it is made from,
    /// - the account that it names is valid and has the external account key that bound it,
    /// - the permits that its names rest on hold for the account when it is issued.
    ///
    /// Of many issuances for one order, one is recorded.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the id or serial number is taken.
    fn issue(&self, issuance: Issuance) -> impl Future<Output = Result<Issued, Error>> + Send;

    /// Records one of the server's own certificates with its audit entry.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the id or serial number is taken.
    fn record_server_certificate(
        &self,
        certificate: CertificateRecord,
        entry: AuditEntry,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads a certificate.
    fn certificate(
        &self,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<CertificateRecord>, Error>> + Send;

    /// Reads the certificate with this serial number.
    fn certificate_by_serial(
        &self,
        serial: &Serial,
    ) -> impl Future<Output = Result<Option<CertificateRecord>, Error>> + Send;

    /// Reads all that a renewal at `now` asks the records: the certificate with this serial number and what it rests on,
    /// and whether the keys are barred.
    fn certificate_standing(
        &self,
        serial: &Serial,
        keys: RenewalKeys,
        now: Timestamp,
    ) -> impl Future<Output = Result<CertificateStanding, Error>> + Send;

    /// Lists at most `limit` certificates for a name, newest first.
    fn certificates_named(
        &self,
        name: &str,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<CertificateRecord>, Error>> + Send;
}
