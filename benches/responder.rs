//! Answers http-01 challenges: a page for each token.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The pages, shared with the clients that put them there.
#[derive(Clone, Default)]
pub struct Responder {
    pages: Arc<Mutex<HashMap<String, String>>>,
}

impl Responder {
    /// Listens on loopback; gives back the port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(&self) -> io::Result<u16> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let responder = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(responder.clone().answer(stream));
            }
        });
        Ok(port)
    }

    /// Serves `key_authorization` for `token` from now on.
    pub fn put(&self, token: &str, key_authorization: String) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(token.to_owned(), key_authorization);
    }

    /// Serves it no longer.
    pub fn remove(&self, token: &str) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.remove(token);
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let mut chunk = [0; 2048];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut chunk).await {
                Ok(n) if n > 0 => request.extend_from_slice(&chunk[..n]),
                _ => return,
            }
        }
        let request = String::from_utf8_lossy(&request);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let token = path.rsplit('/').next().unwrap_or_default();
        let page = {
            let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            pages.get(token).cloned()
        };
        let (status, body) = match page {
            Some(page) => ("200 OK", page),
            None => ("404 Not Found", String::new()),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        // A prober that hangs up early has seen what it wanted.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}
