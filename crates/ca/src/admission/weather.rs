//! A second question, for the tests alone: a question is this one file and one line of `question.rs`.

use super::question::Settled;
use super::{IssuancePolicy, IssuanceRequest};
use crate::refusal::Refusal;

/// Whether the sun shines where a name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question(pub String);

/// What is known: `true` where the sun shines.
#[derive(Debug, Default)]
pub struct Facts(pub std::collections::BTreeMap<String, bool>);

/// Names of `weather.test` are issued in sunshine only.
pub(super) fn settle(
    request: &IssuanceRequest,
    _policy: &IssuancePolicy<'_>,
    facts: &Facts,
) -> Settled<Question> {
    for name in request.asked.names.iter().map(ToString::to_string) {
        if !name.ends_with(".weather.test") {
            continue;
        }
        match facts.0.get(&name) {
            None => return Settled::Ask(Question(name)),
            Some(true) => {}
            Some(false) => {
                let reason = "it rains".to_owned();
                return Settled::Refused(Refusal::BadName { name, reason });
            }
        }
    }
    Settled::Passed
}
