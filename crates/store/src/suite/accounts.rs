//! What the verbs on accounts promise.

use acme::account::{Account, Status};
use acme::order::KeyUse;
use acme::{authz, order};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{CertifiedKey, Created, Error, KeyChanged, Registration};

super::for_each_back_end!(
    an_account_is_read_back_as_it_was_stored,
    a_key_has_one_account_with_each_provisioner,
    many_at_once_make_one_account,
    only_a_valid_account_changes_its_contacts,
    agreement_to_new_terms_is_noted_and_the_rest_stays,
    a_deactivated_account_takes_its_orders_and_authorizations_with_it,
    an_account_changes_its_key_once_and_keeps_all_else,
    of_two_changes_from_the_same_old_key_the_first_is_made,
    a_key_in_use_cannot_be_taken_by_another_account,
    a_key_is_known_as_an_accounts_at_every_provisioner,
    what_is_not_there_is_not_found,
);

async fn an_account_is_read_back_as_it_was_stored(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let thumbprint = account.key.thumbprint();
    assert_eq!(store.account(account.id).await, Ok(Some(account.clone())));
    let by_key = store.account_by_key("acme", &thumbprint).await;
    assert_eq!(by_key, Ok(Some(account)));
    assert_eq!(store.account_by_key("other", &thumbprint).await, Ok(None));
}

async fn a_key_has_one_account_with_each_provisioner(store: &impl BackEnd) {
    let first = harness::account(store).await;
    let again = store
        .create_account(Registration::new(harness::new_account(0)))
        .await;
    assert_eq!(again, Ok(Created::Existing(first)));
    let elsewhere = Account {
        provisioner: "other".to_owned(),
        ..harness::new_account(0)
    };
    let elsewhere = store
        .create_account(Registration::new(elsewhere))
        .await
        .unwrap();
    assert!(matches!(elsewhere, Created::Created(_)));
    let other_key = store
        .create_account(Registration::new(harness::new_account(1)))
        .await
        .unwrap();
    assert!(matches!(other_key, Created::Created(_)));
}

async fn many_at_once_make_one_account(store: &impl BackEnd) {
    let mut tasks = JoinSet::new();
    for _ in 0..24 {
        let store = store.clone();
        tasks.spawn(async move {
            store
                .create_account(Registration::new(harness::new_account(0)))
                .await
                .unwrap()
        });
    }
    let all = tasks.join_all().await;
    let made = all.iter().filter(|it| matches!(it, Created::Created(_)));
    assert_eq!(made.count(), 1);
}

async fn only_a_valid_account_changes_its_contacts(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let contact = vec!["mailto:b@example.com".to_owned()];
    let changed = store
        .update_account(account.id, Some(contact.clone()), None)
        .await;
    assert_eq!(changed.unwrap().contact, contact);
    store
        .deactivate_account(account.id, harness::end_of_account(now()))
        .await
        .unwrap();
    let unchanged = store
        .update_account(account.id, Some(Vec::new()), None)
        .await
        .unwrap();
    assert_eq!(
        (unchanged.contact, unchanged.status),
        (contact, Status::Deactivated)
    );
}

async fn agreement_to_new_terms_is_noted_and_the_rest_stays(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let terms = "https://ca.example/terms-2".to_owned();
    let agreed = store.update_account(account.id, None, Some(terms.clone()));
    let expected = Account {
        terms: Some(terms),
        ..account.clone()
    };
    assert_eq!(agreed.await, Ok(expected.clone()));
    assert_eq!(store.account(account.id).await, Ok(Some(expected)));
}

async fn a_deactivated_account_takes_its_orders_and_authorizations_with_it(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let pending = harness::pending_order(store, &account, &["a.example"]).await;
    let ready = harness::ready_order(store, &account, &["b.example"]).await;
    let done = harness::ready_order(store, &account, &["c.example"]).await;
    harness::issued(store, &done).await;

    let ended = store
        .deactivate_account(account.id, harness::end_of_account(later(1)))
        .await
        .unwrap();

    assert_eq!(ended.status, Status::Deactivated);
    for id in [pending.order.id, ready.id] {
        let order = store.order(id).await.unwrap().unwrap();
        assert_eq!(order.status, order::Status::Invalid);
        assert!(order.error.is_some());
    }
    let kept = store.order(done.id).await.unwrap().unwrap();
    assert_eq!(kept.status, order::Status::Valid);
    let authorization = store.authorization(ready.authorizations[0]).await;
    assert_eq!(
        authorization.unwrap().unwrap().status,
        authz::Status::Deactivated
    );
    let refused = store
        .create_order(harness::new_order(&account, &["d.example"]))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let lines = store.audit(0, 100).await.unwrap();
    let last = &lines.last().unwrap().entry;
    assert_eq!(
        (last.event.as_str(), last.at),
        ("account-deactivated", later(1))
    );
}

