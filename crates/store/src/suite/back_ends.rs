//! The back ends that the suite runs on: each function opens an empty store, lends it to a test and closes it.

use crate::{Options, Store};

pub(super) async fn sqlite_file(test: impl AsyncFnOnce(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("riser.sqlite3"), Options::default()).unwrap();
    test(&store).await;
    store.close().await;
}

pub(super) async fn sqlite_ephemeral(test: impl AsyncFnOnce(&Store)) {
    let store = Store::ephemeral().unwrap();
    test(&store).await;
    store.close().await;
}
