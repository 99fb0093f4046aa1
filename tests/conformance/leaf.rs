//! Certificates of the server under test, with their keys.

use acceptance::acme::Account;
use acceptance::https::Response;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use super::csr::Csr;
use super::key::AnyKey;
use super::subject::subject;

/// A certificate.
pub struct Leaf {
    /// Its DER.
    pub der: Vec<u8>,
    /// Where it is downloaded.
    pub url: String,
    /// Its key.
    pub key: AnyKey,
}

impl Leaf {
    /// A certificate of this account for these names, with a key for this JOSE algorithm.
    #[track_caller]
    pub fn issued(account: &Account, names: &[&str], alg: &'static str) -> Self {
        Self::ordered(account, names, &json!({}), alg)
    }

    /// The same, with more members in the order.
    #[track_caller]
    pub fn ordered(
        account: &Account,
        names: &[&str],
        requested: &Value,
        alg: &'static str,
    ) -> Self {
        let order = ordered(account, names, requested);
        let key = AnyKey::generate(alg);
        let answer = account
            .try_finalize(&order, &Csr::of(names).signed_by(&key))
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let url = answer.json()["certificate"].as_str().unwrap().to_owned();
        let der = first(&account.post(&url, None));
        Self { der, url, key }
    }

    /// The payload of a revocation.
    pub fn revocation(&self, reason: Option<Value>) -> Value {
        let mut payload = json!({"certificate": BASE64URL_NOPAD.encode(&self.der)});
        if let Some(reason) = reason {
            payload["reason"] = reason;
        }
        payload
    }
}

/// An order of this account for these names that is ready to be finalized.
#[track_caller]
pub fn ordered(account: &Account, names: &[&str], requested: &Value) -> acceptance::acme::Order {
    let subject = subject();
    subject.host(names);
    let identifiers = names
        .iter()
        .map(|name| json!({"type": "dns", "value": name}));
    let mut payload = json!({"identifiers": identifiers.collect::<Vec<_>>()});
    let fields = payload.as_object_mut().unwrap();
    fields.extend(requested.as_object().unwrap().clone());
    let answer = account.post(&account.resource("newOrder"), Some(&payload));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let mut order = acceptance::acme::Order {
        url: answer.header("location").to_owned(),
        body: answer.json(),
    };
    account.try_prove(&mut order, &subject.web).unwrap();
    assert_eq!(order.body["status"], "ready", "{}", order.body);
    order
}

/// The first certificate of a PEM chain.
#[track_caller]
pub fn first(answer: &Response) -> Vec<u8> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let first = answer.text();
    let first = first.split("-----").nth(2).unwrap().replace('\n', "");
    BASE64.decode(first.as_bytes()).unwrap()
}
