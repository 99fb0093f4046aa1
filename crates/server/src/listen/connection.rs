//! One HTTP connection, HTTP/2 or HTTP/1.1. It is closed when it is idle or when the server
//! stops, never in the middle of a request.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tower::ServiceExt;

use super::Limits;

/// Maximum concurrent streams of one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Maximum length of a request's header, in bytes.
const HEADER_BYTES: u32 = 32 * 1024;
/// Flow-control window of an HTTP/2 stream, in bytes.
const STREAM_WINDOW: u32 = 64 * 1024;
/// Flow-control window of an HTTP/2 connection, in bytes.
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Interval of HTTP/2 pings, and how long an answer may take.
const PING: Duration = Duration::from_secs(30);
/// How long a connection without a request may take to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Serves requests until the client closes the connection, the connection has been idle for too long,
/// or `stop` is signalled and the last request is answered. Each request has `peer` in its extensions.
pub(super) async fn run<S, P>(
    stream: S,
    peer: P,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<()>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    P: fmt::Display + Clone + Send + Sync + 'static,
{
    let address = peer.to_string();
    let activity = Arc::new(Activity::new());
    let heartbeat = Arc::clone(&activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let heartbeat = heartbeat.begin();
        request.extensions_mut().insert(peer.clone());
        let request = request.map(|body| Body::new(TimedBody::new(body, limits.body)));
        let answer = router.clone().oneshot(request);
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

/// Counts the requests in flight on a connection, and records when the last one ended.
struct Activity {
    started: Instant,
    in_flight: AtomicUsize,
    last_end_ms: AtomicU64,
}

/// A request in flight.
struct Heartbeat(Arc<Activity>);

impl Activity {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            in_flight: AtomicUsize::new(0),
            last_end_ms: AtomicU64::new(0),
        }
    }

    fn begin(self: &Arc<Self>) -> Heartbeat {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Heartbeat(Arc::clone(self))
    }

    /// How long no request has been in flight; `None` while one is.
    fn idle(&self) -> Option<Duration> {
        if self.in_flight.load(Ordering::Acquire) > 0 {
            return None;
        }
        let last = Duration::from_millis(self.last_end_ms.load(Ordering::Acquire));
        Some(self.started.elapsed().saturating_sub(last))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        let now = super::millis(self.0.started.elapsed());
        self.0.last_end_ms.fetch_max(now, Ordering::AcqRel);
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request body with a time limit.
struct TimedBody {
    body: Incoming,
    within: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The body did not arrive within its time limit.
#[derive(Debug, thiserror::Error)]
#[error("the request's body did not arrive in time")]
struct TooSlow;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl TimedBody {
    fn new(body: Incoming, within: Duration) -> Self {
        Self {
            body,
            within,
            timer: None,
        }
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|f| f.map_err(Into::into)));
        }
        let within = self.within;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}
