//! Revocations (RFC 8555 §7.6) and the keys that they bar.

use acme::identifier::Identifier;
use acme::scope::Scope;
use jiff::Timestamp;
use uuid::Uuid;

use crate::error::Error;
use crate::write::Revocation;

/// The verbs on revocations.
pub trait Revocations {
    /// Revokes a certificate, with its audit entry; where the revocation bars the key, that is barred in the same
    /// transaction. Written only if the certificate is not revoked, or if the revocation bars the key and the earlier
    /// one had another reason: then only the reason changes. Returns whether it was written: of many calls one gets
    /// `true`.
    fn revoke(&self, revocation: Revocation) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Reads whether a key, by the SHA-256 of its bits, is barred as compromised.
    fn is_compromised(&self, key: [u8; 32]) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Reads whether an account has a valid authorization, proven by a challenge and not expired at `now`, for each of
    /// these identifiers, and whether there are any. A wildcard needs its own. One for a domain counts for the names below it if its scope says
    /// so and `widest` allows it.
    fn has_proven(
        &self,
        account: Uuid,
        identifiers: Vec<Identifier>,
        widest: Scope,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}
