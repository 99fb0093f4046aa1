//! A right ends everywhere when it ends: what refuses a renewal over mutual TLS.

use acme::eab::{self, MacKey};
use axum::http::{Method, StatusCode};
use ca::external_key::{ExternalKey, Limits, Rules, UseMade};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use pki::{Certificate, KeyKind, Name, PrivateKey};
use rustls_pki_types::CertificateDer;
use serde_json::json;
use store::port::{Certificates as _, ExternalKeys as _, Permits as _};
use store::{AuditEntry, Ending, Event, NewPermit};

use super::client::{Client, Reply, csr_by, plain, post, send_as};
use super::revocation::permit;
use crate::http::{STEP_CA, router};
use crate::service::Services;
use crate::service::harness::{Harness, SlowSigner};

pub(super) const NAMES: [&str; 1] = ["a.test"];
pub(super) const ACME: &str =
    r#"[{"type":"ACME","name":"acme"},{"type":"ACME","name":"bound","requireEAB":true}]"#;

pub(super) fn new_key() -> PrivateKey {
    keys::generate(KeyKind::EcP256).unwrap()
}

/// A certificate for this key, ordered by this account.
pub(super) async fn issued(client: &Client, harness: &Harness, key: &PrivateKey) -> Certificate {
    let (_, order) = client.ready(harness, &NAMES).await;
    finalized(client, &order, key).await
}

pub(super) async fn finalized(
    client: &Client,
    order: &serde_json::Value,
    key: &PrivateKey,
) -> Certificate {
    let done = client.finalize(order, &csr_by(key, &NAMES)).await.json();
    let url = done["certificate"].as_str().unwrap();
    Certificate::from_pem(&client.post(url, None).await.body).unwrap()
}

pub(super) async fn revoke(client: &Client, certificate: &Certificate, reason: u8) {
    let payload = json!({
        "certificate": BASE64URL_NOPAD.encode(certificate.der()), "reason": reason,
    });
    let url = client.url("revoke-cert");
    let reply = client.post(&url, Some(&payload)).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
}

/// The same client at a server that was restarted.
pub(super) fn at(client: &Client, services: Services) -> Client {
    Client {
        router: router(services, &STEP_CA),
        ..client.clone()
    }
}

fn shown(certificate: &Certificate) -> Vec<CertificateDer<'static>> {
    vec![CertificateDer::from(certificate.der().to_vec())]
}

pub(super) async fn try_renew(client: &Client, certificate: &Certificate) -> Reply {
    let request = plain(Method::POST, "/renew");
    send_as(&client.router, request, shown(certificate)).await
}

pub(super) async fn try_rekey(
    client: &Client,
    certificate: &Certificate,
    key: &PrivateKey,
) -> Reply {
    let csr = pki::request(&Name::empty(), &[], key).unwrap();
    let body = json!({ "csr": pki::pem::encode("CERTIFICATE REQUEST", &csr) }).to_string();
    let request = post("/rekey", "application/json", body);
    send_as(&client.router, request, shown(certificate)).await
}

fn certificate_of(reply: &Reply) -> Certificate {
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let body = reply.json();
    Certificate::from_pem(body["crt"].as_str().unwrap().as_bytes()).unwrap()
}

pub(super) async fn renew(client: &Client, certificate: &Certificate) -> Certificate {
    certificate_of(&try_renew(client, certificate).await)
}

async fn rekey(client: &Client, certificate: &Certificate, key: &PrivateKey) -> Certificate {
    certificate_of(&try_rekey(client, certificate, key).await)
}

/// The refusal, whose words say this.
#[track_caller]
fn refused(reply: &Reply, status: u16, words: &str) {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    let body = reply.json();
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(words), "{message}");
}

#[tokio::test]
async fn a_revocation_ends_every_renewal_of_its_lineage_before_and_after_it() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    for reason in [0, 1, 5, 9] {
        let [first, second, third] = lineage(&client, &harness).await;
        let sibling = rekey(&client, &first, &new_key()).await;
        revoke(&client, &second, reason).await;
        refused(&try_renew(&client, &second).await, 401, "revoked");
        for other in [&first, &third, &sibling] {
            let reply = try_rekey(&client, other, &new_key()).await;
            refused(&reply, 401, "was revoked");
            let reply = try_renew(&client, other).await;
            assert_ne!(reply.status, StatusCode::CREATED);
        }
    }
}

/// Three certificates with keys of their own, each made from the one before it.
async fn lineage(client: &Client, harness: &Harness) -> [Certificate; 3] {
    let first = issued(client, harness, &new_key()).await;
    let second = rekey(client, &first, &new_key()).await;
    let third = rekey(client, &second, &new_key()).await;
    [first, second, third]
}

