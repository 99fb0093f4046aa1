//! The one writer: an OS thread that gathers waiting jobs into one durable commit.
//! No caller gets its answer before COMMIT has returned, and none gets "stored" for what was rolled back.
//!
//! A job that fails undoes itself alone. That is rare, so a savepoint for each job is paid for only then: where a job
//! fails after it has written, the group is rolled back and repeated with savepoints. A job may therefore run twice.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::account_cache::AccountCache;
use super::checkpoint::Checkpoints;
use crate::error::Error;

/// Counts of what the writer has made durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Transactions acknowledged.
    pub transactions: u64,
    /// Commits that carried them.
    pub commits: u64,
}

/// The end of the queue that callers hold.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
    failed: watch::Receiver<bool>,
}

/// Tells of a panic of the thread that it is dropped in.
struct Alarm(watch::Sender<bool>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send_replace(true);
        }
    }
}

impl Writer {
    /// Starts the thread. `held` (the lock of the file) is released after the connection is closed.
    pub(crate) fn start<H: Send + 'static>(
        connection: Connection,
        checkpoints: Checkpoints,
        accounts: Arc<AccountCache>,
        group_limit: usize,
        held: H,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let counters = Arc::new(Counters::default());
        let (alarm, failed) = watch::channel(false);
        let mut group = Groups {
            connection,
            checkpoints,
            accounts,
            counters: Arc::clone(&counters),
            waiting: VecDeque::new(),
            limit: group_limit.max(1),
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                let _alarm = Alarm(alarm);
                let closing = group.serve(jobs);
                group.finish();
                drop(held);
                if let Some(done) = closing {
                    // The caller of `close` may have stopped waiting.
                    let _ = done.send(());
                }
            })?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            counters,
            failed,
        })
    }

    /// Runs `work` in a transaction of its own and returns when that transaction is durable.
    /// Work that returns an error leaves no trace. It is run even if the caller stops waiting, and again where its
    /// transaction did not last.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task {
            work,
            outcome: None,
            reply,
        };
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        let sent = queue.send(Message::Job(Box::new(task))).await;
        sent.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Lets what is queued run, then closes the database. Returns at once when it is closed already.
    pub(crate) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if let Some(queue) = &self.queue
            && queue.send(Message::Close(done)).await.is_ok()
        {
            // An error means that the thread is gone, which is what was asked for.
            let _ = closed.await;
        }
    }

    /// Whether the thread has panicked: nothing is written any more.
    pub(crate) fn has_failed(&self) -> bool {
        *self.failed.borrow()
    }

    /// Returns when the thread has panicked.
    pub(crate) async fn failed(&self) {
        let mut failed = self.failed.clone();
        if failed.wait_for(|failed| *failed).await.is_err() {
            // It has ended as it was asked to.
            std::future::pending().await
        }
    }

    /// Jobs that are queued and not yet taken up.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        let queue = self.queue.as_ref();
        queue.map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures {
            transactions: self.counters.transactions.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that the file is free when the last handle is gone.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed already.
            let _ = thread.join();
        }
    }
}

#[derive(Default)]
struct Counters {
    transactions: AtomicU64,
    commits: AtomicU64,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

trait Job: Send {
    /// Runs the work inside the open transaction; the error is what the caller will get.
    fn run(&mut self, connection: &Connection) -> Result<(), Error>;
    /// Answers the caller: with the work's own outcome, or with `lost` where the group did not last.
    fn answer(self: Box<Self>, lost: Option<&Error>);
}

struct Task<F, T> {
    work: F,
    outcome: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<F, T> Job for Task<F, T>
where
    T: Send,
    F: Fn(&Connection) -> Result<T, Error> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Error> {
        let outcome = (self.work)(connection);
        let result = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        result
    }

    fn answer(self: Box<Self>, lost: Option<&Error>) {
        let answer = match (lost, self.outcome) {
            (Some(lost), _) => Err(lost.clone()),
            (None, Some(outcome)) => outcome,
            (None, None) => Err(Error::Closed),
        };
        // The caller may have stopped waiting; what was written stays.
        let _ = self.reply.send(answer);
    }
}

/// The thread's own state.
struct Groups {
    connection: Connection,
    checkpoints: Checkpoints,
    accounts: Arc<AccountCache>,
    counters: Arc<Counters>,
    waiting: VecDeque<Box<dyn Job>>,
    limit: usize,
}

impl Groups {
    /// Works until every sender is gone or a close has been asked for and the queue is empty.
    fn serve(&mut self, mut jobs: mpsc::Receiver<Message>) -> Option<oneshot::Sender<()>> {
        let mut closing = None;
        loop {
            if self.waiting.is_empty() {
                match jobs.blocking_recv() {
                    Some(Message::Job(job)) => self.waiting.push_back(job),
                    Some(Message::Close(done)) => {
                        jobs.close();
                        closing = Some(done);
                        continue;
                    }
                    None => return closing,
                }
            }
            while self.waiting.len() < self.limit {
                match jobs.try_recv() {
                    Ok(Message::Job(job)) => self.waiting.push_back(job),
                    Ok(Message::Close(done)) => {
                        jobs.close();
                        closing = Some(done);
                    }
                    Err(_) => break,
                }
            }
            self.group();
            self.checkpoints.between_groups(&self.connection);
        }
    }

