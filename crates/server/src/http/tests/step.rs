//! The step API as its clients see it.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use pki::Certificate;
use rustls_pki_types::CertificateDer;

use super::client::{Client, csr, get, plain, post, send, send_as};
use crate::http::STEP_CA;
use crate::service::harness::Harness;

#[tokio::test]
async fn health_is_not_ok_while_the_servers_own_certificate_cannot_be_renewed() {
    let harness = Harness::new().await;
    let router = crate::http::router(harness.services.clone(), &STEP_CA);
    let native = &harness.services.native;
    native.note_certificate(Some("the key does not answer".to_owned()));
    let reply = send(&router, get("/health")).await.json();
    assert_eq!(reply["status"], "error");
    let problem = reply["problems"][0].as_str().unwrap();
    assert!(problem.contains("cannot be renewed: the key does not answer"));
    native.note_certificate(None);
    let reply = send(&router, get("/health")).await.json();
    assert_eq!(reply["status"], "ok");
}

#[tokio::test]
async fn health_roots_and_provisioners_answer_at_both_prefixes() {
    let harness = Harness::new().await;
    let router = crate::http::router(harness.services.clone(), &STEP_CA);
    for prefix in ["", "/1.0"] {
        let reply = send(&router, get(&format!("{prefix}/health"))).await;
        assert_eq!(reply.body, b"{\"status\":\"ok\"}\n");
        assert_eq!(reply.header("content-type"), "application/json");
        for path in ["roots", "federation", "intermediates"] {
            let reply = send(&router, get(&format!("{prefix}/{path}"))).await;
            assert_eq!(reply.status, StatusCode::CREATED, "{path}");
            assert_eq!(reply.json()["crts"].as_array().unwrap().len(), 1);
        }
        let sha = harness.authority.root.fingerprint().to_uppercase();
        let reply = send(&router, get(&format!("{prefix}/root/{sha}"))).await;
        assert_eq!(reply.json()["ca"], harness.authority.root.to_pem());
        let reply = send(&router, get(&format!("{prefix}/provisioners?limit=3"))).await;
        let page = reply.json();
        assert_eq!(page["provisioners"].as_array().unwrap().len(), 3);
        let cursor = page["nextCursor"].as_str().unwrap();
        let path = format!("{prefix}/provisioners?cursor={cursor}&limit=3");
        let rest = send(&router, get(&path)).await.json();
        assert_eq!(rest["provisioners"][0]["name"], "bound");
        assert_eq!(rest["nextCursor"], "");
    }
    let reply = send(&router, get("/roots.pem")).await;
    assert_eq!(reply.header("content-type"), "application/x-pem-file");
    assert_eq!(reply.body, harness.authority.root.to_pem().as_bytes());
}

#[tokio::test]
async fn unsupported_endpoints_answer_as_smallsteps_step_ca_does() {
    let harness = Harness::new().await;
    let router = crate::http::router(harness.services.clone(), &STEP_CA);
    for path in ["/admin/admins", "/nothing", "/1.0/acme/acme/directory"] {
        let reply = send(&router, get(path)).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.body, b"404 page not found\n");
        assert!(reply.header("content-type").starts_with("text/plain"));
    }
    let reply = send(&router, plain(Method::POST, "/health")).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.header("allow"), "GET,HEAD");
    assert!(reply.body.is_empty());
    let reply = send(&router, get("/root/ab-CD")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    let message = reply.json()["message"].clone();
    assert_eq!(
        message,
        "root certificate with fingerprint \"abcd\" was not found"
    );
    let reply = send(&router, post("/1.0/sign", "application/json", "{}")).await;
    assert_eq!(reply.status, StatusCode::NOT_IMPLEMENTED);
    assert!(
        reply.json()["message"]
            .as_str()
            .unwrap()
            .contains("JWK tokens come later")
    );
}

#[tokio::test]
async fn the_request_id_is_echoed_or_made() {
    let harness = Harness::new().await;
    let router = crate::http::router(harness.services.clone(), &STEP_CA);
    let request = Request::builder()
        .uri("/health")
        .header("X-Request-Id", "abc-123")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        send(&router, request).await.header("x-request-id"),
        "abc-123"
    );
    let made = send(&router, plain(Method::HEAD, "/health")).await;
    assert_eq!(made.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn a_certificate_is_renewed_with_proof_of_its_key() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.ready(&harness, &["renew.test"]).await;
    let done = client
        .finalize(&order, &csr(&["renew.test"]).0)
        .await
        .json();
    let url = done["certificate"].as_str().unwrap();
    let chain = Certificate::all_from_pem(&client.post(url, None).await.body).unwrap();
    let shown = vec![CertificateDer::from(chain[0].der().to_vec())];
    let request = plain(Method::POST, "/1.0/renew");
    let reply = send_as(&client.router, request, shown).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let body = reply.json();
    let renewed = Certificate::from_pem(body["crt"].as_str().unwrap().as_bytes()).unwrap();
    assert_ne!(renewed.serial(), chain[0].serial());
    assert_eq!(renewed.alt_names(), chain[0].alt_names());
    assert_eq!(body["certChain"].as_array().unwrap().len(), 2);
    assert!(body["tlsOptions"]["minVersion"].is_number());
}

#[tokio::test]
async fn without_a_certificate_of_ours_there_is_no_renewal() {
    let harness = Harness::new().await;
    let other = Harness::new().await;
    let router = crate::http::router(harness.services.clone(), &STEP_CA);
    let reply = send(&router, plain(Method::POST, "/renew")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.json()["message"], ca::words::UNAUTHORIZED);
    let key = keys::generate(pki::KeyKind::EcP256).unwrap();
    let now = jiff::Timestamp::now();
    let foreign = other
        .services
        .issuer
        .server_certificate(&harness.services.snapshot(), key.public(), now)
        .await
        .unwrap();
    let shown = vec![CertificateDer::from(foreign[0].der().to_vec())];
    let reply = send_as(&router, plain(Method::POST, "/renew"), shown).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_servers_own_certificate_is_not_renewed_from_outside() {
    let harness = Harness::new().await;
    let router = crate::http::router(harness.services.clone(), &STEP_CA);
    let key = keys::generate(pki::KeyKind::EcP256).unwrap();
    let now = jiff::Timestamp::now();
    let own = harness
        .services
        .issuer
        .server_certificate(&harness.services.snapshot(), key.public(), now)
        .await;
    let shown = vec![CertificateDer::from(own.unwrap()[0].der().to_vec())];
    harness.services.drain().await;
    let reply = send_as(&router, plain(Method::POST, "/renew"), shown).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{reply:?}");
    assert_eq!(
        harness.signatures.load(std::sync::atomic::Ordering::SeqCst),
        1
    );
}
