//! What a sweep promises.

use jiff::SignedDuration;

use super::BackEnd;
use super::harness::{self, later};
use crate::Swept;

super::for_each_back_end!(
    what_expired_long_ago_goes_and_certificates_stay,
    a_sweep_of_many_goes_on_to_the_end,
    what_has_not_expired_does_not_hide_what_has,
);

async fn what_expired_long_ago_goes_and_certificates_stay(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example", "b.example"]).await;
    let certificate = harness::issued(store, &order).await;
    let keep = SignedDuration::from_hours(10);

    assert_eq!(store.sweep(later(33), keep).await, Ok(Swept::default()));
    assert!(store.order(order.id).await.unwrap().is_some());

    let swept = Swept {
        orders: 1,
        authorizations: 2,
    };
    assert_eq!(store.sweep(later(35), keep).await, Ok(swept));
    assert_eq!(store.order(order.id).await, Ok(None));
    for id in order.authorizations.iter().copied() {
        assert_eq!(store.authorization(id).await, Ok(None));
    }
    let read = store.certificate(certificate.id).await;
    assert_eq!(read, Ok(Some(certificate)));
    assert!(store.account(account.id).await.unwrap().is_some());
}

async fn a_sweep_of_many_goes_on_to_the_end(store: &impl BackEnd) {
    let account = harness::account(store).await;
    for _ in 0..250 {
        harness::pending_order(store, &account, &["a.example"]).await;
    }
    let swept = store.sweep(later(30), SignedDuration::ZERO).await;
    let expected = Swept {
        orders: 250,
        authorizations: 250,
    };
    assert_eq!(swept, Ok(expected));
}

async fn what_has_not_expired_does_not_hide_what_has(store: &impl BackEnd) {
    let account = harness::account(store).await;
    for number in 0..210 {
        let mut new = harness::new_order(&account, &["a.example"]);
        let end = if number < 205 { later(48) } else { later(24) };
        new.order = harness::altered(&new.order, |record| record.expires = end);
        new.authorizations[0].expires = end;
        store.create_order(new).await.unwrap();
    }
    let swept = store.sweep(later(30), SignedDuration::ZERO).await;
    let expected = Swept {
        orders: 5,
        authorizations: 5,
    };
    assert_eq!(swept, Ok(expected));
}
