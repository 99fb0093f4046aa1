//! What the engine promises whatever the verbs: grouping, truth about failures, one process, durability.

use std::cell::Cell;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::{Options, Store, Synchronous};
use crate::error::{Error, OpenError};

mod groups;

const PATIENCE: Duration = Duration::from_secs(60);
const CHILD: &str = "RISER_STORE_TEST_CHILD";

async fn with_table(path: &Path) -> Store {
    let store = Store::open(path, Options::default()).unwrap();
    store
        .write(|connection| Ok(connection.execute_batch("CREATE TABLE t (v BLOB) STRICT")?))
        .await
        .unwrap();
    store
}

fn insert(connection: &Connection, value: &[u8]) -> Result<(), Error> {
    connection
        .prepare_cached("INSERT INTO t (v) VALUES (?1)")?
        .execute([value])?;
    Ok(())
}

async fn count(store: &Store) -> i64 {
    let count = store.read(|connection| {
        Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
    });
    count.await.unwrap()
}

/// Holds the writer inside a job, so that what is queued meanwhile becomes one group.
struct Gate {
    open: mpsc::Sender<()>,
    job: JoinHandle<Result<(), Error>>,
}

impl Gate {
    async fn close(store: &Store) -> Self {
        let (open, opened) = mpsc::channel::<()>();
        let (reached, inside) = tokio::sync::oneshot::channel();
        let reached = Cell::new(Some(reached));
        let store = store.clone();
        let job = tokio::spawn(async move {
            let work = move |_: &Connection| {
                reached.take().map(|reached| reached.send(()));
                let _ = opened.recv();
                Ok(())
            };
            store.write(work).await
        });
        inside.await.unwrap();
        Self { open, job }
    }

    async fn open(self) {
        self.open.send(()).unwrap();
        self.job.await.unwrap().unwrap();
    }
}

/// Queues jobs in this order behind a gate and returns what each of them heard.
async fn in_one_group<T, F>(store: &Store, jobs: Vec<F>) -> Vec<Result<T, Error>>
where
    T: Send + 'static,
    F: Fn(&Connection) -> Result<T, Error> + Send + 'static,
{
    let gate = Gate::close(store).await;
    let mut answers = Vec::new();
    for job in jobs {
        let waiting = store.parts.writer.waiting();
        let store = store.clone();
        answers.push(tokio::spawn({
            let store = store.clone();
            async move { store.write(job).await }
        }));
        while store.parts.writer.waiting() == waiting {
            tokio::task::yield_now().await;
        }
    }
    gate.open().await;
    let mut heard = Vec::new();
    for answer in answers {
        heard.push(timeout(PATIENCE, answer).await.unwrap().unwrap());
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    let before = store.figures();
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..50 {
                let work = |connection: &Connection| insert(connection, &[1; 100]);
                store.write(work).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let after = store.figures();
    let transactions = after.transactions - before.transactions;
    let commits = after.commits - before.commits;
    assert_eq!(transactions, 64 * 50);
    assert!(commits * 2 <= transactions, "{commits} commits");
    assert_eq!(count(&store).await, 64 * 50);
}

#[tokio::test]
async fn what_waits_together_is_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    let before = store.figures();
    let jobs = vec![|connection: &Connection| insert(connection, b"x"); 100];
    let heard = in_one_group(&store, jobs).await;
    assert!(heard.iter().all(Result::is_ok));
    let after = store.figures();
    assert_eq!(after.transactions - before.transactions, 101);
    // The gate has one of its own.
    assert_eq!(after.commits - before.commits, 2);
}

#[tokio::test]
async fn a_failed_job_undoes_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    let jobs: Vec<_> = (0..10)
        .map(|turn| {
            move |connection: &Connection| {
                insert(connection, b"x")?;
                if turn % 2 == 0 {
                    return Err(Error::Conflict(turn.to_string()));
                }
                Ok(turn)
            }
        })
        .collect();
    let heard = in_one_group(&store, jobs).await;
    for (turn, heard) in heard.into_iter().enumerate() {
        if turn % 2 == 0 {
            assert_eq!(heard, Err(Error::Conflict(turn.to_string())));
        } else {
            assert_eq!(heard, Ok(turn));
        }
    }
    assert_eq!(count(&store).await, 5);
}

/// Lets the file grow by `pages` at most.
fn limit(connection: &Connection, pages: i64) -> Result<(), Error> {
    let now: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    let limit = |_: &rusqlite::Row<'_>| Ok(());
    connection.pragma_update_and_check(None, "max_page_count", now + pages, limit)?;
    Ok(())
}

