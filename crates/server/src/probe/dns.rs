//! Resolves names to addresses as this machine does, and records which server was asked and what it
//! answered.
//!
//! Hosts file first, then the servers of `resolv.conf` (or `--resolver`) with
//! its search list. Nothing is cached.

mod addresses;
mod authority;
mod question;
mod records;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use acme::challenge::{FailureKind, Trace};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RData;

use super::system_dns::{Hosts, Resolvers, Watched, parse_hosts, parse_resolv_conf};
use super::{Options, ProbeError, Rules, Zone};

use self::addresses::Asked;
pub(crate) use self::records::Records;

/// How long all questions about one name may take together.
const BUDGET: Duration = Duration::from_secs(8);
/// How often a server that does not answer is asked.
const ROUNDS: u32 = 2;

/// Finds addresses.
pub(super) struct Finder {
    hosts: Watched<Hosts>,
    resolv_conf: Watched<Resolvers>,
    replaced: Vec<SocketAddr>,
    zones: Vec<Zone>,
    authoritative: bool,
    rules: Rules,
    strict: bool,
    loopback_names: Vec<String>,
}

/// The answer of one server about one name.
enum Answer {
    Addresses(Vec<IpAddr>),
    NoSuchName,
    NoAddresses,
    Failed { silent: bool },
}

impl Finder {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            hosts: Watched::new(options.hosts.clone(), parse_hosts),
            resolv_conf: Watched::new(options.resolv_conf.clone(), parse_resolv_conf),
            replaced: options.resolvers.clone(),
            zones: options.zones.clone(),
            authoritative: options.authoritative,
            rules: options.rules.clone(),
            strict: options.strict_fqdn,
            loopback_names: options.loopback_names.clone(),
        }
    }

    /// The addresses of `name`, IPv6 first, never empty; the trace has their source.
    pub(super) async fn find(
        &self,
        name: &str,
        trace: &mut Trace,
    ) -> Result<Vec<IpAddr>, ProbeError> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(found) = self.known_here(&name, trace) {
            return Ok(found);
        }
        let mut kind = FailureKind::Dns;
        for candidate in self.candidates(&name, &self.resolvers()) {
            let searched = (candidate != name).then_some(candidate.as_str());
            let resolvers = self.resolvers_for(&candidate);
            kind = match self.ask(&candidate, searched, &resolvers, trace).await {
                Answer::Addresses(found) => return Ok(in_order(found)),
                // A later name of the list must not hide a failure here.
                Answer::Failed { .. } => return Err(ProbeError::new(FailureKind::Dns, "")),
                Answer::NoSuchName if kind != FailureKind::NoAddress => FailureKind::NoSuchName,
                Answer::NoSuchName | Answer::NoAddresses => FailureKind::NoAddress,
            };
        }
        Err(ProbeError::new(kind, ""))
    }

    /// Addresses known without a question to a server.
    fn known_here(&self, name: &str, trace: &mut Trace) -> Option<Vec<IpAddr>> {
        let loopback = || vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let (source, found) = if self.loopback_names.iter().any(|p| matches(p, name)) {
            ("this server's own list of names", loopback())
        } else if let Some(found) = self.hosts.read().get(name) {
            ("the hosts file", in_order(found.clone()))
        } else if name == "localhost" || name.ends_with(".localhost") {
            ("the rule that localhost is loopback", loopback())
        } else {
            return None;
        };
        trace.resolver = Some(source.to_owned());
        trace.answers.extend(found.iter().map(IpAddr::to_string));
        Some(found)
    }

    fn resolvers(&self) -> Resolvers {
        let mut resolvers = Resolvers::clone(&self.resolv_conf.read());
        if !self.replaced.is_empty() {
            resolvers.servers.clone_from(&self.replaced);
        }
        resolvers
    }

    /// The servers for this name: those of the longest zone that contains it, else the default ones.
    fn resolvers_for(&self, name: &str) -> Resolvers {
        let mut resolvers = self.resolvers();
        let zones = self.zones.iter().filter(|zone| lies_in(name, &zone.name));
        if let Some(zone) = zones.max_by_key(|zone| zone.name.len()) {
            resolvers.servers.clone_from(&zone.resolvers);
        }
        resolvers
    }

    /// The names to ask for, in their order, each without its final dot.
    fn candidates(&self, name: &str, resolvers: &Resolvers) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        if !self.strict {
            names.extend(resolvers.search.iter().map(|d| format!("{name}.{d}")));
        }
        let as_it_is_first = name.matches('.').count() >= resolvers.ndots;
        let at = if as_it_is_first { 0 } else { names.len() };
        names.insert(at, name.to_owned());
        names
    }

    /// Asks one server after the other, and those that did not answer once more.
    async fn ask(
        &self,
        name: &str,
        searched: Option<&str>,
        resolvers: &Resolvers,
        trace: &mut Trace,
    ) -> Answer {
        let servers = u32::try_from(resolvers.servers.len()).unwrap_or(1).max(1);
        let each = resolvers.timeout.min(BUDGET / (servers * ROUNDS));
        let mut left = resolvers.servers.clone();
        for _ in 0..ROUNDS {
            let mut silent = Vec::new();
            for server in left {
                note_server(trace, &server.to_string());
                let first = trace.answers.len();
                let asked = Asked {
                    server,
                    within: each,
                };
                let answer = asked.addresses(name, searched, trace).await;
                if servers > 1 {
                    for words in &mut trace.answers[first..] {
                        *words = format!("{words} ({server})");
                    }
                }
                match answer {
                    Answer::Failed { silent: true } => silent.push(server),
                    Answer::Failed { silent: false } => {}
                    answer @ (Answer::Addresses(_) | Answer::NoSuchName | Answer::NoAddresses) => {
                        return answer;
                    }
                }
            }
            left = silent;
        }
        Answer::Failed { silent: true }
    }
}

