//! Permits: an operator's word that an account may have certificates for a name, without a challenge.
//! A [`Permit`] comes out of the store only; [`Proof::from_permit`](crate::challenge::Proof::from_permit)
//! turns it into proof. Whether a policy forbids the name is decided elsewhere.

use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;
use uuid::Uuid;

use crate::identifier::{DnsName, Identifier};
use crate::problem::{Problem, quote};

/// What an operator says, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub holder: Holder,
    /// The provisioner at which it holds.
    pub provisioner: String,
    /// The names that it is about.
    pub pattern: Pattern,
    /// When it ends by itself; never if none.
    pub expires: Option<Timestamp>,
    /// The operator who said it.
    pub by: String,
    /// When it was said.
    pub at: Timestamp,
}

/// Whom a permit is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// One account.
    Account(Uuid),
    /// Every account that is bound to the external account key of this id (RFC 8555 §7.3.4).
    ExternalKey(String),
}

/// A stored record, as it holds for one account.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    record: Record,
    account: Uuid,
}

impl Permit {
    /// Takes a permit out of its stored record. Only the store says this word, of an account
    /// that is its holder or bound to it.
    pub fn from_record(record: Record, account: Uuid) -> Self {
        Self { record, account }
    }

    /// What the operator said.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The account that it holds for.
    pub fn account(&self) -> Uuid {
        self.account
    }

    /// Whether it lets its account have this identifier at `now`.
    pub fn covers(&self, identifier: &Identifier, now: Timestamp) -> bool {
        self.record.expires.is_none_or(|end| now < end) && self.record.pattern.matches(identifier)
    }
}

/// The names of a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `foo.lab`, `10.0.0.7`: this one.
    One(Identifier),
    /// `*.foo.lab`: each name one label below, and the wildcard that stands for them.
    Below(DnsName),
    /// `**.foo.lab`: each name and each wildcard below, however deep.
    AllBelow(DnsName),
    /// `10.0.0.0/8`: each address in it.
    Network(IpNet),
}

impl Pattern {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// `malformed` for what is neither a name, an address nor a pattern.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if let Some(base) = text.strip_prefix("**.") {
            return DnsName::parse(base).map(Self::AllBelow);
        }
        if let Some(base) = text.strip_prefix("*.") {
            return DnsName::parse(base).map(Self::Below);
        }
        if text.contains('/') {
            let network = text.parse::<IpNet>().map_err(|_| {
                Problem::malformed(format!(
                    "{} is not a network: write it like 10.0.0.0/8.",
                    quote(text)
                ))
            })?;
            return Ok(Self::Network(network.trunc()));
        }
        Identifier::guess(text).map(Self::One)
    }

    /// Whether the identifier is among these names.
    pub fn matches(&self, identifier: &Identifier) -> bool {
        let below = |name: &DnsName, base: &DnsName| -> Option<usize> {
            let labels = name.as_str().strip_suffix(base.as_str())?;
            Some(labels.strip_suffix('.')?.split('.').count())
        };
        match (self, identifier) {
            (Self::One(one), identifier) => one == identifier,
            (Self::Below(base), Identifier::Dns(name)) => below(name, base) == Some(1),
            (Self::Below(base), Identifier::Wildcard(name)) => name == base,
            (Self::AllBelow(base), Identifier::Dns(name)) => below(name, base).is_some(),
            (Self::AllBelow(base), Identifier::Wildcard(name)) => {
                name == base || below(name, base).is_some()
            }
            (Self::Network(network), Identifier::Ip(address)) => network.contains(address),
            (Self::Below(_) | Self::AllBelow(_), Identifier::Ip(_))
            | (Self::Network(_), Identifier::Dns(_) | Identifier::Wildcard(_)) => false,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(identifier) => identifier.fmt(f),
            Self::Below(base) => write!(f, "*.{base}"),
            Self::AllBelow(base) => write!(f, "**.{base}"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        let pattern = Pattern::parse(pattern).unwrap();
        pattern.matches(&Identifier::guess(name).unwrap())
    }

    #[test]
    fn a_pattern_means_the_names_that_its_stars_stand_for() {
        for (pattern, inside, outside) in [
            (
                "foo.lab",
                vec!["FOO.lab"],
                vec!["a.foo.lab", "*.foo.lab", "xfoo.lab"],
            ),
            (
                "*.foo.lab",
                vec!["a.foo.lab", "*.foo.lab"],
                vec![
                    "foo.lab",
                    "a.b.foo.lab",
                    "afoo.lab",
                    "*.a.foo.lab",
                    "10.0.0.7",
                ],
            ),
            (
                "**.foo.lab",
                vec!["a.foo.lab", "a.b.foo.lab", "*.foo.lab", "*.a.foo.lab"],
                vec!["foo.lab", "afoo.lab", "*.afoo.lab"],
            ),
            ("10.0.0.7", vec!["10.0.0.7"], vec!["10.0.0.8"]),
            (
                "10.1.2.3/8",
                vec!["10.9.9.9"],
                vec!["11.0.0.1", "::1", "a.lab"],
            ),
            ("fd00::/8", vec!["fd12::1"], vec!["fe80::1"]),
        ] {
            assert!(
                inside.iter().all(|name| matches(pattern, name)),
                "{pattern}"
            );
            assert!(
                !outside.iter().any(|name| matches(pattern, name)),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_pattern_is_written_as_it_is_read_and_nonsense_is_refused() {
        for text in ["foo.lab", "*.foo.lab", "**.foo.lab", "10.0.0.0/8", "::1"] {
            assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "*",
            "**",
            "a*b.lab",
            "*.*.lab",
            "10.0.0.0/33",
            "a_b",
            "x/y",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_permit_ends_with_its_time() {
        let end: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let name = Identifier::guess("foo.lab").unwrap();
        let permit = Permit::from_record(
            Record {
                id: Uuid::nil(),
                holder: Holder::Account(Uuid::max()),
                provisioner: "acme".into(),
                pattern: Pattern::One(name.clone()),
                expires: Some(end),
                by: "root".into(),
                at: Timestamp::UNIX_EPOCH,
            },
            Uuid::max(),
        );
        assert!(permit.covers(&name, "2026-11-23T23:59:59Z".parse().unwrap()));
        assert!(!permit.covers(&name, end));
    }
}