#[tokio::test]
async fn a_disk_that_fills_inside_a_group_gives_every_caller_its_true_result() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    store
        .write(|connection| limit(connection, 40))
        .await
        .unwrap();
    // Small ones fit; the one in the middle does not, and SQLite drops the whole transaction.
    let jobs: Vec<_> = (0..20)
        .map(|turn| {
            let size = if turn == 10 { 1 << 20 } else { 100 };
            move |connection: &Connection| {
                let value = vec![u8::try_from(turn).unwrap(); size];
                insert(connection, &value)?;
                Ok(turn)
            }
        })
        .collect();
    let heard = in_one_group(&store, jobs).await;

    assert_eq!(heard[10], Err(Error::Full));
    let told_ok: Vec<i64> = heard.iter().flatten().copied().collect();
    assert_eq!(stored(&store).await, told_ok);
    for refused in heard.iter().filter_map(|it| it.as_ref().err()) {
        assert_eq!(refused, &Error::Full);
    }
    assert_eq!(
        told_ok,
        (11..20).collect::<Vec<i64>>(),
        "what had not run goes into the next group"
    );

    // With space again, everything goes on.
    store
        .write(|connection| limit(connection, 10_000))
        .await
        .unwrap();
    let big = |connection: &Connection| insert(connection, &[99; 1 << 20]);
    assert_eq!(store.write(big).await, Ok(()));
    assert_eq!(count(&store).await, 10);
}

/// The first byte of each value, in the order of insertion.
async fn stored(store: &Store) -> Vec<i64> {
    let first_bytes = |connection: &Connection| {
        let mut statement = connection.prepare("SELECT v FROM t ORDER BY rowid")?;
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
        let values = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(values.iter().map(|value| i64::from(value[0])).collect())
    };
    store.read(first_bytes).await.unwrap()
}

#[tokio::test]
async fn a_refusal_reached_in_a_lost_group_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    type Work = Box<dyn Fn(&Connection) -> Result<(), Error> + Send>;
    let refuse: Work = Box::new(|_| Err(Error::Conflict("seen in the group".to_owned())));
    let lose: Work = Box::new(|connection| Ok(connection.execute_batch("ROLLBACK")?));
    let heard = in_one_group(&store, vec![refuse, lose]).await;
    for heard in heard {
        assert!(matches!(heard, Err(Error::Unavailable(_))), "{heard:?}");
    }
    let write = |connection: &Connection| insert(connection, b"x");
    assert_eq!(store.write(write).await, Ok(()));
}

#[tokio::test]
async fn a_refusal_by_the_job_that_loses_the_group_is_an_outage_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    type Work = Box<dyn Fn(&Connection) -> Result<(), Error> + Send>;
    let write: Work = Box::new(|connection| insert(connection, b"x"));
    let lose: Work = Box::new(|connection| {
        connection.execute_batch("ROLLBACK")?;
        Err(Error::Conflict("seen in the group".to_owned()))
    });
    for heard in in_one_group(&store, vec![write, lose]).await {
        assert!(matches!(heard, Err(Error::Unavailable(_))), "{heard:?}");
    }
    assert_eq!(count(&store).await, 0);
}

#[tokio::test]
async fn a_second_handle_on_one_file_is_refused_and_the_file_is_free_after_a_drop() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let store = with_table(&path).await;
    let again = folder
        .path()
        .join("../")
        .join(folder.path())
        .join("a.sqlite3");
    for path in [&path, &again] {
        let refused = Store::open(path, Options::default()).unwrap_err();
        let OpenError::Locked { process, .. } = &refused else {
            panic!("{refused}");
        };
        assert_eq!(*process, Some(std::process::id()));
        assert!(refused.to_string().contains("a.sqlite3 is in use by"));
    }
    drop(store);
    let store = Store::open(&path, Options::default()).unwrap();
    assert_eq!(count(&store).await, 0);
}

/// The other process of the next test: stores one row after the other and says so, until it is killed.
#[tokio::test]
#[ignore = "run by another test, in a process of its own"]
async fn child_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let store = with_table(Path::new(&path)).await;
    for turn in (0..=u8::MAX).cycle() {
        let work = move |connection: &Connection| insert(connection, &[turn; 5000]);
        store.write(work).await.unwrap();
        println!("stored {turn}");
    }
}

