//! A few read-only connections, each used by one short read transaction at a time. A read of a few records by their
//! keys runs on the thread that asks for it, which takes less than to hand it over; scans run on blocking threads, and
//! so does everything for a while where the disk is slow.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task;

use crate::error::Error;

/// The pool of read-only connections.
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
    count: u32,
    on_workers: OnWorkers,
}

impl Readers {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(connections.len())),
            count: u32::try_from(connections.len()).unwrap_or(u32::MAX),
            idle: Arc::new(Mutex::new(connections)),
            on_workers: OnWorkers::new(),
        }
    }

    /// Runs `work` on one consistent view of the database, which holds all that was acknowledged before.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Closed)?;
        let idle = Arc::clone(&self.idle);
        let read = task::spawn_blocking(move || Reader::take(idle, permit)?.read(work));
        read.await.map_err(|_| Error::Closed)?
    }

    /// The same for `work` that takes some microseconds: on the calling thread where a connection is free and another
    /// thread of the runtime goes on.
    pub(crate) async fn look_up<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        // The connection first: a turn without one would count as a fast read.
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok();
        let both = permit.and_then(|permit| Some((self.on_workers.begin()?, permit)));
        let Some((turn, permit)) = both else {
            return self.run(work).await;
        };
        let reader = Reader::take(Arc::clone(&self.idle), permit)?;
        // A fault of the program ends this read alone, as on a thread of its own.
        let read = catch_unwind(AssertUnwindSafe(|| reader.read(work)));
        drop(turn);
        read.unwrap_or(Err(Error::Closed))
    }

    /// Waits for the reads under way and closes the connections.
    pub(crate) async fn close(&self) {
        let Ok(all) = self.permits.acquire_many(self.count).await else {
            return;
        };
        self.permits.close();
        drop(all);
        let idle = Arc::clone(&self.idle);
        // Only a runtime that is shutting down drops the task, and the connections with it.
        let _ = task::spawn_blocking(move || drop(lock(&idle).split_off(0))).await;
    }
}

/// A connection in use, which becomes idle again when this is dropped.
struct Reader {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Dropped last: the connection is idle again before the next reader may take one.
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    fn take(
        idle: Arc<Mutex<Vec<Connection>>>,
        permit: OwnedSemaphorePermit,
    ) -> Result<Self, Error> {
        let connection = lock(&idle).pop();
        if connection.is_none() {
            return Err(Error::Closed);
        }
        Ok(Self {
            connection,
            idle,
            _permit: permit,
        })
    }

    fn read<T>(self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let connection = self.connection.as_ref().ok_or(Error::Closed)?;
        let _view = View::open(connection)?;
        work(connection)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        lock(&self.idle).extend(self.connection.take());
    }
}

/// A view of the database that stays the same, until dropped.
struct View<'a>(&'a Connection);

impl<'a> View<'a> {
    fn open(connection: &'a Connection) -> Result<Self, Error> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(connection))
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        let end = |sql| self.0.prepare_cached(sql)?.execute([]);
        // A view that did not end would be the next reader's: BEGIN fails then.
        if end("COMMIT").is_err() {
            let _ = end("ROLLBACK");
        }
    }
}

/// Whether reads may run on threads of the runtime: on all but one at a time, and not where the disk was slow lately.
struct OnWorkers {
    running: AtomicUsize,
    began: Instant,
    /// How slow the reads were lately, in points.
    slowness: AtomicU64,
    /// Until when they may not, in milliseconds since `began`.
    barred_until: AtomicU64,
}

/// A read on a thread of the runtime.
struct Turn<'a> {
    of: &'a OnWorkers,
    began: Instant,
}

impl OnWorkers {
    fn new() -> Self {
        Self {
            running: AtomicUsize::new(0),
            began: Instant::now(),
            slowness: AtomicU64::new(0),
            barred_until: AtomicU64::new(0),
        }
    }

    fn begin(&self) -> Option<Turn<'_>> {
        let barred_until = self.barred_until.load(Ordering::Relaxed);
        if barred_until > 0 && self.millis() < barred_until {
            return None;
        }
        let workers = Handle::try_current().map_or(1, |it| it.metrics().num_workers());
        let more = |running: usize| (running + 1 < workers).then_some(running + 1);
        let begun = self
            .running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        begun.is_ok().then(|| Turn {
            of: self,
            began: Instant::now(),
        })
    }

    /// Judges a read that took so long. A thread that lost its processor during a read looks like one that waited for the
    /// disk, so one such read decides nothing.
    fn judge(&self, took: Duration) {
        // Approximate where two reads end at once.
        let so_far = self.slowness.load(Ordering::Relaxed);
        let slowness = match took {
            _ if took > HANGS => TOO_SLOW,
            _ if took > SLOW => so_far + POINTS,
            _ if so_far == 0 => return,
            _ => so_far - 1,
        };
        if slowness < TOO_SLOW {
            self.slowness.store(slowness, Ordering::Relaxed);
            return;
        }
        self.slowness.store(0, Ordering::Relaxed);
        let until = self.millis() + BARRED;
        self.barred_until.store(until, Ordering::Relaxed);
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.of.running.fetch_sub(1, Ordering::AcqRel);
        self.of.judge(self.began.elapsed());
    }
}

