//! Permits: an operator's decision that an account may have certificates for a name without a
//! challenge. A [`Permit`] comes only from the store;
//! [`Proof::from_permit`](crate::challenge::Proof::from_permit) makes it a proof. Not here: whether a
//! policy forbids the name.

use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;
use uuid::Uuid;

use crate::identifier::{DnsName, Identifier};
use crate::problem::{Problem, quote};

/// A permit as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// The account or accounts that it is for.
    pub holder: Holder,
    /// The provisioner that it is valid for.
    pub provisioner: String,
    /// The names that it covers.
    pub pattern: Pattern,
    /// When it expires; never if none.
    pub expires: Option<Timestamp>,
    /// The operator that created it.
    pub by: String,
    /// When it was created.
    pub at: Timestamp,
}

/// The holder of a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// One account.
    Account(Uuid),
    /// Every account that is bound to the external account key with this id (RFC 8555 §7.3.4).
    ExternalKey(String),
}

/// A stored permit, applied to one account.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    record: Record,
    account: Uuid,
}

impl Permit {
    /// Restores a permit from its record, for an account that is its holder or bound to it. Only the
    /// store may call this.
    pub fn from_record(record: Record, account: Uuid) -> Self {
        Self { record, account }
    }

    /// The stored permit.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The account that it is applied to.
    pub fn account(&self) -> Uuid {
        self.account
    }

    /// Whether it permits this identifier at `now`.
    pub fn covers(&self, identifier: &Identifier, now: Timestamp) -> bool {
        self.record.expires.is_none_or(|end| now < end) && self.record.pattern.matches(identifier)
    }
}

/// The names of a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `foo.lab`, `10.0.0.7`: this identifier.
    One(Identifier),
    /// `*.foo.lab`: each name one label below, and the wildcard.
    Below(DnsName),
    /// `**.foo.lab`: each name and each wildcard below, at any depth.
    AllBelow(DnsName),
    /// `10.0.0.0/8`: each address in it.
    Network(IpNet),
}

impl Pattern {
    /// Parses the text form.
    ///
    /// # Errors
    /// `malformed` for anything but a name, an address or a pattern.
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
            (Self::Below(_) | Self::AllBelow(_) | Self::Network(_), Identifier::Device(_))
            | (Self::Below(_) | Self::AllBelow(_), Identifier::Ip(_))
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
    fn a_pattern_covers_the_names_that_its_asterisks_match() {
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
    fn a_pattern_round_trips_and_an_invalid_one_is_refused() {
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
    fn a_permit_expires() {
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
