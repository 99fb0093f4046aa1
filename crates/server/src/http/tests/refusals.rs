//! What is refused before and after the signature check, and with which problem.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::json;

use super::client::{Client, JOSE, csr, csr_by, get, plain, post, send};
use crate::service::harness::Harness;

#[tokio::test]
async fn a_nonce_is_accepted_once_and_a_bad_one_is_answered_with_a_fresh_one() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let url = client.url("new-order");
    let nonce = client.nonce().await;
    let payload = json!({"identifiers":[{"type":"dns","value":"a.test"}]}).to_string();
    let body = client.sealed(&client.protected(&url, &nonce), &payload);
    let first = send(&client.router, post(&url, JOSE, body.clone())).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let second = send(&client.router, post(&url, JOSE, body)).await;
    assert_eq!(second.status, StatusCode::BAD_REQUEST);
    assert_eq!(second.problem(), "badNonce");
    let body = client.sealed(
        &client.protected(&url, second.header("replay-nonce")),
        &payload,
    );
    let third = send(&client.router, post(&url, JOSE, body)).await;
    assert_eq!(third.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_missing_nonce_is_bad_and_a_forged_signature_spends_none() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let url = client.url("new-order");
    let nonce = client.nonce().await;
    let mut header = client.protected(&url, &nonce);
    let forged = Client {
        key: keys::generate(pki::KeyKind::EcP256).unwrap().into(),
        ..client.clone()
    };
    let reply = send(
        &client.router,
        post(&url, JOSE, forged.sealed(&header, "{}")),
    )
    .await;
    assert_eq!(reply.problem(), "malformed");
    let reply = send(&client.router, post(&url, JOSE, client.sealed(&header, ""))).await;
    assert_ne!(reply.problem(), "badNonce");
    header.remove("nonce");
    let reply = send(&client.router, post(&url, JOSE, client.sealed(&header, ""))).await;
    assert_eq!(reply.problem(), "badNonce");
}

#[tokio::test]
async fn a_request_is_refused_for_its_media_type_size_url_or_algorithm() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let url = client.url("new-order");
    let header = client.protected(&url, &client.nonce().await);
    let body = client.sealed(&header, "{}");
    for kind in ["application/json", "application/jose+json; charset=utf-8"] {
        let reply = send(&client.router, post(&url, kind, body.clone())).await;
        assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(reply.problem(), "malformed");
        assert!(!reply.header("replay-nonce").is_empty());
    }
    let long = Body::from(vec![b' '; 65 * 1024]);
    let reply = send(&client.router, post(&url, JOSE, long)).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let other = client.url("new-account");
    let reply = send(&client.router, post(&other, JOSE, body.clone())).await;
    assert_eq!(reply.problem(), "malformed", "a kid at new-account");
    let header = client.protected("https://elsewhere.test/x", &client.nonce().await);
    let reply = send(
        &client.router,
        post(&url, JOSE, client.sealed(&header, "{}")),
    )
    .await;
    assert_eq!(
        (reply.status.as_u16(), &*reply.problem()),
        (403, "unauthorized")
    );
}

#[tokio::test]
async fn resources_of_others_are_403_and_unknown_ones_404() {
    let harness = Harness::new().await;
    let owner = Client::registered(&harness).await;
    let other = Client::registered(&harness).await;
    let (url, order) = owner.ready(&harness, &["mine.test"]).await;
    let challenge = owner.challenge(&order, 0).await;
    let done = owner.finalize(&order, &csr(&["mine.test"]).0).await.json();
    for url in [
        &*url,
        order["authorizations"][0].as_str().unwrap(),
        challenge["url"].as_str().unwrap(),
        done["certificate"].as_str().unwrap(),
        owner.kid.as_deref().unwrap(),
    ] {
        let reply = other.post(url, None).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{url}");
        assert_eq!(reply.problem(), "unauthorized", "{url}");
    }
    let unknown_id = "0".repeat(32);
    for path in ["order", "authz", "certificate"] {
        for id in [&*unknown_id, "x"] {
            let reply = owner.post(&owner.url(&format!("{path}/{id}")), None).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}/{id}");
            assert_eq!(reply.problem(), "malformed");
        }
    }
    let unknown = Client {
        kid: Some(owner.url(&format!("account/{unknown_id}"))),
        ..owner.clone()
    };
    let reply = unknown.post(&url, None).await;
    assert_eq!(
        (reply.status.as_u16(), &*reply.problem()),
        (400, "accountDoesNotExist")
    );
}

#[tokio::test]
async fn an_account_of_one_provisioner_does_not_exist_at_another() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let kid = client.kid.clone().unwrap();
    let elsewhere = Client {
        provisioner: "other".to_owned(),
        kid: Some(kid.replace("/acme/acme/", "/acme/other/")),
        ..client.clone()
    };
    let reply = elsewhere.new_order(&["a.test"]).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{reply:?}");
    let as_it_is = Client {
        kid: Some(kid),
        ..elsewhere
    };
    let reply = as_it_is.new_order(&["a.test"]).await;
    assert_eq!(reply.problem(), "accountDoesNotExist");
}

