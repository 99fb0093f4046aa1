//! Revocations (RFC 8555 §7.6) and the keys that they bar.

use pki::certificate::Serial;

use crate::error::Error;
use crate::record::{NamesClaim, RevocationFacts};
use crate::write::Revocation;

/// The verbs on revocations.
pub trait Revocations {
    /// Revokes a certificate, with its audit entry. In the same transaction the key is barred where the revocation bars
    /// it, and the renewals of the lineage end, or those of the certificate's ancestors. Written only if the certificate
    /// is not revoked, or if an earlier revocation leaves something to this one ([`Revoked::leaves_to`]): then the
    /// reason, the right and the lineage become those of this one. Returns whether it was written: of many calls one gets `true`.
    ///
    /// [`Revoked::leaves_to`]: crate::Revoked::leaves_to
    fn revoke(&self, revocation: Revocation) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Reads whether a key, by the SHA-256 of its bits, is barred as compromised.
    fn is_compromised(&self, key: [u8; 32]) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Reads all that a revocation asks the records: the certificate with this serial number, and whether the claim of
    /// an account to its names is proven. It is where the account has a valid authorization, proven by a challenge and
    /// not expired, for each identifier, and there are any. A wildcard needs its own. One for a domain counts for the
    /// names below it if its scope says so and the claim allows it.
    fn revocation_facts(
        &self,
        serial: &Serial,
        claim: Option<NamesClaim>,
    ) -> impl Future<Output = Result<RevocationFacts, Error>> + Send;
}
