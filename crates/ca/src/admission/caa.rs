//! The question of CAA (RFC 8659): do the DNS records of each name let this authority issue?
//!
//! Not here: climbing the tree and judging records, which `acme::caa` does, and the look-ups.

use std::collections::BTreeSet;

use acme::caa::{self, Answer, Context};
use acme::challenge::{Means, Method};
use acme::identifier::Identifier;
use acme::problem::{Kind, Problem};
use pki::AltName;

use super::question::{Objection, Settled};
use super::{IssuancePolicy, IssuanceRequest};
use crate::refusal::Refusal;

/// What CAA records mean to a provisioner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaaPolicy {
    /// Whether they are asked for.
    pub mode: CaaMode,
    /// The names by which records name this authority, in lower case.
    pub issuers: Vec<String>,
    /// The hosts of this authority, by any of which an account's URI may be written.
    pub hosts: Vec<String>,
}

/// `caa`: what CAA records mean (RFC 8659).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaaMode {
    /// `off`: they are not looked up.
    #[default]
    Off,
    /// `warn`: what they forbid is logged and issued.
    Warn,
    /// `enforce`: what they forbid is not issued, nor anything while they cannot be looked up.
    Enforce,
}

/// The names whose records are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Look these up, aliases followed.
    pub names: BTreeSet<String>,
    /// What to do when the DNS gives no usable answer.
    pub outage: OnOutage,
}

/// What the caller does when a look-up fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// Give up: nothing is issued until the look-up succeeds.
    Fail,
    /// Put the failure into [`Facts::outage`] and ask again.
    Report,
}

/// What was looked up so far.
#[derive(Debug, Default)]
pub struct Facts {
    /// The records of each name; none for a name without records.
    pub records: caa::Facts,
    /// Why a look-up failed. It counts where the operator wants a warning only.
    pub outage: Option<Problem>,
}

pub(super) fn settle(
    request: &IssuanceRequest,
    policy: &IssuancePolicy<'_>,
    facts: &Facts,
) -> Settled<Question> {
    let CaaPolicy {
        mode,
        issuers,
        hosts,
    } = &policy.caa;
    let outage = match mode {
        CaaMode::Off => return Settled::Passed,
        CaaMode::Warn => OnOutage::Report,
        CaaMode::Enforce => OnOutage::Fail,
    };
    if let (CaaMode::Warn, Some(outage)) = (mode, &facts.outage) {
        return objected([outage.detail.clone()]);
    }
    let account = request.basis.account.as_ref();
    let (mut names, mut refused) = (BTreeSet::new(), Vec::new());
    for name in &request.asked.names {
        let identifier = match identifier(name) {
            Ok(Some(identifier)) => identifier,
            Ok(None) => continue,
            Err(refusal) => return Settled::Refused(refusal),
        };
        let cx = Context {
            issuers,
            account_url: account.map_or("", |account| &account.uri),
            hosts,
            method: method(request, name),
        };
        match caa::judge(&identifier, &cx, &facts.records) {
            Answer::Allowed => {}
            Answer::Ask(name) => drop(names.insert(name)),
            Answer::Refused(problem) => refused.push(problem),
        }
    }
    if facts.records.len() + names.len() > LOOKUPS {
        let problem = too_many_lookups();
        return match mode {
            CaaMode::Warn => objected([problem.detail]),
            CaaMode::Off | CaaMode::Enforce => Settled::Refused(Refusal::Caa(Box::new(problem))),
        };
    }
    if !names.is_empty() {
        return Settled::Ask(Question { names, outage });
    }
    if refused.is_empty() {
        return Settled::Passed;
    }
    match mode {
        CaaMode::Warn => objected(refused.into_iter().map(|problem| problem.detail)),
        CaaMode::Off | CaaMode::Enforce => {
            Settled::Refused(Refusal::Caa(Box::new(caa::problem(refused))))
        }
    }
}

fn too_many_lookups() -> Problem {
    Problem::new(
        Kind::Caa,
        format!(
            "The CAA records of these names take more than {LOOKUPS} look-ups, which is the most for one \
             certificate: order fewer names, or shorter ones, in one certificate."
        ),
    )
}

/// How many names are looked up for one certificate, parents included.
const LOOKUPS: usize = 512;

/// The name as CAA knows it; nothing for a kind of name that CAA is not about.
fn identifier(name: &AltName) -> Result<Option<Identifier>, Refusal> {
    match name {
        AltName::Dns(text) => match Identifier::parse("dns", text) {
            Ok(identifier) => Ok(Some(identifier)),
            Err(problem) => Err(Refusal::BadName {
                name: text.clone(),
                reason: problem.to_string(),
            }),
        },
        AltName::Ip(_) | AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => Ok(None),
    }
}

fn method(request: &IssuanceRequest, name: &AltName) -> Option<Method> {
    let all = &request.basis.validations;
    let validation = all.iter().find(|validation| validation.name == *name)?;
    match validation.means {
        Means::Challenge(method) => Some(method),
        Means::Permit(_) => None,
    }
}

fn objected(reasons: impl IntoIterator<Item = String>) -> Settled<Question> {
    let objection = |reason| Objection {
        question: "caa",
        reason,
    };
    Settled::Objected(reasons.into_iter().map(objection).collect())
}