#[tokio::test]
async fn reading_requires_an_empty_payload() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (url, _) = client.order(&["a.test"]).await;
    let reply = client.post(&url, Some(&json!({}))).await;
    assert_eq!(
        (reply.status.as_u16(), &*reply.problem()),
        (400, "malformed")
    );
    let reply = send(&client.router, get("/acme/acme/new-order")).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.header("allow"), "POST");
    assert!(
        reply
            .header("link")
            .ends_with("/acme/acme/directory>;rel=\"index\"")
    );
    assert_eq!(reply.problem(), "malformed");
    let reply = send(
        &client.router,
        plain(Method::OPTIONS, "/acme/acme/new-order"),
    )
    .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(reply.header("access-control-allow-headers"), "Content-Type");
}

#[tokio::test]
async fn a_csr_that_does_not_fit_leaves_the_order_ready() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (url, order) = client.ready(&harness, &["fit.test"]).await;
    let (mut broken, _) = csr(&["fit.test"]);
    let last = broken.len() - 1;
    broken[last] ^= 1;
    for (why, csr) in [
        ("extra name", csr(&["fit.test", "more.test"]).0),
        ("other name", csr(&["other.test"]).0),
        ("account key", csr_by(&client.key, &["fit.test"])),
        ("bad signature", broken),
        ("no DER", b"hello".to_vec()),
    ] {
        let reply = client.finalize(&order, &csr).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{why}");
        assert_eq!(reply.problem(), "badCSR", "{why}");
    }
    assert_eq!(client.post(&url, None).await.json()["status"], "ready");
}

#[tokio::test]
async fn a_pending_order_is_not_ready() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.order(&["soon.test"]).await;
    let reply = client.finalize(&order, &csr(&["soon.test"]).0).await;
    assert_eq!(
        (reply.status.as_u16(), &*reply.problem()),
        (403, "orderNotReady")
    );
}

#[tokio::test]
async fn invalid_orders_and_accounts_are_refused_with_the_reason() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    for (names, kind) in [
        (&[][..], "malformed"),
        (&["a..test"][..], "malformed"),
        (&["*.*.a.test"][..], "malformed"),
    ] {
        assert_eq!(client.new_order(names).await.problem(), kind, "{names:?}");
    }
    let late = json!({"identifiers":[{"type":"dns","value":"a.test"}],
        "notAfter":"2099-01-01T00:00:00Z"});
    let reply = client.post(&client.url("new-order"), Some(&late)).await;
    assert_eq!(reply.problem(), "malformed");
    let mut fresh = Client::new(&harness);
    for (payload, kind) in [
        (json!({"onlyReturnExisting":true}), "accountDoesNotExist"),
        (json!({"contact":["tel:1"]}), "unsupportedContact"),
        (json!({"contact":["mailto:a@b,c@d"]}), "invalidContact"),
        (json!({"externalAccountBinding":{}}), "malformed"),
    ] {
        assert_eq!(fresh.register(&payload).await.problem(), kind, "{payload}");
    }
    fresh.provisioner = "bound".to_owned();
    assert_eq!(
        fresh.register(&json!({})).await.problem(),
        "externalAccountRequired"
    );
    fresh.provisioner = "terms".to_owned();
    let reply = fresh.register(&json!({})).await;
    assert_eq!(reply.problem(), "userActionRequired");
    let links: Vec<_> = reply.headers.get_all("link").iter().collect();
    assert!(
        links.contains(
            &&"<https://ca.test/terms>;rel=\"terms-of-service\""
                .parse()
                .unwrap()
        )
    );
}

#[tokio::test]
async fn an_unknown_provisioner_or_path_is_404() {
    let harness = Harness::new().await;
    let mut client = Client::registered(&harness).await;
    let reply = send(&client.router, get("/acme/none/directory")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(reply.problem(), "malformed");
    client.kid = None;
    let reply = client.post(&client.url("no-such-thing"), None).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_store_failure_is_an_outage_and_not_a_refusal() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.ready(&harness, &["full.test"]).await;
    harness.store.close().await;
    for reply in [
        client.new_order(&["a.test"]).await,
        client.finalize(&order, &csr(&["full.test"]).0).await,
    ] {
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reply.problem(), "serverInternal");
        assert_eq!(reply.header("retry-after"), "5");
    }
    let directory = send(&client.router, get("/acme/acme/directory")).await;
    assert_eq!(directory.status, StatusCode::OK);
}

#[tokio::test]
async fn urls_have_the_requested_host_only_if_it_is_ours() {
    let harness = Harness::new().await;
    let router = Client::new(&harness).router;
    for (asked, named) in [
        ("ca.test:1234", "ca.test:1234"),
        ("CA.test", "CA.test"),
        ("127.0.0.1:9000", "127.0.0.1:9000"),
        ("evil.example", "ca.test:9000"),
        ("user@ca.test", "ca.test:9000"),
    ] {
        let mut request = get("/acme/acme/directory");
        request.headers_mut().insert("host", asked.parse().unwrap());
        let directory = send(&router, request).await.json();
        assert_eq!(
            directory["newNonce"],
            format!("https://{named}/acme/acme/new-nonce")
        );
    }
}
