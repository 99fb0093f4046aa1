//! The HTTPS listener, and the operator's beside it: accepts connections, keeps them
//! within limits, and closes them gently. What is said on them is `http/`'s business.

mod connection;
mod limits;
mod operator;
mod server_certificate;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

pub(crate) use self::limits::Limits;
pub(crate) use self::operator::{PeerCredentials, Socket, SocketError};
pub(crate) use self::server_certificate::ServerCertificate;
pub(crate) use self::tls::Tls;

/// Who is at the other end of a request's connection; in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The address that the connection came from.
    pub(crate) address: SocketAddr,
    /// The address of ours that it came to.
    pub(crate) local: SocketAddr,
    /// The verified client certificate and what came with it; empty if none was shown.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// An open listener: connections are served until [`Listener::close`].
pub(crate) struct Listener {
    stop: watch::Sender<()>,
    accepting: tokio::task::JoinHandle<()>,
}

/// What every connection shares.
struct Shared {
    tls: Tls,
    router: Router,
    limits: Limits,
    handshakes: Arc<Semaphore>,
}

impl Listener {
    /// Serves `router` to whoever connects to `listener`.
    pub(crate) fn open(listener: TcpListener, tls: Tls, router: Router, limits: Limits) -> Self {
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(Shared {
            tls,
            router,
            limits,
            handshakes: Arc::new(Semaphore::new(limits.handshakes)),
        });
        let accepting = tokio::spawn(accept(listener, shared, stopped));
        Self { stop, accepting }
    }

    /// Accepts no more, lets the requests in flight finish, at most for `grace`.
    /// Returns whether all connections ended by themselves.
    pub(crate) async fn close(self, grace: Duration) -> bool {
        self.stop.send_replace(());
        // The accepting task drops the socket; a panic in it has been reported already.
        drop(self.accepting.await);
        timeout(grace, self.stop.closed()).await.is_ok()
    }
}

/// The accept loop. Beyond the cap on connections the kernel's queue waits.
async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<()>) {
    let room = Arc::new(Semaphore::new(shared.limits.connections));
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            _ = stop.changed() => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                pause = FIRST_PAUSE;
                let serving = serve(stream, address, Arc::clone(&shared), stop.clone());
                tokio::spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, pause_ms = millis(pause), "cannot accept connections");
                sleep(pause).await;
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Whether the fault ended with the connection that had it, as opposed to a
/// shortage (of descriptors, of memory) that the next one meets as well.
fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// One connection, from its handshake to its end.
async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Receiver<()>,
) {
    // Without this, small answers wait for the acknowledgement of earlier ones.
    drop(stream.set_nodelay(true));
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let shaken = async {
        let _turn = shared.handshakes.acquire().await;
        shared.tls.accept(stream).await
    };
    match timeout(shared.limits.handshake, shaken).await {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            let certificates = session
                .peer_certificates()
                .unwrap_or_default()
                .iter()
                .map(|c| c.clone().into_owned())
                .collect();
            let peer = Peer {
                address: plain(address),
                local: plain(local),
                certificates,
            };
            let router = shared.router.clone();
            connection::run(stream, peer, router, shared.limits, stop).await;
        }
        Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
    }
}

/// An IPv4 address that a socket of both families shows as IPv6, as what it is.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
