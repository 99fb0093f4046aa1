//! What the verbs on orders promise.

use uuid::Uuid;

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{Error, NewOrder, OrderPage, OrderRecord};

super::for_each_back_end!(
    an_order_is_read_back_as_it_was_stored,
    an_order_without_an_account_is_refused,
    an_order_that_fails_half_way_leaves_nothing,
    the_open_orders_are_those_that_are_not_invalid,
    pages_of_orders_follow_each_other_while_new_ones_come,
);

async fn an_order_is_read_back_as_it_was_stored(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let new = harness::pending_order(store, &account, &["b.example", "a.example"]).await;
    assert_eq!(store.order(new.order.id).await, Ok(Some(new.order.clone())));
    for authorization in &new.authorizations {
        let read = store.authorization(authorization.id).await;
        assert_eq!(read, Ok(Some(authorization.clone())));
    }
    let whole = store.order_with_authorizations(new.order.id).await;
    let expected = OrderRecord {
        order: new.order,
        authorizations: new.authorizations,
    };
    assert_eq!(whole, Ok(Some(expected)));
}

async fn an_order_without_an_account_is_refused(store: &impl BackEnd) {
    let refused = store
        .create_order(harness::new_order(&harness::new_account(0), &["a.example"]))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

async fn an_order_that_fails_half_way_leaves_nothing(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut new = harness::new_order(&account, &["a.example"]);
    new.order = harness::altered(&new.order, |record| {
        record.authorizations.push(Uuid::now_v7());
    });
    let refused = store.create_order(new.clone()).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(store.order(new.order.id).await, Ok(None));
    assert_eq!(
        store.authorization(new.authorizations[0].id).await,
        Ok(None)
    );
}

async fn the_open_orders_are_those_that_are_not_invalid(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let short = harness::new_order(&account, &["a.example"]);
    let short = NewOrder {
        order: harness::altered(&short.order, |record| record.expires = later(1)),
        ..short
    };
    store.create_order(short.clone()).await.unwrap();
    let ready = harness::ready_order(store, &account, &["b.example"]).await;
    let ended = harness::pending_order(store, &account, &["c.example"]).await;
    let given_up = ended.authorizations[0].id;
    store
        .deactivate_authorization(given_up, harness::given_up(now()))
        .await
        .unwrap();

    let listed = |now| store.orders_page(account.id, Uuid::nil(), now);
    let open = |orders| OrderPage { orders, next: None };
    let page = listed(now()).await;
    assert_eq!(page, Ok(open(vec![short.order.id, ready.id])));
    assert_eq!(listed(later(2)).await, Ok(open(vec![ready.id])));
}

async fn pages_of_orders_follow_each_other_while_new_ones_come(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut placed = Vec::new();
    for _ in 0..250 {
        placed.push(harness::pending_order(store, &account, &["a.example"]).await);
    }
    let given_up = placed.remove(120).authorizations[0].id;
    store
        .deactivate_authorization(given_up, harness::given_up(now()))
        .await
        .unwrap();
    let (mut seen, mut sizes, mut after) = (Vec::new(), Vec::new(), Some(Uuid::nil()));
    while let Some(cursor) = after {
        let page = store.orders_page(account.id, cursor, now()).await.unwrap();
        if seen.is_empty() {
            placed.push(harness::pending_order(store, &account, &["new.example"]).await);
        }
        sizes.push(page.orders.len());
        seen.extend(page.orders);
        after = page.next;
    }
    assert_eq!(sizes, [100, 100, 50]);
    let expected: Vec<_> = placed.iter().map(|new| new.order.id).collect();
    assert_eq!(seen, expected);
}
