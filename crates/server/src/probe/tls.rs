//! The TLS probe: one handshake that offers only `acme-tls/1`, and the certificate presented in it
//! (RFC 8737 §3). No application data is sent or read.

use std::io;

use acme::challenge::{FailureKind, TlsObservation, TlsProbe, Trace};
use rustls::{InvalidMessage, PeerIncompatible};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

use super::connect::{Target, reach};
use super::{Inner, ProbeError, words_of};

/// The most bytes of a certificate that are kept.
const LEAF_CAP: usize = 16 * 1024;

/// What the server presented, before the trace is added.
pub(super) struct Seen {
    protocol: Option<String>,
    version: u16,
    leaf: Vec<u8>,
    length: usize,
}

impl Seen {
    pub(super) fn into_observation(self, trace: Trace) -> TlsObservation {
        TlsObservation {
            protocol: self.protocol,
            version: self.version,
            leaf: self.leaf,
            length: self.length,
            trace,
        }
    }
}

pub(super) async fn probe(
    prober: &Inner,
    probe: &TlsProbe,
    deadline: Instant,
    trace: &mut Trace,
) -> Result<Seen, ProbeError> {
    let target = Target {
        host: &probe.host,
        port: probe.port,
    };
    let (tcp, opened) = reach(prober, target, deadline, trace).await?;
    let handshake = async {
        let mut stream = prober.tls.acme(probe, tcp).await?;
        let seen = shown(&stream);
        let _ = stream.shutdown().await;
        Ok(seen)
    };
    let seen = match timeout_at(deadline, handshake).await {
        Ok(seen) => seen.map_err(|error| miss(&error)),
        Err(_) => Err(ProbeError::new(FailureKind::Timeout, "")),
    };
    let outcome = match &seen {
        Ok(_) => "connected",
        Err(miss) if miss.kind == FailureKind::Timeout => "connected, but no complete handshake",
        Err(_) => "connected, but the TLS handshake failed",
    };
    opened.note(outcome, trace);
    seen
}

fn shown(stream: &TlsStream<TcpStream>) -> Seen {
    let (_, session) = stream.get_ref();
    let protocol = session.alpn_protocol();
    let leaf = session.peer_certificates().and_then(|all| all.first());
    let leaf = leaf.map_or(&[][..], |leaf| leaf.as_ref());
    Seen {
        protocol: protocol.map(|name| String::from_utf8_lossy(name).into_owned()),
        version: session.protocol_version().map_or(0, u16::from),
        leaf: leaf[..leaf.len().min(LEAF_CAP)].to_vec(),
        length: leaf.len(),
    }
}

/// Why the handshake failed.
fn miss(error: &io::Error) -> ProbeError {
    let inner = error.get_ref();
    let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        let kind = if error.kind() == io::ErrorKind::TimedOut {
            FailureKind::Timeout
        } else if error.kind() == io::ErrorKind::Other {
            FailureKind::Tls
        } else {
            FailureKind::Reset
        };
        return ProbeError::new(kind, words_of(error));
    };
    if let rustls::Error::AlertReceived(alert) = tls {
        return ProbeError::new(FailureKind::Alert(u8::from(*alert)), "");
    }
    let kind = if matches!(
        tls,
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        )
    ) {
        FailureKind::OldTls
    } else if matches!(
        tls,
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion
        )
    ) {
        FailureKind::Protocol
    } else {
        FailureKind::Tls
    };
    ProbeError::new(kind, tls.to_string())
}

#[cfg(test)]
mod tests;
