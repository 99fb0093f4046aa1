//! The levels at which policies stand, and the proof that names have passed all of them.

use std::borrow::Cow;
use std::fmt;

use acme::identifier::{Identifier, Unchecked};
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

/// What the external account key of an ACME account says about its certificates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Binding {
    /// The key's id.
    pub key: String,
    /// Which names the account may have.
    pub policy: Policy,
    /// The profile that its orders get, whatever others are offered.
    pub profile: Option<String>,
}

/// The policies that hold for a certificate, in the order in which they are asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Levels<'a>(Vec<(Level, Cow<'a, Policy>)>);

/// Something with names that policies have let pass; made by [`Levels::admit`] alone.
#[derive(Debug)]
pub struct Admitted<T>(T);

impl<T> Admitted<T> {
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

/// What will become a certificate with these names.
pub trait Named {
    /// Its subject alternative names.
    fn names(&self) -> Vec<AltName>;
    /// Its common name, if it has one that is not empty.
    fn common_name(&self) -> Option<String>;
}

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

    /// Decides on the identifiers of an order.
    ///
    /// # Errors
    /// Every identifier that is refused, with the first level and rule that did.
    pub fn check<'i>(
        &self,
        identifiers: impl IntoIterator<Item = &'i Identifier>,
    ) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = identifiers
            .into_iter()
            .map(Identifier::to_alt_name)
            .collect();
        self.judge(&names, None)
    }

    /// Decides on everything that a certificate would name, and gives the proof of it.
    ///
    /// # Errors
    /// Every name that is refused, with the first level and rule that did.
    pub fn admit<T: Named>(&self, named: T) -> Result<Admitted<T>, Refused> {
        if !self.0.is_empty() {
            self.judge(&named.names(), named.common_name())?;
        }
        Ok(Admitted(named))
    }

    fn judge(&self, names: &[AltName], common_name: Option<String>) -> Result<(), Refused> {
        let mut refused = Vec::new();
        for name in names {
            if let Some(reason) = self.first(&name.to_string(), |policy| policy.judge(name)) {
                let name = name.clone();
                refused.push(RefusedName { name, reason });
            }
        }
        let known = |text: &String| refused.iter().any(|r| r.name.to_string() == *text);
        if let Some(text) = common_name.filter(|text| !known(text)) {
            let words = format!("The common name {text}");
            if let Some(reason) = self.first(&words, |policy| policy.judge_common_name(&text)) {
                let name = AltName::Dns(text);
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
        AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => return None,
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
