//! What a renewal over mutual TLS is deliberately not asked for again: each row of the table in
//! SECURITY.md, but the one on certificates that no account has ordered, which `ca` tests.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use pki::{Certificate, oid};
use serde_json::json;

use super::client::{Client, csr_by};
use super::rights::{ACME, NAMES, at, finalized, issued, new_key, renew};
use crate::service::harness::Harness;

#[tokio::test]
async fn a_renewal_needs_no_authorization() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.ready(&harness, &NAMES).await;
    let first = finalized(&client, &order, &new_key()).await;
    let hits = harness.web.hits();
    let authorization = order["authorizations"][0].as_str().unwrap();
    let gone = json!({"status": "deactivated"});
    let reply = client.post(authorization, Some(&gone)).await;
    assert_eq!(reply.json()["status"], "deactivated");
    renew(&client, &first).await;
    assert_eq!(harness.web.hits(), hits);
}

#[tokio::test]
async fn a_renewal_does_not_need_its_challenge_to_be_offered_still() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let first = issued(&client, &harness, &new_key()).await;
    let toml = "[provisioner.acme]\nchallenges = [\"dns-01\"]\n";
    renew(&at(&client, harness.restarted(ACME, toml)), &first).await;
}

#[tokio::test]
async fn a_renewal_copies_what_its_profile_said_when_it_was_ordered() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let offering = |usage: &str| {
        let toml = format!(
            "profile = {{ a = {{ extended_key_usages = [\"{usage}\"] }} }}\n\
             [provisioner.acme]\nprofiles = [\"a\"]\n"
        );
        at(&client, harness.restarted(ACME, &toml))
    };
    let first = issued(&offering("clientAuth"), &harness, &new_key()).await;
    let second = renew(&offering("serverAuth"), &first).await;
    let usages = |it: &Certificate| it.extension(&oid::EXTENDED_KEY_USAGE).cloned().unwrap();
    assert_eq!(usages(&second), usages(&first));
}

#[tokio::test]
async fn a_renewal_may_be_shorter_than_the_claims_ask_of_an_order_now() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let hour = SignedDuration::from_hours(1);
    let end = Timestamp::now().checked_add(hour).unwrap();
    let payload = json!({
        "identifiers": [{"type": "dns", "value": NAMES[0]}], "notAfter": end.to_string(),
    });
    client.ready(&harness, &NAMES).await;
    let toml = "[provisioner.acme]\nauthorization_reuse = \"1h\"\n";
    let reusing = at(&client, harness.restarted(ACME, toml));
    let order = reusing.post(&client.url("new-order"), Some(&payload)).await;
    assert_eq!(order.json()["status"], "ready", "{order:?}");
    let first = finalized(&client, &order.json(), &new_key()).await;
    let provisioners = r#"[{"type":"ACME","name":"acme","claims":{"minTLSCertDuration":"12h"}}]"#;
    let second = renew(&at(&client, harness.restarted(provisioners, "")), &first).await;
    let life = |it: &Certificate| it.not_after().duration_since(it.not_before());
    assert_eq!(life(&second), life(&first));
}

#[tokio::test]
async fn a_renewal_does_not_need_new_terms_to_be_agreed_to() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let first = issued(&client, &harness, &new_key()).await;
    let provisioners =
        r#"[{"type":"ACME","name":"acme","termsOfService":"https://ca.test/new-terms"}]"#;
    let toml = "[provisioner.acme]\nterms_changed = \"ask\"\n";
    let client = at(&client, harness.restarted(provisioners, toml));
    let refused = client.new_order(&NAMES).await;
    assert_eq!(refused.problem(), "userActionRequired");
    renew(&client, &first).await;
}

#[tokio::test]
async fn an_order_that_replaces_a_certificate_begins_a_lineage_of_its_own() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let first = issued(&client, &harness, &new_key()).await;
    let id = acme::renewal::CertificateId::of(&first).unwrap();
    let payload = json!({
        "identifiers": [{"type": "dns", "value": NAMES[0]}], "replaces": id.to_string(),
    });
    let toml = "[provisioner.acme]\nauthorization_reuse = \"1h\"\n";
    let client = at(&client, harness.restarted(ACME, toml));
    let order = client.post(&client.url("new-order"), Some(&payload)).await;
    assert_eq!(order.json()["status"], "ready", "{order:?}");
    let done = client
        .finalize(&order.json(), &csr_by(&new_key(), &NAMES))
        .await;
    let url = done.json()["certificate"].as_str().unwrap().to_owned();
    let second = Certificate::from_pem(&client.post(&url, None).await.body).unwrap();
    super::rights::revoke(&client, &first, 5).await;
    let reply = super::rights::try_renew(&client, &first).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    renew(&client, &second).await;
}
