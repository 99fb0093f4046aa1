//! A client of the router, without a socket.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use data_encoding::BASE64URL_NOPAD;
use http_body_util::BodyExt;
use pki::jose::{Jwk, jws};
use pki::{AltName, KeyKind, Name, PrivateKey};
use rustls_pki_types::CertificateDer;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use crate::http::links::Links;
use crate::http::url_layout::{STEP_CA, UrlLayout};
use crate::listen::Peer;
use crate::service::harness::{Harness, Page};

pub(super) const HOST: &str = "ca.test:9000";
pub(super) const JOSE: &str = "application/jose+json";

/// One key and, once registered, its account.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) router: Router,
    pub(super) layout: &'static UrlLayout,
    pub(super) key: std::sync::Arc<PrivateKey>,
    pub(super) kid: Option<String>,
    pub(super) provisioner: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|why| {
            panic!("{why}: {}", String::from_utf8_lossy(&self.body));
        })
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's type without its prefix.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16(), "{json}");
        let kind = json["type"].as_str().unwrap();
        kind.rsplit(':').next().unwrap().to_owned()
    }
}

/// Sends one request as it is.
pub(super) async fn send(router: &Router, request: Request<Body>) -> Reply {
    send_as(router, request, Vec::new()).await
}

/// Sends one request over a connection on which the peer showed certificates.
pub(super) async fn send_as(
    router: &Router,
    mut request: Request<Body>,
    certificates: Vec<CertificateDer<'static>>,
) -> Reply {
    request.extensions_mut().insert(Peer {
        address: "127.0.0.1:50000".parse().unwrap(),
        local: "127.0.0.1:9000".parse().unwrap(),
        certificates,
    });
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

pub(super) fn get(path: &str) -> Request<Body> {
    plain(Method::GET, path)
}

pub(super) fn plain(method: Method, path: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST)
        .body(Body::empty())
        .unwrap()
}

pub(super) fn post(url: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    let path = url
        .strip_prefix("https://")
        .and_then(|rest| rest.find('/').map(|slash| &rest[slash..]))
        .unwrap_or(url);
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", HOST)
        .header("content-type", kind)
        .body(body.into())
        .unwrap()
}

impl Client {
    pub(super) fn new(harness: &Harness) -> Self {
        Self::with_layout(harness, &STEP_CA)
    }

    /// A client of a server whose ACME API has other paths.
    pub(super) fn with_layout(harness: &Harness, layout: &'static UrlLayout) -> Self {
        Self {
            router: crate::http::router(harness.services.clone(), layout),
            layout,
            key: keys::generate(KeyKind::EcP256).unwrap().into(),
            kid: None,
            provisioner: "acme".to_owned(),
        }
    }

    pub(super) async fn registered(harness: &Harness) -> Self {
        let mut client = Self::new(harness);
        let reply = client.register(&json!({})).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        client.kid = Some(reply.header("location").to_owned());
        client
    }

    pub(super) async fn register(&self, payload: &Value) -> Reply {
        let url = self.links().at(self.layout.new_account);
        self.post(&url, Some(payload)).await
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("https://{HOST}/acme/{}/{name}", self.provisioner)
    }

    /// The URLs of this client's server.
    pub(super) fn links(&self) -> Links {
        Links::new(self.layout, &format!("https://{HOST}"), &self.provisioner)
    }

    pub(super) fn jwk(&self) -> Jwk {
        Jwk::from_public_key(self.key.public())
    }

    pub(super) async fn nonce(&self) -> String {
        let url = Links::new(self.layout, "", &self.provisioner).at(self.layout.new_nonce);
        let reply = send(&self.router, plain(Method::HEAD, &url)).await;
        reply.header("replay-nonce").to_owned()
    }

    /// The protected header of a request to `url`.
    pub(super) fn protected(&self, url: &str, nonce: &str) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("url".to_owned(), json!(url));
        header.insert("nonce".to_owned(), json!(nonce));
        match &self.kid {
            Some(kid) => header.insert("kid".to_owned(), json!(kid)),
            None => header.insert("jwk".to_owned(), self.jwk().to_json()),
        };
        header
    }

    pub(super) fn sealed(&self, header: &Map<String, Value>, payload: &str) -> String {
        jws::sign(&self.key, header, payload.as_bytes()).unwrap()
    }

    /// A signed POST; `None` is POST-as-GET.
    pub(super) async fn post(&self, url: &str, payload: Option<&Value>) -> Reply {
        let header = self.protected(url, &self.nonce().await);
        let payload = payload.map(Value::to_string).unwrap_or_default();
        let body = self.sealed(&header, &payload);
        send(&self.router, post(url, JOSE, body)).await
    }

    pub(super) async fn order(&self, names: &[&str]) -> (String, Value) {
        let reply = self.new_order(names).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        (reply.header("location").to_owned(), reply.json())
    }

    pub(super) async fn new_order(&self, names: &[&str]) -> Reply {
        let identifiers: Vec<_> = names.iter().map(|name| identifier(name)).collect();
        let payload = json!({ "identifiers": identifiers });
        let url = self.links().at(self.layout.new_order);
        self.post(&url, Some(&payload)).await
    }

    /// The http-01 challenge of an order's nth authorization.
    pub(super) async fn challenge(&self, order: &Value, n: usize) -> Value {
        let url = order["authorizations"][n].as_str().unwrap();
        let authorization = self.post(url, None).await.json();
        let all = authorization["challenges"].as_array().unwrap();
        let mut http = all.iter().filter(|one| one["type"] == "http-01");
        http.next().unwrap().clone()
    }

    pub(super) fn key_authorization(&self, challenge: &Value) -> String {
        acme::challenge::key_authorization(token(challenge), &self.jwk().thumbprint())
    }

    /// An order whose challenges have all been answered well.
    pub(super) async fn ready(&self, harness: &Harness, names: &[&str]) -> (String, Value) {
        let (url, order) = self.order(names).await;
        for n in 0..names.len() {
            let challenge = self.challenge(&order, n).await;
            let page = Page::of(self.key_authorization(&challenge));
            harness.web.set(token(&challenge), page);
            let reply = self
                .post(challenge["url"].as_str().unwrap(), Some(&json!({})))
                .await;
            assert_eq!(reply.json()["status"], "valid", "{reply:?}");
        }
        let order = self.post(&url, None).await.json();
        assert_eq!(order["status"], "ready");
        (url, order)
    }

    pub(super) async fn finalize(&self, order: &Value, csr: &[u8]) -> Reply {
        let url = order["finalize"].as_str().unwrap();
        let payload = json!({ "csr": BASE64URL_NOPAD.encode(csr) });
        self.post(url, Some(&payload)).await
    }
}

pub(super) fn token(challenge: &Value) -> &str {
    challenge["token"].as_str().unwrap()
}

fn identifier(name: &str) -> Value {
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    json!({ "type": if is_address { "ip" } else { "dns" }, "value": name })
}

/// A CSR for these names by a key of its own.
pub(super) fn csr(names: &[&str]) -> (Vec<u8>, PrivateKey) {
    let key = keys::generate(KeyKind::EcP256).unwrap();
    (csr_by(&key, names), key)
}

pub(super) fn csr_by(key: &PrivateKey, names: &[&str]) -> Vec<u8> {
    let names: Vec<_> = names
        .iter()
        .map(|name| match name.parse() {
            Ok(address) => AltName::Ip(address),
            Err(_) => AltName::Dns((*name).to_owned()),
        })
        .collect();
    pki::request(&Name::empty(), &names, key).unwrap()
}
