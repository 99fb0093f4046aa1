//! What the verbs on external account keys promise.

use acme::account::{Account, External};
use acme::eab::{self, Bound, MacKey, Parsed};
use acme::order;
use ca::external_key::{ExternalKey, Limits, Rules, UseMade};
use tokio::task::JoinSet;

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{AuditEntry, Created, Error, Event, Registration};

super::for_each_back_end!(
    a_key_is_read_back_by_its_provisioner_alone,
    a_reference_is_given_once_at_a_provisioner,
    keys_are_listed_in_pages,
    a_single_use_key_binds_one_of_many_accounts_at_once,
    an_account_that_is_there_uses_up_nothing,
    a_key_that_is_over_or_gone_binds_nothing,
    an_account_stays_bound_when_its_own_key_changes,
    what_a_finalize_reads_has_the_key_of_the_account_while_it_is_there,
    a_key_that_is_taken_back_takes_the_orders_of_its_accounts_with_it,
);

fn new_key(id: &str, reference: &str) -> ExternalKey {
    ExternalKey {
        id: id.to_owned(),
        provisioner: "acme".to_owned(),
        reference: reference.to_owned(),
        rules: Rules::default(),
        limits: Limits {
            accounts: 1,
            expires_at: Some(later(1)),
        },
        use_made: UseMade::default(),
        created_at: now(),
    }
}

fn mac() -> MacKey {
    MacKey::new(vec![7; 32])
}

fn entry() -> AuditEntry {
    AuditEntry::new(Event::ExternalKeyCreated, now())
}

pub(super) async fn key(
    store: &impl BackEnd,
    id: &str,
    reference: &str,
) -> Result<ExternalKey, Error> {
    let key = new_key(id, reference);
    store
        .create_external_key(key.clone(), mac(), entry())
        .await
        .map(|()| key)
}

fn bound(id: &str, account: &Account) -> Bound {
    let sent = eab::bind(id, &mac(), "https://ca/new", &account.key).unwrap();
    let parsed = Parsed::parse(&sent).unwrap();
    parsed
        .verify(&mac(), "https://ca/new", &account.key)
        .unwrap()
}

pub(super) async fn bind(store: &impl BackEnd, id: &str, account: Account) -> Created {
    let bound = bound(id, &account);
    store
        .create_account(Registration::bound(account, bound))
        .await
        .unwrap()
}

async fn a_key_is_read_back_by_its_provisioner_alone(store: &impl BackEnd) {
    let made = key(store, "k1", "web").await.unwrap();
    assert_eq!(
        store.external_key("acme", "k1").await,
        Ok(Some(made.clone()))
    );
    assert_eq!(store.external_key("other", "k1").await, Ok(None));
    let found = store.binding_key("acme", "k1").await.unwrap().unwrap();
    assert_eq!(found.secret.octets(), mac().octets());
    assert_eq!(found.key, made);
    assert!(store.binding_key("other", "k1").await.unwrap().is_none());
    let called = store.external_key_called("acme", "web").await;
    assert_eq!(called, Ok(Some(made)));
    assert_eq!(store.external_key_called("acme", "").await, Ok(None));
}

async fn a_reference_is_given_once_at_a_provisioner(store: &impl BackEnd) {
    key(store, "k1", "web").await.unwrap();
    let again = key(store, "k2", "web").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    key(store, "k3", "").await.unwrap();
    key(store, "k4", "").await.unwrap();
}

async fn keys_are_listed_in_pages(store: &impl BackEnd) {
    for id in ["k3", "k1", "k2"] {
        key(store, id, "").await.unwrap();
    }
    let ids = |keys: Vec<ExternalKey>| keys.into_iter().map(|key| key.id).collect::<Vec<_>>();
    let first = store.external_keys("acme", "", 2).await.unwrap();
    assert_eq!(ids(first), ["k1", "k2"]);
    let rest = store.external_keys("acme", "k2", 2).await.unwrap();
    assert_eq!(ids(rest), ["k3"]);
    assert_eq!(store.external_keys("other", "", 2).await, Ok(Vec::new()));
}

async fn a_single_use_key_binds_one_of_many_accounts_at_once(store: &impl BackEnd) {
    key(store, "k1", "").await.unwrap();
    let mut tasks = JoinSet::new();
    for which in 0..2 {
        let store = store.clone();
        tasks.spawn(async move { bind(&store, "k1", harness::new_account(which)).await });
    }
    let all = tasks.join_all().await;
    let made = all.iter().filter(|it| matches!(it, Created::Created(_)));
    assert_eq!(made.count(), 1, "{all:?}");
    assert!(all.contains(&Created::NotBound), "{all:?}");
    let key = store.external_key("acme", "k1").await.unwrap().unwrap();
    let made = all.into_iter().find_map(|it| match it {
        Created::Created(account) => Some(account),
        Created::Existing(_) | Created::NotBound => None,
    });
    let made = made.unwrap();
    assert_eq!(
        (
            key.use_made.accounts,
            key.use_made.first,
            key.use_made.latest_at
        ),
        (1, Some(made.id), Some(now()))
    );
    let External { key, binding } = *made.external.clone().unwrap();
    assert_eq!(key, "k1");
    assert!(binding.get("protected").is_some());
    assert_eq!(store.account(made.id).await, Ok(Some(made)));
}