/// Adds `server` to the trace.
fn note_server(trace: &mut Trace, server: &str) {
    match &mut trace.resolver {
        None => trace.resolver = Some(server.to_owned()),
        Some(known) if known.split(", ").any(|k| k == server) => {}
        Some(known) => *known = format!("{known}, {server}"),
    }
}

/// Whether a name is in this zone.
fn lies_in(name: &str, zone: &str) -> bool {
    let rest = name.len().checked_sub(zone.len());
    rest.is_some_and(|at| {
        name.is_char_boundary(at)
            && name[at..].eq_ignore_ascii_case(zone)
            && (at == 0 || name[..at].ends_with('.'))
    })
}

/// The name of a response code, as resolvers and `dig` print it.
fn word(code: ResponseCode) -> String {
    let known = [
        (ResponseCode::ServFail, "SERVFAIL"),
        (ResponseCode::Refused, "REFUSED"),
        (ResponseCode::FormErr, "FORMERR"),
        (ResponseCode::NotImp, "NOTIMP"),
    ];
    let found = known.into_iter().find(|(known, _)| *known == code);
    found.map_or_else(
        || format!("response code {}", u16::from(code)),
        |(_, word)| word.to_owned(),
    )
}

fn address(data: &RData) -> Option<IpAddr> {
    if let RData::A(a) = data {
        Some(IpAddr::V4(a.0))
    } else if let RData::AAAA(aaaa) = data {
        Some(IpAddr::V6(aaaa.0))
    } else {
        None
    }
}

/// IPv6 first, else as given, each address once.
fn in_order(found: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut ordered, v4): (Vec<_>, Vec<_>) = found.into_iter().partition(IpAddr::is_ipv6);
    ordered.extend(v4);
    let mut seen = Vec::with_capacity(ordered.len());
    ordered.retain(|a| {
        !seen.contains(a) && {
            seen.push(*a);
            true
        }
    });
    ordered
}

/// Whether `name` is `pattern`, or below it when `pattern` begins with `*.`.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => name
            .strip_suffix(parent)
            .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => pattern == name,
    }
}
