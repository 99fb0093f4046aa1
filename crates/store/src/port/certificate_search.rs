//! Searches for issued certificates, page by page.

use crate::error::Error;
use crate::record::{CertificateCursor, CertificatePage, CertificateQuery};

/// The verb that searches for certificates.
pub trait CertificateSearch {
    /// Lists at most `limit` (at most 1000) certificates that fit, from behind `after` on. Each page is a view of its own: a certificate
    /// that is recorded between two pages is in a later page or in none. How long it takes depends on `limit`, not on how
    /// many there are.
    fn find_certificates(
        &self,
        query: CertificateQuery,
        after: Option<CertificateCursor>,
        limit: u16,
    ) -> impl Future<Output = Result<CertificatePage, Error>> + Send;
}
