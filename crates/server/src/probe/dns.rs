//! Resolves names to addresses as this machine does, and records which server was asked and what it
//! answered.
//!
//! Hosts file first, then the servers of `resolv.conf` (or `--resolver`) with
//! its search list. Nothing is cached.

mod authority;
mod question;
mod records;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use acme::challenge::{FailureKind, Trace};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use tokio::time::timeout;

use super::system_dns::{Hosts, Resolvers, Watched, parse_hosts, parse_resolv_conf};
use super::{Options, ProbeError, Rules, Zone};

pub(crate) use self::records::Records;

/// How long all questions about one name may take together.
const BUDGET: Duration = Duration::from_secs(8);
/// How long the second address family may lag behind the first.
const GRACE: Duration = Duration::from_millis(500);
/// How many addresses of one answer are shown: the owner of the zone decides how many there are.
const SHOWN: usize = 8;
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
    clients: Mutex<HashMap<(SocketAddr, Duration), TokioResolver>>,
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
            clients: Mutex::default(),
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
                let answer = self.ask_one(server, name, each, searched, trace).await;
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

    async fn ask_one(
        &self,
        server: SocketAddr,
        name: &str,
        each: Duration,
        searched: Option<&str>,
        trace: &mut Trace,
    ) -> Answer {
        let (client, query) = match (self.client(server, each), Name::from_ascii(name)) {
            (Ok(client), Ok(mut query)) => {
                query.set_fqdn(true);
                (client, query)
            }
            (Err(error), _) => {
                trace.answers.push(error.to_string());
                return Answer::Failed { silent: false };
            }
            // A name that is too long with this domain appended does not exist.
            (_, Err(_)) => return Answer::NoSuchName,
        };
        let v6 = timeout(each, client.lookup(query.clone(), RecordType::AAAA));
        let v4 = timeout(each, client.lookup(query, RecordType::A));
        let (v6, v4) = both(v6, v4).await;
        let (v6, v4) = (flatten(v6), flatten(v4));
        let suffix = searched.map_or_else(String::new, |name| format!(" for {name}"));
        trace.answers.extend(words(&v6, &v4).map(|w| w + &suffix));
        match (v6, v4) {
            (Outcome::Found(mut found), Outcome::Found(more)) => {
                found.extend(more);
                Answer::Addresses(found)
            }
            (Outcome::Found(found), _) | (_, Outcome::Found(found)) => Answer::Addresses(found),
            (Outcome::NoName, _) | (_, Outcome::NoName) => Answer::NoSuchName,
            (Outcome::NoRecords, Outcome::NoRecords) => Answer::NoAddresses,
            (v6, v4) => Answer::Failed {
                silent: v6.is_silence() || v4.is_silence(),
            },
        }
    }

    fn client(&self, server: SocketAddr, each: Duration) -> Result<TokioResolver, NetError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&(server, each)) {
            return Ok(client.clone());
        }
        let client = connect(server, each)?;
        clients.insert((server, each), client.clone());
        Ok(client)
    }
}

enum Outcome {
    Found(Vec<IpAddr>),
    NoName,
    NoRecords,
    Silence,
    Failed(String),
}

impl Outcome {
    fn words(&self, kind: &str) -> String {
        match self {
            Self::Found(found) => {
                let shown = found.iter().take(SHOWN);
                let shown: Vec<_> = shown.map(|a| format!("{kind} {a}")).collect();
                let more = found.len().saturating_sub(SHOWN);
                match more {
                    0 => shown.join(", "),
                    more => format!("{} and {more} more", shown.join(", ")),
                }
            }
            Self::NoName => "NXDOMAIN".to_owned(),
            Self::NoRecords => format!("no {kind}"),
            Self::Silence => format!("nothing in time (time-out) to {kind}"),
            Self::Failed(words) => format!("{words} to {kind}"),
        }
    }

    fn is_silence(&self) -> bool {
        matches!(self, Self::Silence)
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

/// The two answers in words, once if they are the same.
fn words(v6: &Outcome, v4: &Outcome) -> impl Iterator<Item = String> + use<> {
    let both = match (v6, v4) {
        (Outcome::NoName, _) | (_, Outcome::NoName) => Some("NXDOMAIN".to_owned()),
        (Outcome::Silence, Outcome::Silence) => Some("nothing in time (time-out)".to_owned()),
        (Outcome::Failed(a), Outcome::Failed(b)) if a == b => Some(a.clone()),
        _ => None,
    };
    let each = match both {
        Some(words) => vec![words],
        None => vec![v6.words("AAAA"), v4.words("A")],
    };
    each.into_iter()
}

type Lookup = Result<hickory_resolver::lookup::Lookup, NetError>;

/// Waits for both; once the first has addresses the other gets little more time.
async fn both(
    one: impl Future<Output = Result<Lookup, tokio::time::error::Elapsed>>,
    two: impl Future<Output = Result<Lookup, tokio::time::error::Elapsed>>,
) -> (Option<Lookup>, Option<Lookup>) {
    tokio::pin!(one, two);
    let patience = |first: &Option<Lookup>| match first {
        Some(Ok(_)) => GRACE,
        _ => BUDGET,
    };
    tokio::select! {
        first = &mut one => {
            let first = first.ok();
            let second = timeout(patience(&first), two).await.ok().and_then(Result::ok);
            (first, second)
        }
        second = &mut two => {
            let second = second.ok();
            let first = timeout(patience(&second), one).await.ok().and_then(Result::ok);
            (first, second)
        }
    }
}

fn flatten(lookup: Option<Lookup>) -> Outcome {
    match lookup {
        None => Outcome::Silence,
        Some(Ok(lookup)) => {
            let found: Vec<_> = lookup
                .answers()
                .iter()
                .filter_map(|record| address(&record.data))
                .collect();
            if found.is_empty() {
                Outcome::NoRecords
            } else {
                Outcome::Found(found)
            }
        }
        Some(Err(error)) => failure(&error),
    }
}

fn failure(error: &NetError) -> Outcome {
    let code = if let NetError::Dns(DnsError::NoRecordsFound(no)) = error {
        no.response_code
    } else if let NetError::Dns(DnsError::ResponseCode(code)) = error {
        *code
    } else if let NetError::Io(io) = error {
        return Outcome::Failed(super::words_of(io));
    } else if matches!(error, NetError::Timeout) {
        return Outcome::Silence;
    } else {
        return Outcome::Failed(error.to_string());
    };
    if code == ResponseCode::NXDomain {
        Outcome::NoName
    } else if code == ResponseCode::NoError {
        Outcome::NoRecords
    } else {
        Outcome::Failed(word(code))
    }
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

/// A client that asks one server, without cache and search list.
fn connect(server: SocketAddr, each: Duration) -> Result<TokioResolver, NetError> {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let config = ResolverConfig::from_name_servers(vec![NameServerConfig::new(
        server.ip(),
        true,
        connections,
    )]);
    let mut options = ResolverOpts::default();
    options.ndots = 0;
    options.timeout = each;
    options.attempts = 0;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
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
