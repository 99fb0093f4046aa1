//! The HTTP probe: one GET over HTTP/1.1 to an address that was checked before
//! the connection was opened. Redirects are reported, never followed.

use std::error::Error as _;
use std::io;

use acme::challenge::{FailureKind, Host, HttpObservation, HttpProbe, Trace};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, LOCATION, USER_AGENT,
};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::connect::{Target, reach};
use super::{Inner, ProbeError, words_of};

/// The most bytes of a body that are read.
const BODY_CAP: usize = 64 * 1024;
/// The `User-Agent` of a probe.
const AGENT: &str = concat!("Riser/", env!("CARGO_PKG_VERSION"), " (ACME validation)");

/// A response, before the trace is added.
pub(super) struct Seen {
    status: u16,
    location: Option<String>,
    media_type: Option<String>,
    encoding: Option<String>,
    body: Vec<u8>,
    length: u64,
    truncated: bool,
}

impl Seen {
    pub(super) fn into_observation(self, trace: Trace) -> HttpObservation {
        HttpObservation {
            status: self.status,
            location: self.location,
            media_type: self.media_type,
            encoding: self.encoding,
            body: self.body,
            length: self.length,
            truncated: self.truncated,
            trace,
        }
    }
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(super) async fn probe(
    prober: &Inner,
    probe: &HttpProbe,
    deadline: Instant,
    trace: &mut Trace,
) -> Result<Seen, ProbeError> {
    let target = Target {
        host: &probe.host,
        port: probe.port,
    };
    let (tcp, opened) = reach(prober, target, deadline, trace).await?;
    let exchange = async {
        let stream: Box<dyn Stream> = if probe.https {
            let name = bare(&probe.host);
            let stream = prober.tls.http(&name, tcp).await;
            Box::new(stream.map_err(|e| ProbeError::new(FailureKind::Tls, e.to_string()))?)
        } else {
            Box::new(tcp)
        };
        exchange(probe, stream).await
    };
    let seen = match timeout_at(deadline, exchange).await {
        Ok(seen) => seen,
        Err(_) => Err(ProbeError::new(FailureKind::Timeout, "")),
    };
    let outcome = seen.as_ref().map_or_else(outcome, |_| "connected");
    opened.note(outcome, trace);
    seen
}

/// The outcome of a connection without a response.
fn outcome(miss: &ProbeError) -> &'static str {
    if miss.kind == FailureKind::Timeout {
        "connected, but no complete answer"
    } else if miss.kind == FailureKind::Tls {
        "connected, but the TLS handshake failed"
    } else if miss.kind == FailureKind::LongHeader {
        "connected, but the header of the answer is too long"
    } else if miss.kind == FailureKind::Reset {
        "connected, but closed without a complete answer"
    } else {
        "connected, but what came is not HTTP"
    }
}

async fn exchange(probe: &HttpProbe, stream: Box<dyn Stream>) -> Result<Seen, ProbeError> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(BODY_CAP)
        .handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| said_nothing(&error))?;
    let request = request(probe)?;
    let reading = async { read(sender.send_request(request).await?).await };
    // The response says what went wrong, also with the connection; that is dropped when it has ended, and what came is
    // still read.
    let driving = async move { drop(connection.await) };
    tokio::pin!(reading);
    let seen = tokio::select! {
        biased;
        seen = reading.as_mut() => seen,
        () = driving => reading.await,
    };
    seen.map_err(|error| said_nothing(&error))
}

fn request(probe: &HttpProbe) -> Result<Request<Empty<Bytes>>, ProbeError> {
    Request::get(&probe.path_and_query)
        .header(HOST, probe.authority())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|error| ProbeError::new(FailureKind::Protocol, error.to_string()))
}

async fn read(response: Response<Incoming>) -> Result<Seen, hyper::Error> {
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut seen = Seen {
        status: response.status().as_u16(),
        location: header(LOCATION),
        media_type: header(CONTENT_TYPE),
        encoding: header(CONTENT_ENCODING),
        body: Vec::new(),
        length: 0,
        truncated: false,
    };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame?.into_data() else {
            continue;
        };
        let room = BODY_CAP - seen.body.len();
        seen.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            seen.truncated = true;
            break;
        }
    }
    seen.length = u64::try_from(seen.body.len()).unwrap_or(u64::MAX);
    Ok(seen)
}

/// Why a server that accepted the connection gave no answer.
fn said_nothing(error: &hyper::Error) -> ProbeError {
    let cause = error.source().and_then(|s| s.downcast_ref::<io::Error>());
    if let Some(io) = cause {
        let kind = if io.kind() == io::ErrorKind::TimedOut {
            FailureKind::Timeout
        } else {
            FailureKind::Reset
        };
        return ProbeError::new(kind, words_of(io));
    }
    if error.is_parse_too_large() {
        return ProbeError::new(FailureKind::LongHeader, "");
    }
    if error.is_parse() {
        return ProbeError::new(FailureKind::Protocol, error.to_string());
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return ProbeError::new(FailureKind::Reset, "");
    }
    ProbeError::new(FailureKind::Protocol, error.to_string())
}

/// The host as TLS wants it: without the brackets of IPv6.
fn bare(host: &Host) -> String {
    match host {
        Host::Name(name) => name.trim_end_matches('.').to_owned(),
        Host::Ip(ip) => ip.to_string(),
    }
}
