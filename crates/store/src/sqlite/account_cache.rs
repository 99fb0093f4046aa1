//! Accounts with their parsed keys, kept between requests: every request reads the account that signs it.
//!
//! The writer forgets what a transaction has changed after its COMMIT and before its answers, so that whoever has been
//! told of a change never sees the account as it was. What changes, triggers on the writer's connection report: no
//! verb has to think of it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acme::account::Account;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use uuid::Uuid;

use super::column::Id;

/// The accounts that were read lately.
#[derive(Default)]
pub(super) struct AccountCache(Mutex<State>);

#[derive(Default)]
struct State {
    /// Used since they were last exchanged.
    recent: HashMap<Uuid, Account>,
    /// Not used since.
    earlier: HashMap<Uuid, Account>,
    /// How often accounts have been forgotten.
    revision: u64,
    changed: Changed,
}

/// What transactions have changed that are not committed yet.
#[derive(Default)]
struct Changed {
    accounts: HashSet<Uuid>,
    /// Something has changed that concerns accounts without naming them.
    any: bool,
}

/// What is known of an account.
pub(super) enum Known {
    /// The account.
    Account(Account),
    /// Nothing; an account that is read from now on is as of this revision.
    Nothing(u64),
}

impl AccountCache {
    /// Watches what this connection changes. Its triggers are its own: the file does not get them.
    pub(super) fn watch(self: &Arc<Self>, writer: &Connection) -> rusqlite::Result<()> {
        let cache = Arc::clone(self);
        let flags = FunctionFlags::SQLITE_UTF8;
        writer.create_scalar_function("account_changed", 1, flags, move |context| {
            let account = context.get::<Option<Id>>(0)?;
            cache.note(account.map(|id| id.0));
            Ok(0)
        })?;
        writer.execute_batch(TRIGGERS)
    }

    /// The account, or since when it is unknown.
    pub(super) fn find(&self, id: Uuid) -> Known {
        let mut state = self.state();
        if let Some(account) = state.recent.get(&id) {
            return Known::Account(account.clone());
        }
        match state.earlier.remove(&id) {
            Some(account) => {
                state.insert(account.clone());
                Known::Account(account)
            }
            None => Known::Nothing(state.revision),
        }
    }

    /// Keeps an account that was read after `revision` was taken, unless something was forgotten since: the account
    /// may have changed after it was read.
    pub(super) fn keep(&self, account: &Account, revision: u64) {
        let mut state = self.state();
        if state.revision == revision {
            state.insert(account.clone());
        }
    }

    /// Forgets what the transactions have changed that are committed now.
    pub(super) fn forget_changed(&self) {
        let mut state = self.state();
        let Changed { accounts, any } = std::mem::take(&mut state.changed);
        if accounts.is_empty() && !any {
            return;
        }
        if any {
            return state.forget_all();
        }
        state.revision += 1;
        for id in accounts {
            state.recent.remove(&id);
            state.earlier.remove(&id);
        }
    }

    /// Forgets all accounts; nothing that is being read now is kept.
    pub(super) fn clear(&self) {
        self.state().forget_all();
    }

