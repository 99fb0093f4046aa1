//! The routes of the admin socket, without a socket: who is admitted, and what the audit log records.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::port::AuditLog as _;
use tower::ServiceExt;

use crate::http::{STEP_CA, operator_router};
use crate::listen::PeerCredentials;
use crate::service::harness::Harness;

/// One request of a user to a server that runs as 1000.
async fn post(harness: &Harness, uid: Option<u32>, path: &str, body: &str) -> (StatusCode, Value) {
    let mut request = Request::builder()
        .method("POST")
        .uri(path)
        .body(Body::from(body.to_owned()))
        .unwrap();
    if let Some(uid) = uid {
        request
            .extensions_mut()
            .insert(PeerCredentials::new(uid, 1000));
    }
    let router = operator_router(harness.services.clone(), &STEP_CA);
    let answer = router.oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn operators_are_admitted_and_the_audit_log_records_entry_point_and_user() {
    let harness = Harness::new().await;
    let reload = "/admin/reload";
    for other in [None, Some(1001)] {
        let (status, body) = post(&harness, other, reload, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["type"], "unauthorized");
    }
    assert_eq!(harness.store.audit(0, 10).await.unwrap().len(), 0);
    for uid in [0, 1000] {
        let (status, body) = post(&harness, Some(uid), reload, "").await;
        let same = json!({"status": "same", "warnings": []});
        assert_eq!((status, body), (StatusCode::OK, same));
    }
    let lines = harness.store.audit(0, 10).await.unwrap();
    let details: Vec<_> = lines.iter().map(|line| &line.entry.detail).collect();
    assert_eq!(lines[0].entry.event, "configuration-reloaded");
    assert_eq!(
        details,
        [
            &json!({"outcome": "same", "entry_point": "socket", "uid": 0}),
            &json!({"outcome": "same", "entry_point": "socket", "uid": 1000}),
        ]
    );
}
