//! Records of any type, found for TXT and CAA: no hosts file, no search list, no
//! cache. Aliases are followed, also where the resolver does not do it.

use std::net::SocketAddr;

use acme::challenge::{FailureKind, Trace};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

use super::question::{Question, Unanswered};
use super::{BUDGET, Finder, ROUNDS, note_server, word};
use crate::probe::ProbeError;

/// How many aliases are followed, one after the other.
const MOST_ALIASES: usize = 10;

/// What the DNS says about the records of one type that a name has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Records {
    /// These, at least one.
    Found(Vec<RData>),
    /// The name exists and has none (NODATA).
    None,
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
}

/// Servers that may answer, and how to ask them.
pub(super) struct Panel {
    pub(super) servers: Vec<Member>,
    /// Whether they are asked to ask others; else they have to know it themselves.
    pub(super) recursive: bool,
}

/// One of them.
pub(super) struct Member {
    pub(super) address: SocketAddr,
    /// What it is called in the trace.
    pub(super) words: String,
}

impl Finder {
    /// The records of this type that `name` has, at the end of its aliases. A server that
    /// fails or is silent is a miss, never an answer.
    pub(in crate::probe) async fn records(
        &self,
        name: &str,
        kind: RecordType,
        trace: &mut Trace,
    ) -> Result<Records, ProbeError> {
        let Ok(mut name) = Name::from_ascii(name) else {
            return Ok(Records::NoSuchName);
        };
        name.set_fqdn(true);
        let mut aliases = vec![name.clone()];
        loop {
            let panel = self.panel(&name).await?;
            let (answer, who) = self.ask_panel(&panel, (&name, kind), trace).await?;
            let suffix = suffix(&panel, who, (aliases.len() > 1).then_some(&name));
            let last = follow(&answer, &name, &mut aliases, (trace, &suffix))?;
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
            return Ok(match found.is_empty() {
                false => Records::Found(found),
                true if unknown => Records::NoSuchName,
                true => Records::None,
            });
        }
    }

    /// Who is asked about this name.
    async fn panel(&self, name: &Name) -> Result<Panel, ProbeError> {
        if self.authoritative {
            return self.authoritative(name).await;
        }
        Ok(self.recursive(name))
    }

    /// The resolvers for this name.
    pub(super) fn recursive(&self, name: &Name) -> Panel {
        let name = name.to_ascii();
        let servers = self.resolvers_for(name.trim_end_matches('.')).servers;
        let member = |address: SocketAddr| Member {
            address,
            words: address.to_string(),
        };
        Panel {
            servers: servers.into_iter().map(member).collect(),
            recursive: true,
        }
    }

    /// Asks one server after the other, and those that are silent again: the first answer that
    /// says something about the name, and whose it is.
    pub(super) async fn ask_panel(
        &self,
        panel: &Panel,
        (name, kind): (&Name, RecordType),
        trace: &mut Trace,
    ) -> Result<(Message, SocketAddr), ProbeError> {
        let servers = u32::try_from(panel.servers.len())
            .unwrap_or(u32::MAX)
            .max(1);
        let each = self
            .resolvers()
            .timeout
            .min(BUDGET / servers.saturating_mul(ROUNDS));
        let question = Question {
            name,
            kind,
            recursive: panel.recursive,
        };
        let mut left: Vec<_> = panel.servers.iter().collect();
        for _ in 0..ROUNDS {
            let mut silent = Vec::new();
            for server in left {
                note_server(trace, &server.words);
                let words = match question.ask(server.address, each).await {
                    Ok(answer) => match useless(&answer, panel.recursive) {
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
                    .push(words + &suffix(panel, server.address, None));
            }
            left = silent;
        }
        Err(ProbeError::new(FailureKind::Dns, ""))
    }
}

/// Why an answer says nothing about the name.
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

/// Follows the aliases of `name` through one answer, notes them, and returns where they end.
fn follow(
    answer: &Message,
    name: &Name,
    aliases: &mut Vec<Name>,
    (trace, suffix): (&mut Trace, &str),
) -> Result<Name, ProbeError> {
    let mut last = name.clone();
    loop {
        let mut owned = answer.answers.iter().filter(|record| record.name == last);
        let target = owned.find_map(|record| {
            if let RData::CNAME(target) = &record.data {
                Some(target.0.clone())
            } else {
                None
            }
        });
        let Some(target) = target else {
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

/// What an answer's words need beside them: which name, unless it is the first, and which
/// server, if there are several.
fn suffix(panel: &Panel, who: SocketAddr, alias: Option<&Name>) -> String {
    let mut suffix = String::new();
    if let Some(alias) = alias {
        let alias = alias.to_ascii();
        suffix += &format!(" for {}", alias.trim_end_matches('.'));
    }
    if panel.servers.len() > 1 {
        suffix += &format!(" ({who})");
    }
    suffix
}