#[tokio::test]
async fn a_superseded_certificate_ends_with_its_ancestors_and_what_continues_it_goes_on() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let [first, second, third] = lineage(&client, &harness).await;
    let sibling = rekey(&client, &first, &new_key()).await;
    revoke(&client, &second, 4).await;
    refused(&try_renew(&client, &second).await, 401, "is revoked");
    refused(&try_renew(&client, &first).await, 401, "superseded");
    let fourth = renew(&client, &third).await;
    renew(&client, &sibling).await;
    // The word of one who has the key does not keep the owner from ending what came of it.
    revoke(&client, &second, 9).await;
    for other in [&first, &third, &fourth, &sibling] {
        let reply = try_renew(&client, other).await;
        refused(&reply, 401, "was revoked");
    }
}

#[tokio::test]
async fn the_account_of_the_first_revokes_every_descendant_and_bars_its_key() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let key = new_key();
    let first = issued(&client, &harness, &new_key()).await;
    let second = rekey(&client, &first, &key).await;
    let third = renew(&client, &second).await;
    // The proofs end, so that the account has no other right than that the first is its own.
    let elsewhere = issued(&client, &harness, &key).await;
    revoke(&client, &third, 1).await;
    let reply = try_rekey(&client, &elsewhere, &new_key()).await;
    refused(&reply, 401, "compromised");
}

#[tokio::test]
async fn a_barred_key_neither_asks_for_a_certificate_nor_gets_one() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (barred, good) = (new_key(), new_key());
    let one = issued(&client, &harness, &barred).await;
    let other = issued(&client, &harness, &barred).await;
    let third = issued(&client, &harness, &good).await;
    revoke(&client, &one, 1).await;
    refused(
        &try_rekey(&client, &other, &new_key()).await,
        401,
        "compromised",
    );
    refused(&try_renew(&client, &other).await, 403, "compromised");
    refused(
        &try_rekey(&client, &third, &barred).await,
        403,
        "compromised",
    );
    renew(&client, &third).await;
}

#[tokio::test]
async fn a_deactivated_account_ends_the_renewals_of_its_certificates() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let first = issued(&client, &harness, &new_key()).await;
    let second = renew(&client, &first).await;
    let kid = client.kid.clone().unwrap();
    let gone = json!({"status": "deactivated"});
    assert_eq!(client.post(&kid, Some(&gone)).await.status, StatusCode::OK);
    for certificate in [&first, &second] {
        let reply = try_renew(&client, certificate).await;
        refused(&reply, 401, "was deactivated");
    }
}

#[tokio::test]
async fn a_removed_external_account_key_ends_the_renewals_of_its_accounts() {
    let harness = Harness::new().await;
    let mut client = Client::new(&harness);
    client.provisioner = "bound".to_owned();
    let secret = MacKey::new(vec![7; 32]);
    let url = client.links().at(STEP_CA.new_account);
    let binding = eab::bind("k1", &secret, &url, &client.jwk()).unwrap();
    let key = ExternalKey {
        id: "k1".to_owned(),
        provisioner: "bound".to_owned(),
        reference: String::new(),
        rules: Rules::default(),
        limits: Limits {
            accounts: 1,
            expires_at: None,
        },
        use_made: UseMade::default(),
        created_at: Timestamp::now(),
    };
    let entry = AuditEntry::new(Event::ExternalKeyCreated, Timestamp::now());
    harness
        .store
        .create_external_key(key, secret, entry)
        .await
        .unwrap();
    let reply = client
        .register(&json!({"externalAccountBinding": binding}))
        .await;
    client.kid = Some(reply.header("location").to_owned());
    let first = issued(&client, &harness, &new_key()).await;
    let second = renew(&client, &first).await;
    let ending = Ending {
        why: acme::Problem::unauthorized("gone"),
        entry: AuditEntry::new(Event::ExternalKeyRemoved, Timestamp::now()),
    };
    harness
        .store
        .remove_external_key("bound", "k1", ending)
        .await
        .unwrap();
    refused(
        &try_renew(&client, &second).await,
        401,
        "external account key k1",
    );
}

