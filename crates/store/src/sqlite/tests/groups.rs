//! When jobs run again, and what a job that fails alone leaves behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;

use super::{count, in_one_group, insert, with_table};
use crate::error::Error;

#[tokio::test]
async fn a_group_is_repeated_only_where_a_failed_job_had_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    for (writes, runs) in [(false, 1), (true, 2)] {
        let ran = Arc::new(AtomicUsize::new(0));
        type Work = Box<dyn Fn(&Connection) -> Result<(), Error> + Send>;
        let counted = Arc::clone(&ran);
        let good: Work = Box::new(move |connection| {
            counted.fetch_add(1, Ordering::Relaxed);
            insert(connection, b"x")
        });
        let bad: Work = Box::new(move |connection| {
            if writes {
                insert(connection, b"y")?;
            }
            Err(Error::NotFound)
        });
        let heard = in_one_group(&store, vec![good, bad]).await;
        assert_eq!(heard, [Ok(()), Err(Error::NotFound)]);
        assert_eq!(ran.load(Ordering::Relaxed), runs);
    }
    assert_eq!(count(&store).await, 2);
}

#[tokio::test]
async fn a_job_that_fails_alone_leaves_nothing_and_the_next_one_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = with_table(&folder.path().join("a.sqlite3")).await;
    let bad = |connection: &Connection| {
        insert(connection, b"y")?;
        Err::<(), _>(Error::NotFound)
    };
    assert_eq!(store.write(bad).await, Err(Error::NotFound));
    let good = |connection: &Connection| insert(connection, b"x");
    assert_eq!(store.write(good).await, Ok(()));
    assert_eq!(count(&store).await, 1);
}
