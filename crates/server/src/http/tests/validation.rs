//! What validation makes of what it sees, and how long an answer waits for it.

use std::time::{Duration, Instant};

use acme::Problem;
use acme::challenge::Ports;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::port::{Challenges as _, ValidationJobs as _};
use store::{AuditEntry, Event, Failed};
use uuid::Uuid;

use super::client::{Client, Reply, token};
use crate::service::harness::{Harness, Page};

async fn answered(client: &Client, challenge: &Value) -> Reply {
    let url = challenge["url"].as_str().unwrap();
    client.post(url, Some(&json!({}))).await
}

fn id(challenge: &Value) -> Uuid {
    let url = challenge["url"].as_str().unwrap();
    Uuid::try_parse(url.rsplit('/').next().unwrap()).unwrap()
}

/// Looks until the resource is no longer in this status.
async fn settled(client: &Client, url: &str, while_: &str) -> Value {
    for _ in 0..200 {
        let body = client.post(url, None).await.json();
        if body["status"] != while_ {
            return body;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{url} stays {while_}");
}

#[tokio::test]
async fn a_wrong_body_makes_challenge_authorization_and_order_invalid() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (url, order) = client.order(&["wrong.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    harness
        .web
        .set(token(&challenge), Page::of("secret of an internal page"));
    let reply = answered(&client, &challenge).await;
    assert!(
        reply.header("link").contains("rel=\"up\"")
            || reply.headers.get_all("link").iter().count() == 2
    );
    let challenge_url = challenge["url"].as_str().unwrap();
    let challenge = settled(&client, challenge_url, "processing").await;
    assert_eq!(challenge["status"], "invalid", "{challenge}");
    assert_eq!(harness.web.hits(), 3, "one try and two further ones");
    assert!(!challenge.to_string().contains("secret"), "{challenge}");
    let authorization = order["authorizations"][0].as_str().unwrap();
    let authorization = client.post(authorization, None).await.json();
    assert_eq!(authorization["status"], "invalid");
    let order = client.post(&url, None).await.json();
    assert_eq!(order["status"], "invalid");
    assert_eq!(order["error"]["type"], challenge["error"]["type"]);
}

#[tokio::test]
async fn a_page_that_appears_late_is_found_by_a_further_attempt() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.order(&["late.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    let page = Page::of(client.key_authorization(&challenge));
    let (web, name) = (harness.web.clone(), token(&challenge).to_owned());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        web.set(&name, page);
    });
    let reply = answered(&client, &challenge).await;
    assert_eq!(reply.json()["status"], "valid", "{reply:?}");
}

#[tokio::test]
async fn a_slow_page_is_answered_with_processing_and_retry_after() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (url, order) = client.order(&["slow.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    let page = Page {
        delay: Duration::from_secs(3),
        ..Page::of(client.key_authorization(&challenge))
    };
    harness.web.set(token(&challenge), page);
    let started = Instant::now();
    let challenge_url = challenge["url"].as_str().unwrap();
    let payload = json!({ "filler": "x".repeat(10_000) });
    let reply = client.post(challenge_url, Some(&payload)).await;
    assert!(started.elapsed() >= Duration::from_millis(1900));
    assert_eq!(reply.json()["status"], "processing");
    assert_eq!(reply.header("retry-after"), "1");
    let unfinished = harness.store.unfinished_challenges().await.unwrap();
    let [unfinished] = &unfinished[..] else {
        panic!("{unfinished:?}");
    };
    assert_eq!(unfinished.payload, b"{}", "http-01 judges no payload");
    harness.services.drain().await;
    assert_eq!(client.post(&url, None).await.json()["status"], "ready");
}

#[tokio::test]
async fn a_decided_authorizations_second_challenge_causes_no_probe() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.order(&["decided.test"]).await;
    let second = client.challenge(&order, 0).await;
    harness
        .web
        .set(token(&second), Page::of(client.key_authorization(&second)));
    let authorization = order["authorizations"][0].as_str().unwrap();
    let body = client.post(authorization, None).await.json();
    let all = body["challenges"].as_array().unwrap();
    let first = all.iter().find(|one| one["type"] == "dns-01").unwrap();
    let failed = Failed {
        challenge: id(first),
        problem: Problem::unauthorized("No record."),
        evidence: Value::Null,
        entry: AuditEntry::new(Event::AuthorizationInvalid, Timestamp::now()),
    };
    let settled = harness.store.settle_invalid(&failed).await;
    assert!(settled.unwrap().written);
    let reply = answered(&client, &second).await;
    assert_eq!(reply.json()["status"], "pending", "{reply:?}");
    harness.services.drain().await;
    assert_eq!(harness.web.hits(), 0);
    let body = client.post(authorization, None).await.json();
    assert_eq!(body["status"], "invalid");
}

#[tokio::test]
async fn two_posts_on_one_challenge_make_one_job_and_reading_makes_none() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.order(&["once.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    let page = Page {
        delay: Duration::from_millis(500),
        ..Page::of(client.key_authorization(&challenge))
    };
    harness.web.set(token(&challenge), page);
    client.post(challenge["url"].as_str().unwrap(), None).await;
    assert_eq!(harness.web.hits(), 0);
    let (first, second) =
        tokio::join!(answered(&client, &challenge), answered(&client, &challenge));
    assert_eq!(first.json()["status"], "valid");
    assert_eq!(second.json()["status"], "valid");
    assert_eq!(harness.web.hits(), 1);
    assert_eq!(
        answered(&client, &challenge).await.json()["status"],
        "valid"
    );
    assert_eq!(harness.web.hits(), 1);
}

#[tokio::test]
async fn a_redirect_is_followed_to_an_allowed_port() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.order(&["moved.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    let target = format!(
        "http://there.test:{}/.well-known/acme-challenge/moved",
        harness.web.port
    );
    harness.web.set(
        token(&challenge),
        Page {
            status: 302,
            location: Some(target),
            ..Page::of("")
        },
    );
    harness
        .web
        .set("moved", Page::of(client.key_authorization(&challenge)));
    let reply = answered(&client, &challenge).await;
    assert_eq!(reply.json()["status"], "valid", "{reply:?}");
    assert_eq!(harness.web.hits(), 2);
}

#[tokio::test]
async fn a_closed_port_is_reported_with_its_address() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let harness = Harness::with_ports(Ports {
        http: port,
        tls: 443,
    })
    .await;
    let client = Client::registered(&harness).await;
    let (_, order) = client.order(&["closed.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    answered(&client, &challenge).await;
    let url = challenge["url"].as_str().unwrap();
    let challenge = settled(&client, url, "processing").await;
    assert_eq!(challenge["status"], "invalid");
    let detail = challenge["error"]["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("127.0.0.1:{port}")), "{detail}");
}

#[tokio::test]
async fn a_resumed_validation_is_judged_by_the_key_of_its_answer() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (url, order) = client.order(&["again.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    let page = acme::challenge::key_authorization(token(&challenge), "the-former-key");
    harness.web.set(token(&challenge), Page::of(page));
    let begun = store::UnfinishedChallenge {
        challenge: id(&challenge),
        account_url: String::new(),
        thumbprint: "the-former-key".to_owned(),
        payload: b"{}".to_vec(),
    };
    harness.store.begin_challenge(begun).await.unwrap();
    let validator = &harness.services.validator;
    validator
        .resume(&harness.services.snapshot())
        .await
        .unwrap();
    harness.services.drain().await;
    assert_eq!(client.post(&url, None).await.json()["status"], "ready");
}

#[tokio::test]
async fn an_unfinished_validation_resumes_at_the_next_start() {
    let harness = Harness::new().await;
    let client = Client::registered(&harness).await;
    let (url, order) = client.order(&["again.test"]).await;
    let challenge = client.challenge(&order, 0).await;
    harness.web.set(
        token(&challenge),
        Page::of(client.key_authorization(&challenge)),
    );
    let begun = store::UnfinishedChallenge {
        challenge: id(&challenge),
        account_url: String::new(),
        thumbprint: client.jwk().thumbprint(),
        payload: b"{}".to_vec(),
    };
    harness.store.begin_challenge(begun).await.unwrap();
    harness
        .services
        .validator
        .resume(&harness.services.snapshot())
        .await
        .unwrap();
    harness.services.drain().await;
    assert_eq!(client.post(&url, None).await.json()["status"], "ready");
}