#[tokio::test]
async fn a_permit_that_is_taken_back_ends_the_renewals_that_rested_on_it_alone() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let proven = issued(&client, &harness, &new_key()).await;
    let record = permit(&client, NAMES[0]);
    let entry = || AuditEntry::new(Event::PermitAdded, Timestamp::now());
    let new = NewPermit::new(record.clone(), entry());
    harness.store.add_permits(vec![new]).await.unwrap();
    let (_, order) = client.order(&NAMES).await;
    assert_eq!(order["status"], "ready");
    let permitted = finalized(&client, &order, &new_key()).await;
    let renewed = renew(&client, &permitted).await;
    let ending = Ending::of_permit(&record, entry());
    harness
        .store
        .remove_permit("acme", record.id, ending)
        .await
        .unwrap();
    for certificate in [&permitted, &renewed] {
        let reply = try_renew(&client, certificate).await;
        refused(&reply, 401, "permit");
    }
    renew(&client, &proven).await;
}

#[tokio::test]
async fn a_renewal_lives_no_longer_than_the_claims_allow_now() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let first = issued(&client, &harness, &new_key()).await;
    let provisioners = r#"[{"type":"ACME","name":"acme",
        "claims":{"maxTLSCertDuration":"1h","defaultTLSCertDuration":"1h"}}]"#;
    let client = at(&client, harness.restarted(provisioners, ""));
    let second = renew(&client, &first).await;
    let hour = SignedDuration::from_secs(3660);
    assert_eq!(second.not_after().duration_since(second.not_before()), hour);
    // What was shortened stays short.
    let client = at(&client, harness.restarted(ACME, ""));
    let third = renew(&client, &second).await;
    assert_eq!(third.not_after().duration_since(third.not_before()), hour);
}

#[tokio::test]
async fn a_withdrawn_profile_ends_the_renewals_of_its_certificates() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let offer = |names: &str| {
        let toml = format!(
            "profile = {{ long = {{}}, short = {{ life = \"1h\", longest_life = \"1h\" }} }}\n\
             [provisioner.acme]\nprofiles = [{names}]\n"
        );
        at(&client, harness.restarted(ACME, &toml))
    };
    let both = offer(r#""short", "long""#);
    let first = issued(&both, &harness, &new_key()).await;
    let second = renew(&both, &first).await;
    let fewer = offer(r#""long""#);
    refused(&try_renew(&fewer, &second).await, 403, "short");
    renew(&both, &second).await;
}

#[tokio::test]
pub(super) async fn renewals_are_counted_with_the_orders_of_the_account() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let limits = "[rate_limits]\norders_per_account = { count = 3, per = \"24h\" }\n";
    let client = at(&client, harness.restarted(ACME, limits));
    let first = issued(&client, &harness, &new_key()).await;
    let second = renew(&client, &first).await;
    renew(&client, &second).await;
    let reply = try_renew(&client, &second).await;
    refused(&reply, 429, "orders_per_account");
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(client.new_order(&NAMES).await.problem(), "rateLimited");
}

#[tokio::test]
async fn a_dns_outage_delays_a_renewal_where_caa_is_enforced() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let first = issued(&client, &harness, &new_key()).await;
    let provisioners = r#"[{"type":"ACME","name":"acme","caaIdentities":["ca.test"]}]"#;
    let caa = |mode: &str| {
        let toml = format!("[provisioner.acme]\ncaa = \"{mode}\"\n");
        at(&client, harness.restarted(provisioners, &toml))
    };
    let reply = try_renew(&caa("enforce"), &first).await;
    refused(&reply, 503, "caa = \"warn\"");
    assert!(!reply.header("retry-after").is_empty());
    renew(&caa("warn"), &first).await;
}

/// Answers each signature that the slow signer begins.
async fn sign(signer: &mut SlowSigner) {
    signer.begun.recv().await.unwrap();
    signer.release.send(()).unwrap();
}

#[tokio::test]
async fn a_right_that_ends_while_a_renewal_is_signed_ends_the_renewal() {
    let (harness, mut signer) = Harness::with_slow_signer().await;
    let client = Client::registered(&harness).await;
    let key = new_key();
    let (first, ()) = tokio::join!(issued(&client, &harness, &key), sign(&mut signer));
    let renewing = {
        let (client, first) = (client.clone(), first.clone());
        tokio::spawn(async move { try_rekey(&client, &first, &new_key()).await })
    };
    signer.begun.recv().await.unwrap();
    let kid = client.kid.clone().unwrap();
    let gone = json!({"status": "deactivated"});
    assert_eq!(client.post(&kid, Some(&gone)).await.status, StatusCode::OK);
    signer.release.send(()).unwrap();
    // It is admitted once more, and refused for what has ended.
    refused(&renewing.await.unwrap(), 401, "was deactivated");
    let named = harness
        .store
        .certificates_named(NAMES[0], 10)
        .await
        .unwrap();
    assert_eq!(named.len(), 1);
}
