//! An HTTPS client: one request on a fresh connection, or an HTTP/2
//! connection that stays open. Trusts one root.

use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A request header.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Header<'a> {
    /// The header with this name in lower case.
    pub fn new(name: &'a str, value: &'a str) -> Self {
        Self { name, value }
    }
}

/// An error of the connection, as words.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;

/// What came back.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// A header's text, empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{}: not JSON ({e}): {}", self.status, self.text()))
    }
}

/// A client that trusts one root.
#[derive(Clone)]
pub struct Client {
    runtime: Arc<Runtime>,
    config: Arc<ClientConfig>,
}

impl Client {
    /// A client that trusts the certificates of this PEM file.
    pub fn new(roots: &Path) -> Self {
        let mut store = RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(roots).expect("the root is there") {
            store.add(root.expect("PEM")).expect("a root certificate");
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(store)
            .with_no_client_auth();
        // A resumed session would show the certificate of the first handshake.
        config.resumption = rustls::client::Resumption::disabled();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            runtime: Arc::new(runtime),
            config: Arc::new(config),
        }
    }

    /// GET on a fresh connection.
    pub fn get(&self, url: &str) -> Result<Response, Broken> {
        self.request(Method::GET, url, None, &[])
    }

    /// POST on a fresh connection.
    pub fn post(&self, url: &str, content_type: &str, body: &[u8]) -> Result<Response, Broken> {
        self.request(Method::POST, url, Some(content_type), body)
    }

    /// Any request on a fresh HTTP/1.1 connection.
    pub fn request(
        &self,
        method: Method,
        url: &str,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Response, Broken> {
        let kind = content_type.map(|kind| Header::new(CONTENT_TYPE.as_str(), kind));
        self.request_with(method, url, kind.as_slice(), body)
    }

    /// Any request on a fresh HTTP/1.1 connection, with these headers; a `host` among them
    /// takes the place of the URL's.
    pub fn request_with(
        &self,
        method: Method,
        url: &str,
        headers: &[Header<'_>],
        body: &[u8],
    ) -> Result<Response, Broken> {
        let (authority, path) = split(url)?;
        self.runtime.block_on(async {
            let tls = self.handshake(authority, &[b"http/1.1"]).await?;
            let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
            tokio::spawn(connection);
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header("user-agent", "riser-acceptance");
            if !headers.iter().any(|header| header.name == HOST.as_str()) {
                request = request.header(HOST, authority);
            }
            for Header { name, value } in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Full::new(Bytes::copy_from_slice(body)))?;
            let (parts, body) = sender.send_request(request).await?.into_parts();
            Ok(Response {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            })
        })
    }

    /// The certificates that the server shows in a handshake, leaf first.
    pub fn shown(&self, authority: &str) -> Result<Vec<Vec<u8>>, Broken> {
        self.runtime.block_on(async {
            let tls = self.handshake(authority, &[b"h2", b"http/1.1"]).await?;
            let chain = tls.get_ref().1.peer_certificates().unwrap_or_default();
            Ok(chain.iter().map(|c| c.as_ref().to_vec()).collect())
        })
    }

    /// An HTTP/2 connection that stays open until it is dropped.
    pub fn connect_h2(&self, authority: &str) -> Result<Connection, Broken> {
        self.runtime.block_on(async {
            let tls = self.handshake(authority, &[b"h2"]).await?;
            let (sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await?;
            tokio::spawn(connection);
            Ok(Connection {
                runtime: Arc::clone(&self.runtime),
                authority: authority.to_owned(),
                sender,
            })
        })
    }

    /// Writes these octets over TLS, piece by piece until the server has enough, and reads until it
    /// ends the connection. Says how many octets were written, and what came back.
    pub fn pour(
        &self,
        authority: &str,
        alpn: &[u8],
        pieces: impl Iterator<Item = Vec<u8>>,
    ) -> Result<(usize, Vec<u8>), Broken> {
        self.runtime.block_on(async {
            let (mut from, mut to) = tokio::io::split(self.handshake(authority, &[alpn]).await?);
            let reader = tokio::spawn(async move {
                let (mut answer, mut part) = (Vec::new(), vec![0; 16 * 1024]);
                while let Ok(count @ 1..) = from.read(&mut part).await {
                    answer.extend_from_slice(&part[..count]);
                }
                answer
            });
            let mut written = 0;
            for piece in pieces {
                if reader.is_finished() || to.write_all(&piece).await.is_err() {
                    break;
                }
                written += piece.len();
            }
            let _ = to.shutdown().await;
            Ok((written, reader.await?))
        })
    }

    async fn handshake(
        &self,
        authority: &str,
        alpn: &[&[u8]],
    ) -> Result<TlsStream<TcpStream>, Broken> {
        let (host, _) = authority.rsplit_once(':').ok_or("no port")?;
        let mut config = (*self.config).clone();
        config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
        let tcp = TcpStream::connect(authority).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned())?;
        Ok(TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await?)
    }
}

/// An open HTTP/2 connection.
pub struct Connection {
    runtime: Arc<Runtime>,
    authority: String,
    sender: http2::SendRequest<Full<Bytes>>,
}

impl Connection {
    /// GET of a path on this very connection.
    pub fn get(&mut self, path: &str) -> Result<Response, Broken> {
        let request = Request::builder()
            .uri(format!("https://{}{path}", self.authority))
            .body(Full::new(Bytes::new()))?;
        self.runtime.block_on(async {
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            Ok(Response {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await?.to_bytes(),
            })
        })
    }
}

fn split(url: &str) -> Result<(&str, &str), Broken> {
    let rest = url.strip_prefix("https://").ok_or("not an https URL")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    let path = if slash == rest.len() {
        "/"
    } else {
        &rest[slash..]
    };
    Ok((&rest[..slash], path))
}
