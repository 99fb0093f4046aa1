//! Work that outlives the request that began it, counted so that a stop can wait for it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Counts tasks in flight.
#[derive(Clone)]
pub(crate) struct Work {
    running: Arc<watch::Sender<usize>>,
}

impl Work {
    /// Nothing in flight.
    pub(crate) fn new() -> Self {
        Self {
            running: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Runs `task` to its end, whether or not anybody waits for it.
    pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let guard = Guard::new(self.running.clone());
        tokio::spawn(async move {
            let _guard = guard;
            task.await
        })
    }

    /// Returns when nothing is in flight.
    pub(crate) async fn idle(&self) {
        // The sender lives in `self`, so the wait cannot end by its loss.
        let _ = self.running.subscribe().wait_for(|n| *n == 0).await;
    }
}

/// One task in flight, until dropped: also when the task panics.
struct Guard(Arc<watch::Sender<usize>>);

impl Guard {
    fn new(running: Arc<watch::Sender<usize>>) -> Self {
        running.send_modify(|n| *n += 1);
        Self(running)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn idle_waits_for_a_task_nobody_waits_for() {
        let work = Work::new();
        let (release, wait) = tokio::sync::oneshot::channel::<()>();
        drop(work.spawn(async move { wait.await.is_ok() }));
        let idle = tokio::spawn({
            let work = work.clone();
            async move { work.idle().await }
        });
        tokio::task::yield_now().await;
        assert!(!idle.is_finished());
        release.send(()).unwrap();
        idle.await.unwrap();
    }
}
