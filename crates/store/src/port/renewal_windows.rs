//! Renewal windows that an operator has set (RFC 9773 §4.2).

use pki::certificate::Serial;

use crate::audit::AuditEntry;
use crate::error::Error;
use crate::record::{RenewalRecord, RenewalWindow};

/// The verbs on renewal windows.
pub trait RenewalWindows {
    /// Sets a window, with its audit entry. One for a single certificate replaces the one that this certificate had.
    fn set_renewal_window(
        &self,
        window: RenewalWindow,
        entry: AuditEntry,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Deletes the windows of one certificate, or, without a serial number, those that are for many, and adds the audit
    /// entry in any case. Returns how many there were.
    fn clear_renewal_windows(
        &self,
        serial: Option<Serial>,
        entry: AuditEntry,
    ) -> impl Future<Output = Result<usize, Error>> + Send;

    /// Lists at most `limit` windows, newest first.
    fn renewal_windows(
        &self,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<RenewalWindow>, Error>> + Send;

    /// Reads the certificate with this serial number, and the newest window that was set for it: for itself, or for many
    /// that it is one of.
    fn renewal(
        &self,
        serial: &Serial,
    ) -> impl Future<Output = Result<Option<RenewalRecord>, Error>> + Send;
}
