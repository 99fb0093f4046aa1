//! The client against a server with prepared answers: what servers may do and rarely do, and what a
//! dishonest one does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod dishonest;
mod server;

use client::acme::{Challenge, Reason, Session};
use client::{Error, Http, Trust};
use serde_json::{Value, json};
use server::{Answer, Server};

fn key() -> pki::PrivateKey {
    // PKCS #8 of a P-256 key that was made for this test with openssl.
    let text = include_bytes!("key.pem");
    pki::PrivateKey::from_pem(text, None).unwrap()
}

async fn session(server: &Server) -> Session {
    let http = Http::new(&Trust::Roots(vec![server.root()]), None).unwrap();
    Session::open(http, &server.url("/directory"), key())
        .await
        .unwrap()
}

fn directory(server: &Server) -> Answer {
    Answer::json(
        200,
        &json!({
            "newNonce": server.url("/nonce"),
            "newAccount": server.url("/account"),
            "newOrder": server.url("/order"),
        }),
    )
}

fn account() -> Answer {
    Answer::json(201, &json!({"status": "valid"})).with("location", "https://ca.test/account/1")
}

fn bad_nonce() -> Answer {
    Answer::json(
        400,
        &json!({"type": "urn:ietf:params:acme:error:badNonce", "detail": "used", "status": 400}),
    )
}

fn challenge(server: &Server, status: &str, error: Option<&str>) -> Answer {
    let mut body = json!({
        "type": "http-01", "url": server.url("/challenge"), "token": "tok", "status": status,
    });
    if let Some(detail) = error {
        body["error"] = json!({"type": "urn:ietf:params:acme:error:connection", "detail": detail});
    }
    Answer::json(200, &body).with("retry-after", "0")
}

fn offered(server: &Server) -> Challenge {
    let body = challenge(server, "pending", None).body;
    serde_json::from_str(&body).unwrap()
}

/// The protected header of a recorded request.
fn header(body: &str) -> Value {
    let envelope: Value = serde_json::from_str(body).unwrap();
    let protected = envelope["protected"].as_str().unwrap();
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(protected.as_bytes())
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_refused_nonce_is_replaced_by_the_one_that_came_with_the_refusal() {
    let server = Server::start().await;
    server.answers(vec![
        directory(&server),
        Answer::empty(200).with("replay-nonce", "n1"),
        bad_nonce().with("replay-nonce", "n2"),
        bad_nonce().with("replay-nonce", "n3"),
        account().with("replay-nonce", "n4"),
    ]);
    let mut session = session(&server).await;
    session.create_account(&[]).await.unwrap();
    let sent = server.requests();
    let nonces: Vec<Value> = sent[2..]
        .iter()
        .map(|request| header(&request.body)["nonce"].clone())
        .collect();
    assert_eq!(nonces, ["n1", "n2", "n3"]);
    assert!(sent.iter().all(|request| request.has_id));
    assert_eq!(sent[1].method, "HEAD");
    assert!(header(&sent[2].body)["jwk"].is_object());
}

#[tokio::test]
async fn an_account_is_bound_and_signs_with_its_new_key_once_the_server_has_taken_it() {
    let server = Server::start().await;
    let mut directory = directory(&server);
    let mut urls: Value = serde_json::from_str(&directory.body).unwrap();
    urls["keyChange"] = json!(server.url("/key-change"));
    directory.body = urls.to_string();
    let next = |answer: Answer| answer.with("replay-nonce", "n");
    server.answers(vec![
        directory,
        next(Answer::empty(200)),
        next(account()),
        next(Answer::json(403, &json!({"detail": "no"}))),
        next(Answer::json(200, &json!({"status": "valid"}))),
        next(Answer::json(200, &json!({"status": "pending"}))),
    ]);
    let mut session = session(&server).await;
    let mac = acme::eab::MacKey::new(vec![1; 32]);
    session.create_bound_account(&[], "k1", &mac).await.unwrap();
    let old = session.key().clone();
    let new = keys_of_another_kind;
    session.change_key(new()).await.unwrap_err();
    assert_eq!(session.key(), &old, "the server refused it");
    session.change_key(new()).await.unwrap();
    // The answer is no authorization; only the signing key matters.
    drop(session.authorization(&server.url("/authz")).await);
    let sent = server.requests();
    let made: Value = serde_json::from_str(&sent[2].body).unwrap();
    let payload = made["payload"].as_str().unwrap().as_bytes();
    let payload = data_encoding::BASE64URL_NOPAD.decode(payload).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let binding = payload["externalAccountBinding"].to_string();
    assert_eq!(header(&binding)["kid"], "k1");
    let algorithms = sent[3..].iter().map(|it| header(&it.body)["alg"].clone());
    assert_eq!(algorithms.collect::<Vec<_>>(), ["ES256", "ES256", "EdDSA"]);
}

/// Ed25519, where the account's key is on P-256.
fn keys_of_another_kind() -> pki::PrivateKey {
    let text = include_bytes!("../../pki/testdata/openssl/ed25519.key");
    pki::PrivateKey::from_pem(text, None).unwrap()
}

#[tokio::test]
async fn a_server_that_refuses_every_nonce_ends_the_request() {
    let server = Server::start().await;
    let mut answers = vec![directory(&server)];
    answers.push(Answer::empty(200).with("replay-nonce", "n"));
    answers.extend((0..50).map(|_| bad_nonce().with("replay-nonce", "n")));
    server.answers(answers);
    let error = session(&server).await.create_account(&[]).await;
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "error creating the ACME account: used");
}

