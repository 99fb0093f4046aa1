//! Looks up records of any type, such as TXT and CAA: no hosts file, no search list, no
//! cache. Aliases are followed, also where the resolver does not do it.

use std::net::SocketAddr;

use acme::challenge::{FailureKind, Trace};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use super::question::{Question, Unanswered};
use super::{BUDGET, Finder, ROUNDS, note_server, word};
use crate::probe::ProbeError;

/// The most aliases that are followed, one after the other.
pub(super) const MOST_ALIASES: usize = 10;

/// The records of one type of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Records {
    /// At least one record.
    Found(Vec<RData>),
    /// The name exists and has no such record (NODATA).
    None,
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
}

/// Records, and the name that has them where aliases led to another than was asked for.
pub(in crate::probe) struct Found {
    pub(in crate::probe) records: Records,
    pub(in crate::probe) alias: Option<String>,
}

/// A question about a name.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a Name,
    pub(super) kind: RecordType,
}

/// Servers to ask, and how.
pub(super) struct Servers {
    pub(super) all: Vec<Server>,
    /// Whether recursion is desired; else only authoritative answers count.
    pub(super) recursive: bool,
}

/// A server to ask.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// Its name in the trace.
    pub(super) words: String,
}

impl Finder {
    /// The records of this type of `name`, at the end of its aliases. A server that
    /// fails or does not answer is an error, never an answer.
    pub(in crate::probe) async fn records(
        &self,
        name: &str,
        kind: RecordType,
        trace: &mut Trace,
    ) -> Result<Found, ProbeError> {
        let Ok(mut name) = Name::from_ascii(name) else {
            return Ok(Found {
                records: Records::NoSuchName,
                alias: None,
            });
        };
        name.set_fqdn(true);
        let mut aliases = vec![name.clone()];
        loop {
            let servers = self.servers(&name).await?;
            let (answer, who) = self
                .query(&servers, Wanted { name: &name, kind }, trace)
                .await?;
            let suffix = suffix(&servers, who, (aliases.len() > 1).then_some(&name));
            let last = follow(&answer, &mut aliases, &suffix, trace)?;
            let owned = answer.answers.iter().filter(|record| record.name == last);
            let found: Vec<_> = owned
                .filter(|record| record.record_type() == kind)
                .map(|record| record.data.clone())
                .collect();
            let unknown = answer.metadata.response_code == ResponseCode::NXDomain;
            let words = match found.len() {
                0 if unknown => "NXDOMAIN".to_owned(),
                0 if last != name => {
                    name = last;
                    continue;
                }
                0 => format!("no {kind}"),
                1 => format!("a {kind} record"),
                n => format!("{n} {kind} records"),
            };
            trace.answers.push(words + &suffix);
            let records = match found.is_empty() {
                false => Records::Found(found),
                true if unknown => Records::NoSuchName,
                true => Records::None,
            };
            let alias = (aliases.len() > 1).then(|| last.to_ascii());
            let alias = alias.map(|alias| alias.trim_end_matches('.').to_owned());
            return Ok(Found { records, alias });
        }
    }

    /// The servers to ask about this name.
    async fn servers(&self, name: &Name) -> Result<Servers, ProbeError> {
        if self.authoritative {
            return self.authoritative(name).await;
        }
        Ok(self.recursive(name))
    }

    /// The resolvers for this name.
    pub(super) fn recursive(&self, name: &Name) -> Servers {
        let name = name.to_ascii();
        let servers = self.resolvers_for(name.trim_end_matches('.')).servers;
        let server = |address: SocketAddr| Server {
            address,
            words: address.to_string(),
        };
        Servers {
            all: servers.into_iter().map(server).collect(),
            recursive: true,
        }
    }

    /// Asks one server after the other, and those that did not answer once more. Returns the first
    /// usable answer and the server that gave it.
    pub(super) async fn query(
        &self,
        servers: &Servers,
        wanted: Wanted<'_>,
        trace: &mut Trace,
    ) -> Result<(Message, SocketAddr), ProbeError> {
        let count = u32::try_from(servers.all.len()).unwrap_or(u32::MAX).max(1);
        let each = self
            .resolvers()
            .timeout
            .min(BUDGET / count.saturating_mul(ROUNDS));
        let question = Question {
            name: wanted.name,
            kind: wanted.kind,
            recursive: servers.recursive,
        };
        let mut left: Vec<_> = servers.all.iter().collect();
        for _ in 0..ROUNDS {
            let mut silent = Vec::new();
            for server in left {
                note_server(trace, &server.words);
                let words = match question.ask(server.address, each).await {
                    Ok(answer) => match useless(&answer, servers.recursive) {
                        None => return Ok((answer, server.address)),
                        Some(words) => words,
                    },
                    Err(Unanswered::Silence) => {
                        silent.push(server);
                        "nothing in time (time-out)".to_owned()
                    }
                    Err(Unanswered::Failed(words)) => words,
                };
                trace
                    .answers
                    .push(words + &suffix(servers, server.address, None));
            }
            left = silent;
        }
        Err(ProbeError::new(FailureKind::Dns, ""))
    }
}

/// Why an answer is not usable.
fn useless(answer: &Message, recursive: bool) -> Option<String> {
    let code = answer.metadata.response_code;
    if code != ResponseCode::NoError && code != ResponseCode::NXDomain {
        return Some(word(code));
    }
    if answer.metadata.authoritative {
        return None;
    }
    if !recursive {
        return Some("that it is not authoritative for the name".to_owned());
    }
    let mut beside = answer.authorities.iter().map(|r| r.record_type());
    let refers = answer.answers.is_empty()
        && !answer.metadata.recursion_available
        && beside.any(|kind| kind == RecordType::NS);
    refers.then(|| "a referral, since it does not ask others".to_owned())
}

/// Where an answer says that a name leads to.
pub(super) fn alias_of(answer: &Message, name: &Name) -> Option<Name> {
    let mut owned = answer.answers.iter().filter(|record| record.name == *name);
    owned.find_map(|record| {
        if let RData::CNAME(target) = &record.data {
            Some(target.0.clone())
        } else {
            None
        }
    })
}

/// Follows the aliases of the last name of `aliases` through one answer, adds them to the trace,
/// and returns the name at their end.
fn follow(
    answer: &Message,
    aliases: &mut Vec<Name>,
    suffix: &str,
    trace: &mut Trace,
) -> Result<Name, ProbeError> {
    let mut last = aliases.last().cloned().unwrap_or_default();
    loop {
        let Some(target) = alias_of(answer, &last) else {
            return Ok(last);
        };
        let shown = target.to_ascii();
        let shown = shown.trim_end_matches('.');
        trace.answers.push(format!("CNAME {shown}{suffix}"));
        if aliases.contains(&target) {
            let words = "the aliases (CNAME) go round in a circle";
            return Err(ProbeError::new(FailureKind::Dns, words));
        }
        if aliases.len() > MOST_ALIASES {
            let words = format!("more than {MOST_ALIASES} aliases (CNAME) in a row");
            return Err(ProbeError::new(FailureKind::Dns, words));
        }
        aliases.push(target.clone());
        last = target;
    }
}

/// What the trace adds to an answer: the name, unless it is the first, and the
/// server, if there are several.
fn suffix(servers: &Servers, who: SocketAddr, alias: Option<&Name>) -> String {
    let mut suffix = String::new();
    if let Some(alias) = alias {
        let alias = alias.to_ascii();
        suffix += &format!(" for {}", alias.trim_end_matches('.'));
    }
    if servers.all.len() > 1 {
        suffix += &format!(" ({who})");
    }
    suffix
}
