//! Name policies: which names certificates may have, as lists of what is allowed and what is
//! denied. What is denied is denied whatever is allowed; where one kind of name has an allow
//! list, names of the kinds without any list are refused.
//!
//! Not here: who proves what about a name.

mod levels;
mod pattern;

use std::fmt;

use acme::identifier::Device;
use ipnet::IpNet;
use pki::AltName;
use serde::{Deserialize, Serialize};

pub use levels::{Level, Levels, Refused, RefusedName};

use pattern::{Domain, Email, Host};

/// A policy whose every rule can be read. As JSON it is the [`Lists`] that it was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Lists", into = "Lists")]
pub struct Policy {
    allow: Rules,
    deny: Rules,
    wildcards: Option<bool>,
}

/// A policy as it is written, in the form that ca.json has under `authority.policy.x509`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lists {
    /// Names that may be had; empty lists allow every name of every kind.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub allow: Names,
    /// Names that may not be had, whatever is allowed.
    #[serde(skip_serializing_if = "Names::is_empty")]
    pub deny: Names,
    /// Whether an allowed `*.example.com` also allows the wildcard name itself; an outright
    /// `false` refuses every wildcard name, and nothing refuses only those that need allowing.
    #[serde(rename = "allowWildcardNames", skip_serializing_if = "Option::is_none")]
    pub allow_wildcards: Option<bool>,
}

/// Rules by kind of name, each as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// Common names, letter for letter but for case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cn: Vec<String>,
    /// DNS names: `example.com`, or `*.example.com` for those exactly one label below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Networks and addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip: Vec<String>,
    /// Mailboxes: `me@example.com`, or `@example.com` for all of a domain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub email: Vec<String>,
    /// Hosts of URIs, as DNS names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uri: Vec<String>,
}

impl Names {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{list}[{position}]: {pattern:?} is not a rule for {}: {reason}", .list.kind)]
pub struct BadPattern {
    /// The list that it is in.
    pub list: List,
    /// Its place in the list, from 0.
    pub position: usize,
    /// The rule as written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// All rules of a policy that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPatterns(pub Vec<BadPattern>);

impl std::error::Error for BadPatterns {}

impl fmt::Display for BadPatterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&words.join("; "))
    }
}

/// One of a policy's ten lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// What being in it means.
    pub effect: Effect,
    /// The kind of its names.
    pub kind: Kind,
}

/// What a rule does to the names that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They may be had.
    Allow,
    /// They may not be had.
    Deny,
}

/// A kind of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The subject's common name.
    Cn,
    /// A DNS name.
    Dns,
    /// An address.
    Ip,
    /// A mailbox.
    Email,
    /// A URI.
    Uri,
}

impl Effect {
    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Cn, Self::Dns, Self::Ip, Self::Email, Self::Uri];

    /// The word in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cn => "cn",
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Uri => "uri",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cn => "common names",
            Self::Dns => "DNS names",
            Self::Ip => "addresses",
            Self::Email => "e-mail addresses",
            Self::Uri => "URIs",
        })
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.effect.as_str(), self.kind.as_str())
    }
}

/// Why a policy does not let a name pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// A rule denies it.
    Denied { kind: Kind, pattern: String },
    /// There is an allow list of its kind, and it fits no rule of it.
    Unlisted { kind: Kind, patterns: Vec<String> },
    /// There is no list of its kind, and other kinds have allow lists.
    NoList { kind: Option<Kind> },
    /// It is a wildcard name, and those are not allowed.
    Wildcard,
    /// It cannot be compared with the rules.
    Unreadable { kind: Kind },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rules {
    cn: Vec<Rule<String>>,
    dns: Vec<Rule<Domain>>,
    ip: Vec<Rule<IpNet>>,
    email: Vec<Rule<Email>>,
    uri: Vec<Rule<Domain>>,
}

/// A rule, and how it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule<T> {
    written: String,
    meaning: T,
}

impl Policy {
    /// Reads the lists.
    ///
    /// # Errors
    /// Every rule that cannot be read.
    pub fn new(lists: &Lists) -> Result<Self, BadPatterns> {
        let mut bad = Vec::new();
        let policy = Self {
            allow: Rules::read(&lists.allow, Effect::Allow, &mut bad),
            deny: Rules::read(&lists.deny, Effect::Deny, &mut bad),
            wildcards: lists.allow_wildcards,
        };
        if bad.is_empty() {
            Ok(policy)
        } else {
            Err(BadPatterns(bad))
        }
    }

