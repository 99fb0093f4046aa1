//! What the verbs promise about renewals over mutual TLS: what continues a lineage, and what ends it.

use acme::challenge::{Means, Method};
use acme::permit::{Holder, Pattern, Record};
use acme::revocation::Reason;
use pki::Serial;
use uuid::Uuid;

use super::harness::{self, later, now};
use super::{BackEnd, external_keys};
use crate::{
    AuditEntry, CertificateRecord, Created, Event, Issuance, Issued, NewPermit, RenewalEnd,
    RenewalKeys, Revocation, Revoked, Revoker,
};

super::for_each_back_end!(
    a_renewal_keeps_what_it_rests_on,
    a_lineage_ends_by_one_revocation_of_any_certificate_in_it,
    a_superseded_certificate_ends_with_its_ancestors_alone,
    a_lineage_whose_first_was_never_recorded_ends_as_well,
    a_renewal_is_recorded_only_while_what_it_rests_on_stands,
    a_renewal_is_not_recorded_without_the_external_account_key,
    a_permit_that_has_expired_when_a_renewal_is_issued_carries_nothing,
);

/// The key whose holder asks for renewals, and the one that is certified.
const KEYS: RenewalKeys = RenewalKeys {
    asking: [6; 32],
    certified: [9; 32],
};

/// A certificate made from this one.
fn renewal(old: &CertificateRecord) -> CertificateRecord {
    CertificateRecord {
        provisioner: old.provisioner.clone(),
        account: old.account,
        renewed_from: Some(old.serial.clone()),
        lineage: Some(old.lineage().clone()),
        profile: old.profile.clone(),
        basis: old.basis.clone(),
        ..harness::certificate(&["a.example"])
    }
}

async fn record(store: &impl BackEnd, certificate: &CertificateRecord) -> Issued {
    let issuance = Issuance::new(certificate.clone(), KEYS.certified).asked_by(KEYS.asking);
    store.issue(issuance).await.unwrap()
}

async fn renewed(store: &impl BackEnd, old: &CertificateRecord) -> CertificateRecord {
    let renewal = renewal(old);
    assert_eq!(record(store, &renewal).await, Issued::Done);
    renewal
}

async fn revoke(store: &impl BackEnd, certificate: &CertificateRecord, reason: Reason) {
    let revoked = Revoked {
        at: later(1),
        reason,
        by: Revoker::Key,
    };
    let revocation = Revocation::new(certificate, revoked, KEYS.asking);
    assert_eq!(store.revoke(revocation).await, Ok(true));
}

async fn end(store: &impl BackEnd, serial: &Serial) -> Option<RenewalEnd> {
    let standing = store.certificate_standing(serial, KEYS, now()).await;
    standing.unwrap().end
}

/// The first certificate of an account, for a name that this permit gave.
async fn first(store: &impl BackEnd, account: Uuid, permit: Option<Uuid>) -> CertificateRecord {
    let found = store.account(account).await.unwrap().unwrap();
    let order = harness::ready_order(store, &found, &["a.example"]).await;
    let mut issuance = harness::issuance(&order);
    let means = permit.map_or(Means::Challenge(Method::Http01), Means::Permit);
    issuance.certificate.basis = vec![Some(means)];
    issuance.certificate.profile = Some("short".to_owned());
    assert_eq!(store.issue(issuance.clone()).await, Ok(Issued::Done));
    issuance.certificate
}

async fn a_renewal_keeps_what_it_rests_on(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut issuance = harness::issuance(
        &harness::ready_order(store, &account, &["a.example", "b.example"]).await,
    );
    let permit = Means::Permit(Uuid::now_v7());
    let basis = vec![Some(Means::Challenge(Method::Dns01)), None, Some(permit)];
    issuance.certificate.basis = basis;
    assert_eq!(store.issue(issuance.clone()).await, Ok(Issued::Done));
    let first = issuance.certificate;
    let found = store.certificate(first.id).await.unwrap().unwrap();
    assert_eq!((found.lineage(), &found), (&first.serial, &first));
    let standing = store.certificate_standing(&first.serial, KEYS, now()).await;
    let standing = standing.unwrap();
    assert_eq!(standing.account.map(|it| it.id), Some(account.id));
    assert_eq!((standing.end, standing.permits), (None, vec![]));
    assert_eq!(standing.certificate, Some(first));
}

async fn a_lineage_ends_by_one_revocation_of_any_certificate_in_it(store: &impl BackEnd) {
    let account = harness::account(store).await;
    for which in 0..4 {
        let first = first(store, account.id, None).await;
        let second = renewed(store, &first).await;
        let third = renewed(store, &second).await;
        let sibling = renewed(store, &first).await;
        let all = [first, second, third, sibling];
        revoke(store, &all[which], Reason::PrivilegeWithdrawn).await;
        for (n, one) in all.iter().enumerate() {
            let expected = match n == which {
                true => RenewalEnd::Revoked,
                false => RenewalEnd::LineageEnded,
            };
            assert_eq!(end(store, &one.serial).await, Some(expected));
            assert_eq!(record(store, &renewal(one)).await, Issued::RightEnded);
        }
    }
    let other = first(store, account.id, None).await;
    assert_eq!(end(store, &other.serial).await, None);
}

