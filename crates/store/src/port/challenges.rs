//! Challenges and the verdicts on them (RFC 8555 §7.1.6): challenge, authorization and the orders that depend on it
//! change together, and the first verdict counts.

use uuid::Uuid;

use crate::error::Error;
use crate::record::{ChallengeRecord, Settled};
use crate::write::{Failed, Proven};

/// The verbs on challenges.
pub trait Challenges {
    /// Reads a challenge, its authorization, and the orders that depend on it.
    fn challenge(
        &self,
        id: Uuid,
    ) -> impl Future<Output = Result<Option<ChallengeRecord>, Error>> + Send;

    /// Records a proof and its audit entry, which gets the oldest order that depends on the challenge: challenge and authorization become valid, and each pending order whose authorizations are then
    /// all valid becomes ready. The authorization then lives until `proven.until` if that is later than its own end. Written
    /// only while the challenge is pending or processing, its authorization is pending and has not expired at the time
    /// of the proof, and challenge and authorization are those that the proof is about (account, identifier, method).
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such challenge.
    fn settle_valid(&self, proven: &Proven) -> impl Future<Output = Result<Settled, Error>> + Send;

    /// Records a failure and its audit entry, which gets the oldest order that depends on the challenge: challenge, authorization and each pending, ready or processing order that depends on it become
    /// invalid, with the problem as the error of challenge and orders. The evidence is kept for the operator. Written only
    /// while the challenge is pending or processing and its authorization is pending.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such challenge.
    fn settle_invalid(
        &self,
        failed: &Failed,
    ) -> impl Future<Output = Result<Settled, Error>> + Send;
}
