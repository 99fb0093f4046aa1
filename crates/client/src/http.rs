//! An HTTPS client: kept connections, time limits, an id on every request. Redirects are not followed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::CertificateError;
use rustls_pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use uuid::Uuid;

use crate::dial::{dial, words};
use crate::trust::configuration;
use crate::{Error, Identity, Trust};

/// The longest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 8 << 20;
/// How long connecting and the TLS handshake may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long an answer may take: some servers validate within the request.
const ANSWER: Duration = Duration::from_secs(60);

/// An HTTPS client that keeps its connections.
pub struct Http {
    tls: TlsConnector,
    agent: HeaderValue,
    idle: Mutex<HashMap<String, Sender>>,
}

/// An answer, read to its end.
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The id that was sent with the request.
    pub request_id: String,
}

impl Reply {
    /// A header's value, if it is present and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` in whole seconds; an HTTP date counts as absent.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        seconds.trim().parse().ok().map(Duration::from_secs)
    }
}

impl Http {
    /// A client that trusts `trust` and, if asked, authenticates with `identity`.
    ///
    /// # Errors
    /// [`Error::Tls`] when the roots or the client certificate cannot be used.
    pub fn new(trust: &Trust, identity: Option<Identity>) -> Result<Self, Error> {
        let config = configuration(trust, identity)?;
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            agent: HeaderValue::from_static(agent()),
            idle: Mutex::default(),
        })
    }

    /// GETs `url`.
    ///
    /// # Errors
    /// [`Error::Url`] and [`Error::Exchange`]; every status is an answer.
    pub async fn get(&self, url: &str) -> Result<Reply, Error> {
        self.send(Method::GET, url, None, Bytes::new()).await
    }

    /// POSTs `body` as `content_type`.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn post(&self, url: &str, content_type: &str, body: Bytes) -> Result<Reply, Error> {
        self.send(Method::POST, url, Some(content_type), body).await
    }

    /// HEADs `url`.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub async fn head(&self, url: &str) -> Result<Reply, Error> {
        self.send(Method::HEAD, url, None, Bytes::new()).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Reply, Error> {
        let target = Target::parse(url)?;
        let request_id = Uuid::now_v7().to_string();
        let failed = |cause: String| Error::Exchange {
            method: method.to_string(),
            url: url.to_owned(),
            cause,
            request_id: request_id.clone(),
        };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(target.uri.clone())
            .header(USER_AGENT, &self.agent)
            .header("x-request-id", &request_id);
        if let Some(kind) = content_type {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|e| failed(e.to_string()))?;
        let exchange = timeout(ANSWER + CONNECT, self.exchange(&target, request));
        let (status, headers, body) = match exchange.await {
            Ok(answer) => answer.map_err(failed)?,
            Err(_) => return Err(failed(format!("no answer within {} s", ANSWER.as_secs()))),
        };
        Ok(Reply {
            status,
            headers,
            body,
            request_id,
        })
    }

    /// Sends on a kept connection if one still works, else on a new one.
    async fn exchange(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), String> {
        let mut request = request;
        if let Some(mut kept) = self.kept(&target.authority) {
            match kept.send(request, target).await {
                Ok(response) => return self.finish(target, kept, response).await,
                Err(Unsent { request: None, why }) => return Err(why),
                // The server closed the connection before anything was sent.
                Err(Unsent {
                    request: Some(back),
                    ..
                }) => request = *back,
            }
        }
        let mut fresh = match timeout(CONNECT, self.connect(target)).await {
            Ok(fresh) => fresh?,
            Err(_) => return Err(format!("no connection within {} s", CONNECT.as_secs())),
        };
        match fresh.send(request, target).await {
            Ok(response) => self.finish(target, fresh, response).await,
            Err(unsent) => Err(unsent.why),
        }
    }

    async fn finish(
        &self,
        target: &Target,
        sender: Sender,
        response: http::Response<Incoming>,
    ) -> Result<(StatusCode, HeaderMap, Bytes), String> {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, BODY_LIMIT)
            .collect()
            .await
            .map_err(|e| format!("error reading the answer: {e}"))?
            .to_bytes();
        self.pool().insert(target.authority.clone(), sender);
        Ok((head.status, head.headers, body))
    }

    async fn connect(&self, target: &Target) -> Result<Sender, String> {
        let stream = dial(&target.host, target.port).await?;
        let stream = self
            .tls
            .connect(target.name.clone(), stream)
            .await
            .map_err(|e| tls_words(&e))?;
        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let io = TokioIo::new(stream);
        if is_h2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io)
                .await
                .map_err(|e| chain(&e))?;
            tokio::spawn(connection);
            Ok(Sender::H2(sender))
        } else {
            let (sender, connection) = http1::handshake(io).await.map_err(|e| chain(&e))?;
            tokio::spawn(connection);
            Ok(Sender::H1(sender))
        }
    }

    fn kept(&self, authority: &str) -> Option<Sender> {
        let mut pool = self.pool();
        match pool.get(authority)? {
            Sender::H2(sender) if !sender.is_closed() => Some(Sender::H2(sender.clone())),
            Sender::H1(_) | Sender::H2(_) => pool.remove(authority),
        }
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, HashMap<String, Sender>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that takes requests.
enum Sender {
    H1(http1::SendRequest<Full<Bytes>>),
    H2(http2::SendRequest<Full<Bytes>>),
}

/// A request without an answer; it comes back if it was not sent.
struct Unsent {
    request: Option<Box<Request<Full<Bytes>>>>,
    why: String,
}

impl Sender {
    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        target: &Target,
    ) -> Result<http::Response<Incoming>, Unsent> {
        let ready = match self {
            Self::H1(sender) => sender.ready().await,
            Self::H2(sender) => sender.ready().await,
        };
        if let Err(e) = ready {
            return Err(Unsent {
                request: Some(Box::new(request)),
                why: chain(&e),
            });
        }
        let sent = match self {
            Self::H1(sender) => sender.try_send_request(target.origin_form(request)).await,
            Self::H2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut e| Unsent {
            request: e
                .take_message()
                .map(|request| Box::new(target.absolute_form(request))),
            why: chain(e.error()),
        })
    }
}

