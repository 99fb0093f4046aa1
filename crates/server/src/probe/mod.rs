//! The only outbound eyes: they look where a challenge asks them to look and
//! say what they saw. They decide nothing.
//!
//! Address rules, resolvers, time-outs and body caps live here, once.

mod address;
mod anyone;
mod connect;
mod dns;
mod http;
mod machine;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acme::challenge::{
    Attempt, Failure, FailureKind, HttpProbe, Probe, Sight, TlsProbe, Trail, TxtProbe, TxtSight,
};
use arc_swap::ArcSwap;
use tokio::time::{Instant, timeout};

pub(crate) use self::address::Rules;
pub(crate) use self::dns::Records;
pub(crate) use hickory_resolver::proto::rr::{RData, RecordType};

/// How the eyes look.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Asked instead of the servers of `resolv_conf`, if there are any.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Zones with resolvers of their own.
    pub(crate) zones: Vec<Zone>,
    /// Whether records are asked for at the servers of their zone; addresses never are.
    pub(crate) authoritative: bool,
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
            zones: Vec::new(),
            authoritative: false,
            strict_fqdn: false,
            hosts: PathBuf::from("/etc/hosts"),
            resolv_conf: PathBuf::from("/etc/resolv.conf"),
            rules: Rules::default(),
            loopback_names: Vec::new(),
        }
    }
}

/// A zone whose names are asked for at servers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The zone, without its final dot.
    pub(crate) name: String,
    /// Its resolvers, in their order, at least one.
    pub(crate) resolvers: Vec<SocketAddr>,
}

/// Performs probes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Eyes(Arc<ArcSwap<Inner>>);

struct Inner {
    finder: dns::Finder,
    rules: Rules,
    tls: anyone::Anyone,
}

/// What the DNS says, and how it was come by.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) records: Records,
    pub(crate) trail: Trail,
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
        match probe {
            Probe::Http(http) => self.look_at_web(http, within).await,
            Probe::Txt(txt) => self.look_at_texts(txt, within).await,
            Probe::Tls(tls) => self.shake_hands(tls, within).await,
        }
    }

    async fn look_at_web(&self, probe: &HttpProbe, within: Duration) -> Sight {
        let started = Instant::now();
        let eyes = self.0.load_full();
        let mut trail = Trail::default();
        let seen = http::look(&eyes, probe, started + within, &mut trail).await;
        match seen {
            Ok(sight) => Sight::Http(sight.into_sight(timed(trail, started))),
            Err(miss) => Sight::Failed(miss.into_failure(trail, started)),
        }
    }

    async fn shake_hands(&self, probe: &TlsProbe, within: Duration) -> Sight {
        let started = Instant::now();
        let eyes = self.0.load_full();
        let mut trail = Trail::default();
        let seen = tls::look(&eyes, probe, started + within, &mut trail).await;
        match seen {
            Ok(sight) => Sight::Tls(sight.into_sight(timed(trail, started))),
            Err(miss) => Sight::Failed(miss.into_failure(trail, started)),
        }
    }

    async fn look_at_texts(&self, probe: &TxtProbe, within: Duration) -> Sight {
        match self.records(&probe.name, RecordType::TXT, within).await {
            Ok(Looked { records, trail }) => match records {
                Records::Found(found) => {
                    let values = found.iter().filter_map(text).collect();
                    Sight::Txt(TxtSight { values, trail })
                }
                Records::None => Sight::Txt(TxtSight {
                    values: Vec::new(),
                    trail,
                }),
                Records::NoSuchName => Sight::Failed(Failure {
                    kind: FailureKind::NoSuchName,
                    words: String::new(),
                    trail,
                }),
            },
            Err(failure) => Sight::Failed(failure),
        }
    }

    /// Asks the DNS for the records of one type that `name` has: no hosts file, no search list,
    /// no cache; aliases are followed, and it ends `within` this time.
    ///
    /// # Errors
    /// Where nobody gave a usable answer.
    pub(crate) async fn records(
        &self,
        name: &str,
        kind: RecordType,
        within: Duration,
    ) -> Result<Looked, Failure> {
        let started = Instant::now();
        let eyes = self.0.load_full();
        let mut trail = Trail::default();
        let asked = timeout(within, eyes.finder.records(name, kind, &mut trail)).await;
        let silence = || Err(Miss::new(FailureKind::Dns, "no answer in time (time-out)"));
        match asked.unwrap_or_else(|_| silence()) {
            Ok(records) => Ok(Looked {
                records,
                trail: timed(trail, started),
            }),
            Err(miss) => Err(miss.into_failure(trail, started)),
        }
    }
}

impl Inner {
    fn new(options: &Options) -> Self {
        Self {
            finder: dns::Finder::new(options),
            rules: options.rules.clone(),
            tls: anyone::Anyone::default(),
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

    fn into_failure(self, trail: Trail, started: Instant) -> Failure {
        Failure {
            kind: self.kind,
            words: self.words,
            trail: timed(trail, started),
        }
    }
}

/// A trail that has come to its end.
fn timed(trail: Trail, started: Instant) -> Trail {
    Trail {
        millis: millis_since(started),
        ..trail
    }
}

/// The strings of a TXT record as one (RFC 8555 §8.4).
fn text(data: &RData) -> Option<String> {
    let RData::TXT(txt) = data else {
        return None;
    };
    let octets = txt.txt_data.concat();
    Some(String::from_utf8_lossy(&octets).into_owned())
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
