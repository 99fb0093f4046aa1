//! How this machine resolves names: the hosts file and `resolv.conf`, read
//! again when they change. No question is sent from here.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The port that name servers of `resolv.conf` listen on.
const DNS_PORT: u16 = 53;

/// The contents of `resolv.conf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolvers {
    /// The name servers, in their order.
    pub(super) servers: Vec<SocketAddr>,
    /// Domains to append to a name, in their order.
    pub(super) search: Vec<String>,
    /// A name with at least so many dots is tried as it is first.
    pub(super) ndots: usize,
    /// How long one question to one server may take.
    pub(super) timeout: Duration,
}

/// The contents of the hosts file: lower-case names to addresses in file order.
pub(super) type Hosts = HashMap<String, Vec<IpAddr>>;

/// A file that is parsed again only after it has changed.
pub(super) struct Watched<T> {
    path: PathBuf,
    parse: fn(&str) -> T,
    last: Mutex<Option<(Stamp, Arc<T>)>>,
}

/// Shows whether a file has changed, without reading it: modification time and size.
type Stamp = Option<(SystemTime, u64)>;

impl<T> Watched<T> {
    pub(super) fn new(path: PathBuf, parse: fn(&str) -> T) -> Self {
        Self {
            path,
            parse,
            last: Mutex::new(None),
        }
    }

    /// The parsed file as it is now; a missing file is the same as an empty one.
    pub(super) fn read(&self) -> Arc<T> {
        let stamp = fs::metadata(&self.path)
            .and_then(|m| Ok((m.modified()?, m.len())))
            .ok();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((seen, value)) if *seen == stamp => Arc::clone(value),
            _ => {
                let text = fs::read(&self.path).unwrap_or_default();
                let value = Arc::new((self.parse)(&String::from_utf8_lossy(&text)));
                *last = Some((stamp, Arc::clone(&value)));
                value
            }
        }
    }
}

/// Reads a hosts file: an address and its names on each line.
pub(super) fn parse_hosts(text: &str) -> Hosts {
    let mut hosts = Hosts::new();
    for line in text.lines() {
        let mut words = without_comment(line, &['#']).split_whitespace();
        let Some(address) = words.next().and_then(|w| w.parse::<IpAddr>().ok()) else {
            continue;
        };
        for name in words {
            let known = hosts
                .entry(name.trim_end_matches('.').to_ascii_lowercase())
                .or_default();
            if !known.contains(&address) {
                known.push(address);
            }
        }
    }
    hosts
}

/// Reads `resolv.conf` as the C library does: the last `search` or `domain`
/// line counts, and without a server the local machine is asked.
pub(super) fn parse_resolv_conf(text: &str) -> Resolvers {
    let mut found = Resolvers {
        servers: Vec::new(),
        search: Vec::new(),
        ndots: 1,
        timeout: Duration::from_secs(5),
    };
    for line in text.lines() {
        let mut words = without_comment(line, &['#', ';']).split_whitespace();
        match words.next() {
            Some("nameserver") => {
                let address = words.next().and_then(|w| w.parse::<IpAddr>().ok());
                found
                    .servers
                    .extend(address.map(|ip| SocketAddr::new(ip, DNS_PORT)));
            }
            Some("search" | "domain") => found.search = words.filter_map(search_domain).collect(),
            Some("options") => words.for_each(|word| option(&mut found, word)),
            _ => {}
        }
    }
    if found.servers.is_empty() {
        found
            .servers
            .push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), DNS_PORT));
    }
    found.servers.truncate(3);
    found
}

fn search_domain(word: &str) -> Option<String> {
    let word = word.trim_matches('.').to_ascii_lowercase();
    (!word.is_empty() && word != "--").then_some(word)
}

fn option(found: &mut Resolvers, word: &str) {
    match word.split_once(':') {
        Some(("ndots", n)) => found.ndots = n.parse().unwrap_or(1).min(15),
        Some(("timeout", n)) => {
            found.timeout = Duration::from_secs(n.parse().unwrap_or(5).clamp(1, 30));
        }
        _ => {}
    }
}

fn without_comment<'a>(line: &'a str, marks: &[char]) -> &'a str {
    line.split(marks).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hosts_file_is_read_with_its_comments_aliases_and_case() {
        let hosts = parse_hosts(
            "127.0.0.1\tlocalhost Example.COM # mine\n# 1.1.1.1 no\n\n::1 example.com.\nbroken name\n",
        );
        assert_eq!(
            hosts["example.com"],
            ["127.0.0.1", "::1"].map(|a| a.parse::<IpAddr>().unwrap())
        );
        assert_eq!(hosts.len(), 2);
    }

    #[test]
    fn the_last_search_line_and_the_options_count() {
        let found = parse_resolv_conf(
            "domain old.lan\nnameserver 10.0.0.1\nnameserver ::1 # x\nsearch a.lan B.lan.\noptions ndots:2 timeout:3 rotate\n",
        );
        assert_eq!(found.search, ["a.lan", "b.lan"]);
        assert_eq!(found.ndots, 2);
        assert_eq!(found.timeout, Duration::from_secs(3));
        assert_eq!(found.servers.len(), 2);
    }

    #[test]
    fn an_empty_resolv_conf_means_the_local_resolver() {
        assert_eq!(
            parse_resolv_conf("").servers,
            ["127.0.0.1:53".parse::<SocketAddr>().unwrap()]
        );
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hosts");
        let watched = Watched::new(path.clone(), parse_hosts);
        assert!(watched.read().is_empty());
        fs::write(&path, "127.0.0.1 a\n").unwrap();
        assert!(watched.read().contains_key("a"));
        fs::write(&path, "127.0.0.1 a bb\n").unwrap();
        assert!(watched.read().contains_key("bb"));
    }
}
