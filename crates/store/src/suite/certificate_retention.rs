//! What the deletion of certificates promises.

use acme::revocation::Reason;
use pki::Serial;

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{CertificateRecord, RenewalEnd, RenewalKeys, Revocation, Revoked, Revoker};

super::for_each_back_end!(
    ended_certificates_go_and_what_they_forbid_stays,
    a_certificate_stays_as_long_as_its_order_and_its_predecessor,
    many_certificates_go_in_one_sweep,
);

fn ending(hours: i64) -> CertificateRecord {
    CertificateRecord {
        not_after: later(hours),
        ..harness::certificate(&["a.example", "b.example"])
    }
}

fn renewed(old: &CertificateRecord, hours: i64) -> CertificateRecord {
    CertificateRecord {
        renewed_from: Some(old.serial.clone()),
        lineage: Some(old.serial.clone()),
        ..ending(hours)
    }
}

async fn record(store: &impl BackEnd, certificates: &[&CertificateRecord]) {
    for certificate in certificates {
        let recorded = harness::recorded(store, CertificateRecord::clone(certificate));
        recorded.await.unwrap();
    }
}

async fn is_there(store: &impl BackEnd, serial: &Serial) -> bool {
    store.certificate_by_serial(serial).await.unwrap().is_some()
}

async fn ended_certificates_go_and_what_they_forbid_stays(store: &impl BackEnd) {
    let (first, stays) = (ending(1), ending(48));
    let second = renewed(&first, 2);
    record(store, &[&first, &second, &stays]).await;
    let revoked = Revoked {
        at: now(),
        reason: Reason::KeyCompromise,
        by: Revoker::Key,
    };
    let key = [9; 32];
    let revocation = Revocation::new(&first, revoked, key);
    assert_eq!(store.revoke(revocation).await, Ok(true));

    assert_eq!(store.sweep_certificates(later(1)).await, Ok(0));
    assert_eq!(store.sweep_certificates(later(3)).await, Ok(2));

    let named = store.certificates_named("b.example", 10).await.unwrap();
    assert_eq!(named, [stays]);
    assert_eq!(store.is_compromised(key).await, Ok(true));
    let keys = RenewalKeys {
        asking: [1; 32],
        certified: [1; 32],
    };
    let standing = store.certificate_standing(&first.serial, keys, now());
    assert_eq!(standing.await.unwrap().end, Some(RenewalEnd::Revoked));
    let standing = store.certificate_standing(&second.serial, keys, now());
    let standing = standing.await.unwrap();
    assert_eq!(standing.certificate, None);
    assert_eq!(standing.deleted_until, Some(second.not_after));
}

async fn a_certificate_stays_as_long_as_its_order_and_its_predecessor(store: &impl BackEnd) {
    let old = ending(48);
    let new = renewed(&old, 1);
    record(store, &[&old, &new]).await;
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["c.example"]).await;
    let ordered = harness::issued(store, &order).await;
    assert_eq!(store.sweep_certificates(later(47)).await, Ok(0));
    store
        .sweep(later(47), jiff::SignedDuration::ZERO)
        .await
        .unwrap();
    assert_eq!(store.sweep_certificates(later(47)).await, Ok(1));
    assert!(!is_there(store, &ordered.serial).await);
    assert_eq!(
        store.sweep_certificates(later(49)).await,
        Ok(1),
        "the old one"
    );
    assert_eq!(
        store.sweep_certificates(later(49)).await,
        Ok(1),
        "the new one"
    );
}

async fn many_certificates_go_in_one_sweep(store: &impl BackEnd) {
    for _ in 0..250 {
        record(store, &[&ending(1)]).await;
    }
    assert_eq!(store.sweep_certificates(later(2)).await, Ok(250));
}
