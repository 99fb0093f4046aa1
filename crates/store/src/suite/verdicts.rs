//! What the verbs on challenges and authorizations promise.

use acme::authz::{self, Authorization};
use acme::challenge::{self, Challenge, Method, Proof, ProofRecord, challenge_id};
use acme::order::{self, Order};
use acme::problem::Problem;
use acme::scope::Subject;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{AuditEntry, Error, Failed, NewOrder, UnfinishedChallenge};

super::for_each_back_end!(
    an_order_is_ready_when_its_last_authorization_is_valid,
    a_failure_ends_challenge_authorization_and_orders_together,
    of_two_verdicts_the_first_counts,
    a_challenge_that_fails_after_another_proved_the_name_ends_no_order,
    a_challenge_that_nobody_answered_is_found_and_takes_the_first_verdict,
    of_many_verdicts_at_once_one_counts,
    a_proof_of_something_else_is_not_written,
    a_proof_by_another_method_is_not_written,
    an_expired_authorization_cannot_be_proven,
    a_deactivated_authorization_ends_its_orders_and_cannot_be_proven,
    a_challenge_that_was_begun_is_unfinished_until_its_verdict,
    proofs_are_read_back_in_the_order_of_the_names,
    a_proof_is_read_back_with_the_key_that_it_attests,
    a_verdict_on_nothing_is_not_found,
);

async fn an_order_is_ready_when_its_last_authorization_is_valid(store: &impl BackEnd) {
    let new = stored(store, &["a.example", "b.example"]).await;
    let [first, second] = &new.authorizations[..] else {
        panic!()
    };
    let settled = prove(store, first).await;
    assert!(settled.written);
    assert_eq!(settled.authorization.status, authz::Status::Valid);
    let proven = &settled.authorization.challenges[0];
    assert_eq!(
        (proven.status, proven.validated),
        (challenge::Status::Valid, Some(now()))
    );
    assert_eq!(settled.orders, vec![new.order.id]);
    assert_eq!(order(store, &new).await.status, order::Status::Pending);

    prove(store, second).await;
    assert_eq!(order(store, &new).await.status, order::Status::Ready);
}

async fn a_failure_ends_challenge_authorization_and_orders_together(store: &impl BackEnd) {
    let new = stored(store, &["a.example", "b.example"]).await;
    let shared = &new.authorizations[0];
    // A second order that hangs on the same authorization.
    let other = harness::altered(&new.order, |record| {
        record.id = Uuid::now_v7();
        record.identifiers = vec![shared.identifier.clone()];
        record.authorizations = vec![shared.id];
    });
    let other = NewOrder::new(other, Vec::new());
    store.create_order(other.clone()).await.unwrap();
    prove(store, &new.authorizations[1]).await;

    let settled = fail(store, shared).await;

    assert!(settled.written);
    assert_eq!(settled.orders, vec![new.order.id, other.order.id]);
    assert_eq!(settled.authorization.status, authz::Status::Invalid);
    let failed = &settled.authorization.challenges[0];
    assert_eq!(failed.status, challenge::Status::Invalid);
    assert_eq!(failed.error, Some(problem()));
    for new in [&new, &other] {
        let order = order(store, new).await;
        assert_eq!(order.status, order::Status::Invalid);
        assert_eq!(order.error, Some(problem()));
    }
    let lines = store.audit(0, 100).await.unwrap();
    let last = &lines.last().unwrap().entry;
    assert_eq!(last.event, "authorization-invalid");
    assert_eq!(last.detail["problem"], json!(problem().detail));
}

async fn of_two_verdicts_the_first_counts(store: &impl BackEnd) {
    let new = stored(store, &["a.example", "b.example"]).await;
    let [first, second] = &new.authorizations[..] else {
        panic!()
    };
    prove(store, first).await;
    let settled = fail(store, first).await;
    assert!(!settled.written);
    assert_eq!(settled.authorization.status, authz::Status::Valid);
    fail(store, second).await;
    let settled = prove(store, second).await;
    assert!(!settled.written);
    assert_eq!(settled.authorization.status, authz::Status::Invalid);
    assert_eq!(order(store, &new).await.status, order::Status::Invalid);
}

async fn a_challenge_that_fails_after_another_proved_the_name_ends_no_order(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut new = harness::new_order(&account, &["a.example"]);
    let second = Challenge::new(Uuid::now_v7(), Method::Dns01, &[8; 32]);
    new.authorizations[0].challenges.push(second.clone());
    store.create_order(new.clone()).await.unwrap();
    prove(store, &new.authorizations[0]).await;
    let mut late = new.authorizations[0].clone();
    late.challenges = vec![second.clone()];
    let settled = fail(store, &late).await;
    assert!(!settled.written);
    assert_eq!(settled.authorization.status, authz::Status::Valid);
    assert_eq!(settled.authorization.challenges[1], second);
    assert_eq!(order(store, &new).await.status, order::Status::Ready);
}

