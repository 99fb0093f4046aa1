//! From a host to an open connection, the same for every eye that looks at hosts:
//! resolved here, checked against the rules, and connected to the very address that was checked.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use acme::challenge::{FailureKind, Host, Trace};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{Inner, ProbeError, attempt, words_of};

/// More addresses of one name than this are never tried.
const ADDRESSES: usize = 6;
/// How long an address may be silent when another one is left to try.
const PATIENCE: Duration = Duration::from_secs(3);

/// A connection that was opened, until its outcome is noted.
pub(super) struct Opened {
    address: SocketAddr,
    started: Instant,
}

impl Opened {
    /// Writes into the trace what became of the connection.
    pub(super) fn note(self, outcome: &str, trace: &mut Trace) {
        let attempt = attempt(self.address, outcome, self.started);
        trace.attempts.push(attempt);
    }
}

/// Connects to a host's port; the trace has what was asked and tried before it.
pub(super) async fn reach(
    prober: &Inner,
    target: (&Host, u16),
    deadline: Instant,
    trace: &mut Trace,
) -> Result<(TcpStream, Opened), ProbeError> {
    let addresses = addresses(prober, target, deadline, trace).await?;
    connect(&addresses, deadline, trace).await
}

/// The addresses to try, checked; those that may not be tried are noted.
async fn addresses(
    prober: &Inner,
    (host, port): (&Host, u16),
    deadline: Instant,
    trace: &mut Trace,
) -> Result<Vec<SocketAddr>, ProbeError> {
    let found = match host {
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
    let mut fine = Vec::new();
    for ip in found.into_iter().take(ADDRESSES) {
        let address = SocketAddr::new(ip, port);
        match prober.rules.check(ip) {
            Ok(()) => fine.push(address),
            Err(why) => {
                let now = Instant::now();
                trace
                    .attempts
                    .push(attempt(address, format!("not allowed ({why})"), now));
            }
        }
    }
    if fine.is_empty() {
        return Err(ProbeError::new(FailureKind::AddressNotAllowed, ""));
    }
    Ok(fine)
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