/// A panic elsewhere leaves the list intact.
fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A read that takes longer may have waited for the disk.
const SLOW: Duration = Duration::from_millis(1);
/// A read that takes longer has waited for the disk.
const HANGS: Duration = Duration::from_millis(40);
/// What a slow read counts; each other read takes one point away. So the disk is slow where a fifth of the reads are.
const POINTS: u64 = 4;
/// The points from which the disk is slow.
const TOO_SLOW: u64 = 16;
/// How long all reads run on blocking threads after that, in milliseconds.
const BARRED: u64 = 1000;

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use tokio::time::{interval, timeout};

    use super::*;

    const DELAY: Duration = Duration::from_millis(50);

    fn readers() -> Readers {
        let open = |_| Connection::open_in_memory().unwrap();
        Readers::new((0..4).map(open).collect())
    }

    async fn thread_of(readers: &Readers) -> ThreadId {
        let read = readers.look_up(|_| Ok(thread::current().id()));
        read.await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn others_go_on_while_the_disk_takes_50_ms_for_each_read() {
        let readers = Arc::new(readers());
        let asking: Vec<_> = (0..64)
            .map(|_| {
                let readers = Arc::clone(&readers);
                tokio::spawn(async move {
                    let slow = |_: &Connection| {
                        thread::sleep(DELAY);
                        Ok(())
                    };
                    readers.look_up(slow).await
                })
            })
            .collect();
        let other = tokio::spawn(async {
            let mut ticks = interval(Duration::from_millis(1));
            let mut longest = Duration::ZERO;
            for _ in 0..300 {
                let began = Instant::now();
                ticks.tick().await;
                longest = longest.max(began.elapsed());
            }
            longest
        });
        let longest = other.await.unwrap();
        assert!(longest < Duration::from_millis(100), "{longest:?}");
        for asked in asking {
            assert_eq!(asked.await.unwrap(), Ok(()));
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_look_up_stays_on_its_thread_until_one_was_slow() {
        let readers = Arc::new(readers());
        tokio::spawn(async move {
            assert_eq!(thread_of(&readers).await, thread::current().id());
            let slow = |_: &Connection| {
                thread::sleep(DELAY);
                Ok(())
            };
            readers.look_up(slow).await.unwrap();
            assert_ne!(thread_of(&readers).await, thread::current().id());
        })
        .await
        .unwrap();
    }

    #[test]
    fn the_disk_is_slow_where_a_fifth_of_the_reads_are_or_one_hangs() {
        let (fast, slow) = (Duration::from_micros(20), Duration::from_millis(5));
        let barred_after = |reads: &[Duration]| {
            let on_workers = OnWorkers::new();
            let all = reads.iter().cycle().take(1000);
            let mut judged = all.map(|took| on_workers.judge(*took));
            judged.position(|()| on_workers.barred_until.load(Ordering::Relaxed) > 0)
        };
        assert_eq!(barred_after(&[slow]), Some(3));
        assert_eq!(barred_after(&[fast, DELAY]), Some(1));
        assert!(barred_after(&[slow, fast, fast]).is_some());
        assert_eq!(barred_after(&[slow, fast, fast, fast, fast]), None);
    }

    #[tokio::test]
    async fn the_only_thread_of_a_runtime_does_not_read() {
        let readers = readers();
        assert_ne!(thread_of(&readers).await, thread::current().id());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_in_a_look_up_is_an_error_and_the_connection_is_used_again() {
        let readers = Arc::new(readers());
        let asked = tokio::spawn(async move {
            for _ in 0..8 {
                let lost = readers.look_up::<(), _>(|_| panic!("a fault in the program"));
                assert_eq!(lost.await, Err(Error::Closed));
            }
            let read = readers.look_up(|view| Ok(view.is_autocommit())).await;
            assert_eq!(read, Ok(false));
        });
        timeout(Duration::from_secs(60), asked)
            .await
            .unwrap()
            .unwrap();
    }
}
