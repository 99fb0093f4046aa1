//! The only outbound connections: carries out the probe that a challenge asks for, and returns the
//! observation. Decides nothing.
//!
//! Address rules, resolvers, time-outs and limits on bodies are here, once.

mod address;
mod connect;
mod dns;
mod http;
mod system_dns;
#[cfg(test)]
mod tests;
mod tls;
mod unverified_tls;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acme::challenge::{
    Attempt, Failure, FailureKind, HttpProbe, Observation, Probe, TlsProbe, Trace, TxtObservation,
    TxtProbe,
};
use arc_swap::ArcSwap;
use tokio::time::{Instant, timeout};

pub(crate) use self::address::Rules;
pub(crate) use self::dns::Records;
pub(crate) use hickory_proto::rr::{RData, RecordType};

/// How probes are carried out.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Servers to ask instead of those of `resolv_conf`, if there are any.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Zones with resolvers of their own.
    pub(crate) zones: Vec<Zone>,
    /// Whether the authoritative servers are asked for records; for addresses they never are.
    pub(crate) authoritative: bool,
    /// Whether names are resolved as they are, without the search list.
    pub(crate) strict_fqdn: bool,
    /// The hosts file.
    pub(crate) hosts: PathBuf,
    /// The resolver configuration.
    pub(crate) resolv_conf: PathBuf,
    /// Which addresses may be connected to.
    pub(crate) rules: Rules,
    /// Names (`*.test`) that resolve to loopback without a question.
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

/// A zone with resolvers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zone {
    /// The zone, without its final dot.
    pub(crate) name: String,
    /// Its resolvers, in their order, at least one.
    pub(crate) resolvers: Vec<SocketAddr>,
}

/// Performs probes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Prober(Arc<ArcSwap<Inner>>);

struct Inner {
    finder: dns::Finder,
    rules: Rules,
    tls: unverified_tls::UnverifiedTls,
}

/// Records from the DNS, and the trace of the look-up.
#[derive(Debug, Clone)]
pub(crate) struct RecordLookup {
    pub(crate) records: Records,
    /// The name that has them, where aliases led to another than was asked for.
    pub(crate) alias: Option<String>,
    pub(crate) trace: Trace,
}

/// Why a probe failed.
struct ProbeError {
    kind: FailureKind,
    words: String,
}

impl Prober {
    /// Creates the prober; nothing is read or asked before the first probe.
    pub(crate) fn new(options: &Options) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(Inner::new(options))))
    }

    /// Uses `options` from the next probe on.
    pub(crate) fn follow(&self, options: &Options) {
        self.0.store(Arc::new(Inner::new(options)));
    }

    /// Carries out one probe, from the first DNS question to the last byte `within` this time.
    pub(crate) async fn probe(&self, probe: &Probe, within: Duration) -> Observation {
        match probe {
            Probe::Http(http) => self.get(http, within).await,
            Probe::Txt(txt) => self.query_txt(txt, within).await,
            Probe::Tls(tls) => self.handshake(tls, within).await,
            Probe::Payload => Observation::Payload,
        }
    }

    async fn get(&self, probe: &HttpProbe, within: Duration) -> Observation {
        let started = Instant::now();
        let prober = self.0.load_full();
        let mut trace = Trace::default();
        let seen = http::probe(&prober, probe, started + within, &mut trace).await;
        match seen {
            Ok(observation) => {
                Observation::Http(observation.into_observation(timed(trace, started)))
            }
            Err(miss) => Observation::Failed(miss.into_failure(trace, started)),
        }
    }

    async fn handshake(&self, probe: &TlsProbe, within: Duration) -> Observation {
        let started = Instant::now();
        let prober = self.0.load_full();
        let mut trace = Trace::default();
        let seen = tls::probe(&prober, probe, started + within, &mut trace).await;
        match seen {
            Ok(observation) => {
                Observation::Tls(observation.into_observation(timed(trace, started)))
            }
            Err(miss) => Observation::Failed(miss.into_failure(trace, started)),
        }
    }

    async fn query_txt(&self, probe: &TxtProbe, within: Duration) -> Observation {
        match self.records(&probe.name, RecordType::TXT, within).await {
            Ok(RecordLookup {
                records,
                alias,
                trace,
            }) => match records {
                Records::Found(found) => Observation::Txt(TxtObservation {
                    values: found.iter().filter_map(text).collect(),
                    alias,
                    trace,
                }),
                Records::None => Observation::Txt(TxtObservation {
                    values: Vec::new(),
                    alias,
                    trace,
                }),
                Records::NoSuchName => Observation::Failed(Failure {
                    kind: FailureKind::NoSuchName,
                    words: String::new(),
                    trace,
                }),
            },
            Err(failure) => Observation::Failed(failure),
        }
    }

    /// Looks up the records of one type in the DNS: no hosts file, no search list,
    /// no cache; aliases are followed, and it ends `within` this time.
    ///
    /// # Errors
    /// When no server gave a usable answer.
    pub(crate) async fn records(
        &self,
        name: &str,
        kind: RecordType,
        within: Duration,
    ) -> Result<RecordLookup, Failure> {
        let started = Instant::now();
        let prober = self.0.load_full();
        let mut trace = Trace::default();
        let asked = timeout(within, prober.finder.records(name, kind, &mut trace)).await;
        let silence = || {
            Err(ProbeError::new(
                FailureKind::Dns,
                "no answer in time (time-out)",
            ))
        };
        match asked.unwrap_or_else(|_| silence()) {
            Ok(found) => Ok(RecordLookup {
                records: found.records,
                alias: found.alias,
                trace: timed(trace, started),
            }),
            Err(miss) => Err(miss.into_failure(trace, started)),
        }
    }
}

impl Inner {
    fn new(options: &Options) -> Self {
        Self {
            finder: dns::Finder::new(options),
            rules: options.rules.clone(),
            tls: unverified_tls::UnverifiedTls::default(),
        }
    }
}

impl ProbeError {
    fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        Self {
            kind,
            words: words.into(),
        }
    }

    fn into_failure(self, trace: Trace, started: Instant) -> Failure {
        Failure {
            kind: self.kind,
            words: self.words,
            trace: timed(trace, started),
        }
    }
}

/// Completes a trace with the time it took.
fn timed(trace: Trace, started: Instant) -> Trace {
    Trace {
        millis: millis_since(started),
        ..trace
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

/// An error of the operating system, in the words that people search for.
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
