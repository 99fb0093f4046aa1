//! Validations that outlive their request, so that they are taken up again after a crash.

use crate::error::Error;
use crate::record::UnfinishedChallenge;

/// The verbs on validations under way.
pub trait ValidationJobs {
    /// Marks a pending challenge as being validated (`processing`) and keeps the rest until its verdict. Returns whether
    /// it was pending: of many calls one gets `true`.
    fn begin_challenge(
        &self,
        begun: UnfinishedChallenge,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Lists the challenges that are marked as being validated.
    fn unfinished_challenges(
        &self,
    ) -> impl Future<Output = Result<Vec<UnfinishedChallenge>, Error>> + Send;
}
