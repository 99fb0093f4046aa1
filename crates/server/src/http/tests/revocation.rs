//! What a revocation ends beside the certificate: its renewal, and its key's future.

use acme::permit::{self, Holder, Pattern};
use axum::http::{Method, StatusCode};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use pki::Certificate;
use rustls_pki_types::CertificateDer;
use serde_json::json;
use store::port::Permits as _;
use store::{AuditEntry, Event, NewPermit};
use uuid::Uuid;

use super::client::{Client, Reply, csr_by, plain, send_as};
use crate::service::harness::Harness;

/// A certificate for this key.
async fn issued(client: &Client, harness: &Harness, key: &pki::PrivateKey) -> Certificate {
    let names = ["revoked.test"];
    let (_, order) = client.ready(harness, &names).await;
    let done = client.finalize(&order, &csr_by(key, &names)).await.json();
    let url = done["certificate"].as_str().unwrap();
    Certificate::from_pem(&client.post(url, None).await.body).unwrap()
}

async fn revoke(client: &Client, certificate: &Certificate, reason: u8) -> Reply {
    let payload = json!({
        "certificate": BASE64URL_NOPAD.encode(certificate.der()), "reason": reason,
    });
    client
        .post(&client.url("revoke-cert"), Some(&payload))
        .await
}

async fn renew(client: &Client, certificate: &Certificate) -> Reply {
    let shown = vec![CertificateDer::from(certificate.der().to_vec())];
    send_as(&client.router, plain(Method::POST, "/1.0/renew"), shown).await
}

#[tokio::test]
async fn a_revoked_certificate_is_not_renewed() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let key = keys::generate(pki::KeyKind::EcP256).unwrap();
    let certificate = issued(&client, &harness, &key).await;
    assert_eq!(
        renew(&client, &certificate).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        revoke(&client, &certificate, 4).await.status,
        StatusCode::OK
    );
    let refused = renew(&client, &certificate).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{refused:?}");
}

#[tokio::test]
async fn another_certificate_of_a_compromised_key_is_not_renewed() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let key = keys::generate(pki::KeyKind::EcP256).unwrap();
    let first = issued(&client, &harness, &key).await;
    let second = issued(&client, &harness, &key).await;
    assert_eq!(revoke(&client, &first, 1).await.status, StatusCode::OK);
    let refused = renew(&client, &second).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{refused:?}");
    assert!(
        refused.json()["message"]
            .as_str()
            .unwrap()
            .contains("compromised")
    );
}

#[tokio::test]
async fn a_permit_alone_does_not_revoke_the_certificate_of_another_account() {
    let harness = Harness::new().await;
    let owner = Client::registered(&harness).await;
    let key = keys::generate(pki::KeyKind::EcP256).unwrap();
    let certificate = issued(&owner, &harness, &key).await;
    let other = Client::registered(&harness).await;
    let entry = AuditEntry::new(Event::PermitAdded, Timestamp::now());
    let new = NewPermit::new(permit(&other, "revoked.test"), entry);
    harness.store.add_permits(vec![new]).await.unwrap();
    let (_, order) = other.order(&["revoked.test"]).await;
    assert_eq!(order["status"], "ready");
    let refused = revoke(&other, &certificate, 0).await;
    assert_eq!(refused.problem(), "unauthorized");
}

/// An operator's permit for this account and the name that certificates have here.
pub(super) fn permit(client: &Client, name: &str) -> permit::Record {
    let account = client.kid.as_ref().unwrap().rsplit('/').next().unwrap();
    permit::Record {
        id: Uuid::now_v7(),
        holder: Holder::Account(Uuid::try_parse(account).unwrap()),
        provisioner: "acme".to_owned(),
        pattern: Pattern::parse(name).unwrap(),
        expires: None,
        by: "test".to_owned(),
        at: Timestamp::now(),
    }
}