    /// Notes that a transaction under way changes an account, or any.
    fn note(&self, account: Option<Uuid>) {
        let mut state = self.state();
        match account {
            Some(id) => {
                state.changed.accounts.insert(id);
            }
            None => state.changed.any = true,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_all(&mut self) {
        self.revision += 1;
        self.recent.clear();
        self.earlier.clear();
    }

    /// Keeps at most twice [`KEPT`] accounts: those used lately, and those used before.
    fn insert(&mut self, account: Account) {
        if self.recent.len() >= KEPT {
            self.earlier = std::mem::take(&mut self.recent);
        }
        self.recent.insert(account.id, account);
    }
}

/// Half of the most accounts that are kept. One takes about a kilobyte.
const KEPT: usize = 1024;
/// An account is its row, and whether permits name it or the external account key that bound it.
const TRIGGERS: &str = "
CREATE TEMP TRIGGER account_is_changed AFTER UPDATE ON main.accounts
BEGIN SELECT account_changed(old.id); END;
CREATE TEMP TRIGGER account_is_deleted AFTER DELETE ON main.accounts
BEGIN SELECT account_changed(old.id); END;
CREATE TEMP TRIGGER permit_is_added AFTER INSERT ON main.permits
BEGIN SELECT account_changed(new.account_id); END;
CREATE TEMP TRIGGER permit_is_changed AFTER UPDATE ON main.permits
BEGIN SELECT account_changed(NULL); END;
CREATE TEMP TRIGGER permit_is_deleted AFTER DELETE ON main.permits
BEGIN SELECT account_changed(old.account_id); END;
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Accounts as _;
    use crate::sqlite::{Options, Store, accounts};
    use crate::suite::harness;

    /// Changes of an account's row, and of permits that name the account, its external account key, and both.
    const CHANGES: [&str; 9] = [
        "UPDATE accounts SET contact = '[]'",
        "UPDATE accounts SET external_key = 'k', external_binding = '{}'",
        "INSERT INTO permits SELECT x'01', provisioner, id, NULL, 'a.example', NULL, 'root', 1 FROM accounts",
        "DELETE FROM permits",
        "INSERT INTO permits VALUES (x'01', 'acme', NULL, 'k', 'a.example', NULL, 'root', 1)",
        "UPDATE permits SET external_key = 'another'",
        "UPDATE permits SET external_key = 'k'",
        "DELETE FROM permits",
        "UPDATE accounts SET status = 'deactivated'",
    ];

    async fn with_account() -> (tempfile::TempDir, Store, Account) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("s"), Options::default()).unwrap();
        let account = harness::account(&store).await;
        (folder, store, account)
    }

    async fn stored(store: &Store, id: Uuid) -> Option<Account> {
        let load = store.read(move |connection| accounts::load(connection, id));
        load.await.unwrap()
    }

    async fn change(store: &Store, sql: &'static str) {
        let change = store.write(move |connection| Ok(connection.execute_batch(sql)?));
        change.await.unwrap();
    }

    #[tokio::test]
    async fn a_change_is_seen_as_soon_as_it_is_acknowledged_whatever_made_it() {
        let (_folder, store, account) = with_account().await;
        let mut last = store.account(account.id).await.unwrap();
        for sql in CHANGES {
            let known = store.parts.accounts.find(account.id);
            assert!(matches!(known, Known::Account(_)), "before {sql}");
            change(&store, sql).await;
            let seen = store.account(account.id).await.unwrap();
            assert_eq!(seen, stored(&store, account.id).await, "after {sql}");
            assert_ne!(seen, last, "{sql} changes the account");
            last = seen;
        }
    }

    #[tokio::test]
    async fn an_account_that_was_read_before_a_change_is_not_kept_after_it() {
        let (_folder, store, account) = with_account().await;
        let cache = &store.parts.accounts;
        let Known::Nothing(revision) = cache.find(account.id) else {
            panic!("nobody has read it");
        };
        let read = stored(&store, account.id).await.unwrap();
        change(&store, CHANGES[0]).await;
        cache.keep(&read, revision);
        let seen = store.account(account.id).await.unwrap().unwrap();
        assert_eq!(seen.contact, Vec::<String>::new());
    }

    #[test]
    fn the_accounts_that_are_kept_are_bounded_and_those_in_use_stay() {
        let cache = AccountCache::default();
        let in_use = harness::new_account(0);
        cache.keep(&in_use, 0);
        for _ in 0..5 * KEPT {
            cache.keep(&harness::new_account(1), 0);
            assert!(matches!(cache.find(in_use.id), Known::Account(_)));
        }
        let state = cache.state();
        assert!(state.recent.len() + state.earlier.len() <= 2 * KEPT);
    }
}
