//! Tasks that outlive the request that began them, tracked so that a stop can wait for them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Error;

/// The tasks under way. Cheap to clone; all clones track the same tasks.
#[derive(Clone)]
pub(super) struct Tasks(TaskTracker);

impl Tasks {
    /// Nothing is under way.
    pub(super) fn new() -> Self {
        let tracker = TaskTracker::new();
        // Closed, the tracker reports that it is empty as soon as it is; it goes on taking tasks.
        tracker.close();
        Self(tracker)
    }

    /// Runs `task` to its end, whether or not anything awaits it.
    pub(super) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.spawn(task)
    }

    /// Runs `task` to its end even if the request that awaits its result is dropped: until then in place, and from then
    /// on as a task of its own.
    pub(super) fn outlive<F>(&self, task: F) -> Outliving<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Outliving {
            task: Some(Box::pin(task)),
            tasks: self.clone(),
            _under_way: self.0.token(),
        }
    }

    /// Returns when nothing is under way.
    pub(super) async fn drain(&self) {
        self.0.wait().await;
    }
}

/// A task in place; see [`Tasks::outlive`].
pub(super) struct Outliving<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    /// None once it has ended.
    task: Option<Pin<Box<F>>>,
    tasks: Tasks,
    _under_way: TaskTrackerToken,
}

impl<F> Future for Outliving<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    /// [`Error::Internal`] if the task panics, which ends it alone.
    type Output = Result<F::Output, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(task) = &mut self.task else {
            return Poll::Ready(Err(lost()));
        };
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(cx)));
        if let Ok(Poll::Pending) = polled {
            return Poll::Pending;
        }
        self.task = None;
        Poll::Ready(match polled {
            Ok(Poll::Ready(ended)) => Ok(ended),
            Ok(Poll::Pending) | Err(_) => Err(lost()),
        })
    }
}

impl<F> Drop for Outliving<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn drop(&mut self) {
        // Without a runtime, the process is about to end.
        if let Some(task) = self.task.take()
            && Handle::try_current().is_ok()
        {
            drop(self.tasks.spawn(task));
        }
    }
}

fn lost() -> Error {
    Error::Internal("a task was lost: it has panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_task_that_is_no_longer_awaited_goes_on_and_a_drain_waits_for_it() {
        let tasks = Tasks::new();
        let (release, wait) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let task = tasks.outlive(async move {
            let released = wait.await.is_ok();
            done.send(released)
        });
        assert!(timeout(Duration::ZERO, task).await.is_err());
        assert!(timeout(Duration::ZERO, tasks.drain()).await.is_err());
        release.send(()).unwrap();
        assert_eq!(timeout(PATIENCE, ended).await.unwrap(), Ok(true));
        timeout(PATIENCE, tasks.drain()).await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_ends_the_task_alone() {
        let tasks = Tasks::new();
        let ended = tasks.outlive::<_>(async { panic!("a fault in the program") });
        let ended: Result<(), Error> = ended.await;
        assert!(matches!(ended, Err(Error::Internal(_))));
        timeout(PATIENCE, tasks.drain()).await.unwrap();
    }

    #[tokio::test]
    async fn a_drain_waits_for_a_task_that_nothing_awaits() {
        let tasks = Tasks::new();
        let (release, wait) = oneshot::channel::<()>();
        drop(tasks.spawn(async move { wait.await.is_ok() }));
        let drained = tokio::spawn({
            let tasks = tasks.clone();
            async move { tasks.drain().await }
        });
        tokio::task::yield_now().await;
        assert!(!drained.is_finished());
        release.send(()).unwrap();
        drained.await.unwrap();
    }
}