async fn a_challenge_that_nobody_answered_is_found_and_takes_the_first_verdict(
    store: &impl BackEnd,
) {
    let account = harness::account(store).await;
    let mut new = harness::new_order(&account, &["a.example"]);
    let authorization = &mut new.authorizations[0];
    let id = challenge_id(authorization.id, Method::Dns01);
    let second = Challenge::new(id, Method::Dns01, &[7; 16]);
    authorization.challenges.insert(0, second.clone());
    let authorization = authorization.clone();
    store.create_order(new.clone()).await.unwrap();
    let found = store.challenge(id).await.unwrap().unwrap();
    assert_eq!(found.challenge, second);
    assert_eq!(found.authorization, authorization);
    assert_eq!(found.orders, [new.order.id]);
    let none = challenge_id(authorization.id, Method::TlsAlpn01);
    assert_eq!(store.challenge(none).await, Ok(None));
    let mut dns = authorization.clone();
    dns.challenges.truncate(1);
    let settled = fail(store, &dns).await;
    assert!(settled.written);
    assert_eq!(settled.ended, 1);
    let [failed, untouched] = &settled.authorization.challenges[..] else {
        panic!("{settled:?}");
    };
    assert_eq!((failed.id, failed.status), (id, challenge::Status::Invalid));
    assert_eq!(*untouched, authorization.challenges[1]);
}

async fn of_many_verdicts_at_once_one_counts(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let mut tasks = JoinSet::new();
    for turn in 0..24 {
        let (store, authorization) = (store.clone(), new.authorizations[0].clone());
        tasks.spawn(async move {
            if turn % 2 == 0 {
                (true, prove(&store, &authorization).await)
            } else {
                (false, fail(&store, &authorization).await)
            }
        });
    }
    let all = tasks.join_all().await;
    let winners: Vec<_> = all.iter().filter(|(_, settled)| settled.written).collect();
    assert_eq!(winners.len(), 1);
    let (authz, order_status) = if winners[0].0 {
        (authz::Status::Valid, order::Status::Ready)
    } else {
        (authz::Status::Invalid, order::Status::Invalid)
    };
    assert!(all.iter().all(|(_, it)| it.authorization.status == authz));
    assert_eq!(order(store, &new).await.status, order_status);
}

async fn a_proof_of_something_else_is_not_written(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let authorization = &new.authorizations[0];
    let mut other_name = authorization.clone();
    other_name.identifier = harness::dns("b.example");
    let mut other_account = authorization.clone();
    other_account.account = Uuid::now_v7();
    for wrong in [other_name, other_account] {
        let settled = prove(store, &wrong).await;
        assert!(!settled.written);
    }
    let read = store
        .authorization(authorization.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&read, authorization);
}

async fn a_proof_by_another_method_is_not_written(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let authorization = &new.authorizations[0];
    let other = Proof::from_record(ProofRecord {
        subject: Subject {
            identifier: authorization.identifier.clone(),
            scope: authorization.scope,
        },
        account: authorization.account,
        method: Method::Dns01,
        at: now(),
        evidence: Value::Null,
        attested_key: None,
    });
    let challenge = authorization.challenges[0].id;
    let proven = harness::proven(challenge, other, now());
    let settled = store.settle_valid(&proven).await.unwrap();
    assert!(!settled.written);
    assert_eq!(&settled.authorization, authorization);
    assert_eq!(order(store, &new).await.status, order::Status::Pending);
}

async fn an_expired_authorization_cannot_be_proven(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let authorization = &new.authorizations[0];
    let late = Proof::from_record(ProofRecord {
        subject: Subject::name(authorization.identifier.clone()),
        account: authorization.account,
        method: Method::Http01,
        at: later(25),
        evidence: Value::Null,
        attested_key: None,
    });
    let challenge = authorization.challenges[0].id;
    let settled = store
        .settle_valid(&harness::proven(challenge, late, later(25)))
        .await
        .unwrap();
    assert!(!settled.written);
    assert_eq!(order(store, &new).await.status, order::Status::Pending);
}

async fn a_deactivated_authorization_ends_its_orders_and_cannot_be_proven(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let authorization = &new.authorizations[0];
    let ended = store
        .deactivate_authorization(authorization.id, harness::given_up(now()))
        .await;
    assert_eq!(ended.unwrap().status, authz::Status::Deactivated);
    let ended = order(store, &new).await;
    assert_eq!(ended.status, order::Status::Invalid);
    assert!(ended.error.is_some());
    assert!(!prove(store, authorization).await.written);
}

