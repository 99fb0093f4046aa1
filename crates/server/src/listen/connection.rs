//! One HTTP connection, HTTP/2 or HTTP/1.1. It is closed when it is idle or when the server
//! stops, never in the middle of a request.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tower::ServiceExt;

use super::Limits;
use super::activity::Activity;
use super::bodies::Bodies;
use super::body::{BodyMemory, LimitedBody};

/// Maximum concurrent streams of one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Maximum length of a request's header, in bytes.
const HEADER_BYTES: u32 = 32 * 1024;
/// What a request takes while its body is awaited, and what each of its header fields takes beside its text, in bytes.
const REQUEST_BYTES: usize = 4096;
const FIELD_BYTES: usize = 128;
/// Flow-control window of an HTTP/2 stream, in bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
/// Flow-control window of an HTTP/2 connection, in bytes.
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Interval of HTTP/2 pings, and how long an answer may take.
const PING: Duration = Duration::from_secs(30);
/// How long a connection without a request may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// What the connections of one listener serve.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) bodies: Arc<Bodies>,
}

impl Service {
    /// A client's request, with the limits of its body.
    fn limited<P>(&self, request: Request<Incoming>, client: &Client<P>) -> Request<LimitedBody> {
        let fields = request.headers().iter();
        let fields = fields.map(|(name, value)| FIELD_BYTES + name.as_str().len() + value.len());
        let memory = BodyMemory {
            bodies: Arc::clone(&self.bodies),
            client: client.network,
            request: REQUEST_BYTES + fields.sum::<usize>(),
        };
        let activity = Arc::clone(&client.activity);
        request.map(|body| LimitedBody::new(body, self.limits.body, memory, activity))
    }
}

/// The client of a connection.
pub(super) struct Client<P> {
    /// What each request has in its extensions.
    pub(super) peer: P,
    /// Its network; none on the admin socket.
    pub(super) network: Option<IpAddr>,
    /// What the connection does.
    pub(super) activity: Arc<Activity>,
}

/// How long a connection that has to go for another one may take to send what it has begun.
const FAREWELL: Duration = Duration::from_millis(250);
/// The same for one without a request: others wait for its place.
const IDLE_FAREWELL: Duration = Duration::from_millis(5);

/// Serves requests until the client closes the connection, the connection has been idle for too long,
/// or `stop` is signalled and the last request is answered. Each request has the peer in its extensions.
pub(super) async fn run<S, P>(
    stream: S,
    client: Client<P>,
    service: Service,
    mut stop: watch::Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: fmt::Display + Clone + Send + Sync + 'static,
{
    let (limits, address) = (service.limits, client.peer.to_string());
    let activity = Arc::clone(&client.activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let heartbeat = client.activity.begin();
        request.extensions_mut().insert(client.peer.clone());
        let request = service.limited(request, &client).map(Body::new);
        let answer = service.router.clone().oneshot(request);
        async move {
            let answer = answer.await;
            drop(heartbeat);
            answer
        }
    });
    let builder = builder(limits);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut closing = false;
    let mut check = Instant::now() + limits.idle;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%address, %error, "connection failed");
                }
                return;
            }
            () = activity.dismissed() => {
                connection.as_mut().graceful_shutdown();
                let farewell = activity.idle().map_or(FAREWELL, |_| IDLE_FAREWELL);
                drop(timeout(farewell, connection).await);
                return;
            }
            _ = stop.changed(), if !closing => {
                connection.as_mut().graceful_shutdown();
                closing = true;
                check = Instant::now() + CLOSING;
            }
            () = sleep_until(check) => match activity.idle() {
                None => check = Instant::now() + if closing { CLOSING } else { limits.idle },
                Some(_) if closing => return,
                Some(idle) if idle >= limits.idle => {
                    connection.as_mut().graceful_shutdown();
                    closing = true;
                    check = Instant::now() + CLOSING;
                }
                Some(idle) => check = Instant::now() + (limits.idle - idle),
            },
        }
    }
}

fn builder(limits: Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_headers(100)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEADER_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
