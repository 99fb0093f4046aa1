//! What the verbs on revocations promise.

use acme::identifier::Identifier;
use acme::revocation::Reason;
use acme::scope::Scope;
use tokio::task::JoinSet;

use super::BackEnd;
use super::harness::{self, dns, later, now};
use crate::{
    CertificateRecord, CertifiedKey, Issuance, Issued, NamesClaim, RenewalKeys, Revocation,
    Revoked, Revoker,
};

super::for_each_back_end!(
    a_revoked_certificate_is_seen_so_at_once,
    of_many_revocations_of_one_certificate_one_is_done,
    only_a_compromised_key_is_remembered,
    a_key_that_is_compromised_meanwhile_gets_no_certificate,
    proof_of_names_does_not_bar_a_key,
    a_key_that_turns_out_to_be_compromised_is_barred_then,
    a_revocation_is_in_the_audit_log_with_its_origin_and_reason,
    a_revoked_certificate_is_not_renewed,
    an_account_has_proven_what_it_has_valid_authorizations_for,
    a_proof_ends_with_its_authorization,
);

fn revocation(certificate: &CertificateRecord, reason: Reason, by: Revoker) -> Revocation {
    let revoked = Revoked {
        at: later(1),
        reason,
        by,
    };
    Revocation::new(certificate, revoked, [7; 32])
}

async fn a_revoked_certificate_is_seen_so_at_once(store: &impl BackEnd) {
    let account = harness::account(store).await;
    for (name, by) in [
        ("a.example", Revoker::Key),
        ("b.example", Revoker::Account(account.id)),
        ("c.example", Revoker::Names(account.id)),
    ] {
        let order = harness::ready_order(store, &account, &[name]).await;
        let certificate = harness::issued(store, &order).await;
        let revocation = revocation(&certificate, Reason::Superseded, by);
        let revoked = Some(revocation.revoked.clone());
        assert_eq!(store.revoke(revocation).await, Ok(true));
        let expected = CertificateRecord {
            revoked,
            ..certificate.clone()
        };
        let by_id = store.certificate(certificate.id).await;
        assert_eq!(by_id, Ok(Some(expected.clone())));
        let by_serial = store.certificate_by_serial(&certificate.serial).await;
        assert_eq!(by_serial, Ok(Some(expected)));
    }
}

async fn of_many_revocations_of_one_certificate_one_is_done(store: &impl BackEnd) {
    let certificate = harness::certificate(&["a.example"]);
    harness::recorded(store, certificate.clone()).await.unwrap();
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let revocation = revocation(&certificate, Reason::Unspecified, Revoker::Key);
        let store = store.clone();
        tasks.spawn(async move { store.revoke(revocation).await.unwrap() });
    }
    let all = tasks.join_all().await;
    assert_eq!(all.iter().filter(|done| **done).count(), 1);
    let lines = store.audit(0, 100).await.unwrap();
    let revocations = lines
        .iter()
        .filter(|it| it.entry.event == "certificate-revoked");
    assert_eq!(revocations.count(), 1);
}

async fn only_a_compromised_key_is_remembered(store: &impl BackEnd) {
    for (reason, remembered) in [(Reason::Superseded, false), (Reason::KeyCompromise, true)] {
        let certificate = harness::certificate(&["a.example"]);
        harness::recorded(store, certificate.clone()).await.unwrap();
        let revocation = revocation(&certificate, reason, Revoker::Key);
        assert_eq!(store.revoke(revocation).await, Ok(true));
        assert_eq!(store.is_compromised([7; 32]).await, Ok(remembered));
        let keys = RenewalKeys {
            asking: [8; 32],
            certified: [7; 32],
        };
        let standing = store
            .certificate_standing(&certificate.serial, keys, now())
            .await;
        let standing = standing.unwrap();
        assert_eq!(standing.certified_key_compromised, remembered);
        assert!(!standing.asking_key_compromised);
        assert_eq!(standing.certificate.map(|it| it.id), Some(certificate.id));
    }
    assert_eq!(store.is_compromised([8; 32]).await, Ok(false));
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    for (digest, barred) in [(None, false), (Some([7; 32]), true), (Some([8; 32]), false)] {
        let key = digest.map(|digest| CertifiedKey {
            digest,
            thumbprint: String::new(),
        });
        let read = store.finalization(order.id, key).await.unwrap().unwrap();
        assert_eq!(read.key_compromised, barred);
    }
}

async fn a_key_that_is_compromised_meanwhile_gets_no_certificate(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let old = harness::certificate(&["b.example"]);
    harness::recorded(store, old.clone()).await.unwrap();
    let compromise = revocation(&old, Reason::KeyCompromise, Revoker::Key);
    store.revoke(compromise).await.unwrap();
    let issuance = Issuance {
        key: [7; 32],
        ..harness::issuance(&order)
    };
    let refused = store.issue(issuance.clone()).await;
    assert_eq!(refused, Ok(Issued::KeyCompromised));
    let id = issuance.certificate.id;
    assert_eq!(store.certificate(id).await, Ok(None));
    let another = harness::issuance(&order);
    assert_eq!(store.issue(another).await, Ok(Issued::Done));
}

