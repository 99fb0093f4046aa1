//! Answers http-01 challenges: a page for each token.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Pages;

/// Listens on loopback; gives back the port.
///
/// # Errors
/// When no port can be bound.
pub(super) async fn serve(pages: Pages) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(pages.clone(), stream));
        }
    });
    Ok(port)
}

async fn answer(pages: Pages, mut stream: TcpStream) {
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
    let (status, body) = match pages.text(token) {
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