async fn an_account_changes_its_key_once_and_keeps_all_else(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let change = harness::key_change(0, 1);
    let (old, new) = (change.old_key().thumbprint(), change.new_key().thumbprint());
    let wanted = Account {
        key: change.new_key().clone(),
        ..account.clone()
    };
    let changed = store
        .change_key(account.id, change, harness::rekeyed(later(1)))
        .await;
    assert_eq!(changed, Ok(KeyChanged::Changed(Box::new(wanted.clone()))));
    assert_eq!(store.account_by_key("acme", &old).await, Ok(None));
    assert_eq!(store.account_by_key("acme", &new).await, Ok(Some(wanted)));
    let again = harness::key_change(0, 1);
    let again = store
        .change_key(account.id, again, harness::rekeyed(later(1)))
        .await;
    assert_eq!(again, Ok(KeyChanged::InUse(account.id)));
    let lines = store.audit(0, 100).await.unwrap();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[1].entry.event, "account-key-changed");
    let nobody = store.change_key(
        Uuid::now_v7(),
        harness::key_change(1, 0),
        harness::rekeyed(now()),
    );
    assert_eq!(nobody.await, Err(Error::NotFound));
    store
        .deactivate_account(account.id, harness::end_of_account(now()))
        .await
        .unwrap();
    let ended = store.change_key(
        account.id,
        harness::key_change(1, 0),
        harness::rekeyed(now()),
    );
    assert_eq!(ended.await, Ok(KeyChanged::Outdated));
}

async fn of_two_changes_from_the_same_old_key_the_first_is_made(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let change = async |to| {
        let change = harness::key_change(0, to);
        let changed = store.change_key(account.id, change, harness::rekeyed(now()));
        changed.await.unwrap()
    };
    assert!(matches!(change(1).await, KeyChanged::Changed(_)));
    assert_eq!(change(2).await, KeyChanged::Outdated);
    let kept = store.account(account.id).await.unwrap().unwrap();
    assert_eq!(kept.key, harness::key(1));
    let lines = store.audit(0, 100).await.unwrap();
    assert_eq!(lines.len(), 2, "{lines:?}");
}

async fn a_key_in_use_cannot_be_taken_by_another_account(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let other = store
        .create_account(Registration::new(harness::new_account(1)))
        .await
        .unwrap();
    let Created::Created(other) = other else {
        panic!("{other:?}");
    };
    let taken = store.change_key(
        account.id,
        harness::key_change(0, 1),
        harness::rekeyed(now()),
    );
    assert_eq!(taken.await, Ok(KeyChanged::InUse(other.id)));
    assert_eq!(store.account(account.id).await, Ok(Some(account)));
}

async fn what_is_not_there_is_not_found(store: &impl BackEnd) {
    let nobody = Uuid::now_v7();
    assert_eq!(store.account(nobody).await, Ok(None));
    assert_eq!(store.order(nobody).await, Ok(None));
    assert_eq!(store.authorization(nobody).await, Ok(None));
    assert_eq!(store.challenge(nobody).await, Ok(None));
    assert_eq!(store.certificate(nobody).await, Ok(None));
    let update = store.update_account(nobody, Some(Vec::new()), None).await;
    assert_eq!(update, Err(Error::NotFound));
    let deactivation = store
        .deactivate_account(nobody, harness::end_of_account(now()))
        .await;
    assert_eq!(deactivation, Err(Error::NotFound));
}

async fn a_key_is_known_as_an_accounts_at_every_provisioner(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let elsewhere = Account {
        provisioner: "elsewhere".to_owned(),
        ..harness::new_account(1)
    };
    let registration = Registration::new(elsewhere.clone());
    store.create_account(registration).await.unwrap();
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    for (thumbprint, wanted) in [
        (account.key.thumbprint(), KeyUse::Account),
        (elsewhere.key.thumbprint(), KeyUse::Account),
        ("another".to_owned(), KeyUse::Separate),
    ] {
        let key = CertifiedKey {
            digest: [9; 32],
            thumbprint,
        };
        let read = store.finalization(order.id, Some(key)).await.unwrap();
        assert_eq!(read.unwrap().key_use, wanted);
    }
}
