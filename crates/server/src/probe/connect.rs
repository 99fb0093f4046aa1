//! Connects to a host, for every probe that connects: resolves it, checks the addresses against the
//! rules, and connects to an address that was checked.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use acme::challenge::{FailureKind, Host, Trace};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{Inner, ProbeError, attempt, words_of};

/// The most addresses of one name that are tried.
const ADDRESSES: usize = 6;
/// How long to wait for an address when another one is left to try.
const PATIENCE: Duration = Duration::from_secs(3);

/// An open connection whose outcome is not yet in the trace.
pub(super) struct Opened {
    address: SocketAddr,
    started: Instant,
}

impl Opened {
    /// Adds the outcome of the connection to the trace.
    pub(super) fn note(self, outcome: &str, trace: &mut Trace) {
        let attempt = attempt(self.address, outcome, self.started);
        trace.attempts.push(attempt);
    }
}

/// A host and a port to connect to.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) host: &'a Host,
    pub(super) port: u16,
}

/// Connects to a target; the trace lists the questions and attempts.
pub(super) async fn reach(
    prober: &Inner,
    target: Target<'_>,
    deadline: Instant,
    trace: &mut Trace,
) -> Result<(TcpStream, Opened), ProbeError> {
    let addresses = addresses(prober, target, deadline, trace).await?;
    connect(&addresses, deadline, trace).await
}

/// The allowed addresses of a target; the trace lists those that are not.
async fn addresses(
    prober: &Inner,
    target: Target<'_>,
    deadline: Instant,
    trace: &mut Trace,
) -> Result<Vec<SocketAddr>, ProbeError> {
    let found = match target.host {
        Host::Ip(ip) => vec![*ip],
        Host::Name(name) => match timeout_at(deadline, prober.finder.find(name, trace)).await {
            Ok(found) => found?,
            Err(_) => {
                return Err(ProbeError::new(
                    FailureKind::Dns,
                    "no answer in time (time-out)",
                ));
            }
        },
    };
    let mut allowed = Vec::new();
    for ip in found.into_iter().take(ADDRESSES) {
        let address = SocketAddr::new(ip, target.port);
        match prober.rules.check(ip) {
            Ok(()) => allowed.push(address),
            Err(why) => {
                let now = Instant::now();
                trace
                    .attempts
                    .push(attempt(address, format!("not allowed ({why})"), now));
            }
        }
    }
    if allowed.is_empty() {
        return Err(ProbeError::new(FailureKind::AddressNotAllowed, ""));
    }
    Ok(allowed)
}

/// Connects to the first address that answers.
async fn connect(
    addresses: &[SocketAddr],
    deadline: Instant,
    trace: &mut Trace,
) -> Result<(TcpStream, Opened), ProbeError> {
    let mut kind = FailureKind::Unreachable;
    for (index, address) in addresses.iter().enumerate() {
        let started = Instant::now();
        let until = if index + 1 == addresses.len() {
            deadline
        } else {
            deadline.min(started + PATIENCE)
        };
        let words = match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let address = *address;
                return Ok((stream, Opened { address, started }));
            }
            Ok(Err(error)) => {
                kind = kind_of(&error);
                words_of(&error)
            }
            Err(_) => {
                kind = FailureKind::Timeout;
                "no answer (time-out)".to_owned()
            }
        };
        trace.attempts.push(attempt(*address, words, started));
    }
    Err(ProbeError::new(kind, ""))
}

fn kind_of(error: &io::Error) -> FailureKind {
    let known = [
        (io::ErrorKind::TimedOut, FailureKind::Timeout),
        (io::ErrorKind::ConnectionReset, FailureKind::Reset),
        (io::ErrorKind::HostUnreachable, FailureKind::Unreachable),
        (io::ErrorKind::NetworkUnreachable, FailureKind::Unreachable),
    ];
    let found = known.into_iter().find(|(known, _)| *known == error.kind());
    found.map_or(FailureKind::Refused, |(_, kind)| kind)
}