async fn an_account_that_is_there_uses_up_nothing(store: &impl BackEnd) {
    let account = harness::account(store).await;
    key(store, "k1", "").await.unwrap();
    let again = bind(store, "k1", harness::new_account(0)).await;
    assert_eq!(again, Created::Existing(account));
    let key = store.external_key("acme", "k1").await.unwrap().unwrap();
    assert_eq!(key.use_made, UseMade::default());
}

async fn a_key_that_is_over_or_gone_binds_nothing(store: &impl BackEnd) {
    key(store, "k1", "").await.unwrap();
    let late = Account {
        created_at: later(1),
        ..harness::new_account(0)
    };
    assert_eq!(bind(store, "k1", late).await, Created::NotBound);
    let elsewhere = Account {
        provisioner: "other".to_owned(),
        ..harness::new_account(0)
    };
    assert_eq!(bind(store, "k1", elsewhere).await, Created::NotBound);
    assert_eq!(
        bind(store, "k2", harness::new_account(0)).await,
        Created::NotBound
    );
    let audit = store.audit(0, 10).await.unwrap();
    assert_eq!(audit.len(), 1, "{audit:?}");
}

async fn an_account_stays_bound_when_its_own_key_changes(store: &impl BackEnd) {
    key(store, "k1", "").await.unwrap();
    let Created::Created(account) = bind(store, "k1", harness::new_account(0)).await else {
        panic!("not bound");
    };
    let change = harness::key_change(0, 1);
    store
        .change_key(account.id, change, harness::rekeyed(now()))
        .await
        .unwrap();
    let rolled = store.account(account.id).await.unwrap().unwrap();
    assert_eq!(rolled.key, harness::key(1));
    assert_eq!(rolled.external, account.external);
}

async fn what_a_finalize_reads_has_the_key_of_the_account_while_it_is_there(store: &impl BackEnd) {
    key(store, "k1", "").await.unwrap();
    let Created::Created(mine) = bind(store, "k1", harness::new_account(1)).await else {
        panic!("not bound");
    };
    let free = harness::account(store).await;
    let read = async |account| {
        let order = harness::ready_order(store, account, &["a.lab"]).await;
        let found = store.finalization(order.id, None).await.unwrap().unwrap();
        assert_eq!(found.order, order);
        assert_eq!(found.proofs.len(), 1);
        found.external_key
    };
    let current = store.external_key("acme", "k1").await.unwrap();
    assert!(current.is_some());
    assert_eq!(read(&mine).await, current);
    assert_eq!(read(&free).await, None);
    let ending = harness::ending(Event::ExternalKeyRemoved, now());
    let removed = store.remove_external_key("acme", "k1", ending).await;
    assert_eq!(removed, Ok(1));
    assert_eq!(read(&mine).await, None);
}

async fn a_key_that_is_taken_back_takes_the_orders_of_its_accounts_with_it(store: &impl BackEnd) {
    key(store, "k1", "").await.unwrap();
    let Created::Created(mine) = bind(store, "k1", harness::new_account(1)).await else {
        panic!("not bound");
    };
    let free = harness::account(store).await;
    let ordered = harness::pending_order(store, &mine, &["a.lab"])
        .await
        .order
        .id;
    let other = harness::pending_order(store, &free, &["a.lab"])
        .await
        .order
        .id;
    let remove = |provisioner: &'static str| {
        let ending = harness::ending(Event::ExternalKeyRemoved, now());
        store.remove_external_key(provisioner, "k1", ending)
    };
    assert_eq!(remove("other").await, Err(Error::NotFound));
    assert_eq!(remove("acme").await, Ok(1));
    assert_eq!(remove("acme").await, Err(Error::NotFound));
    let ended = store.order(ordered).await.unwrap().unwrap();
    assert_eq!(ended.status, order::Status::Invalid);
    assert_eq!(ended.error.as_ref().unwrap().detail, "gone");
    let open = store.order(other).await.unwrap().unwrap();
    assert_eq!(open.status, order::Status::Pending);
    let kept = store.account(mine.id).await.unwrap().unwrap();
    assert_eq!(kept.external.unwrap().key, "k1");
    // A key with the same id would give the account its rights back.
    let again = key(store, "k1", "").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
}
