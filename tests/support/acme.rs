//! An ACME client of the tests' own, on aws-lc-rs alone: none of our protocol
//! code is in it, so that it can test that code. It also sends invalid requests.

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::https::{Broken, Client, Response};
use super::process;
use super::web::{Page, Web, challenge_path};

/// The content type of every signed request.
pub const JOSE: &str = "application/jose+json";

/// An account key on P-256.
pub struct Key(EcdsaKeyPair);

impl Key {
    /// A fresh key.
    pub fn generate() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self(pair.expect("P-256 keys can be made"))
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({
            "crv": "P-256", "kty": "EC",
            "x": BASE64URL_NOPAD.encode(&point[1..33]), "y": BASE64URL_NOPAD.encode(&point[33..65]),
        })
    }

    /// RFC 7638: the digest over the required members in order.
    pub fn thumbprint(&self) -> String {
        let jwk = self.jwk();
        let text = format!(
            r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
            jwk["x"], jwk["y"]
        );
        BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// A flattened JWS over any header and payload.
    pub fn sign(&self, header: &Value, payload: &str) -> Value {
        self.seal(header.to_string().as_bytes(), payload.as_bytes())
    }

    /// A flattened JWS over any octets, whether they are JSON or not.
    pub fn seal(&self, protected: &[u8], payload: &[u8]) -> Value {
        let protected = BASE64URL_NOPAD.encode(protected);
        let payload = BASE64URL_NOPAD.encode(payload);
        let signature = self.sign_octets(format!("{protected}.{payload}").as_bytes());
        json!({
            "protected": protected, "payload": payload,
            "signature": BASE64URL_NOPAD.encode(&signature),
        })
    }

    /// The signature of any octets, as two numbers of 32 octets.
    pub fn sign_octets(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), message);
        signature.expect("P-256 signs").as_ref().to_vec()
    }
}

/// An account at one directory.
#[derive(Clone)]
pub struct Account {
    /// The HTTPS client that it uses.
    pub client: Client,
    /// The directory's JSON.
    pub directory: Value,
    /// Its key.
    pub key: Arc<Key>,
    /// Its URL.
    pub kid: String,
    nonces: Arc<Mutex<Vec<String>>>,
}

/// An order with its URL.
#[derive(Clone, Debug)]
pub struct Order {
    /// The order's URL.
    pub url: String,
    /// The order as it was last seen.
    pub body: Value,
}

impl Account {
    /// Makes an account with a fresh key.
    #[track_caller]
    pub fn register(client: &Client, directory: &str) -> Self {
        Self::try_register(client, directory).unwrap_or_else(|e| panic!("newAccount: {e}"))
    }

    /// As [`Account::register`], where the server may go away.
    pub fn try_register(client: &Client, directory: &str) -> Result<Self, Broken> {
        let found = client.get(directory)?;
        let mut account = Self {
            client: client.clone(),
            directory: serde_json::from_slice(&found.body)?,
            key: Arc::new(Key::generate()),
            kid: String::new(),
            nonces: Arc::default(),
        };
        let url = account.resource("newAccount");
        let made = account.try_post(&url, Some(&json!({"termsOfServiceAgreed": true})))?;
        if made.status != 201 {
            return Err(format!("{}: {}", made.status, made.text()).into());
        }
        made.header("location").clone_into(&mut account.kid);
        Ok(account)
    }

    /// A URL of the directory.
    pub fn resource(&self, name: &str) -> String {
        self.directory[name].as_str().unwrap_or_default().to_owned()
    }

    /// A nonce: the last answer's, or a fresh one.
    pub fn nonce(&self) -> Result<String, Broken> {
        if let Some(nonce) = self.nonces.lock().expect("not poisoned").pop() {
            return Ok(nonce);
        }
        let answer =
            self.client
                .request(hyper::Method::HEAD, &self.resource("newNonce"), None, &[])?;
        Ok(answer.header("replay-nonce").to_owned())
    }

    /// The protected header of a request to `url`.
    pub fn header(&self, url: &str, nonce: &str) -> Value {
        let mut header = json!({"alg": "ES256", "nonce": nonce, "url": url});
        if self.kid.is_empty() {
            header["jwk"] = self.key.jwk();
        } else {
            header["kid"] = json!(self.kid);
        }
        header
    }

    /// Signs and posts; `None` is POST-as-GET. A nonce that the server does not know (it has
    /// restarted) is replaced, as every client does.
    pub fn try_post(&self, url: &str, payload: Option<&Value>) -> Result<Response, Broken> {
        let text = payload.map(Value::to_string).unwrap_or_default();
        for _ in 0..3 {
            let body = self.key.sign(&self.header(url, &self.nonce()?), &text);
            let answer = self.send(url, &body)?;
            if answer.status != 400 || !answer.text().contains("badNonce") {
                return Ok(answer);
            }
        }
        Err("three nonces in a row were refused".into())
    }

    /// As [`Account::try_post`]; a broken connection fails the test.
    #[track_caller]
    pub fn post(&self, url: &str, payload: Option<&Value>) -> Response {
        self.try_post(url, payload)
            .unwrap_or_else(|e| panic!("POST {url}: {e}"))
    }

