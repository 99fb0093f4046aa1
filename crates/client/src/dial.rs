//! Opens a TCP connection to the first address of a name that accepts; the error names each failure.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long one address may take to accept.
const PER_ADDRESS: Duration = Duration::from_secs(5);

/// Connects to the first address of `host` that accepts.
///
/// The error names each address and its failure, in the words of smallstep's `step`
/// (`dial tcp 127.0.0.1:9445: connect: connection refused`).
pub(crate) async fn dial(host: &str, port: u16) -> Result<TcpStream, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = lookup_host((bare, port))
        .await
        .map_err(|e| format!("dial tcp: lookup {bare}: {}", lookup_words(&e)))?
        .collect();
    let mut failures = Vec::new();
    for address in addresses {
        match timeout(PER_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Sends small requests at once; a failure costs only speed.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(e)) => failures.push(format!("dial tcp {address}: connect: {}", words(&e))),
            Err(_) => failures.push(format!("dial tcp {address}: i/o timeout")),
        }
    }
    if failures.is_empty() {
        return Err(format!("dial tcp: lookup {bare}: no such host"));
    }
    failures.dedup();
    Err(failures.join("; "))
}

/// An I/O error in the words of smallstep's `step`, without its number.
pub(crate) fn words(error: &std::io::Error) -> String {
    use std::io::ErrorKind as Kind;
    let known = [
        (Kind::ConnectionRefused, "connection refused"),
        (Kind::ConnectionReset, "connection reset by peer"),
        (Kind::TimedOut, "i/o timeout"),
        (Kind::UnexpectedEof, "EOF"),
    ];
    if let Some((_, words)) = known.iter().find(|(kind, _)| *kind == error.kind()) {
        return (*words).to_owned();
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

/// The resolver's error, shortened.
fn lookup_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    if text.contains("Name or service not known") || text.contains("No address associated") {
        return "no such host".to_owned();
    }
    text.trim_start_matches("failed to lookup address information: ")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_port_is_named_with_its_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = dial("127.0.0.1", port).await.unwrap_err();
        assert_eq!(
            error,
            format!("dial tcp 127.0.0.1:{port}: connect: connection refused")
        );
    }
}
