//! How much a stranger may ask of the door.

use std::time::Duration;

/// Limits of one door.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections open at the same time.
    pub(crate) connections: usize,
    /// TLS handshakes under way at the same time. Fewer than connections would let as many
    /// silent clients keep everybody else out.
    pub(crate) handshakes: usize,
    /// From the accepted connection to the end of its handshake.
    pub(crate) handshake: Duration,
    /// For the header of a request, and between two requests of HTTP/1.1.
    pub(crate) header: Duration,
    /// From the first look at a body to its end.
    pub(crate) body: Duration,
    /// How long a connection may carry no request before it is closed.
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
            idle: Duration::from_secs(60),
        }
    }
}