    /// Posts any body as it is, and keeps the nonce of the answer.
    pub fn send(&self, url: &str, body: &Value) -> Result<Response, Broken> {
        let answer = self.client.post(url, JOSE, body.to_string().as_bytes())?;
        let nonce = answer.header("replay-nonce");
        if !nonce.is_empty() {
            self.nonces
                .lock()
                .expect("not poisoned")
                .push(nonce.to_owned());
        }
        Ok(answer)
    }

    /// Orders these names and addresses.
    pub fn try_order(&self, names: &[&str]) -> Result<Order, Broken> {
        let identifiers: Vec<Value> = names
            .iter()
            .map(|name| {
                let kind = if name.parse::<std::net::IpAddr>().is_ok() {
                    "ip"
                } else {
                    "dns"
                };
                json!({"type": kind, "value": name})
            })
            .collect();
        let answer = self.try_post(
            &self.resource("newOrder"),
            Some(&json!({"identifiers": identifiers})),
        )?;
        if answer.status != 201 {
            return Err(format!("newOrder: {}: {}", answer.status, answer.text()).into());
        }
        Ok(Order {
            url: answer.header("location").to_owned(),
            body: serde_json::from_slice(&answer.body)?,
        })
    }

    /// As [`Account::try_order`]; a refusal fails the test.
    #[track_caller]
    pub fn order(&self, names: &[&str]) -> Order {
        self.try_order(names).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The http-01 challenge of an authorization.
    pub fn http01(&self, authorization: &str) -> Result<Value, Broken> {
        self.challenge(authorization, "http-01")
    }

    /// The challenge of this type of an authorization.
    pub fn challenge(&self, authorization: &str, kind: &str) -> Result<Value, Broken> {
        let answer = self.try_post(authorization, None)?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        let challenges = body["challenges"].as_array().ok_or("no challenges")?;
        let found = challenges.iter().find(|c| c["type"] == kind).cloned();
        found.ok_or_else(|| format!("no {kind} in {body}").into())
    }

    /// What the web server must answer for a token.
    pub fn key_authorization(&self, challenge: &Value) -> String {
        let token = challenge["token"].as_str().unwrap_or_default();
        format!("{token}.{}", self.key.thumbprint())
    }

    /// Serves and starts every challenge of the order, then waits while the order is pending.
    pub fn try_prove(&self, order: &mut Order, web: &Web) -> Result<(), Broken> {
        let authorizations = order.body["authorizations"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for authorization in authorizations {
            let challenge = self.http01(authorization.as_str().unwrap_or_default())?;
            let path = challenge_path(challenge["token"].as_str().unwrap_or_default());
            web.set(&path, Page::Body(self.key_authorization(&challenge)));
            self.try_post(
                challenge["url"].as_str().unwrap_or_default(),
                Some(&json!({})),
            )?;
        }
        for _ in 0..600 {
            order.body = serde_json::from_slice(&self.try_post(&order.url, None)?.body)?;
            if order.body["status"] != "pending" {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        Err(format!("still pending: {}", order.body).into())
    }

    /// An order for these names that is ready to be finalized.
    #[track_caller]
    pub fn ready(&self, names: &[&str], web: &Web) -> Order {
        let mut order = self.order(names);
        self.try_prove(&mut order, web)
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(order.body["status"], "ready", "{}", order.body);
        order
    }

    /// Finalizes with a request for these names.
    pub fn try_finalize(&self, order: &Order, csr: &[u8]) -> Result<Response, Broken> {
        let url = order.body["finalize"].as_str().unwrap_or_default();
        self.try_post(url, Some(&json!({"csr": BASE64URL_NOPAD.encode(csr)})))
    }

    /// The whole way: order, challenges, finalize, certificate; the chain as PEM.
    pub fn try_obtain(&self, names: &[&str], web: &Web) -> Result<String, Broken> {
        let mut order = self.try_order(names)?;
        self.try_prove(&mut order, web)?;
        let answer = self.try_finalize(&order, &csr(names))?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        let url = body["certificate"]
            .as_str()
            .ok_or_else(|| body.to_string())?;
        Ok(self.try_post(url, None)?.text())
    }

    /// As [`Account::try_obtain`]; anything but a certificate fails the test.
    #[track_caller]
    pub fn obtain(&self, names: &[&str], web: &Web) -> String {
        self.try_obtain(names, web)
            .unwrap_or_else(|e| panic!("{e}"))
    }

    /// Waits until a resource has this status; its body then.
    #[track_caller]
    pub fn await_status(&self, url: &str, status: &str) -> Value {
        process::eventually(&format!("{url} to be {status}"), || {
            let body = self.post(url, None).json();
            (body["status"] == status).then_some(body)
        })
    }
}

/// A certificate request (DER) for these names with a fresh P-256 key.
pub fn csr(names: &[&str]) -> Vec<u8> {
    let key = rcgen::KeyPair::generate().expect("P-256 keys can be made");
    csr_with(names, &key)
}

/// A certificate request (DER) for these names with this key.
pub fn csr_with(names: &[&str], key: &rcgen::KeyPair) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
    let mut params = rcgen::CertificateParams::new(names).expect("names or addresses");
    params.distinguished_name = rcgen::DistinguishedName::new();
    let request = params.serialize_request(key).expect("a request");
    request.der().to_vec()
}
