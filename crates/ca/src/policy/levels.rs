//! The levels at which policies stand, asked one after another.

use std::borrow::Cow;
use std::fmt;

use acme::identifier::device::shown;
use acme::identifier::{Device, Unchecked};
use acme::problem::{self, Problem, Subproblem};
use pki::AltName;

use super::{Effect, List, Policy, Why};

/// Where a policy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Level {
    /// It is bound to an external account key, of this id.
    Key(String),
    /// `[provisioner.<name>.policy]` of riser.toml.
    Provisioner(String),
    /// `authority.policy.x509` of ca.json.
    Authority,
}

impl Level {
    /// How one of its lists is called where the operator wrote it.
    #[must_use]
    pub fn place(&self, list: List) -> String {
        let List { effect, kind } = list;
        match self {
            Self::Key(_) => format!("{list} of {self}"),
            Self::Provisioner(_) => format!("{self}.{}_{}", effect.as_str(), kind.as_str()),
            Self::Authority => format!("{self}.{list}"),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "external account key {id}"),
            Self::Provisioner(name) => write!(f, "provisioner.{name}.policy"),
            Self::Authority => f.write_str("authority.policy.x509"),
        }
    }
}

/// The policies that hold for a certificate, in the order in which they are asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Levels<'a>(Vec<(Level, Cow<'a, Policy>)>);

/// Names that a policy does not let pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    names: Vec<RefusedName>,
    asked: usize,
}

/// A name that a policy does not let pass, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedName {
    /// The name.
    pub name: AltName,
    /// Which rule of which level refused it, and what to do.
    pub reason: String,
}

impl<'a> Levels<'a> {
    /// Asks one more policy, after those before it; one that lets everything pass is left out.
    #[must_use]
    pub(crate) fn then(mut self, level: Level, policy: Cow<'a, Policy>) -> Self {
        if !policy.is_empty() {
            self.0.push((level, policy));
        }
        self
    }

    /// Decides on the names of a certificate, and on its common name if it has one.
    ///
    /// # Errors
    /// Every name that is refused, with the first level and rule that did.
    pub fn check(&self, names: &[AltName], common_name: Option<&str>) -> Result<(), Refused> {
        let mut refused = Vec::new();
        for name in names {
            if let Some(reason) = self.first(&shown(name), |policy| policy.judge(name)) {
                let name = name.clone();
                refused.push(RefusedName { name, reason });
            }
        }
        let known = |text: &str| refused.iter().any(|r| shown(&r.name) == text);
        let common_name = common_name.filter(|text| !text.is_empty() && !known(text));
        if let Some(text) = common_name {
            let words = format!("The common name {text}");
            if let Some(reason) = self.first(&words, |policy| policy.judge_common_name(text)) {
                let name = AltName::Dns(text.to_owned());
                refused.push(RefusedName { name, reason });
            }
        }
        let asked = names.len();
        if refused.is_empty() {
            return Ok(());
        }
        Err(Refused {
            names: refused,
            asked,
        })
    }

    /// The words of the first level that says no.
    fn first(&self, name: &str, judge: impl Fn(&Policy) -> Result<(), Why>) -> Option<String> {
        self.0.iter().find_map(|(level, policy)| {
            let why = judge(policy).err()?;
            Some(words(name, level, &why))
        })
    }
}

impl Refused {
    /// The names, each with its reason.
    #[must_use]
    pub fn names(&self) -> &[RefusedName] {
        &self.names
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self
            .names
            .iter()
            .take(SHOWN)
            .map(|n| n.reason.as_str())
            .collect();
        if self.names.len() > 1 {
            write!(
                f,
                "{} of {} names are refused: ",
                self.names.len(),
                self.asked
            )?;
        }
        f.write_str(&shown.join(" "))?;
        f.write_str(if self.names.len() > SHOWN { " …" } else { "" })
    }
}

/// `rejectedIdentifier`; a subproblem for each where several names were asked for
/// (RFC 8555 §6.7.1).
impl From<&Refused> for Problem {
    fn from(refused: &Refused) -> Self {
        let problem = Self::rejected_identifier(refused.to_string());
        if refused.asked == 1 {
            return problem;
        }
        let subproblems = refused.names.iter().map(|refused| Subproblem {
            kind: problem::Kind::RejectedIdentifier,
            detail: refused.reason.clone(),
            identifier: identifier(&refused.name),
        });
        subproblems.fold(problem, Self::with_subproblem)
    }
}

fn identifier(name: &AltName) -> Option<Unchecked> {
    let kind = match name {
        AltName::Dns(_) => "dns",
        AltName::Ip(_) => "ip",
        AltName::Other { .. } => {
            let device = Device::from_alt_name(name).ok()??;
            return Some(Unchecked::new(device.kind(), device.to_string()));
        }
        AltName::Email(_) | AltName::Uri(_) => return None,
    };
    Some(Unchecked::new(kind, name.to_string()))
}

fn words(name: &str, level: &Level, why: &Why) -> String {
    let list = |effect, kind| level.place(List { effect, kind });
    match why {
        Why::Denied { kind, pattern } => format!(
            "{name} is refused by {} {pattern:?}: ask for another name, or ask the operator of \
             this authority about the rule.",
            list(Effect::Deny, *kind)
        ),
        Why::Unlisted { kind, patterns } => {
            let shown: Vec<_> = patterns
                .iter()
                .take(SHOWN)
                .map(|p| format!("{p:?}"))
                .collect();
            let more = if patterns.len() > SHOWN { ", …" } else { "" };
            format!(
                "{name} fits no rule of {} ({}{more}): ask for a name that does, or ask the \
                 operator of this authority to allow it.",
                list(Effect::Allow, *kind),
                shown.join(", ")
            )
        }
        Why::NoList { kind } => {
            let kind = kind.map_or_else(|| "names of its kind".to_owned(), |kind| kind.to_string());
            format!(
                "{name} is refused by {level}, which allows names of other kinds and no {kind}: \
                 ask the operator of this authority to allow it."
            )
        }
        Why::Wildcard => format!(
            "{name} is a wildcard, which {level} does not allow ({}): ask for the names below it \
             one by one, or ask the operator of this authority to allow it.",
            match level {
                Level::Provisioner(_) => "allow_wildcards",
                Level::Key(_) | Level::Authority => "allowWildcardNames",
            }
        ),
        Why::Unreadable { kind } => format!(
            "{name} cannot be compared with the rules for {kind} of {level}, so it is refused: \
             ask for another name."
        ),
    }
}

/// The most names and rules that one sentence shows.
const SHOWN: usize = 3;