    /// Whether it lets every name pass.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty() && self.wildcards != Some(false)
    }

    /// Decides on one name of a certificate.
    pub(crate) fn judge(&self, name: &AltName) -> Result<(), Why> {
        if self.is_empty() {
            return Ok(());
        }
        match name {
            AltName::Dns(text) => self.judge_dns(text),
            AltName::Ip(address) => {
                let address = address.to_canonical();
                self.decide(
                    Kind::Ip,
                    |rules| &rules.ip,
                    |net: &IpNet| net.contains(&address),
                )
            }
            AltName::Email(text) => {
                let kind = Kind::Email;
                let mailbox = pattern::Mailbox::parse(text).ok_or(Why::Unreadable { kind })?;
                self.decide(kind, |rules| &rules.email, |rule| rule.matches(&mailbox))
            }
            AltName::Uri(text) => {
                let kind = Kind::Uri;
                let host = pattern::uri_host(text);
                let unruled = self.allow.uri.is_empty() && self.deny.uri.is_empty();
                if host.is_none() && !unruled {
                    return Err(Why::Unreadable { kind });
                }
                let fits = |rule: &Domain| host.as_ref().is_some_and(|host| rule.matches(host));
                self.decide(kind, |rules| &rules.uri, fits)
            }
            AltName::Other { .. } => match Device::from_alt_name(name) {
                // As in the original, a device is named by the lists for common names and for DNS names.
                Ok(Some(device)) => self.judge_common_name(device.name()),
                Ok(None) if self.allow.is_empty() => Ok(()),
                Ok(None) | Err(_) => Err(Why::NoList { kind: None }),
            },
        }
    }

    /// Decides on the subject's common name: by the lists for common names, and as the name
    /// that it reads as.
    pub(crate) fn judge_common_name(&self, text: &str) -> Result<(), Why> {
        if text.is_empty() || self.is_empty() {
            return Ok(());
        }
        let lowered = text.to_lowercase();
        let fits = |rule: &Rule<String>| rule.meaning == lowered;
        if let Some(rule) = self.deny.cn.iter().find(|rule| fits(rule)) {
            return Err(denied(Kind::Cn, rule));
        }
        let judged = self.judge(&read_as(text));
        let allowed = if self.allow.cn.is_empty() {
            !self.deny.cn.is_empty()
        } else {
            self.allow.cn.iter().any(fits)
        };
        match judged {
            Err(denied @ Why::Denied { .. }) => Err(denied),
            _ if allowed => Ok(()),
            judged => judged,
        }
    }

    fn judge_dns(&self, text: &str) -> Result<(), Why> {
        let kind = Kind::Dns;
        let host = Host::parse(text).ok_or(Why::Unreadable { kind })?;
        let touches = |rule: &&Rule<Domain>| rule.meaning.touches(&host);
        if let Some(rule) = self.deny.dns.iter().find(touches) {
            return Err(denied(kind, rule));
        }
        if host.is_wildcard() {
            let needs_allowing = !self.allow.dns.is_empty() && self.wildcards != Some(true);
            if self.wildcards == Some(false) || needs_allowing {
                return Err(Why::Wildcard);
            }
        }
        self.decide(kind, |rules| &rules.dns, |rule| rule.matches(&host))
    }

    /// The order of all decisions: what is denied, then what is allowed, then whether a kind
    /// without any list has to be.
    fn decide<T>(
        &self,
        kind: Kind,
        of: impl Fn(&Rules) -> &[Rule<T>],
        fits: impl Fn(&T) -> bool,
    ) -> Result<(), Why> {
        let (allow, deny) = (of(&self.allow), of(&self.deny));
        if let Some(rule) = deny.iter().find(|rule| fits(&rule.meaning)) {
            return Err(denied(kind, rule));
        }
        if allow.is_empty() && deny.is_empty() && !self.allow.is_empty() {
            return Err(Why::NoList { kind: Some(kind) });
        }
        if allow.is_empty() || allow.iter().any(|rule| fits(&rule.meaning)) {
            return Ok(());
        }
        let patterns = allow.iter().map(|rule| rule.written.clone()).collect();
        Err(Why::Unlisted { kind, patterns })
    }
}

impl Rules {
    fn read(names: &Names, effect: Effect, bad: &mut Vec<BadPattern>) -> Self {
        Self {
            cn: read(&names.cn, effect, Kind::Cn, pattern::common_name, bad),
            dns: read(&names.dns, effect, Kind::Dns, Domain::parse, bad),
            ip: read(&names.ip, effect, Kind::Ip, pattern::network, bad),
            email: read(&names.email, effect, Kind::Email, Email::parse, bad),
            uri: read(&names.uri, effect, Kind::Uri, Domain::parse, bad),
        }
    }

    fn is_empty(&self) -> bool {
        self.cn.is_empty()
            && self.dns.is_empty()
            && self.ip.is_empty()
            && self.email.is_empty()
            && self.uri.is_empty()
    }

    fn written(self) -> Names {
        Names {
            cn: written(self.cn),
            dns: written(self.dns),
            ip: written(self.ip),
            email: written(self.email),
            uri: written(self.uri),
        }
    }
}

impl TryFrom<Lists> for Policy {
    type Error = BadPatterns;

    fn try_from(lists: Lists) -> Result<Self, BadPatterns> {
        Self::new(&lists)
    }
}

impl From<Policy> for Lists {
    fn from(policy: Policy) -> Self {
        Self {
            allow: policy.allow.written(),
            deny: policy.deny.written(),
            allow_wildcards: policy.wildcards,
        }
    }
}

fn read<T>(
    texts: &[String],
    effect: Effect,
    kind: Kind,
    parse: impl Fn(&str) -> Result<T, String>,
    bad: &mut Vec<BadPattern>,
) -> Vec<Rule<T>> {
    let mut rules = Vec::new();
    for (position, text) in texts.iter().enumerate() {
        match parse(text) {
            Ok(meaning) => rules.push(Rule {
                written: text.clone(),
                meaning,
            }),
            Err(reason) => bad.push(BadPattern {
                list: List { effect, kind },
                position,
                pattern: text.clone(),
                reason,
            }),
        }
    }
    rules
}

fn denied<T>(kind: Kind, rule: &Rule<T>) -> Why {
    Why::Denied {
        kind,
        pattern: rule.written.clone(),
    }
}

fn written<T>(rules: Vec<Rule<T>>) -> Vec<String> {
    rules.into_iter().map(|rule| rule.written).collect()
}

/// What a common name reads as.
fn read_as(text: &str) -> AltName {
    if let Ok(address) = text.parse() {
        AltName::Ip(address)
    } else if text.contains("://") {
        AltName::Uri(text.to_owned())
    } else if text.contains('@') {
        AltName::Email(text.to_owned())
    } else {
        AltName::Dns(text.to_owned())
    }
}

#[cfg(test)]
mod tests;
