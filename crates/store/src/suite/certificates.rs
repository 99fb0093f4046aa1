//! What the verbs on certificates promise.

use acme::order;
use tokio::task::JoinSet;

use super::BackEnd;
use super::harness::{self, later};
use crate::{CertificateRecord, Error, Issuance, Issued};

super::for_each_back_end!(
    a_certificate_and_its_order_are_stored_together,
    of_many_issuances_of_one_order_one_is_done,
    an_order_that_is_not_ready_gets_no_certificate,
    an_expired_order_gets_no_certificate,
    a_serial_number_is_taken_once,
    certificates_are_found_by_serial_and_name,
    a_renewal_names_what_it_replaces,
    the_audit_log_is_in_order,
);

async fn a_certificate_and_its_order_are_stored_together(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example", "b.example"]).await;
    let certificate = harness::issued(store, &order).await;
    let order = store.order(order.id).await.unwrap().unwrap();
    assert_eq!(order.status, order::Status::Valid);
    assert_eq!(order.certificate, Some(certificate.id));
    let read = store.certificate(certificate.id).await;
    assert_eq!(read, Ok(Some(certificate)));
}

async fn of_many_issuances_of_one_order_one_is_done(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let mut tasks = JoinSet::new();
    for _ in 0..24 {
        let (store, issuance) = (store.clone(), harness::issuance(&order));
        tasks.spawn(async move { store.issue(issuance).await.unwrap() });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|it| **it == Issued::Done).count(), 1);
    let stored = store.order(order.id).await.unwrap().unwrap();
    let first = Issued::AlreadyIssued(stored.certificate.unwrap());
    assert_eq!(all.iter().filter(|it| **it == first).count(), 23);
    let certificates = store.certificates_named("a.example", 100).await;
    assert_eq!(certificates.unwrap().len(), 1);
}

async fn an_order_that_is_not_ready_gets_no_certificate(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let pending = harness::pending_order(store, &account, &["a.example"]).await;
    let issuance = harness::issuance(&pending.order);
    let outcome = store.issue(issuance.clone()).await;
    assert_eq!(outcome, Ok(Issued::OrderNotReady));
    nothing_was_recorded(store, &issuance).await;
}

async fn an_expired_order_gets_no_certificate(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let mut issuance = harness::issuance(&order);
    issuance.certificate.issued_at = later(25);
    let outcome = store.issue(issuance.clone()).await;
    assert_eq!(outcome, Ok(Issued::OrderNotReady));
    nothing_was_recorded(store, &issuance).await;
}

async fn nothing_was_recorded(store: &impl BackEnd, issuance: &Issuance) {
    let id = issuance.certificate.id;
    assert_eq!(store.certificate(id).await, Ok(None));
    let lines = store.audit(0, 100).await.unwrap();
    assert!(lines.iter().all(|line| line.entry.certificate.is_none()));
}

async fn a_serial_number_is_taken_once(store: &impl BackEnd) {
    let first = harness::certificate(&["a.example"]);
    harness::recorded(store, first.clone()).await.unwrap();
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let mut issuance = harness::issuance(&order);
    issuance.certificate.serial = first.serial;
    let refused = store.issue(issuance).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let order = store.order(order.id).await.unwrap().unwrap();
    assert_eq!(order.status, order::Status::Ready);
}

async fn certificates_are_found_by_serial_and_name(store: &impl BackEnd) {
    let first = harness::certificate(&["a.example", "b.example"]);
    let second = harness::certificate(&["b.example", "127.0.0.1"]);
    for certificate in [&first, &second] {
        harness::recorded(store, certificate.clone()).await.unwrap();
    }
    let found = store.certificate_by_serial(&second.serial).await;
    assert_eq!(found, Ok(Some(second.clone())));
    let named = store.certificates_named("b.example", 10).await;
    assert_eq!(named, Ok(vec![second.clone(), first]));
    let named = store.certificates_named("b.example", 1).await;
    assert_eq!(named, Ok(vec![second]));
    assert_eq!(store.certificates_named("c.example", 10).await, Ok(vec![]));
}

async fn a_renewal_names_what_it_replaces(store: &impl BackEnd) {
    let first = harness::certificate(&["a.example"]);
    harness::recorded(store, first.clone()).await.unwrap();
    let renewal = CertificateRecord {
        renewed_from: Some(first.serial),
        provisioner: Some("acme".to_owned()),
        ..harness::certificate(&["a.example"])
    };
    let issuance = Issuance::new(renewal.clone(), [9; 32]);
    assert_eq!(store.issue(issuance).await, Ok(Issued::Done));
    assert_eq!(store.certificate(renewal.id).await, Ok(Some(renewal)));
}

async fn the_audit_log_is_in_order(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let certificate = harness::issued(store, &order).await;
    let lines = store.audit(0, 100).await.unwrap();
    let events: Vec<_> = lines.iter().map(|line| line.entry.event.as_str()).collect();
    assert_eq!(
        events,
        [
            "account-created",
            "order-created",
            "authorization-valid",
            "certificate-issued"
        ]
    );
    let last = &lines[3].entry;
    assert_eq!(last.certificate, Some(certificate.id));
    assert_eq!(last.order, Some(order.id));
    assert_eq!(last.account, Some(account.id));
    assert_eq!(last.at, certificate.issued_at);
    assert_eq!(last.detail["serial"], certificate.serial.to_string());
    assert_eq!(store.audit(lines[3].number, 100).await, Ok(vec![]));
}
