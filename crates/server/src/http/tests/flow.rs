//! The whole way from a directory to a certificate, and what its answers carry.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode};
use pki::Certificate;
use pki::chain::{self, Purpose};
use serde_json::json;
use store::port::Certificates as _;

use super::client::{Client, HOST, csr, get, plain, send};
use crate::service::harness::Harness;

#[tokio::test]
async fn an_order_for_a_name_and_an_address_becomes_a_certificate() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let names = ["www.test", "127.0.0.1"];
    let (_, order) = client.ready(&harness, &names).await;
    let (csr, key) = csr(&names);
    let done = client.finalize(&order, &csr).await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let done = done.json();
    assert_eq!(done["status"], "valid");
    let reply = client
        .post(done["certificate"].as_str().unwrap(), None)
        .await;
    assert_eq!(
        reply.header("content-type"),
        "application/pem-certificate-chain"
    );
    let chain = Certificate::all_from_pem(&reply.body).unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[0].public_key().unwrap(), key.public());
    let options = chain::Options {
        intermediates: &chain[1..],
        roots: std::slice::from_ref(&harness.authority.root),
        at: jiff::Timestamp::now(),
        purpose: Purpose::ServerAuth,
        host: Some("www.test"),
    };
    chain::verify(&chain[0], &options).unwrap();
    let life = chain[0].not_after().duration_since(chain[0].not_before());
    assert_eq!(life.as_secs(), 86_460);
}

#[tokio::test]
async fn twenty_four_finalizes_make_one_certificate_and_one_signature() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.ready(&harness, &["many.test"]).await;
    let mut running = Vec::new();
    for _ in 0..24 {
        let (client, order) = (client.clone(), order.clone());
        let (csr, _) = csr(&["many.test"]);
        running.push(tokio::spawn(
            async move { client.finalize(&order, &csr).await },
        ));
    }
    let mut urls = Vec::new();
    for one in running {
        let reply = one.await.unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        urls.push(reply.json()["certificate"].as_str().unwrap().to_owned());
    }
    urls.dedup();
    assert_eq!(urls.len(), 1);
    assert_eq!(harness.signatures.load(Ordering::SeqCst), 1);
    let recorded = harness.store.certificates_named("many.test", 100).await;
    assert_eq!(recorded.unwrap().len(), 1);
}

#[tokio::test]
async fn other_requests_are_answered_while_a_slow_signer_signs() {
    let (harness, mut signer) = Harness::with_slow_signer().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.ready(&harness, &["slow.test"]).await;
    let (csr, _) = csr(&["slow.test"]);
    let finalizing = {
        let client = client.clone();
        tokio::spawn(async move { client.finalize(&order, &csr).await })
    };
    signer.begun.recv().await.unwrap();
    let (_, other) = client.ready(&harness, &["other.test"]).await;
    assert_eq!(other["status"], "ready");
    assert!(!finalizing.is_finished());
    signer.release.send(()).unwrap();
    let done = finalizing.await.unwrap();
    assert_eq!(done.json()["status"], "valid", "{done:?}");
}

#[tokio::test]
async fn the_directory_has_no_nonce_and_no_link_and_everything_else_has() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let directory = send(&client.router, get("/acme/acme/directory")).await;
    assert_eq!(directory.status, StatusCode::OK);
    assert_eq!(
        directory.json(),
        json!({
            "newNonce": client.url("new-nonce"),
            "newAccount": client.url("new-account"),
            "newOrder": client.url("new-order"),
            "revokeCert": client.url("revoke-cert"),
            "keyChange": client.url("key-change"),
            "renewalInfo": client.url("renewal-info"),
        })
    );
    assert_eq!(directory.header("replay-nonce"), "");
    assert_eq!(directory.header("link"), "");
    assert_eq!(directory.header("access-control-allow-origin"), "*");
    for (method, status) in [(Method::HEAD, 200), (Method::GET, 204)] {
        let reply = send(&client.router, plain(method, "/acme/acme/new-nonce")).await;
        assert_eq!(reply.status.as_u16(), status);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("replay-nonce").len(), 43);
        assert_eq!(
            reply.header("link"),
            format!("<https://{HOST}/acme/acme/directory>;rel=\"index\"")
        );
    }
}

#[tokio::test]
async fn the_old_prefix_and_post_as_get_of_the_directory_work() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let old = send(&client.router, get("/2.0/acme/acme/directory")).await;
    assert_eq!(old.json()["newOrder"], client.url("new-order"));
    let url = client.url("directory");
    let reply = client.post(&url, None).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.header("link"), "");
    let old = client
        .url("new-nonce")
        .replace("/acme/acme", "/2.0/acme/acme");
    assert_eq!(client.post(&old, None).await.status.as_u16(), 204);
}

#[tokio::test]
async fn an_account_is_created_found_read_changed_and_deactivated() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let kid = client.kid.clone().unwrap();
    let anonymous = Client {
        kid: None,
        ..client.clone()
    };
    let again = anonymous.register(&json!({"contact":["tel:1"]})).await;
    assert_eq!(
        (again.status.as_u16(), again.header("location")),
        (200, &*kid)
    );
    let found = anonymous
        .register(&json!({"onlyReturnExisting":true}))
        .await;
    assert_eq!(found.status, StatusCode::OK);
    let read = client.post(&kid, None).await.json();
    assert_eq!(read["orders"], format!("{kid}/orders"));
    let update = json!({"contact":["mailto:a@example.com"]});
    let changed = client.post(&kid, Some(&update)).await.json();
    assert_eq!(changed["contact"], update["contact"]);
    let (url, _) = client.order(&["a.test"]).await;
    let orders = client.post(&format!("{kid}/orders"), None).await.json();
    assert_eq!(orders["orders"], json!([url]));
    let ended = client
        .post(&kid, Some(&json!({"status":"deactivated"})))
        .await;
    assert_eq!(ended.json()["status"], "deactivated");
    let refused = client.post(&url, None).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.problem(), "unauthorized");
}

#[tokio::test]
async fn an_account_made_under_one_name_works_under_another() {
    let harness = Harness::new().await;
    let mut client = Client::registered(&harness).await;
    let elsewhere = client.kid.unwrap().replace(HOST, "127.0.0.1:443");
    client.kid = Some(elsewhere.clone());
    let (_, order) = client.order(&["b.test"]).await;
    assert_eq!(order["status"], "pending");
}

#[tokio::test]
async fn a_second_finalize_with_the_same_order_gets_the_same_certificate() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.ready(&harness, &["twice.test"]).await;
    let first = client
        .finalize(&order, &csr(&["twice.test"]).0)
        .await
        .json();
    let second = client
        .finalize(&order, &csr(&["twice.test"]).0)
        .await
        .json();
    assert_eq!(first["certificate"], second["certificate"]);
}