async fn a_key_that_turns_out_to_be_compromised_is_barred_then(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let certificate = harness::certificate(&["a.example"]);
    harness::recorded(store, certificate.clone()).await.unwrap();
    let first = revocation(&certificate, Reason::Superseded, Revoker::Key);
    assert_eq!(store.revoke(first.clone()).await, Ok(true));
    let (names, own) = (Revoker::Names(account.id), Revoker::Account(account.id));
    let mut barred = false;
    for (reason, by, counts) in [
        (Reason::Superseded, own, false),
        (Reason::Unspecified, own, false),
        (Reason::KeyCompromise, names, true),
        (Reason::CessationOfOperation, Revoker::Key, false),
        (Reason::KeyCompromise, names, false),
        (Reason::KeyCompromise, Revoker::Key, true),
        (Reason::KeyCompromise, own, false),
        (Reason::Superseded, Revoker::Key, false),
    ] {
        let again = revocation(&certificate, reason, by);
        assert_eq!(store.revoke(again).await, Ok(counts), "{reason:?} {by:?}");
        barred |= counts && by == Revoker::Key;
        assert_eq!(store.is_compromised([7; 32]).await, Ok(barred));
    }
    let found = store.certificate(certificate.id).await.unwrap().unwrap();
    let expected = Revoked {
        reason: Reason::KeyCompromise,
        ..first.revoked
    };
    assert_eq!(found.revoked, Some(expected));
}

async fn proof_of_names_does_not_bar_a_key(store: &impl BackEnd) {
    let account = harness::account(store).await;
    for (by, remembered) in [
        (Revoker::Names(account.id), false),
        (Revoker::Account(account.id), true),
    ] {
        let certificate = harness::certificate(&["a.example"]);
        harness::recorded(store, certificate.clone()).await.unwrap();
        let revocation = revocation(&certificate, Reason::KeyCompromise, by);
        assert_eq!(store.revoke(revocation).await, Ok(true));
        assert_eq!(store.is_compromised([7; 32]).await, Ok(remembered));
    }
}

async fn a_revocation_is_in_the_audit_log_with_its_origin_and_reason(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let certificate = harness::issued(store, &order).await;
    let revocation = revocation(
        &certificate,
        Reason::KeyCompromise,
        Revoker::Names(account.id),
    );
    store.revoke(revocation).await.unwrap();
    let lines = store.audit(0, 100).await.unwrap();
    let last = &lines.last().unwrap().entry;
    assert_eq!(last.event, "certificate-revoked");
    assert_eq!(last.at, later(1));
    assert_eq!(last.account, Some(account.id));
    assert_eq!(last.certificate, Some(certificate.id));
    assert_eq!(last.detail["reason"], "keyCompromise");
    assert_eq!(last.detail["by"], "names");
}

async fn a_revoked_certificate_is_not_renewed(store: &impl BackEnd) {
    let old = harness::certificate(&["a.example"]);
    harness::recorded(store, old.clone()).await.unwrap();
    store
        .revoke(revocation(&old, Reason::Unspecified, Revoker::Key))
        .await
        .unwrap();
    let renewal = CertificateRecord {
        renewed_from: Some(old.serial),
        ..harness::certificate(&["a.example"])
    };
    let issuance = Issuance::new(renewal.clone(), [9; 32]);
    assert_eq!(store.issue(issuance).await, Ok(Issued::RightEnded));
    assert_eq!(store.certificate(renewal.id).await, Ok(None));
}

async fn an_account_has_proven_what_it_has_valid_authorizations_for(store: &impl BackEnd) {
    let account = harness::account(store).await;
    harness::ready_order(store, &account, &["a.example", "*.b.example"]).await;
    harness::pending_order(store, &account, &["c.example"]).await;
    for (names, proven) in [
        (&["a.example"][..], true),
        (&["a.example", "*.b.example"], true),
        (&["b.example"], false),
        (&["*.a.example"], false),
        (&["a.example", "c.example"], false),
        (&[], false),
    ] {
        let identifiers: Vec<_> = names.iter().map(|name| dns(name)).collect();
        let found = harness::has_proven(store, claim(account.id, identifiers)).await;
        assert_eq!(found, Ok(proven), "{names:?}");
    }
    let other = uuid::Uuid::now_v7();
    let found = harness::has_proven(store, claim(other, vec![dns("a.example")])).await;
    assert_eq!(found, Ok(false));
}

async fn a_proof_ends_with_its_authorization(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let order = harness::ready_order(store, &account, &["a.example"]).await;
    let names = vec![dns("a.example")];
    let at = |hours| {
        let claim = NamesClaim {
            at: later(hours),
            ..claim(account.id, names.clone())
        };
        harness::has_proven(store, claim)
    };
    assert_eq!(at(23).await, Ok(true));
    assert_eq!(at(24).await, Ok(false));
    store
        .deactivate_authorization(order.authorizations[0], harness::given_up(now()))
        .await
        .unwrap();
    assert_eq!(at(1).await, Ok(false));
}

/// A claim to these names now.
fn claim(account: uuid::Uuid, identifiers: Vec<Identifier>) -> NamesClaim {
    NamesClaim {
        account,
        identifiers,
        widest: Scope::Name,
        at: now(),
    }
}
