//! One suite for every back end: what the verbs promise, whatever is below them.
//! A test is a function of an open, empty store; [`for_each_back_end`] runs it on each.

mod accounts;
mod certificates;
mod external_keys;
mod harness;
mod load;
mod orders;
mod renewals;
mod retention;
mod reuse;
mod revocations;
mod subdomains;
mod verdicts;

/// Makes a `#[tokio::test]` of each named function for each way to open a store.
macro_rules! for_each_back_end {
    ($($(#[$attribute:meta])* $test:ident),+ $(,)?) => {
        mod sqlite_file {
            $(
                $(#[$attribute])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let folder = tempfile::tempdir().unwrap();
                    let path = folder.path().join("riser.sqlite3");
                    let store = crate::Store::open(&path, crate::Options::default()).unwrap();
                    super::$test(&store).await;
                    store.close().await;
                }
            )+
        }
        mod sqlite_ephemeral {
            $(
                $(#[$attribute])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let store = crate::Store::ephemeral().unwrap();
                    super::$test(&store).await;
                    store.close().await;
                }
            )+
        }
    };
}
use for_each_back_end;
