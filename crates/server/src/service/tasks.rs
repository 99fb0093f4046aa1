//! Tasks that outlive the request that began them, tracked so that a stop can wait for them.

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

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

    /// Runs `task` to its end even if the request that awaits its result is dropped.
    ///
    /// # Errors
    /// Those of the task; [`Error::Internal`] if it panics.
    pub(super) async fn outlive<F, T>(&self, task: F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let ended = self.spawn(task).await;
        ended.unwrap_or_else(|lost| Err(Error::Internal(format!("a task was lost: {lost}"))))
    }

    /// Returns when nothing is under way.
    pub(super) async fn drain(&self) {
        self.0.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_a_task_that_nothing_awaits() {
        let tasks = Tasks::new();
        let (release, wait) = tokio::sync::oneshot::channel::<()>();
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