/// A parsed `https://` address.
struct Target {
    uri: Uri,
    authority: String,
    host: String,
    port: u16,
    name: ServerName<'static>,
}

impl Target {
    fn parse(url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Url {
            url: url.to_owned(),
            why: why.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it cannot be parsed"))?;
        if uri.scheme_str() != Some("https") {
            return Err(wrong("it does not start with https://"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        let host = authority.host().to_owned();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| wrong("its host is neither a DNS name nor an IP address"))?;
        Ok(Self {
            authority: authority.to_string(),
            port: authority.port_u16().unwrap_or(443),
            host,
            name,
            uri,
        })
    }

    /// HTTP/1.1 has the path in the request line and the host in a header.
    fn origin_form(&self, mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        if let Ok(path) = path.parse() {
            *request.uri_mut() = path;
        }
        if let Ok(host) = HeaderValue::from_str(&self.authority) {
            request.headers_mut().insert(HOST, host);
        }
        request
    }

    fn absolute_form(&self, mut request: Request<Full<Bytes>>) -> Request<Full<Bytes>> {
        request.headers_mut().remove(HOST);
        *request.uri_mut() = self.uri.clone();
        request
    }
}

/// Why a handshake failed.
pub(crate) fn tls_words(error: &std::io::Error) -> String {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(error) = inner else {
        return format!("tls: {}", words(error));
    };
    let rustls::Error::InvalidCertificate(reason) = error else {
        return format!("tls: {error}");
    };
    // A root of the same name with another key results in a bad signature.
    let is_foreign = matches!(
        reason,
        CertificateError::UnknownIssuer | CertificateError::BadSignature
    );
    let why = if is_foreign {
        "certificate signed by unknown authority".to_owned()
    } else if matches!(
        reason,
        CertificateError::Expired | CertificateError::ExpiredContext { .. }
    ) {
        "certificate has expired or is not yet valid".to_owned()
    } else {
        reason.to_string()
    };
    format!("tls: failed to verify certificate: x509: {why}")
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

/// The `User-Agent`: program, version and platform.
pub(crate) const fn agent() -> &'static str {
    concat!("Riser step/", env!("CARGO_PKG_VERSION"))
}
