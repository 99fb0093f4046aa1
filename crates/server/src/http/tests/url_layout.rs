//! The ACME API at other paths: what the router serves and what links name agree.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::client::{Client, HOST, csr, get, send};
use crate::http::url_layout::{Mount, UrlLayout};
use crate::service::harness::Harness;

/// Other paths for every resource, other places for the ids, and no provisioner in any path.
static OTHER: UrlLayout = UrlLayout {
    mount: Mount::Root {
        provisioner: "acme",
    },
    directory: "/dir",
    new_nonce: "/nonce-plz",
    new_account: "/sign-me-up",
    new_order: "/order-plz",
    new_authz: "/authz-plz",
    revoke_cert: "/revoke-plz",
    key_change: "/rollover-account-key",
    renewal_info: "/ari/renewalInfo",
    account: "/my-account/{id}",
    orders: "/list-orderz/{id}",
    order: "/my-order/{id}",
    finalize: "/finalize-order/{id}",
    authorization: "/authZ/{id}",
    challenge: "/chalZ/{id}/of/{authz}",
    certificate: "/certZ/{id}",
    alternate: "/certZ/{id}/alternate/{chain}",
    issuer: "/certZ/{id}/{chain}/above/{above}",
};

async fn read(client: &Client, url: &Value) -> Value {
    let reply = client.post(url.as_str().unwrap(), None).await;
    assert_eq!(reply.status, StatusCode::OK, "{url}: {reply:?}");
    reply.json()
}

#[tokio::test]
async fn links_and_routes_agree_in_a_layout_without_a_provisioner() {
    let harness = Harness::new().await;
    let mut client = Client::with_layout(&harness, &OTHER);
    let directory = send(&client.router, get("/dir")).await.json();
    let origin = format!("https://{HOST}");
    assert_eq!(directory["newNonce"], format!("{origin}/nonce-plz"));
    assert_eq!(
        directory["renewalInfo"],
        format!("{origin}/ari/renewalInfo")
    );
    let account = client.register(&json!({})).await;
    assert_eq!(account.status, StatusCode::CREATED, "{account:?}");
    let kid = account.header("location").to_owned();
    assert!(kid.starts_with(&format!("{origin}/my-account/")), "{kid}");
    let index = format!("<{origin}/dir>;rel=\"index\"");
    assert_eq!(account.header("link"), index);
    client.kid = Some(kid);

    let (order_url, order) = client.ready(&harness, &["other.test"]).await;
    assert!(order_url.starts_with(&format!("{origin}/my-order/")));
    let authorization = read(&client, &order["authorizations"][0]).await;
    let challenge = read(&client, &authorization["challenges"][0]["url"]).await;
    assert_eq!(challenge["url"], authorization["challenges"][0]["url"]);
    let (csr, _) = csr(&["other.test"]);
    let done = client.finalize(&order, &csr).await.json();
    assert_eq!(done["status"], "valid", "{done}");
    let certificate = done["certificate"].as_str().unwrap();
    assert_eq!(client.post(certificate, None).await.status, StatusCode::OK);
    let orders = read(&client, &account.json()["orders"]).await;
    assert_eq!(orders["orders"], json!([order_url]));
}

#[tokio::test]
async fn the_usual_paths_are_unknown_in_another_layout() {
    let harness = Harness::new().await;
    let client = Client::with_layout(&harness, &OTHER);
    for path in ["/acme/acme/directory", "/directory", "/dir/"] {
        let reply = send(&client.router, get(path)).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
}
