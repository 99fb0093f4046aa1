//! What validation looks at ([`Probe`]) and what it sees ([`Observation`]): the words
//! between the judges here and whoever has the sockets.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// One HTTP GET.
    Http(HttpProbe),
    /// The TXT records of one name.
    Txt(TxtProbe),
    /// One TLS handshake.
    Tls(TlsProbe),
    /// Nothing outside: the method judges the client's [payload](super::Context::payload).
    Payload,
}

impl Probe {
    /// The URL that is looked at, for [`Context::redirects`](super::Context).
    pub fn url(&self) -> String {
        match self {
            Self::Http(probe) => probe.url(),
            Self::Txt(probe) => format!("dns:{}?type=TXT", probe.name),
            Self::Tls(probe) => probe.url(),
            Self::Payload => "payload:".to_owned(),
        }
    }
}

/// One look at the TXT records of a name, aliases (CNAME) followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtProbe {
    /// The whole name, without its final dot.
    pub name: String,
}

/// One HTTP GET; redirects are not followed but judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    /// Whom to ask.
    pub host: Host,
    /// At which port.
    pub port: u16,
    /// What to ask for; begins with `/`.
    pub path_and_query: String,
    /// Whether over TLS (after a redirect; the certificate is not verified).
    pub https: bool,
}

impl HttpProbe {
    /// The value of the `Host` header: the port only if it is not the scheme's,
    /// IPv6 in brackets (RFC 8738 §4).
    pub fn authority(&self) -> String {
        let default = if self.https { 443 } else { 80 };
        if self.port == default {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The whole URL, with its query.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path_and_query)
    }

    /// The URL as clients may see it: without its query.
    pub(super) fn shown(&self) -> String {
        let url = self.url();
        match url.split_once('?') {
            Some((before, _)) => before.to_owned(),
            None => url,
        }
    }
}

/// One TLS handshake that offers `acme-tls/1` alone (RFC 8737 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProbe {
    /// Whom to connect to.
    pub host: Host,
    /// At which port.
    pub port: u16,
    /// The name to ask for in the handshake (SNI): the host's A-labels, or an
    /// address's name in the reverse zone (RFC 8738 §6).
    pub server_name: String,
}

impl TlsProbe {
    /// The one protocol that is offered by ALPN (RFC 8737 §6.2).
    pub const PROTOCOL: &'static str = "acme-tls/1";

    /// The target in the form of a URL; no scheme is registered for it.
    pub fn url(&self) -> String {
        format!("tls://{}:{}", self.host, self.port)
    }
}

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to resolve.
    Name(String),
    /// An address, as it is.
    Ip(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(address)) => address.fmt(f),
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// What a probe saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// An HTTP answer.
    Http(HttpObservation),
    /// TXT records, or that there are none.
    Txt(TxtObservation),
    /// A TLS handshake that came to its end.
    Tls(TlsObservation),
    /// Nothing, as [`Probe::Payload`] asks for nothing.
    Payload,
    /// No answer.
    Failed(Failure),
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpObservation {
    /// Its status.
    pub status: u16,
    /// Its `Location`, if it has one that is text.
    pub location: Option<String>,
    /// Its `Content-Type`.
    pub media_type: Option<String>,
    /// Its body, or the first 64 KiB of it.
    pub body: Vec<u8>,
    /// How many octets of body came before the probe stopped reading.
    pub length: u64,
    /// Whether there was more body than was read.
    pub truncated: bool,
    /// How the answer was come by.
    pub trace: Trace,
}

/// The TXT records of a name that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtObservation {
    /// Each record's strings joined, what is not UTF-8 replaced; empty if there are none.
    pub values: Vec<String>,
    /// How they were come by.
    pub trace: Trace,
}

/// What a TLS server showed in a handshake in which it proved to hold the key of
/// its certificate; nothing else about the certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsObservation {
    /// The protocol that the server chose (RFC 7301 §3.2); none if it chose none.
    pub protocol: Option<String>,
    /// The version's number on the wire: 0x0303 for TLS 1.2, 0x0304 for 1.3.
    pub version: u16,
    /// The server's certificate in DER, or the first 16 KiB of it.
    pub leaf: Vec<u8>,
    /// The certificate's whole length in octets.
    pub length: usize,
    /// How the answer was come by.
    pub trace: Trace,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The sort of failure.
    pub kind: FailureKind,
    /// What the trace does not say, as "certificate expired" or an I/O error's
    /// text; empty when the trace says it all. Never text from the target's body.
    pub words: String,
    /// How far the probe came.
    pub trace: Trace,
}

/// Sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The DNS says that the name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists and has no address.
    NoAddress,
    /// The DNS gave no usable answer (SERVFAIL, REFUSED, silence, nonsense).
    Dns,
    /// Policy forbids every address that was found.
    AddressNotAllowed,
    /// The connection was refused.
    Refused,
    /// There is no way to the address.
    Unreachable,
    /// Nobody answered in time.
    Timeout,
    /// The connection was closed or reset before there was an answer.
    Reset,
    /// The TLS handshake failed on our side.
    Tls,
    /// The other side ended the TLS handshake with this alert (RFC 8446 §6.2).
    Alert(u8),
    /// The other side speaks only versions of TLS before 1.2.
    OldTls,
    /// What came is not the protocol that was asked for.
    Protocol,
}

/// How a probe went: for the detail and for the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Who was asked for records: servers' `address:port`, or words like "the
    /// hosts file"; none for an IP address.
    pub resolver: Option<String>,
    /// What it said, as "A 10.0.0.7", "no AAAA", "CNAME b.lab", "NXDOMAIN".
    pub answers: Vec<String>,
    /// The addresses tried, in order.
    pub attempts: Vec<Attempt>,
    /// How long it all took, in milliseconds.
    pub millis: u64,
}

/// One address tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Address and port.
    pub address: SocketAddr,
    /// What came of it, as "connected", "refused", "no answer".
    pub outcome: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
}