    /// Runs the waiting jobs as one transaction. Where SQLite drops the transaction under way, the group ends there and
    /// the jobs that did not run stay for the next one; otherwise later jobs would commit by themselves.
    fn group(&mut self) {
        let mut ran = Vec::with_capacity(self.waiting.len());
        let mut run = match self.run_all(&mut ran, bare) {
            Err(GroupOver::Spoilt) if ran.len() + self.waiting.len() > 1 => {
                ran.drain(..)
                    .rev()
                    .for_each(|job| self.waiting.push_front(job));
                self.run_all(&mut ran, in_savepoint)
            }
            run => run,
        };
        if let Ok(succeeded) = &run {
            run = match execute(&self.connection, "COMMIT") {
                Ok(()) => Ok(*succeeded),
                Err(error) => Err(GroupOver::Lost(error)),
            };
        }
        match run {
            Ok(succeeded) => self.committed(succeeded),
            // It was alone, and what it wrote is undone.
            Err(GroupOver::Spoilt) => {}
            Err(GroupOver::Lost(error)) => return self.give_up(ran, error),
        }
        ran.into_iter().for_each(|job| job.answer(None));
    }

    /// Runs the waiting jobs in a new transaction, each by `step`, and moves them to `ran`. Returns how many are part of
    /// what will be committed. There is no transaction any more where one has spoilt it.
    fn run_all(&mut self, ran: &mut Vec<Box<dyn Job>>, step: Step) -> Result<u64, GroupOver> {
        if let Err(error) = execute(&self.connection, "BEGIN IMMEDIATE") {
            ran.extend(self.waiting.drain(..));
            return Err(GroupOver::Lost(error));
        }
        let mut succeeded = 0;
        while let Some(mut job) = self.waiting.pop_front() {
            let kept = step(&self.connection, job.as_mut());
            ran.push(job);
            succeeded += u64::from(kept?);
        }
        Ok(succeeded)
    }

    /// What follows a commit before anybody gets an answer.
    fn committed(&self, succeeded: u64) {
        self.accounts.forget_changed();
        let counters = &self.counters;
        counters
            .transactions
            .fetch_add(succeeded, Ordering::Relaxed);
        counters.commits.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes sure that no transaction is left open and answers each caller that nothing was stored.
    fn give_up(&self, jobs: Vec<Box<dyn Job>>, error: Error) {
        if !self.connection.is_autocommit()
            && let Err(again) = execute(&self.connection, "ROLLBACK")
        {
            tracing::error!(event = "store_rollback_failed", error = %again);
        }
        let error = lasting(error);
        tracing::error!(event = "store_group_lost", error = %error, jobs = jobs.len());
        jobs.into_iter().for_each(|job| job.answer(Some(&error)));
    }

    fn finish(self) {
        self.checkpoints.stop(&self.connection);
        if let Err((_, error)) = self.connection.close() {
            tracing::error!(event = "store_close_failed", error = %error);
        }
    }
}

/// Why a group is not committed.
enum GroupOver {
    /// The transaction is gone, or can no longer be trusted, for this reason.
    Lost(Error),
    /// A job has failed and left something behind; all is rolled back.
    Spoilt,
}

/// How one job runs. Returns whether it is part of what will be committed.
type Step = fn(&Connection, &mut dyn Job) -> Result<bool, GroupOver>;

/// Runs one job without a savepoint: where it fails after it has written, the whole group is rolled back.
fn bare(connection: &Connection, job: &mut dyn Job) -> Result<bool, GroupOver> {
    let before = connection.total_changes();
    let outcome = job.run(connection);
    if connection.is_autocommit() {
        return Err(GroupOver::Lost(outcome.err().unwrap_or_else(dropped)));
    }
    if outcome.is_err() && connection.total_changes() != before {
        execute(connection, "ROLLBACK").map_err(GroupOver::Lost)?;
        return Err(GroupOver::Spoilt);
    }
    Ok(outcome.is_ok())
}

/// Runs one job so that its failure undoes it alone.
fn in_savepoint(connection: &Connection, job: &mut dyn Job) -> Result<bool, GroupOver> {
    execute(connection, "SAVEPOINT job").map_err(GroupOver::Lost)?;
    let outcome = job.run(connection);
    if connection.is_autocommit() {
        return Err(GroupOver::Lost(outcome.err().unwrap_or_else(dropped)));
    }
    if outcome.is_err() {
        execute(connection, "ROLLBACK TO job").map_err(GroupOver::Lost)?;
    }
    execute(connection, "RELEASE job").map_err(GroupOver::Lost)?;
    Ok(outcome.is_ok())
}

fn execute(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// What the callers of a lost group get: a refusal that rests on rolled-back writes is not one.
fn lasting(error: Error) -> Error {
    if error.is_outage() {
        error
    } else {
        Error::Unavailable(error.to_string())
    }
}

fn dropped() -> Error {
    Error::Unavailable("the transaction was dropped".to_owned())
}

/// Jobs that may wait before callers are held back.
const QUEUE: usize = 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use crate::error::Error;
    use crate::sqlite::{Options, Store};

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_panic_of_the_writer_is_known_at_once_and_ends_every_write() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("s"), Options::default()).unwrap();
        assert!(!store.has_failed());
        assert!(timeout(Duration::ZERO, store.failed()).await.is_err());
        let lost = store.write::<(), _>(|_| panic!("a fault in the program"));
        assert_eq!(lost.await, Err(Error::Closed));
        timeout(PATIENCE, store.failed()).await.unwrap();
        assert!(store.has_failed());
        assert_eq!(store.write(|_| Ok(())).await, Err(Error::Closed));
        assert_eq!(store.read(|_| Ok(())).await, Ok(()), "reading goes on");
    }
}
