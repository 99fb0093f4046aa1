//! What the verbs promise about authorizations that nobody has touched, or only some of an order's.

use acme::authz::{self, Authorization, Origin};
use acme::challenge::{Challenge, Method, authorization_of_order, challenge_id, order_id};
use acme::order;
use acme::scope::Scope;
use jiff::SignedDuration;
use uuid::Uuid;

use super::BackEnd;
use super::harness::{self, dns, later, now};
use crate::{Error, NewOrder, OrderRecord, Placed, Swept, UnfinishedChallenge};

super::for_each_back_end!(
    authorizations_of_every_kind_are_read_back_with_their_own_tokens,
    what_happens_to_one_authorization_leaves_the_others_as_they_were,
    an_order_waits_for_earlier_authorizations_and_its_own,
    an_authorization_is_counted_at_its_own_place_only,
    what_an_account_has_ends_with_it_touched_or_not,
    an_authorization_goes_when_it_and_its_order_have_expired,
    an_id_that_nothing_has_names_nothing,
);

/// The same with these challenges for each authorization, and a token for each.
fn with_methods(mut new: NewOrder, methods: &[&[Method]]) -> NewOrder {
    for (place, authorization) in (1_u8..).zip(&mut new.authorizations) {
        let all = methods[usize::from(place) % methods.len()].iter();
        authorization.challenges = all
            .map(|method| {
                let id = challenge_id(authorization.id, *method);
                Challenge::new(id, *method, &[place; 16])
            })
            .collect();
    }
    new
}

async fn is_read_back(store: &impl BackEnd, new: &NewOrder) {
    let expected = OrderRecord {
        order: new.order.clone(),
        authorizations: new.authorizations.clone(),
    };
    let read = store.order_with_authorizations(new.order.id).await;
    assert_eq!(read, Ok(Some(expected)));
    for authorization in &new.authorizations {
        let read = store.authorization(authorization.id).await;
        assert_eq!(read, Ok(Some(authorization.clone())));
        for challenge in &authorization.challenges {
            let found = store.challenge(challenge.id).await.unwrap().unwrap();
            assert_eq!(found.challenge, *challenge);
            assert_eq!(found.authorization, *authorization);
            assert_eq!(found.orders, [new.order.id]);
        }
    }
}

async fn authorizations_of_every_kind_are_read_back_with_their_own_tokens(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let names = ["a.example", "*.b.example", "c.x.example"];
    let plain = || harness::new_order(&account, &names);
    let usual = with_methods(plain(), &[Method::USUAL]);
    let mixed = with_methods(plain(), &[Method::USUAL, &[Method::Dns01]]);
    let mut wide = mixed.clone();
    wide.order = harness::altered(&plain().order, |record| record.expires = later(1));
    for (place, authorization) in wide.authorizations.iter_mut().enumerate() {
        authorization.id = authorization_of_order(wide.order.id, place).unwrap();
    }
    wide.authorizations[2].identifier = dns("x.example");
    wide.authorizations[2].scope = Scope::Subdomains;
    let wide = with_methods(wide, &[Method::USUAL, &[Method::Dns01]]);
    // Some that an order's row cannot stand for.
    let mut others = with_methods(plain(), &[&[Method::Http01]]);
    others.authorizations[0].challenges[0].token = "short".to_owned();
    others.authorizations[1].identifier = dns("elsewhere.example");
    others.authorizations[2].expires = later(3);
    for new in [usual, mixed, wide, others] {
        assert_eq!(store.create_order(new.clone()).await, Ok(Placed::Done));
        is_read_back(store, &new).await;
    }
}

async fn what_happens_to_one_authorization_leaves_the_others_as_they_were(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let names = ["a.example", "b.example", "c.example", "d.example"];
    let new = with_methods(harness::new_order(&account, &names), &[Method::USUAL]);
    store.create_order(new.clone()).await.unwrap();
    let [begun, proven, ended, _] = &new.authorizations[..] else {
        panic!()
    };
    let begun = UnfinishedChallenge {
        challenge: challenge_id(begun.id, Method::Dns01),
        account_url: String::new(),
        thumbprint: String::new(),
        payload: b"{}".to_vec(),
    };
    assert_eq!(store.begin_challenge(begun).await, Ok(true));
    let http = challenge_id(proven.id, Method::Http01);
    let verdict = harness::proven(http, harness::proof(proven), now());
    let settled = store.settle_valid(&verdict).await.unwrap();
    assert!(settled.written);
    assert_eq!(
        store.authorization(proven.id).await,
        Ok(Some(settled.authorization.clone()))
    );
    let again = UnfinishedChallenge {
        challenge: http,
        account_url: String::new(),
        thumbprint: String::new(),
        payload: b"{}".to_vec(),
    };
    assert_eq!(store.begin_challenge(again).await, Ok(false));
    let given_up = store
        .deactivate_authorization(ended.id, harness::given_up(now()))
        .await;
    assert_eq!(given_up.unwrap().challenges, ended.challenges);
    let read = store.order_with_authorizations(new.order.id).await;
    let read = read.unwrap().unwrap().authorizations;
    let statuses: Vec<_> = read.iter().map(|it| it.status).collect();
    use authz::Status::{Deactivated, Pending, Valid};
    assert_eq!(statuses, [Pending, Valid, Deactivated, Pending]);
    assert_eq!(read[1], settled.authorization);
    assert_eq!(read[3], new.authorizations[3]);
}