#[tokio::test]
async fn a_killed_process_frees_the_file_and_leaves_all_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture"])
        .arg("sqlite::tests::child_that_writes_until_it_is_killed")
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = |line: &str| line.contains("stored ");
    let mut stored = 0;
    while stored < 50 {
        stored += usize::from(acknowledged(&output.next().unwrap().unwrap()));
    }
    let refused = Store::open(&path, Options::default()).unwrap_err();
    let OpenError::Locked { process, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(process, Some(child.id()));

    child.kill().unwrap();
    child.wait().unwrap();
    stored += output
        .filter(|line| acknowledged(line.as_ref().unwrap()))
        .count();
    let store = Store::open(&path, Options::default()).unwrap();
    assert!(usize::try_from(count(&store).await).unwrap() >= stored);
}

#[tokio::test]
async fn a_store_that_is_dropped_and_opened_again_has_lost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("folder").join("a.sqlite3");
    let mut expected = 0;
    let store = with_table(&path).await;
    drop(store);
    for _ in 0..3 {
        let store = Store::open(&path, Options::default()).unwrap();
        assert_eq!(count(&store).await, expected);
        let write = |connection: &Connection| insert(connection, b"x");
        store.write(write).await.unwrap();
        expected += 1;
    }
}

#[tokio::test]
async fn the_files_of_a_running_store_hold_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let store = with_table(&path).await;
    // More than the log holds before it is copied.
    for _ in 0..40 {
        let write = |connection: &Connection| insert(connection, &[7; 200_000]);
        store.write(write).await.unwrap();
    }
    // What a crash at this moment would leave, but for the index of the log, which is rebuilt.
    let crash = folder.path().join("crash.sqlite3");
    std::fs::copy(
        folder.path().join("a.sqlite3-wal"),
        folder.path().join("crash.sqlite3-wal"),
    )
    .unwrap();
    std::fs::copy(&path, &crash).unwrap();
    let after = Store::open(&crash, Options::default()).unwrap();
    assert_eq!(count(&after).await, 40);
}

#[tokio::test]
async fn a_close_lets_what_is_queued_run_and_refuses_what_comes_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let store = with_table(&path).await;
    let gate = Gate::close(&store).await;
    let queued = tokio::spawn({
        let store = store.clone();
        async move { store.write(|connection| insert(connection, b"x")).await }
    });
    while store.parts.writer.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    // The job and the request to close.
    while store.parts.writer.waiting() < 2 {
        tokio::task::yield_now().await;
    }
    gate.open().await;
    closing.await.unwrap();
    assert_eq!(queued.await.unwrap(), Ok(()));
    let late = store.write(|connection| insert(connection, b"x")).await;
    assert_eq!(late, Err(Error::Closed));
    assert_eq!(store.read(|_| Ok(())).await, Err(Error::Closed));
    store.close().await;
    let log = std::fs::metadata(folder.path().join("a.sqlite3-wal")).unwrap();
    assert_eq!(
        log.len(),
        0,
        "the file holds everything, the log stays ready"
    );
    let again = Store::open(&path, Options::default()).unwrap();
    assert_eq!(count(&again).await, 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_has_its_own_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    std::fs::write(&path, [b'x'; 8192]).unwrap();
    let refused = Store::open(&path, Options::default());
    assert!(
        matches!(refused, Err(OpenError::Corrupt { .. })),
        "{refused:?}"
    );
    let refused = Store::open(Path::new("/proc/no/store"), Options::default());
    assert!(matches!(refused, Err(OpenError::Io { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let store = with_table(&path).await;
    store
        .write(|connection| {
            let sql = "INSERT INTO schema_version VALUES (1000, 'future', 0)";
            Ok(connection.execute_batch(sql)?)
        })
        .await
        .unwrap();
    store.close().await;
    let refused = Store::open(&path, Options::default());
    assert!(
        matches!(refused, Err(OpenError::Newer { found: 1000, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn the_file_is_private_and_synchronous() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let store = with_table(&path).await;
    for file in ["a.sqlite3", "a.sqlite3-wal", "a.sqlite3-lock"] {
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let settings = |connection: &Connection| {
        let synchronous = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok::<(i64, String), Error>((synchronous, journal))
    };
    assert_eq!(store.write(settings).await, Ok((2, "wal".to_owned())));
    drop(store);
    let options = Options {
        synchronous: Synchronous::Normal,
        ..Options::default()
    };
    let store = Store::open(&path, options).unwrap();
    assert_eq!(store.write(settings).await, Ok((1, "wal".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_while_writers_never_pause() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite3");
    let store = with_table(&path).await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            for _ in 0..100 {
                let work = |connection: &Connection| insert(connection, &[1; 60_000]);
                store.write(work).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let log = std::fs::metadata(folder.path().join("a.sqlite3-wal"))
        .unwrap()
        .len();
    // The 8000 pages at which the writer waits, and the last group.
    assert!(log < 36 << 20, "{log} bytes");
}
