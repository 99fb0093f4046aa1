//! What the verbs on orders promise.

use acme::order::Order;
use uuid::Uuid;

use super::world::{self, later, now};
use crate::{Error, NewOrder, OrderRecord, Store};

super::for_each_back_end!(
    an_order_is_read_back_as_it_was_stored,
    an_order_of_nobody_is_refused,
    an_order_that_fails_half_way_leaves_nothing,
    the_open_orders_are_those_that_are_not_invalid,
);

async fn an_order_is_read_back_as_it_was_stored(store: &Store) {
    let account = world::account(store).await;
    let new = world::pending_order(store, &account, &["b.example", "a.example"]).await;
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

async fn an_order_of_nobody_is_refused(store: &Store) {
    let refused = store
        .create_order(world::new_order(&world::new_account(0), &["a.example"]))
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

async fn an_order_that_fails_half_way_leaves_nothing(store: &Store) {
    let account = world::account(store).await;
    let mut new = world::new_order(&account, &["a.example"]);
    new.order.authorizations.push(Uuid::now_v7());
    let refused = store.create_order(new.clone()).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!(store.order(new.order.id).await, Ok(None));
    assert_eq!(
        store.authorization(new.authorizations[0].id).await,
        Ok(None)
    );
}

async fn the_open_orders_are_those_that_are_not_invalid(store: &Store) {
    let account = world::account(store).await;
    let short = world::new_order(&account, &["a.example"]);
    let short = NewOrder {
        order: Order {
            expires: later(1),
            ..short.order
        },
        ..short
    };
    store.create_order(short.clone()).await.unwrap();
    let ready = world::ready_order(store, &account, &["b.example"]).await;
    let ended = world::pending_order(store, &account, &["c.example"]).await;
    let given_up = ended.authorizations[0].id;
    store
        .deactivate_authorization(given_up, now())
        .await
        .unwrap();

    let open = store.open_orders(account.id, now()).await;
    assert_eq!(open, Ok(vec![short.order.id, ready.id]));
    let open = store.open_orders(account.id, later(2)).await;
    assert_eq!(open, Ok(vec![ready.id]));
}