async fn an_order_waits_for_earlier_authorizations_and_its_own(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let names = ["a.example", "b.example"];
    let first = with_methods(harness::new_order(&account, &names), &[&[Method::Http01]]);
    store.create_order(first.clone()).await.unwrap();
    // On one that nobody has touched, between two of its own.
    let names = ["c.example", "a.example", "d.example"];
    let mut second = with_methods(harness::new_order(&account, &names), &[&[Method::Http01]]);
    second.authorizations.remove(1);
    let shared = first.authorizations[0].id;
    second.order = harness::altered(&second.order, |record| record.authorizations[1] = shared);
    let placed = store.create_order(second.clone()).await;
    assert_eq!(placed, Ok(Placed::Done));
    assert_eq!(
        store.order(second.order.id).await,
        Ok(Some(second.order.clone()))
    );
    let waits = [
        &second.authorizations[0],
        &first.authorizations[0],
        &second.authorizations[1],
    ];
    for authorization in waits {
        let read = store.order(second.order.id).await.unwrap().unwrap();
        assert_eq!(read.status, order::Status::Pending);
        let challenge = authorization.challenges[0].id;
        let verdict = harness::proven(challenge, harness::proof(authorization), now());
        assert!(store.settle_valid(&verdict).await.unwrap().written);
    }
    let read = store.order(second.order.id).await.unwrap().unwrap();
    assert_eq!(read.status, order::Status::Ready);
    let proofs = harness::proofs(store, second.order.id).await;
    assert_eq!(proofs, Ok(waits.map(harness::proof).into()));
    let read = store.order(first.order.id).await.unwrap().unwrap();
    assert_eq!(read.status, order::Status::Pending);
}

async fn an_authorization_is_counted_at_its_own_place_only(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut new = harness::new_order(&account, &["a.example", "b.example"]);
    new.order = harness::altered(&new.order, |record| record.authorizations.swap(0, 1));
    let refused = store.create_order(new.clone()).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(store.order(new.order.id).await, Ok(None));
}

async fn what_an_account_has_ends_with_it_touched_or_not(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let names = ["a.example", "b.example", "c.example"];
    let new = with_methods(harness::new_order(&account, &names), &[Method::USUAL]);
    store.create_order(new.clone()).await.unwrap();
    let begun = UnfinishedChallenge {
        challenge: challenge_id(new.authorizations[0].id, Method::Http01),
        account_url: String::new(),
        thumbprint: String::new(),
        payload: b"{}".to_vec(),
    };
    assert_eq!(store.begin_challenge(begun).await, Ok(true));
    store
        .deactivate_account(account.id, harness::end_of_account(now()))
        .await
        .unwrap();
    for authorization in &new.authorizations {
        let read = store.authorization(authorization.id).await;
        let status = read.unwrap().unwrap().status;
        assert_eq!(status, authz::Status::Deactivated);
        let challenge = challenge_id(authorization.id, Method::Http01);
        let verdict = harness::proven(challenge, harness::proof(authorization), now());
        assert!(!store.settle_valid(&verdict).await.unwrap().written);
    }
}

async fn an_authorization_goes_when_it_and_its_order_have_expired(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = harness::new_order(&account, &["a.example", "b.example", "c.example"]);
    store.create_order(new.clone()).await.unwrap();
    let [short, long, _] = &new.authorizations[..] else {
        panic!()
    };
    for (authorization, until) in [(short, now()), (long, later(48))] {
        let challenge = authorization.challenges[0].id;
        let verdict = harness::proven(challenge, harness::proof(authorization), until);
        assert!(store.settle_valid(&verdict).await.unwrap().written);
    }
    let sweep = async |hours| store.sweep(later(hours), SignedDuration::ZERO).await;
    let swept = |orders, authorizations| {
        Ok(Swept {
            orders,
            authorizations,
        })
    };
    assert_eq!(sweep(23).await, swept(0, 0));
    assert_eq!(sweep(25).await, swept(1, 2));
    let kept = store.authorization(long.id).await.unwrap().unwrap();
    assert_eq!(kept.status, authz::Status::Valid);
    assert_eq!(sweep(49).await, swept(0, 1));
    assert_eq!(store.authorization(long.id).await, Ok(None));
}

async fn an_id_that_nothing_has_names_nothing(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = harness::pending_order(store, &account, &["a.example"]).await;
    let beyond = authorization_of_order(new.order.id, 1).unwrap();
    let nobodys = authorization_of_order(order_id(Uuid::now_v7()), 0).unwrap();
    for id in [beyond, nobodys, new.order.id] {
        assert_eq!(store.authorization(id).await, Ok(None));
        let challenge = challenge_id(id, Method::Http01);
        assert_eq!(store.challenge(challenge).await, Ok(None));
        let ended = store.deactivate_authorization(id, harness::given_up(now()));
        assert_eq!(ended.await, Err(Error::NotFound));
    }
    let none = Authorization {
        id: nobodys,
        origin: Origin::Order,
        ..new.authorizations[0].clone()
    };
    let verdict = harness::proven(
        challenge_id(nobodys, Method::Http01),
        harness::proof(&none),
        now(),
    );
    assert_eq!(store.settle_valid(&verdict).await, Err(Error::NotFound));
}