#[tokio::test]
async fn a_challenge_is_polled_until_the_server_has_a_result() {
    let server = Server::start().await;
    server.answers(vec![
        directory(&server),
        Answer::empty(200).with("replay-nonce", "n"),
        account().with("replay-nonce", "n"),
        challenge(&server, "processing", None).with("replay-nonce", "n"),
        challenge(&server, "processing", None).with("replay-nonce", "n"),
        challenge(&server, "valid", None).with("replay-nonce", "n"),
    ]);
    let mut session = session(&server).await;
    session.create_account(&[]).await.unwrap();
    let mut answers = 0;
    session
        .prove("a.test", &offered(&server), || answers += 1)
        .await
        .unwrap();
    assert_eq!(answers, 3);
    let sent = server.requests();
    let payload = |at: usize| -> Value {
        let envelope: Value = serde_json::from_str(&sent[at].body).unwrap();
        envelope["payload"].clone()
    };
    assert_eq!(payload(3), "e30", "the offer is an empty object");
    assert_eq!(payload(4), "", "a poll is a POST-as-GET");
    assert_eq!(
        header(&sent[3].body)["kid"],
        "https://ca.test/account/1",
        "the account's URL as the server gave it"
    );
}

#[tokio::test]
async fn a_challenge_that_stays_pending_with_an_error_is_offered_again_and_then_fails_with_it() {
    let server = Server::start().await;
    let mut answers = vec![
        directory(&server),
        Answer::empty(200).with("replay-nonce", "n"),
        account().with("replay-nonce", "n"),
    ];
    let failed = || challenge(&server, "pending", Some("nobody listens")).with("replay-nonce", "n");
    answers.extend((0..4).map(|_| failed()));
    server.answers(answers);
    let mut session = session(&server).await;
    session.create_account(&[]).await.unwrap();
    let error = session
        .prove("a.test", &offered(&server), || ())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Challenge { .. }));
    assert_eq!(
        error.to_string(),
        "Unable to validate challenge: nobody listens"
    );
}

#[tokio::test]
async fn a_session_without_account_revokes_by_its_key() {
    let server = Server::start().await;
    let mut directory = directory(&server);
    directory.body = directory.body.replacen(
        '{',
        &format!("{{\"revokeCert\":{},", json!(server.url("/revoke"))),
        1,
    );
    server.answers(vec![
        directory,
        Answer::empty(200).with("replay-nonce", "n"),
        Answer::empty(200),
    ]);
    let mut session = session(&server).await;
    session
        .revoke(&[1, 2], Some(Reason::Superseded))
        .await
        .unwrap();
    let sent = server.requests();
    assert!(header(&sent[2].body)["jwk"].is_object());
    let envelope: Value = serde_json::from_str(&sent[2].body).unwrap();
    let payload = data_encoding::BASE64URL_NOPAD.encode(br#"{"certificate":"AQI","reason":4}"#);
    assert_eq!(envelope["payload"], payload);
}

#[tokio::test]
async fn a_directory_without_revocation_is_reported() {
    let server = Server::start().await;
    server.answers(vec![directory(&server)]);
    let error = session(&server).await.revoke(&[1], None).await.unwrap_err();
    assert!(error.to_string().contains("no revokeCert"), "{error}");
}

#[tokio::test]
async fn a_server_under_another_root_is_not_trusted() {
    let (server, other) = (Server::start().await, Server::start().await);
    let http = Http::new(&Trust::Roots(vec![other.root()]), None).unwrap();
    let error = http.get(&server.url("/")).await.err().unwrap().to_string();
    assert!(
        error.ends_with("x509: certificate signed by unknown authority"),
        "{error}"
    );
    let unverified = Http::new(&Trust::Unverified, None).unwrap();
    server.answers(vec![Answer::empty(204)]);
    assert_eq!(unverified.get(&server.url("/")).await.unwrap().status, 204);
}
