//! What validation asks for ([`Probe`]) and what it gets ([`Observation`]): the interface between
//! the methods here and the code that has the sockets.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;

/// A request to the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// One HTTP GET.
    Http(HttpProbe),
    /// The TXT records of one name.
    Txt(TxtProbe),
    /// One TLS handshake.
    Tls(TlsProbe),
    /// No request: the method judges the client's [payload](super::Context::payload).
    Payload,
}

impl From<HttpProbe> for Probe {
    fn from(probe: HttpProbe) -> Self {
        Self::Http(probe)
    }
}

impl From<TxtProbe> for Probe {
    fn from(probe: TxtProbe) -> Self {
        Self::Txt(probe)
    }
}

impl From<TlsProbe> for Probe {
    fn from(probe: TlsProbe) -> Self {
        Self::Tls(probe)
    }
}

impl Probe {
    /// The URL of the probe, for [`Context::redirects`](super::Context).
    pub fn url(&self) -> String {
        match self {
            Self::Http(probe) => probe.url(),
            Self::Txt(probe) => format!("dns:{}?type=TXT", probe.name),
            Self::Tls(probe) => probe.url(),
            Self::Payload => "payload:".to_owned(),
        }
    }
}

/// One query for the TXT records of a name; aliases (CNAME) are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtProbe {
    /// The full name, without a trailing dot.
    pub name: String,
}

/// One HTTP GET; a redirect is returned, not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    /// The host to ask.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// The path and query; begins with `/`.
    pub path_and_query: String,
    /// Whether to use TLS (after a redirect; the certificate is not verified).
    pub https: bool,
}

impl HttpProbe {
    /// The value of the `Host` header: with the port unless it is the scheme's default,
    /// IPv6 in brackets (RFC 8738 §4).
    pub fn authority(&self) -> String {
        let default = if self.https { 443 } else { 80 };
        if self.port == default {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The full URL, with its query.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path_and_query)
    }

    /// The scheme and the authority of the URL.
    pub(super) fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// The URL as shown to clients: without its query.
    pub(super) fn shown(&self) -> String {
        let url = self.url();
        match url.split_once('?') {
            Some((before, _)) => before.to_owned(),
            None => url,
        }
    }
}

/// One TLS handshake that offers only `acme-tls/1` (RFC 8737 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProbe {
    /// The host to connect to.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// The server name in the handshake (SNI): the host's A-labels, or the address's name in the
    /// reverse zone (RFC 8738 §6).
    pub server_name: String,
    /// The keys that the server may sign the handshake with.
    pub keys: KeyKinds,
}

/// Kinds of keys: a server that has certificates with several is asked for one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyKinds {
    /// Every supported kind; the server chooses.
    #[default]
    Any,
    /// RSA.
    Rsa,
    /// ECDSA and Ed25519.
    Elliptic,
}

impl TlsProbe {
    /// The only protocol offered by ALPN (RFC 8737 §6.2).
    pub const PROTOCOL: &'static str = "acme-tls/1";

    /// The target in the form of a URL; its scheme is not a registered one.
    pub fn url(&self) -> String {
        let keys = match self.keys {
            KeyKinds::Any => "",
            KeyKinds::Rsa => "?keys=rsa",
            KeyKinds::Elliptic => "?keys=elliptic",
        };
        format!("tls://{}:{}{keys}", self.host, self.port)
    }
}

/// The host to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to resolve.
    Name(String),
    /// An address.
    Ip(IpAddr),
}

impl Host {
    /// The host of an identifier; that of a device, which no probe looks for, has an empty name.
    pub(super) fn of(identifier: &Identifier) -> Self {
        match identifier {
            Identifier::Ip(address) => Self::Ip(*address),
            Identifier::Dns(name) | Identifier::Wildcard(name) => {
                Self::Name(name.as_str().to_owned())
            }
            Identifier::Device(_) => Self::Name(String::new()),
        }
    }
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

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// An HTTP answer.
    Http(HttpObservation),
    /// TXT records, possibly none.
    Txt(TxtObservation),
    /// A completed TLS handshake.
    Tls(TlsObservation),
    /// Nothing: the result of [`Probe::Payload`].
    Payload,
    /// The probe failed.
    Failed(Failure),
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpObservation {
    /// The status code.
    pub status: u16,
    /// The `Location` header, if there is one and it is text.
    pub location: Option<String>,
    /// The `Content-Type` header.
    pub media_type: Option<String>,
    /// The `Content-Encoding` header: no encoding was asked for.
    pub encoding: Option<String>,
    /// The body, or its first 64 KiB.
    pub body: Vec<u8>,
    /// How many octets of the body were received before the probe stopped reading.
    pub length: u64,
    /// Whether the body is longer than what was read.
    pub truncated: bool,
    /// How the answer was obtained.
    pub trace: Trace,
}

/// The TXT records of a name that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtObservation {
    /// The joined strings of each record, invalid UTF-8 replaced; empty if there are no records.
    pub values: Vec<String>,
    /// The name that has them, where aliases (CNAME) led to another than was asked for; without a
    /// trailing dot.
    pub alias: Option<String>,
    /// How they were obtained.
    pub trace: Trace,
}

/// What a TLS server presented in a handshake. The server proved that it holds the key of its
/// certificate; nothing else about the certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsObservation {
    /// The protocol that the server selected (RFC 7301 §3.2), if any.
    pub protocol: Option<String>,
    /// The protocol version on the wire: 0x0303 for TLS 1.2, 0x0304 for 1.3.
    pub version: u16,
    /// The server's certificate in DER, or its first 16 KiB.
    pub leaf: Vec<u8>,
    /// The full length of the certificate in octets.
    pub length: usize,
    /// How the answer was obtained.
    pub trace: Trace,
}

/// Why a probe failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// What the trace does not contain, such as "certificate expired" or the text of an I/O error;
    /// may be empty. Never text from the target's body.
    pub words: String,
    /// The steps of the probe until then.
    pub trace: Trace,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists but has no address.
    NoAddress,
    /// The DNS gave no usable answer (SERVFAIL, REFUSED, a timeout, an invalid message).
    Dns,
    /// Policy forbids every address found.
    AddressNotAllowed,
    /// The connection was refused.
    Refused,
    /// There is no route to the address.
    Unreachable,
    /// There was no answer in time.
    Timeout,
    /// The connection was closed or reset before there was an answer.
    Reset,
    /// The TLS handshake failed on our side.
    Tls,
    /// The other side ended the TLS handshake with this alert (RFC 8446 §6.2).
    Alert(u8),
    /// The other side supports only versions of TLS before 1.2.
    OldTls,
    /// The answer is not in the expected protocol.
    Protocol,
    /// The header of the answer is longer, or has more lines, than is read.
    LongHeader,
}

/// The steps of a probe, for the problem's detail and for the evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The source of the DNS records: `address:port` of servers, or a description such as "the
    /// hosts file"; none for an IP address.
    pub resolver: Option<String>,
    /// Its answers, such as "A 10.0.0.7", "no AAAA", "CNAME b.lab", "NXDOMAIN".
    pub answers: Vec<String>,
    /// The addresses tried, in order.
    pub attempts: Vec<Attempt>,
    /// The total time, in milliseconds.
    pub millis: u64,
}

/// One attempt to connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Address and port.
    pub address: SocketAddr,
    /// The result, such as "connected", "refused" or "no answer".
    pub outcome: String,
    /// The time that it took, in milliseconds.
    pub millis: u64,
}
