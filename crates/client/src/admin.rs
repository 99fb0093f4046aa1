//! The admin API of a server on this machine, over its UNIX socket. The kernel tells the server
//! which user connects, so there is no password.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ca::api::admin;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::Error;
use crate::dial::words;
use crate::http::{BODY_LIMIT, agent};

/// How long an answer may take: some verbs make the server connect to other hosts.
const ANSWER: Duration = Duration::from_secs(120);
/// The type of the bodies.
const JSON: &str = "application/json";

/// A client of the admin API of the server of one step path.
pub struct AdminClient {
    socket: PathBuf,
}

impl AdminClient {
    /// A client that will connect to this socket.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Reads what is at `path` (`/admin/…`, with its query); `doing` is for errors.
    ///
    /// # Errors
    /// [`Error::AdminSocket`] when no server listens there or this user may not connect,
    /// [`Error::Admin`] when the server refuses.
    pub async fn get<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
    ) -> Result<T, Error> {
        self.ask(doing, Method::GET, path, Bytes::new()).await
    }

    /// Sends `body` to `path`.
    ///
    /// # Errors
    /// As [`AdminClient::get`].
    pub async fn post<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|e| unexpected(doing, e.to_string()))?;
        self.ask(doing, Method::POST, path, Bytes::from(body)).await
    }

    /// Removes what is at `path`.
    ///
    /// # Errors
    /// As [`AdminClient::get`].
    pub async fn delete<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        path: &str,
    ) -> Result<T, Error> {
        self.ask(doing, Method::DELETE, path, Bytes::new()).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, Error> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| self.closed(&error))?;
        let request_id = Uuid::now_v7().to_string();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "localhost")
            .header(USER_AGENT, agent())
            .header(CONTENT_TYPE, JSON)
            .header("x-request-id", &request_id)
            .body(Full::new(body))
            .map_err(|e| unexpected(doing, e.to_string()))?;
        let answer = match timeout(ANSWER, exchange(stream, request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(unexpected(doing, error.to_string())),
            Err(_) => {
                let what = format!("no answer within {} s", ANSWER.as_secs());
                return Err(unexpected(doing, what));
            }
        };
        if answer.is_success {
            return serde_json::from_slice(&answer.body)
                .map_err(|e| unexpected(doing, format!("the answer is not readable: {e}")));
        }
        match serde_json::from_slice::<admin::Error>(&answer.body) {
            Ok(error) => Err(Error::Admin { error, request_id }),
            Err(e) => Err(unexpected(
                doing,
                format!("the refusal is not readable: {e}"),
            )),
        }
    }

    /// Why the socket cannot be connected to, and what to do about it.
    fn closed(&self, error: &std::io::Error) -> Error {
        let known = CLOSED.iter().find(|(kind, _)| *kind == error.kind());
        let why = known.map_or_else(|| words(error), |(_, why)| (*why).to_owned());
        Error::AdminSocket {
            socket: self.socket.clone(),
            why,
        }
    }
}

/// A name as one segment of a URL's path: all but RFC 3986's unreserved characters are encoded.
#[must_use]
pub fn segment(name: &str) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(name, ENCODED).to_string()
}

/// Why a socket cannot be connected to, by the system's error.
const CLOSED: &[(ErrorKind, &str)] = &[
    (ErrorKind::NotFound, NO_SERVER),
    (ErrorKind::NotADirectory, NO_SERVER),
    (
        ErrorKind::ConnectionRefused,
        "the step-ca that created it has ended: start it again",
    ),
    (
        ErrorKind::PermissionDenied,
        "only root and the user that step-ca runs as may connect: run the command as one of \
         them, for example with sudo",
    ),
    (
        ErrorKind::InvalidInput,
        "the path of a socket may have at most 107 bytes: use a shorter step path",
    ),
];
const NO_SERVER: &str = "no step-ca runs on this step path: start it, or name the step path of \
    a running one (STEPPATH, '--context' or '--ca-config')";

type Anything = Box<dyn std::error::Error + Send + Sync>;

struct Answer {
    is_success: bool,
    body: Bytes,
}

async fn exchange(stream: UnixStream, request: Request<Full<Bytes>>) -> Result<Answer, Anything> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let serving = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let is_success = response.status().is_success();
    let body = Limited::new(response.into_body(), BODY_LIMIT);
    let body = body.collect().await?.to_bytes();
    serving.abort();
    Ok(Answer { is_success, body })
}

fn unexpected(doing: &'static str, what: String) -> Error {
    Error::Unexpected { doing, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_of_a_path() {
        assert_eq!(segment("my acme/1"), "my%20acme%2F1");
        assert_eq!(segment("a-b.c_d~é"), "a-b.c_d~%C3%A9");
    }

    #[tokio::test]
    async fn a_socket_without_a_server_says_what_to_do() {
        let dir = std::env::temp_dir().join(format!("admin-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&dir).unwrap();
        let socket = dir.join("s");
        let ask = || async {
            let admin = AdminClient::new(&socket);
            let answer = admin.get::<serde_json::Value>("asking", "/admin/x").await;
            answer.unwrap_err().to_string()
        };
        assert!(ask().await.contains("no step-ca runs"), "{}", ask().await);
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(ask().await.contains("has ended"), "{}", ask().await);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
