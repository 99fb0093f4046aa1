//! How much clients may ask of a listener.

use std::time::Duration;

/// Limits of one listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Maximum concurrent connections.
    pub(crate) connections: usize,
    /// Maximum concurrent TLS handshakes. If it were lower than `connections`, that many silent clients could
    /// block all others.
    pub(crate) handshakes: usize,
    /// Maximum time from the accepted connection to the end of its TLS handshake.
    pub(crate) handshake: Duration,
    /// Maximum time for the header of a request, and between two requests of HTTP/1.1.
    pub(crate) header: Duration,
    /// Maximum time for the body of a request, from the first read to its end.
    pub(crate) body: Duration,
    /// Maximum memory of the bodies that are still arriving, in bytes, of all connections together.
    pub(crate) unfinished_bodies: usize,
    /// Time without a request after which a connection is closed.
    pub(crate) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            handshakes: 8192,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(15),
            body: Duration::from_secs(15),
            unfinished_bodies: 24 * 1024 * 1024,
            idle: Duration::from_secs(60),
        }
    }
}
