//! A request's body: it has to arrive in time, and takes memory from what all unfinished bodies share.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::activity::{Activity, Arriving};
use super::bodies::{Bodies, Share};

/// Where the memory of an unfinished body comes from.
pub(super) struct BodyMemory {
    /// What all unfinished bodies share.
    pub(super) bodies: Arc<Bodies>,
    /// The network of the client.
    pub(super) client: Option<IpAddr>,
    /// What the request takes beside its body, in bytes.
    pub(super) request: usize,
}

/// A request's body with its limits.
pub(super) struct LimitedBody {
    body: Incoming,
    within: Duration,
    memory: BodyMemory,
    activity: Arc<Activity>,
    /// Present once the body has kept the server waiting.
    unfinished: Option<Unfinished>,
}

/// What a body takes that did not arrive at once.
struct Unfinished {
    timer: Pin<Box<Sleep>>,
    share: Share,
    _arriving: Arriving,
}

/// The body did not arrive within its time limit.
#[derive(Debug, thiserror::Error)]
#[error("the request's body did not arrive in time")]
struct TooSlow;

/// The memory for unfinished bodies is used up, and this one had to go.
#[derive(Debug, thiserror::Error)]
#[error("the server waits for too many bodies; send the request again, and its body at once")]
pub(crate) struct TooManyBodies;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl LimitedBody {
    /// A body that has to arrive `within` this time, from the first read to its end.
    pub(super) const fn new(
        body: Incoming,
        within: Duration,
        memory: BodyMemory,
        activity: Arc<Activity>,
    ) -> Self {
        Self {
            body,
            within,
            memory,
            activity,
            unfinished: None,
        }
    }

    /// Counts a frame that is not the last one. It is copied: a small one may keep a large buffer.
    fn keep(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        let unfinished = self.unfinished();
        let Some(data) = frame.data_ref() else {
            return frame;
        };
        unfinished.share.grow(data.len() + FRAME);
        Frame::data(Bytes::copy_from_slice(data))
    }

    fn unfinished(&mut self) -> &mut Unfinished {
        self.unfinished.get_or_insert_with(|| {
            let share = self.memory.bodies.begin(self.memory.client);
            share.grow(self.memory.request);
            Unfinished {
                timer: Box::pin(sleep(self.within)),
                share,
                _arriving: self.activity.arriving(),
            }
        })
    }
}

impl HttpBody for LimitedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let is_last = self.body.is_end_stream();
        match frame {
            Poll::Ready(Some(Ok(frame))) if !is_last => {
                let frame = self.keep(frame);
                if Pin::new(&mut self.unfinished().share.lost)
                    .poll(cx)
                    .is_ready()
                {
                    return Poll::Ready(Some(Err(TooManyBodies.into())));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(frame) => Poll::Ready(frame.map(|f| f.map_err(Into::into))),
            Poll::Pending => {
                let unfinished = self.unfinished();
                if Pin::new(&mut unfinished.share.lost).poll(cx).is_ready() {
                    return Poll::Ready(Some(Err(TooManyBodies.into())));
                }
                unfinished
                    .timer
                    .as_mut()
                    .poll(cx)
                    .map(|()| Some(Err(TooSlow.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What a frame takes beside its data: a list of many small ones is larger than they are.
const FRAME: usize = 128;