async fn a_superseded_certificate_ends_with_its_ancestors_alone(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let first = first(store, account.id, None).await;
    let second = renewed(store, &first).await;
    let third = renewed(store, &second).await;
    let fourth = renewed(store, &third).await;
    let sibling = renewed(store, &second).await;
    revoke(store, &third, Reason::Superseded).await;
    for (one, expected) in [
        (&first, Some(RenewalEnd::Superseded)),
        (&second, Some(RenewalEnd::Superseded)),
        (&third, Some(RenewalEnd::Revoked)),
        (&fourth, None),
        (&sibling, None),
    ] {
        assert_eq!(end(store, &one.serial).await, expected);
        let outcome = record(store, &renewal(one)).await;
        assert_eq!(outcome == Issued::Done, expected.is_none());
    }
    revoke(store, &third, Reason::CessationOfOperation).await;
    let ended = Some(RenewalEnd::LineageEnded);
    assert_eq!(end(store, &fourth.serial).await, ended);
    assert_eq!(end(store, &sibling.serial).await, ended);
}

async fn a_lineage_whose_first_was_never_recorded_ends_as_well(store: &impl BackEnd) {
    let unknown = harness::certificate(&["a.example"]);
    let second = renewed(store, &unknown).await;
    let third = renewed(store, &second).await;
    assert_eq!(end(store, &unknown.serial).await, None);
    revoke(store, &third, Reason::Superseded).await;
    assert_eq!(
        end(store, &unknown.serial).await,
        Some(RenewalEnd::Superseded)
    );
    revoke(store, &second, Reason::Unspecified).await;
    assert_eq!(
        end(store, &unknown.serial).await,
        Some(RenewalEnd::LineageEnded)
    );
    assert_eq!(record(store, &renewal(&unknown)).await, Issued::RightEnded);
}

async fn a_renewal_is_recorded_only_while_what_it_rests_on_stands(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let permit = permit(account.id);
    let id = permit.id;
    give(store, &permit).await;
    let proven = first(store, account.id, None).await;
    let permitted = first(store, account.id, Some(id)).await;
    let standing = store
        .certificate_standing(&permitted.serial, KEYS, now())
        .await;
    assert_eq!(standing.unwrap().permits, [id]);
    for certificate in [&proven, &permitted] {
        renewed(store, certificate).await;
    }
    let ending = harness::ending(Event::PermitRemoved, now());
    store.remove_permit("acme", id, ending).await.unwrap();
    let outcome = record(store, &renewal(&permitted)).await;
    assert_eq!(outcome, Issued::RightEnded);
    renewed(store, &proven).await;
    let other = harness::certificate(&["b.example"]);
    harness::recorded(store, other.clone()).await.unwrap();
    let elsewhere = first(store, account.id, None).await;
    revoke(store, &other, Reason::KeyCompromise).await;
    let outcome = record(store, &renewal(&elsewhere)).await;
    assert_eq!(outcome, Issued::RightEnded, "the key that asks is barred");
    let issuance = || Issuance::new(renewal(&elsewhere), KEYS.certified).asked_by([5; 32]);
    assert_eq!(store.issue(issuance()).await, Ok(Issued::Done));
    let ending = harness::end_of_account(now());
    store.deactivate_account(account.id, ending).await.unwrap();
    assert_eq!(store.issue(issuance()).await, Ok(Issued::RightEnded));
}

async fn a_renewal_is_not_recorded_without_the_external_account_key(store: &impl BackEnd) {
    external_keys::key(store, "k1", "").await.unwrap();
    let account = external_keys::bind(store, "k1", harness::new_account(0)).await;
    let Created::Created(account) = account else {
        panic!("{account:?}");
    };
    let first = first(store, account.id, None).await;
    let standing = store.certificate_standing(&first.serial, KEYS, now()).await;
    assert!(standing.unwrap().external_key.is_some());
    renewed(store, &first).await;
    let ending = harness::ending(Event::ExternalKeyRemoved, now());
    store
        .remove_external_key("acme", "k1", ending)
        .await
        .unwrap();
    assert_eq!(record(store, &renewal(&first)).await, Issued::RightEnded);
}

async fn a_permit_that_has_expired_when_a_renewal_is_issued_carries_nothing(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let permit = Record {
        expires: Some(later(2)),
        ..permit(account.id)
    };
    give(store, &permit).await;
    let first = first(store, account.id, Some(permit.id)).await;
    for (hours, expected) in [(1, Issued::Done), (2, Issued::RightEnded)] {
        let standing = store.certificate_standing(&first.serial, KEYS, later(hours));
        let stands = standing.await.unwrap().permits == [permit.id];
        assert_eq!(stands, expected == Issued::Done);
        let renewal = CertificateRecord {
            issued_at: later(hours),
            ..renewal(&first)
        };
        assert_eq!(record(store, &renewal).await, expected);
    }
}

fn permit(account: Uuid) -> Record {
    Record {
        id: Uuid::now_v7(),
        holder: Holder::Account(account),
        provisioner: "acme".to_owned(),
        pattern: Pattern::parse("a.example").unwrap(),
        expires: None,
        by: "test".to_owned(),
        at: now(),
    }
}

async fn give(store: &impl BackEnd, permit: &Record) {
    let entry = AuditEntry::new(Event::PermitAdded, now());
    let new = NewPermit::new(permit.clone(), entry);
    store.add_permits(vec![new]).await.unwrap();
}
