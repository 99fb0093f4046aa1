//! What the verbs on earlier authorizations and on permits promise.

use acme::account::Account;
use acme::authz::{self, Authorization, Origin};
use acme::order::{self, ReusableAuthorization, ReusableAuthorizations};
use acme::permit::{Holder, Pattern, Permit, Record};
use acme::scope::Subject;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::BackEnd;
use super::external_keys;
use super::harness::{self, dns, later, now};
use crate::{AuditEntry, Ending, Error, Event, NewOrder, NewPermit, Placed, Registration};

super::for_each_back_end!(
    a_valid_authorization_is_found_by_its_account_and_name_with_its_proof,
    a_wildcard_and_its_base_are_different_names,
    a_proven_authorization_lives_on_but_never_shorter,
    what_was_asked_for_ahead_is_found_while_pending,
    an_order_on_what_was_proven_meanwhile_is_not_stored_as_pending,
    nothing_is_authorized_ahead_for_an_account_that_has_ended,
    an_order_on_an_authorization_that_has_ended_is_not_stored,
    an_order_never_stands_on_what_another_account_has,
    a_permit_is_found_by_its_account_and_listed,
    a_permit_for_an_account_that_is_not_there_is_refused,
    a_permit_proves_what_it_gave_until_it_is_taken_back,
    an_order_on_a_permit_that_has_ended_is_not_stored,
    a_permit_for_an_external_key_holds_for_the_accounts_that_it_binds,
);

async fn a_valid_authorization_is_found_by_its_account_and_name_with_its_proof(
    store: &impl BackEnd,
) {
    let account = harness::account(store).await;
    let new = harness::pending_order(store, &account, &["a.example", "b.example"]).await;
    assert_eq!(held(store, &account, "a.example").await, []);
    prove(store, &new.authorizations[0], now()).await;
    let found = held(store, &account, "a.example").await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].authorization.id, new.authorizations[0].id);
    assert_eq!(found[0].proof, Some(harness::proof(&new.authorizations[0])));
    assert_eq!(held(store, &account, "b.example").await, []);
    assert_eq!(held(store, &other(store).await, "a.example").await, []);
    let elsewhere = Account {
        provisioner: "other".to_owned(),
        ..account.clone()
    };
    assert_eq!(held(store, &elsewhere, "a.example").await, []);
    let names = vec![Subject::name(dns("a.example"))];
    let late = harness::reusable(store, &account, names.clone(), Some(later(24)));
    assert_eq!(late.await, Ok(ReusableAuthorizations::default()));
    let off = harness::reusable(store, &account, names, None).await;
    assert_eq!(off, Ok(ReusableAuthorizations::default()));
}

async fn a_wildcard_and_its_base_are_different_names(store: &impl BackEnd) {
    let account = harness::account(store).await;
    harness::ready_order(store, &account, &["*.a.example"]).await;
    assert_eq!(held(store, &account, "*.a.example").await.len(), 1);
    assert_eq!(held(store, &account, "a.example").await, []);
}

async fn a_proven_authorization_lives_on_but_never_shorter(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = harness::pending_order(store, &account, &["a.example", "b.example"]).await;
    for (authorization, until, expires) in [
        (&new.authorizations[0], later(48), later(48)),
        (&new.authorizations[1], later(1), later(24)),
    ] {
        prove(store, authorization, until).await;
        let read = store.authorization(authorization.id).await;
        assert_eq!(read.unwrap().unwrap().expires, expires);
    }
}

async fn what_was_asked_for_ahead_is_found_while_pending(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let ahead = ahead(&account);
    store
        .create_authorization(ahead.clone(), harness::ahead(now()))
        .await
        .unwrap();
    let found = held(store, &account, "a.example").await;
    let expected = ReusableAuthorization {
        authorization: ahead.clone(),
        proof: None,
    };
    assert_eq!(found, [expected]);
    let order = on(&account, &ahead, order::Status::Pending);
    assert_eq!(store.create_order(order.clone()).await, Ok(Placed::Done));
    prove(store, &ahead, now()).await;
    let read = store.order(order.order.id).await.unwrap().unwrap();
    assert_eq!(read.status, order::Status::Ready);
}

/// No later event would make it ready.
async fn an_order_on_what_was_proven_meanwhile_is_not_stored_as_pending(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let ahead = ahead(&account);
    let stored = store
        .create_authorization(ahead.clone(), harness::ahead(now()))
        .await;
    assert_eq!(stored, Ok(()));
    let order = on(&account, &ahead, order::Status::Pending);
    prove(store, &ahead, now()).await;
    let placed = store.create_order(order.clone()).await;
    assert_eq!(placed, Ok(Placed::Outdated));
    assert_eq!(store.order(order.order.id).await, Ok(None));
}

