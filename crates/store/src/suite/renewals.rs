//! What the verbs on renewal windows and replacements promise.

use acme::renewal::{CertificateId, Window};
use tokio::task::JoinSet;

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{AuditEntry, CertificateRecord, Event, NewOrder, Placed, RenewalScope, RenewalWindow};

super::for_each_back_end!(
    the_newest_window_that_fits_counts,
    a_window_for_many_is_for_what_was_issued_before,
    windows_are_listed_and_cleared_with_an_audit_line,
    of_many_orders_that_replace_one_certificate_one_is_stored,
    an_order_that_has_become_invalid_frees_what_it_would_replace,
    a_replacement_is_known_when_its_order_is_gone,
);

fn window(scope: RenewalScope, hours: i64) -> RenewalWindow {
    RenewalWindow {
        scope,
        window: Window {
            start: later(hours),
            end: later(hours + 1),
        },
        explanation: Some("https://ca.example/why".to_owned()),
    }
}

fn before(hours: i64, provisioner: Option<&str>) -> RenewalScope {
    RenewalScope::IssuedBefore {
        before: later(hours),
        provisioner: provisioner.map(str::to_owned),
    }
}

async fn set(store: &impl BackEnd, window: &RenewalWindow) {
    let entry = AuditEntry::new(Event::RenewalWindowSet, now());
    store
        .set_renewal_window(window.clone(), entry)
        .await
        .unwrap();
}

async fn in_force(store: &impl BackEnd, certificate: &CertificateRecord) -> Option<RenewalWindow> {
    let found = store.renewal(&certificate.serial).await.unwrap();
    let found = found.unwrap();
    assert_eq!(found.certificate, *certificate);
    found.window
}

async fn the_newest_window_that_fits_counts(store: &impl BackEnd) {
    let certificate = harness::certificate(&["a.example"]);
    let other = harness::certificate(&["a.example"]);
    assert_eq!(store.renewal(&certificate.serial).await, Ok(None));
    for certificate in [&certificate, &other] {
        harness::recorded(store, certificate.clone()).await.unwrap();
    }
    assert_eq!(in_force(store, &certificate).await, None);
    let own = RenewalScope::Serial(certificate.serial.clone());
    for newest in [
        window(own.clone(), 1),
        window(before(1, None), 2),
        window(own.clone(), 3),
        window(own, 4),
    ] {
        set(store, &newest).await;
        assert_eq!(in_force(store, &certificate).await, Some(newest));
    }
    let shared = in_force(store, &other).await;
    assert_eq!(shared, Some(window(before(1, None), 2)));
    assert_eq!(store.renewal_windows(10).await.unwrap().len(), 2);
}

async fn a_window_for_many_is_for_what_was_issued_before(store: &impl BackEnd) {
    let certificate = CertificateRecord {
        provisioner: Some("acme".to_owned()),
        ..harness::certificate(&["a.example"])
    };
    harness::recorded(store, certificate.clone()).await.unwrap();
    set(store, &window(before(0, None), 1)).await;
    set(store, &window(before(1, Some("other")), 2)).await;
    assert_eq!(in_force(store, &certificate).await, None);
    let fits = window(before(1, Some("acme")), 3);
    set(store, &fits).await;
    assert_eq!(in_force(store, &certificate).await, Some(fits));
}

async fn windows_are_listed_and_cleared_with_an_audit_line(store: &impl BackEnd) {
    let certificate = harness::certificate(&["a.example"]);
    harness::recorded(store, certificate.clone()).await.unwrap();
    let own = window(RenewalScope::Serial(certificate.serial.clone()), 1);
    let all = [
        own.clone(),
        window(before(1, None), 2),
        window(before(2, None), 3),
    ];
    for window in &all {
        set(store, window).await;
    }
    let [own, second, third] = all;
    let listed = store.renewal_windows(10).await;
    assert_eq!(listed, Ok(vec![third.clone(), second, own.clone()]));
    assert_eq!(store.renewal_windows(1).await, Ok(vec![third]));
    let entry = || AuditEntry::new(Event::RenewalWindowsCleared, now());
    assert_eq!(store.clear_renewal_windows(None, entry()).await, Ok(2));
    assert_eq!(store.renewal_windows(10).await, Ok(vec![own]));
    let serial = Some(certificate.serial.clone());
    for gone in [1, 0] {
        let cleared = store.clear_renewal_windows(serial.clone(), entry()).await;
        assert_eq!(cleared, Ok(gone));
    }
    let lines = store.audit(0, 100).await.unwrap();
    let told = lines
        .iter()
        .filter(|it| it.entry.event.starts_with("renewal-"));
    assert_eq!(told.count(), 6);
}

/// An order that replaces the certificate with serial number 0x87654321.
fn replacing(account: &acme::account::Account) -> NewOrder {
    let new = harness::new_order(account, &["a.example"]);
    NewOrder {
        order: harness::altered(&new.order, |record| {
            record.replaces = CertificateId::parse("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE").ok();
        }),
        ..new
    }
}

async fn of_many_orders_that_replace_one_certificate_one_is_stored(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, new) = (store.clone(), replacing(&account));
        tasks.spawn(async move { (store.create_order(new.clone()).await.unwrap(), new) });
    }
    for (opened, new) in tasks.join_all().await {
        let stored = store.order(new.order.id).await.unwrap();
        assert_eq!(stored.is_some(), opened == Placed::Done);
        if let Some(stored) = stored {
            assert_eq!(stored.replaces, new.order.replaces);
        }
    }
    let open = store.orders_page(account.id, uuid::Uuid::nil(), now());
    assert_eq!(open.await.unwrap().orders.len(), 1);
}

async fn an_order_that_has_become_invalid_frees_what_it_would_replace(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let first = replacing(&account);
    assert_eq!(store.create_order(first.clone()).await, Ok(Placed::Done));
    let again = store.create_order(replacing(&account)).await;
    assert_eq!(again, Ok(Placed::AlreadyReplaced));
    store
        .deactivate_authorization(first.authorizations[0].id, harness::given_up(now()))
        .await
        .unwrap();
    let second = replacing(&account);
    assert_eq!(store.create_order(second).await, Ok(Placed::Done));
    let mut late = replacing(&account);
    late.order = harness::altered(&late.order, |record| record.created_at = later(24));
    assert_eq!(store.create_order(late).await, Ok(Placed::Done));
}

async fn a_replacement_is_known_when_its_order_is_gone(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let mut issuance = harness::issuance(&order);
    let replaced = replacing(&account).order.replaces.clone().unwrap();
    issuance.certificate.renewed_from = Some(replaced.serial().clone());
    store.issue(issuance).await.unwrap();
    let again = store.create_order(replacing(&account)).await;
    assert_eq!(again, Ok(Placed::AlreadyReplaced));
}
