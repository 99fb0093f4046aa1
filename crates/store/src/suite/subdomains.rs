//! What the verbs promise about authorizations that stand for the names below theirs (RFC 9444).

use acme::account::Account;
use acme::authz::{Authorization, Origin};
use acme::challenge::{Challenge, Method, Proof, ProofRecord};
use acme::order;
use acme::scope::{Scope, Subject};
use serde_json::json;
use uuid::Uuid;

use super::BackEnd;
use super::harness::{self, dns, now};
use crate::{NamesClaim, NewOrder, Placed};

super::for_each_back_end!(
    an_order_of_several_names_is_ready_with_the_one_authorization_above_them,
    an_authorization_is_found_by_how_far_it_reaches,
    an_order_ends_with_the_authorization_above_its_names,
    proof_of_a_domain_with_subdomains_counts_for_names_below_it,
);

/// A pending order for names below `lab`, on one authorization for it that reaches so far.
fn new_order(account: &Account, names: &[&str], scope: Scope) -> NewOrder {
    let NewOrder {
        order,
        authorizations,
        entry,
    } = harness::new_order(account, &["lab"]);
    let wide = |authorization: Authorization| Authorization {
        scope,
        challenges: vec![Challenge::new(Uuid::now_v7(), Method::Dns01, &[7; 32])],
        ..authorization
    };
    NewOrder {
        order: harness::altered(&order, |record| {
            record.identifiers = names.iter().map(|name| dns(name)).collect();
        }),
        authorizations: authorizations.into_iter().map(wide).collect(),
        entry,
    }
}

async fn proven(store: &impl BackEnd, account: &Account, names: &[&str], scope: Scope) -> NewOrder {
    let new = new_order(account, names, scope);
    assert_eq!(store.create_order(new.clone()).await, Ok(Placed::Done));
    let above = &new.authorizations[0];
    let settled = store
        .settle_valid(&harness::proven(
            above.challenges[0].id,
            proof(above, Scope::Name),
            now(),
        ))
        .await;
    assert!(settled.unwrap().written);
    new
}

fn proof(authorization: &Authorization, scope: Scope) -> Proof {
    Proof::from_record(ProofRecord {
        subject: Subject {
            identifier: authorization.identifier.clone(),
            scope,
        },
        account: authorization.account,
        method: Method::Dns01,
        at: now(),
        evidence: json!({ "seen": "it" }),
        attested_key: None,
    })
}

async fn an_order_of_several_names_is_ready_with_the_one_authorization_above_them(
    store: &impl BackEnd,
) {
    let account = harness::account(store).await;
    let names = ["a.lab", "b.lab", "*.c.lab"];
    let new = proven(store, &account, &names, Scope::Subdomains).await;
    let read = store.order_with_authorizations(new.order.id).await;
    let read = read.unwrap().unwrap();
    assert_eq!(read.order.status, order::Status::Ready);
    assert_eq!(read.order.identifiers, new.order.identifiers);
    assert_eq!(read.authorizations.len(), 1);
    assert_eq!(read.authorizations[0].scope, Scope::Subdomains);
    let proofs = harness::proofs(store, new.order.id).await.unwrap();
    assert_eq!(proofs, [proof(&new.authorizations[0], Scope::Subdomains)]);
    let plain = proven(store, &account, &["lab"], Scope::Name).await;
    let proofs = harness::proofs(store, plain.order.id).await.unwrap();
    assert_eq!(proofs, [proof(&plain.authorizations[0], Scope::Name)]);
    assert!(!proofs[0].covers(&dns("a.lab")));
}

async fn an_authorization_is_found_by_how_far_it_reaches(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let wide = proven(store, &account, &["a.lab"], Scope::Subdomains).await;
    let plain = proven(store, &account, &["lab"], Scope::Name).await;
    let (wide, plain) = (&wide.authorizations[0], &plain.authorizations[0]);
    let found = async |scope| {
        let names = vec![Subject {
            identifier: dns("lab"),
            scope,
        }];
        let found = harness::reusable(store, &account, names, Some(now())).await;
        let mut ids: Vec<_> = (found.unwrap().held.into_iter())
            .map(|held| (held.authorization.id, held.proof))
            .collect();
        ids.sort_by_key(|(id, _)| *id);
        ids
    };
    let proven = (wide.id, Some(proof(wide, Scope::Subdomains)));
    assert_eq!(
        found(Scope::Subdomains).await,
        std::slice::from_ref(&proven)
    );
    let other = (plain.id, Some(proof(plain, Scope::Name)));
    assert_eq!(found(Scope::Name).await, [proven, other]);
    let ahead = Authorization {
        id: Uuid::now_v7(),
        origin: Origin::Ahead,
        challenges: Vec::new(),
        ..wide.clone()
    };
    let stored = store
        .create_authorization(ahead.clone(), harness::ahead(now()))
        .await;
    assert_eq!(stored, Ok(()));
    assert_eq!(store.authorization(ahead.id).await, Ok(Some(ahead)));
}

async fn an_order_ends_with_the_authorization_above_its_names(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = proven(store, &account, &["a.lab", "b.lab"], Scope::Subdomains).await;
    let above = new.authorizations[0].id;
    store
        .deactivate_authorization(above, harness::given_up(now()))
        .await
        .unwrap();
    let ended = store.order(new.order.id).await.unwrap().unwrap();
    assert_eq!(ended.status, order::Status::Invalid);
    assert_eq!(harness::proofs(store, new.order.id).await, Ok(vec![]));
}

async fn proof_of_a_domain_with_subdomains_counts_for_names_below_it(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let has = async |names: &[&str], widest| {
        let claim = NamesClaim {
            account: account.id,
            identifiers: names.iter().map(|name| dns(name)).collect(),
            widest,
            at: now(),
        };
        harness::has_proven(store, claim).await
    };
    proven(store, &account, &["lab"], Scope::Name).await;
    assert_eq!(has(&["lab"], Scope::Subdomains).await, Ok(true));
    assert_eq!(has(&["a.lab"], Scope::Subdomains).await, Ok(false));
    let new = proven(store, &account, &["a.lab"], Scope::Subdomains).await;
    for (names, widest, proven) in [
        (&["a.lab", "*.b.lab", "lab"][..], Scope::Subdomains, true),
        (&["a.lab"], Scope::Name, false),
        (&["a.lab", "xlab"], Scope::Subdomains, false),
    ] {
        assert_eq!(has(names, widest).await, Ok(proven), "{names:?}");
    }
    let above = new.authorizations[0].id;
    store
        .deactivate_authorization(above, harness::given_up(now()))
        .await
        .unwrap();
    assert_eq!(has(&["a.lab"], Scope::Subdomains).await, Ok(false));
}
