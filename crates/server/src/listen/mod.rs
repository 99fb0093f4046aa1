//! Listeners: HTTPS, plain HTTP, and the admin socket. They accept connections, enforce limits and close
//! gracefully. What the requests ask for is not here but in `http/`.

mod activity;
mod admin_socket;
mod bodies;
mod body;
mod client_certificate;
mod connection;
mod connections;
mod limits;
mod server_certificate;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use acme::rate::network;
use axum::Router;
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

use self::activity::Activity;
pub(crate) use self::admin_socket::{AdminSocket, AdminSocketError, PeerCredentials};
use self::bodies::Bodies;
pub(crate) use self::body::TooManyBodies;
use self::connection::{Client, Service};
use self::connections::Connections;
pub(crate) use self::limits::Limits;
pub(crate) use self::server_certificate::ServerCertificate;
pub(crate) use self::tls::Tls;

/// The client at the other end of a request's TCP connection; in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The client's address.
    pub(crate) address: SocketAddr,
    /// The server's address that the client connected to.
    pub(crate) local: SocketAddr,
    /// The verified client certificate and the others that the client sent with it; empty without one, and always
    /// over plain HTTP.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// An open listener, which serves connections until [`Listener::close`].
pub(crate) struct Listener {
    stop: watch::Sender<()>,
    accepting: tokio::task::JoinHandle<()>,
}

/// What the connections of one listener share.
struct Shared {
    security: Security,
    service: Service,
    handshakes: Arc<Semaphore>,
    permits: Arc<Semaphore>,
    open: Arc<Connections>,
}

/// What is below HTTP on a connection.
enum Security {
    Tls(Tls),
    None,
}

impl Listener {
    /// Serves `router` over HTTPS to the clients that connect to `listener`.
    pub(crate) fn https(listener: TcpListener, tls: Tls, router: Router, limits: Limits) -> Self {
        Self::tcp(listener, Security::Tls(tls), router, limits)
    }

    /// Serves `router` over plain HTTP, with the same limits except those of handshakes. For resources that clients
    /// fetch without TLS: CRLs, OCSP, metrics.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "nothing is served over plain HTTP yet")
    )]
    pub(crate) fn http(listener: TcpListener, router: Router, limits: Limits) -> Self {
        Self::tcp(listener, Security::None, router, limits)
    }

    fn tcp(listener: TcpListener, security: Security, router: Router, limits: Limits) -> Self {
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(Shared {
            security,
            service: Service {
                router,
                limits,
                bodies: Bodies::new(limits.unfinished_bodies),
            },
            handshakes: Arc::new(Semaphore::new(limits.handshakes)),
            permits: Arc::new(Semaphore::new(limits.connections)),
            open: Arc::default(),
        });
        let accepting = tokio::spawn(accept(listener, shared, stopped));
        Self { stop, accepting }
    }

    /// Stops accepting connections and lets the requests in flight finish, for at most `grace`.
    /// Returns whether all connections ended within that time.
    pub(crate) async fn close(self, grace: Duration) -> bool {
        self.stop.send_replace(());
        // The accepting task drops the socket; a panic in it has already been reported.
        drop(self.accepting.await);
        timeout(grace, self.stop.closed()).await.is_ok()
    }
}

/// Accepts connections until `stop`. At the limit of connections, one that is awaited is closed for the next; while all
/// are busy, further ones wait.
async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                pause = FIRST_PAUSE;
                let network = network(address.ip());
                let permit = tokio::select! {
                    _ = stop.changed() => return,
                    permit = shared.permit(network) => permit,
                };
                let activity = Arc::new(Activity::new());
                let listed = shared.open.list(network, Arc::clone(&activity));
                let serving = serve(stream, address, activity, Arc::clone(&shared), stop.clone());
                tokio::spawn(async move {
                    serving.await;
                    drop((listed, permit));
                });
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, pause_ms = millis(pause), "cannot accept connections");
                sleep(pause).await;
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
    }
}

impl Shared {
    /// The right to serve a connection of this network, which another one may have to give up.
    async fn permit(&self, network: IpAddr) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
                return Some(permit);
            }
            self.open.make_room(network);
            let permit = Arc::clone(&self.permits).acquire_owned();
            if let Ok(permit) = timeout(LOOK_AGAIN, permit).await {
                return permit.ok();
            }
        }
    }
}

/// How long to wait for a connection to end before another one is looked for that may be closed.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Whether the error concerns this one connection, as opposed to a shortage
/// (of descriptors, of memory) that the next one meets as well.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Serves one connection until it ends.
async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    activity: Arc<Activity>,
    shared: Arc<Shared>,
    stop: watch::Receiver<()>,
) {
    // Without this, small answers wait for the acknowledgement of earlier ones.
    drop(stream.set_nodelay(true));
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let peer = Peer {
        address: unmapped(address),
        local: unmapped(local),
        certificates: Vec::new(),
    };
    let mut client = Client {
        network: Some(network(peer.address.ip())),
        peer,
        activity,
    };
    let service = shared.service.clone();
    match &shared.security {
        Security::None => connection::run(stream, client, service, stop).await,
        Security::Tls(tls) => {
            let shaken = tokio::select! {
                () = client.activity.dismissed() => None,
                shaken = shake_hands(stream, tls, &client.peer, &shared) => shaken,
            };
            if let Some(stream) = shaken {
                client.peer.certificates = certificates(&stream);
                connection::run(stream, client, service, stop).await;
            }
        }
    }
}

/// The TLS handshake, within its limits; `None` when it fails.
async fn shake_hands(
    stream: TcpStream,
    tls: &Tls,
    peer: &Peer,
    shared: &Shared,
) -> Option<TlsStream<TcpStream>> {
    let handshake = async {
        let _permit = shared.handshakes.acquire().await;
        tls.accept(stream).await
    };
    match timeout(shared.service.limits.handshake, handshake).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => log_refused(peer, &error),
        Err(_) => tracing::debug!(address = %peer, "TLS handshake took too long"),
    }
    None
}

/// Logs a handshake that failed. Where one side did not take the other's certificate, that is a line for the operator;
/// a connection that was closed, as health checks do, or that does not speak TLS is not.
fn log_refused(peer: &Peer, error: &io::Error) {
    let inner = error.get_ref();
    let reason = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let of_a_certificate = |reason: &&rustls::Error| {
        matches!(
            reason,
            rustls::Error::InvalidCertificate(_) | rustls::Error::AlertReceived(_)
        )
    };
    match reason.filter(of_a_certificate) {
        Some(reason) => tracing::warn!(
            event = "handshake_refused",
            remote_address = %peer,
            reason = %reason,
        ),
        None => tracing::debug!(address = %peer, %error, "TLS handshake failed"),
    }
}

/// The verified certificate of the client and those sent with it.
fn certificates(stream: &TlsStream<TcpStream>) -> Vec<CertificateDer<'static>> {
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().unwrap_or_default();
    shown.iter().map(|c| c.clone().into_owned()).collect()
}

/// An IPv4 address that a dual-stack socket reports as IPv6, as IPv4.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
