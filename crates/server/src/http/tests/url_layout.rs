//! The ACME API at other paths: what the router serves and what links name agree.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{Client, HOST, csr, get, plain, send};
use crate::http::url_layout::{Mount, STEP_CA, UrlLayout};
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

#[tokio::test]
async fn the_headers_of_the_api_are_on_its_own_paths_and_on_no_others() {
    let harness = Harness::new().await;
    let open = async |layout, method: Method, path: &str| {
        let client = Client::with_layout(&harness, layout);
        let reply = send(&client.router, plain(method, path)).await;
        let open = reply.headers.contains_key("access-control-allow-origin");
        (reply.status.as_u16(), open)
    };
    for (path, status) in [
        ("/acme/acme/nothing", 404),
        ("/2.0/acme/acme/", 404),
        ("/acme/acme", 404),
        ("/acme/acme/order/1/2/3", 404),
        ("/acme/acme/new-order", 405),
        ("/acme/acme/directory", 200),
    ] {
        assert_eq!(
            open(&STEP_CA, Method::GET, path).await,
            (status, true),
            "{path}"
        );
        let preflight = open(&STEP_CA, Method::OPTIONS, path).await;
        assert_eq!(preflight, (204, true), "{path}");
    }
    for path in ["/acme/", "/acme", "/acme//directory", "/nothing"] {
        assert_eq!(
            open(&STEP_CA, Method::GET, path).await,
            (404, false),
            "{path}"
        );
    }
    assert_eq!(open(&OTHER, Method::GET, "/my-order/1").await, (405, true));
    assert_eq!(open(&OTHER, Method::GET, "/my-order/").await, (404, false));
    assert_eq!(
        open(&OTHER, Method::GET, "/my-order/1/2").await,
        (404, false)
    );
}