async fn a_challenge_that_was_begun_is_unfinished_until_its_verdict(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let challenge = new.authorizations[0].challenges[0].id;
    assert_eq!(store.unfinished_challenges().await, Ok(vec![]));
    let begun = UnfinishedChallenge {
        challenge,
        account_url: "https://ca.lab/a/1".to_owned(),
        thumbprint: "abc".to_owned(),
        payload: br#"{"attObj":"AA"}"#.to_vec(),
    };
    let again = UnfinishedChallenge {
        payload: b"{}".to_vec(),
        ..begun.clone()
    };
    assert_eq!(store.begin_challenge(begun.clone()).await, Ok(true));
    assert_eq!(store.begin_challenge(again).await, Ok(false));
    assert_eq!(store.unfinished_challenges().await, Ok(vec![begun.clone()]));
    let found = store.challenge(challenge).await.unwrap().unwrap();
    assert_eq!(found.challenge.status, challenge::Status::Processing);
    assert_eq!(found.orders, vec![new.order.id]);
    prove(store, &new.authorizations[0]).await;
    assert_eq!(store.unfinished_challenges().await, Ok(vec![]));
    assert_eq!(store.begin_challenge(begun).await, Ok(false));
}

async fn proofs_are_read_back_in_the_order_of_the_names(store: &impl BackEnd) {
    let new = stored(store, &["b.example", "a.example"]).await;
    assert_eq!(harness::proofs(store, new.order.id).await, Ok(vec![]));
    for authorization in new.authorizations.iter().rev() {
        prove(store, authorization).await;
    }
    let expected = new.authorizations.iter().map(harness::proof).collect();
    assert_eq!(harness::proofs(store, new.order.id).await, Ok(expected));
}

async fn a_proof_is_read_back_with_the_key_that_it_attests(store: &impl BackEnd) {
    let new = stored(store, &["a.example"]).await;
    let authorization = &new.authorizations[0];
    let attesting = || {
        Proof::from_record(ProofRecord {
            subject: Subject::name(authorization.identifier.clone()),
            account: authorization.account,
            method: Method::Http01,
            at: now(),
            evidence: Value::Null,
            attested_key: Some(harness::key_change(0, 1).new_key().public_key().clone()),
        })
    };
    let challenge = authorization.challenges[0].id;
    let settled = store
        .settle_valid(&harness::proven(challenge, attesting(), now()))
        .await;
    assert!(settled.unwrap().written);
    assert_eq!(
        harness::proofs(store, new.order.id).await,
        Ok(vec![attesting()])
    );
}

async fn a_verdict_on_nothing_is_not_found(store: &impl BackEnd) {
    let new = harness::new_order(&harness::new_account(0), &["a.example"]);
    let proof = harness::proof(&new.authorizations[0]);
    let nothing = Uuid::now_v7();
    let settled = store
        .settle_valid(&harness::proven(nothing, proof, now()))
        .await;
    assert_eq!(settled, Err(Error::NotFound));
    let begun = UnfinishedChallenge {
        challenge: nothing,
        account_url: String::new(),
        thumbprint: String::new(),
        payload: Vec::new(),
    };
    assert_eq!(store.begin_challenge(begun).await, Ok(false));
}

async fn stored(store: &impl BackEnd, names: &[&str]) -> NewOrder {
    let account = harness::account(store).await;
    harness::pending_order(store, &account, names).await
}

async fn order(store: &impl BackEnd, new: &NewOrder) -> Order {
    store.order(new.order.id).await.unwrap().unwrap()
}

async fn prove(store: &impl BackEnd, authorization: &Authorization) -> crate::Settled {
    let challenge = authorization.challenges[0].id;
    let proof = harness::proof(authorization);
    store
        .settle_valid(&harness::proven(challenge, proof, now()))
        .await
        .unwrap()
}

async fn fail(store: &impl BackEnd, authorization: &Authorization) -> crate::Settled {
    let challenge = authorization.challenges[0].id;
    let method = authorization.challenges[0].method;
    let failed = Failed {
        challenge,
        entry: AuditEntry::authorization_invalid(authorization, method, &problem(), now()),
        problem: problem(),
        evidence: json!({ "body": "nope" }),
    };
    store.settle_invalid(&failed).await.unwrap()
}

fn problem() -> Problem {
    Problem::unauthorized("http://a.example answered 404 to the look at 127.0.0.1:80")
}
