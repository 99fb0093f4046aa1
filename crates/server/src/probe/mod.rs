//! The only outbound eyes: they look where a challenge asks them to look and
//! say what they saw. They decide nothing.
//!
//! Address rules, resolvers, time-outs and body caps live here, once.

mod address;
mod dns;
mod http;
mod machine;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acme::challenge::{Attempt, Failure, FailureKind, Probe, Sight, Trail};
use arc_swap::ArcSwap;
use rustls::ClientConfig;
use tokio::time::Instant;

pub(crate) use self::address::Rules;

/// How the eyes look.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Asked instead of the servers of `resolv_conf`, if there are any.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Whether names are asked for as they are, without the search list.
    pub(crate) strict_fqdn: bool,
    /// The hosts file.
    pub(crate) hosts: PathBuf,
    /// The resolver configuration.
    pub(crate) resolv_conf: PathBuf,
    /// Which addresses may be connected to.
    pub(crate) rules: Rules,
    /// Names (`*.test`) that are loopback without asking anybody.
    pub(crate) loopback_names: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resolvers: Vec::new(),
            strict_fqdn: false,
            hosts: PathBuf::from("/etc/hosts"),
            resolv_conf: PathBuf::from("/etc/resolv.conf"),
            rules: Rules::default(),
            loopback_names: Vec::new(),
        }
    }
}

/// Performs probes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Eyes(Arc<ArcSwap<Inner>>);

struct Inner {
    finder: dns::Finder,
    rules: Rules,
    tls: OnceLock<Arc<ClientConfig>>,
}

/// Why nothing was seen.
struct Miss {
    kind: FailureKind,
    words: String,
}

impl Eyes {
    /// Opens the eyes; nothing is read or asked before the first look.
    pub(crate) fn new(options: &Options) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Inner::new(options))))
    }

    /// Looks as `options` say from the next look on.
    pub(crate) fn follow(&self, options: &Options) {
        self.0.store(Arc::new(Inner::new(options)));
    }

    /// Looks once, from the first DNS question to the last byte `within` this
    /// time, and tells what was seen and how.
    pub(crate) async fn look(&self, probe: &Probe, within: Duration) -> Sight {
        let started = Instant::now();
        let deadline = started + within;
        let eyes = self.0.load_full();
        let mut trail = Trail::default();
        let Probe::Http(http) = probe;
        let seen = http::look(&eyes, http, deadline, &mut trail).await;
        trail.millis = millis_since(started);
        match seen {
            Ok(sight) => Sight::Http(sight.into_sight(trail)),
            Err(miss) => Sight::Failed(Failure {
                kind: miss.kind,
                words: miss.words,
                trail,
            }),
        }
    }
}

impl Inner {
    fn new(options: &Options) -> Self {
        Self {
            finder: dns::Finder::new(options),
            rules: options.rules.clone(),
            tls: OnceLock::new(),
        }
    }
}

impl Miss {
    fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        Self {
            kind,
            words: words.into(),
        }
    }
}

fn attempt(address: SocketAddr, outcome: impl Into<String>, started: Instant) -> Attempt {
    Attempt {
        address,
        outcome: outcome.into(),
        millis: millis_since(started),
    }
}

fn millis_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What the operating system says, in the words that people search for.
fn words_of(error: &io::Error) -> String {
    let known = [
        (io::ErrorKind::ConnectionRefused, "connection refused"),
        (io::ErrorKind::ConnectionReset, "connection reset"),
        (io::ErrorKind::TimedOut, "no answer (time-out)"),
        (io::ErrorKind::NetworkUnreachable, "network unreachable"),
        (io::ErrorKind::HostUnreachable, "host unreachable"),
        (io::ErrorKind::UnexpectedEof, "connection closed"),
    ];
    let found = known.into_iter().find(|(known, _)| *known == error.kind());
    found.map_or_else(|| error.to_string(), |(_, words)| words.to_owned())
}