async fn nothing_is_authorized_ahead_for_an_account_that_has_ended(store: &impl BackEnd) {
    let account = harness::account(store).await;
    store
        .deactivate_account(account.id, harness::end_of_account(now()))
        .await
        .unwrap();
    let refused = store
        .create_authorization(ahead(&account), harness::ahead(now()))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

async fn an_order_on_an_authorization_that_has_ended_is_not_stored(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = harness::pending_order(store, &account, &["a.example"]).await;
    let earlier = &new.authorizations[0];
    let ready = on(&account, earlier, order::Status::Ready);
    // Pending is not enough for an order that begins ready.
    assert_eq!(
        store.create_order(ready.clone()).await,
        Ok(Placed::Outdated)
    );
    prove(store, earlier, now()).await;
    assert_eq!(store.create_order(ready.clone()).await, Ok(Placed::Done));
    let proofs = harness::proofs(store, ready.order.id).await;
    assert_eq!(proofs, Ok(vec![harness::proof(earlier)]));

    let mut late = on(&account, earlier, order::Status::Ready);
    late.order = harness::altered(&late.order, |record| record.created_at = later(24));
    assert_eq!(store.create_order(late).await, Ok(Placed::Outdated));

    let given_up = store
        .deactivate_authorization(earlier.id, harness::given_up(now()))
        .await;
    assert_eq!(given_up.unwrap().status, authz::Status::Deactivated);
    let ended = store.order(ready.order.id).await.unwrap().unwrap();
    assert_eq!(ended.status, order::Status::Invalid);
    let again = on(&account, earlier, order::Status::Ready);
    assert_eq!(
        store.create_order(again.clone()).await,
        Ok(Placed::Outdated)
    );
    assert_eq!(store.order(again.order.id).await, Ok(None));
}

async fn an_order_never_stands_on_what_another_account_has(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = harness::pending_order(store, &account, &["a.example"]).await;
    prove(store, &new.authorizations[0], now()).await;
    let other = other(store).await;
    let stolen = on(&other, &new.authorizations[0], order::Status::Ready);
    assert_eq!(store.create_order(stolen).await, Ok(Placed::Outdated));
}

async fn a_permit_is_found_by_its_account_and_listed(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let record = record(&account, "*.lab");
    store.add_permits(vec![permit(&record)]).await.unwrap();
    let account = store.account(account.id).await.unwrap().unwrap();
    assert!(account.permitted);
    let reusable = harness::reusable(store, &account, Vec::new(), None)
        .await
        .unwrap();
    let expected = Permit::from_record(record.clone(), account.id);
    assert_eq!(reusable.permits, [expected]);
    assert_eq!(
        store.permit("acme", record.id).await,
        Ok(Some(record.clone()))
    );
    assert_eq!(store.permit("other", record.id).await, Ok(None));
    assert_eq!(store.permits("acme").await, Ok(vec![record]));
    assert_eq!(store.permits("other").await, Ok(vec![]));
    let last = store.audit(0, 100).await.unwrap().pop().unwrap().entry;
    assert_eq!(
        (last.event.as_str(), last.account),
        ("permit-added", Some(account.id))
    );
    assert_eq!(
        (&last.detail["uid"], &last.detail["names"]),
        (&json!(0), &json!("*.lab"))
    );
}

async fn a_permit_for_an_account_that_is_not_there_is_refused(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut elsewhere = record(&account, "a.lab");
    elsewhere.provisioner = "other".to_owned();
    let all = vec![permit(&record(&account, "b.lab")), permit(&elsewhere)];
    assert_eq!(store.add_permits(all).await, Err(Error::NotFound));
    assert_eq!(store.permits("acme").await, Ok(vec![]));
}

async fn a_permit_proves_what_it_gave_until_it_is_taken_back(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let record = record(&account, "a.example");
    store.add_permits(vec![permit(&record)]).await.unwrap();
    let new = given(&account, &record);
    assert_eq!(store.create_order(new.clone()).await, Ok(Placed::Done));
    let read = store.authorization(new.authorizations[0].id).await;
    assert_eq!(read, Ok(Some(new.authorizations[0].clone())));
    let proofs = harness::proofs(store, new.order.id).await.unwrap();
    assert_eq!((proofs.len(), proofs[0].account()), (1, account.id));
    assert_eq!(held(store, &account, "a.example").await, []);

    let other = store
        .remove_permit("other", record.id, taken_back(&record))
        .await;
    assert_eq!(other, Err(Error::NotFound));
    let removed = store
        .remove_permit("acme", record.id, taken_back(&record))
        .await;
    assert_eq!(removed, Ok(record.clone()));
    let order = store.order(new.order.id).await.unwrap().unwrap();
    assert_eq!(order.status, order::Status::Invalid);
    let read = store.authorization(new.authorizations[0].id).await;
    assert_eq!(read.unwrap().unwrap().status, authz::Status::Revoked);
    assert_eq!(harness::proofs(store, new.order.id).await, Ok(vec![]));
    let again = store
        .remove_permit("acme", record.id, taken_back(&record))
        .await;
    assert_eq!(again, Err(Error::NotFound));
}

async fn an_order_on_a_permit_that_has_ended_is_not_stored(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut record = record(&account, "a.example");
    record.expires = Some(later(1));
    store.add_permits(vec![permit(&record)]).await.unwrap();
    let mut late = given(&account, &record);
    late.order = harness::altered(&late.order, |record| record.created_at = later(1));
    assert_eq!(store.create_order(late).await, Ok(Placed::Outdated));
    let never = Record {
        id: Uuid::now_v7(),
        ..record
    };
    let new = given(&account, &never);
    assert_eq!(store.create_order(new).await, Ok(Placed::Outdated));
}

async fn a_permit_for_an_external_key_holds_for_the_accounts_that_it_binds(store: &impl BackEnd) {
    external_keys::key(store, "k1", "").await.unwrap();
    let bound = external_keys::bind(store, "k1", harness::new_account(1)).await;
    let crate::Created::Created(bound) = bound else {
        panic!("{bound:?}");
    };
    let free = harness::account(store).await;
    let mut record = record(&free, "a.example");
    record.holder = Holder::ExternalKey("k2".to_owned());
    let unknown = store.add_permits(vec![permit(&record)]).await;
    assert_eq!(unknown, Err(Error::NotFound));
    record.holder = Holder::ExternalKey("k1".to_owned());
    store.add_permits(vec![permit(&record)]).await.unwrap();

    let free = store.account(free.id).await.unwrap().unwrap();
    assert!(!free.permitted);
    let stolen = store.create_order(given(&free, &record)).await;
    assert_eq!(stolen, Ok(Placed::Outdated));
    let bound = store.account(bound.id).await.unwrap().unwrap();
    assert!(bound.permitted);
    let reusable = harness::reusable(store, &bound, Vec::new(), None)
        .await
        .unwrap();
    let expected = Permit::from_record(record.clone(), bound.id);
    assert_eq!(reusable.permits, [expected]);
    let new = given(&bound, &record);
    assert_eq!(store.create_order(new.clone()).await, Ok(Placed::Done));
    let proofs = harness::proofs(store, new.order.id).await.unwrap();
    assert_eq!((proofs.len(), proofs[0].account()), (1, bound.id));
}

/// An operator's permit.
fn permit(record: &Record) -> NewPermit {
    NewPermit::new(record.clone(), entry(Event::PermitAdded))
}

fn taken_back(record: &Record) -> Ending {
    Ending::of_permit(record, entry(Event::PermitRemoved))
}

/// Who said it.
fn entry(event: Event) -> AuditEntry {
    AuditEntry {
        detail: json!({ "uid": 0 }),
        ..AuditEntry::new(event, now())
    }
}

async fn other(store: &impl BackEnd) -> Account {
    match store
        .create_account(Registration::new(harness::new_account(1)))
        .await
        .unwrap()
    {
        crate::Created::Created(account) | crate::Created::Existing(account) => account,
        crate::Created::NotBound => panic!("no external account key was asked for"),
    }
}

async fn held(store: &impl BackEnd, account: &Account, name: &str) -> Vec<ReusableAuthorization> {
    let names = vec![Subject::name(dns(name))];
    let found = harness::reusable(store, account, names, Some(now())).await;
    found.unwrap().held
}

async fn prove(store: &impl BackEnd, authorization: &Authorization, until: Timestamp) {
    let (challenge, proof) = (
        authorization.challenges[0].id,
        harness::proof(authorization),
    );
    let settled = store
        .settle_valid(&harness::proven(challenge, proof, until))
        .await
        .unwrap();
    assert!(settled.written);
}

fn ahead(account: &Account) -> Authorization {
    let new = harness::new_order(account, &["a.example"]);
    Authorization {
        origin: Origin::Ahead,
        ..new.authorizations[0].clone()
    }
}

/// An order of this account on an authorization that is stored already.
fn on(account: &Account, earlier: &Authorization, status: order::Status) -> NewOrder {
    let new = harness::new_order(account, &["a.example"]);
    let order = harness::altered(&new.order, |record| {
        record.status = status;
        record.identifiers = vec![earlier.identifier.clone()];
        record.authorizations = vec![earlier.id];
    });
    NewOrder::new(order, Vec::new())
}

fn record(account: &Account, pattern: &str) -> Record {
    Record {
        id: Uuid::now_v7(),
        holder: Holder::Account(account.id),
        provisioner: "acme".to_owned(),
        pattern: Pattern::parse(pattern).unwrap(),
        expires: None,
        by: "uid 0".to_owned(),
        at: now(),
    }
}

/// A ready order whose authorization this permit gave.
fn given(account: &Account, record: &Record) -> NewOrder {
    let mut new = harness::new_order(account, &["a.example"]);
    new.order = harness::altered(&new.order, |record| record.status = order::Status::Ready);
    new.authorizations[0].status = authz::Status::Valid;
    new.authorizations[0].challenges = Vec::new();
    new.authorizations[0].origin = Origin::Permit(record.id);
    new
}
