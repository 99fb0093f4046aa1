//! The built-in web server, which answers http-01 challenges while an order runs.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const PREFIX: &str = "/.well-known/acme-challenge/";
/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest request head that is read, in bytes.
const HEAD_LIMIT: usize = 16 << 10;

type Answers = Arc<Mutex<HashMap<String, String>>>;

/// A running server; dropping it stops it.
pub(crate) struct Standalone {
    answers: Answers,
    task: JoinHandle<()>,
}

impl Standalone {
    /// Listens on `address` (`:80`, `127.0.0.1:8080`).
    ///
    /// # Errors
    /// When the port is in use or needs privileges, with what to do about it.
    pub(crate) async fn bind(address: &str) -> Result<Self> {
        let listener = listen(address).await?;
        let answers = Answers::default();
        let shared = Arc::clone(&answers);
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    // Out of descriptors: the open ones close within their time limit.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let answers = Arc::clone(&shared);
                tokio::spawn(timeout(REQUEST, answer(stream, answers)));
            }
        });
        Ok(Self { answers, task })
    }

    /// Answers `token` with `answer` from now on.
    pub(crate) fn put(&self, token: &str, answer: &str) {
        self.lock().insert(token.to_owned(), answer.to_owned());
    }

    /// Stops answering `token`.
    pub(crate) fn take(&self, token: &str) {
        self.lock().remove(token);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(address: &str) -> Result<TcpListener> {
    let failed = |error: std::io::Error| {
        let hint = if error.kind() == ErrorKind::AddrInUse {
            "; stop the program that listens there, let it answer with '--webroot', or choose another port with '--http-listen'"
        } else if error.kind() == ErrorKind::PermissionDenied {
            "; a port below 1024 requires root or the capability CAP_NET_BIND_SERVICE; choose another port with '--http-listen'"
        } else {
            ""
        };
        anyhow!(
            "listen tcp {address}: bind: {}{hint}",
            crate::file::words(&error)
        )
    };
    let Some(port) = address.strip_prefix(':') else {
        return TcpListener::bind(address).await.map_err(failed);
    };
    let Ok(port) = port.parse::<u16>() else {
        bail!("invalid value '{address}' for flag '--http-listen': give host:port or :port");
    };
    // The IPv6 wildcard accepts IPv4, too; a machine without IPv6 has only the IPv4 one.
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Ok(listener) => Ok(listener),
        Err(e) if e.kind() == ErrorKind::AddrInUse => Err(failed(e)),
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
            .await
            .map_err(failed),
    }
}

async fn answer(mut stream: TcpStream, answers: Answers) {
    let Some(head) = read_head(&mut stream).await else {
        return;
    };
    let found = token(&head).and_then(|token| {
        let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(token).cloned()
    });
    let (status, body) = match &found {
        Some(body) => ("200 OK", body.as_str()),
        None => ("404 Not Found", "404 page not found\n"),
    };
    let mut reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if !head.starts_with("HEAD ") {
        reply.push_str(body);
    }
    // A client that closes early is no failure.
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut part).await.ok()?;
        if length == 0 || head.len() > HEAD_LIMIT {
            return None;
        }
        head.extend_from_slice(&part[..length]);
    }
    String::from_utf8(head).ok()
}

/// The token in a request's path.
fn token(head: &str) -> Option<&str> {
    let mut words = head.lines().next()?.split(' ');
    let method = words.next()?;
    let target = words.next()?;
    if method != "GET" && method != "HEAD" {
        return None;
    }
    // A proxy sends the whole URL.
    let path = match target.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => target,
    };
    let path = path.split('?').next()?;
    path.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(port: u16, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    }

    fn free_port() -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    #[tokio::test]
    async fn a_token_is_answered_while_it_is_there() {
        let port = free_port();
        let server = Standalone::bind(&format!("127.0.0.1:{port}"))
            .await
            .unwrap();
        server.put("tok", "tok.thumb");
        let path = "/.well-known/acme-challenge/tok";
        let reply = ask(port, path).await;
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        assert!(reply.ends_with("\r\n\r\ntok.thumb"), "{reply}");
        server.take("tok");
        assert!(ask(port, path).await.starts_with("HTTP/1.1 404"));
    }

    #[tokio::test]
    async fn a_port_in_use_is_reported_with_what_to_do() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let error = Standalone::bind(&address).await.err().unwrap().to_string();
        assert!(error.starts_with(&format!(
            "listen tcp {address}: bind: address already in use; "
        )));
        assert!(error.contains("--webroot"), "{error}");
    }

    #[test]
    fn a_token_is_read_from_a_path_or_a_url() {
        let head = "GET http://a.test:80/.well-known/acme-challenge/t?x HTTP/1.1\r\n";
        assert_eq!(token(head), Some("t"));
        assert_eq!(token("POST /.well-known/acme-challenge/t HTTP/1.1"), None);
        assert_eq!(token("GET / HTTP/1.1"), None);
    }
}
