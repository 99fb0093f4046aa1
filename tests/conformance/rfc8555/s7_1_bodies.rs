//! RFC 8555 §7.1: the bodies of requests are JSON objects, in every resource and at every depth.

use acceptance::acme::{Account, Key, csr};
use acceptance::https::Response;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::conformance::leaf::Leaf;
use crate::conformance::subject::{refused, subject};

/// A body that its resource accepts, and how it is sent.
struct Body {
    resource: &'static str,
    payload: Value,
    send: Box<dyn Fn(&Value) -> Response>,
}

/// Posts to this URL as this account.
fn post(account: &Account, url: String) -> Box<dyn Fn(&Value) -> Response> {
    let account = account.clone();
    Box::new(move |payload| account.post(&url, Some(payload)))
}

/// One body for each resource that takes one.
fn bodies() -> Vec<Body> {
    let account = subject().account();
    let mut all = accounts(&account);
    all.extend(orders(&account));
    all.extend(certificates(&account));
    all
}

fn accounts(account: &Account) -> Vec<Body> {
    let register = |payload: &Value| {
        let url = subject().url("/acme/acme/new-account");
        let key = Key::generate();
        let nonce = subject().nonce();
        let header = json!({"alg": "ES256", "jwk": key.jwk(), "nonce": nonce, "url": url});
        let body = key.sign(&header, &payload.to_string());
        subject().send(&url, &body.to_string())
    };
    let url = account.resource("keyChange");
    let (rolled, new) = (subject().account(), Key::generate());
    let message = json!({"account": rolled.kid, "oldKey": rolled.key.jwk()});
    let change = move |message: &Value| {
        let header = json!({"alg": "ES256", "jwk": new.jwk(), "url": url});
        rolled.post(&url, Some(&new.sign(&header, &message.to_string())))
    };
    vec![
        Body {
            resource: "newAccount",
            payload: json!({"contact": ["mailto:a@conformance.test"], "termsOfServiceAgreed": true}),
            send: Box::new(register),
        },
        Body {
            resource: "account",
            payload: json!({"contact": ["mailto:b@conformance.test"]}),
            send: post(account, account.kid.clone()),
        },
        Body {
            resource: "keyChange",
            payload: message,
            send: Box::new(change),
        },
    ]
}

fn orders(account: &Account) -> Vec<Body> {
    let identifier = json!({"type": "dns", "value": "bodies.conformance.test"});
    let ahead = Account::register(&subject().client, &subject().directory_of("ahead"));
    let given_up = account.order(&["bodies.conformance.test"]);
    let given_up = given_up.body["authorizations"][0].as_str().unwrap();
    let tried = account.order(&["bodies.conformance.test"]);
    let tried = tried.body["authorizations"][0].as_str().unwrap();
    let challenge = account.http01(tried).unwrap()["url"].clone();
    let ready = subject().ready(account, &["finalize.bodies.conformance.test"]);
    let request = csr(&["finalize.bodies.conformance.test"]);
    vec![
        Body {
            resource: "newOrder",
            payload: json!({"identifiers": [identifier], "notAfter": null}),
            send: post(account, account.resource("newOrder")),
        },
        Body {
            resource: "newAuthz",
            payload: json!({"identifier": identifier}),
            send: post(&ahead, ahead.resource("newAuthz")),
        },
        Body {
            resource: "authorization",
            payload: json!({"status": "deactivated"}),
            send: post(account, given_up.to_owned()),
        },
        Body {
            resource: "challenge",
            payload: json!({}),
            send: post(account, challenge.as_str().unwrap().to_owned()),
        },
        Body {
            resource: "finalize",
            payload: json!({"csr": BASE64URL_NOPAD.encode(&request)}),
            send: post(account, ready.body["finalize"].as_str().unwrap().to_owned()),
        },
    ]
}

fn certificates(account: &Account) -> Vec<Body> {
    let leaf = Leaf::issued(account, &["leaf.bodies.conformance.test"], "ES256");
    vec![Body {
        resource: "revokeCert",
        payload: leaf.revocation(Some(json!(4))),
        send: post(account, account.resource("revokeCert")),
    }]
}

/// The same, with one object after the other, at any depth, replaced by the array of its values.
fn with_an_array(payload: &Value) -> Vec<Value> {
    match payload {
        Value::Object(members) => {
            let within = members.iter().flat_map(|(name, value)| {
                with_an_array(value).into_iter().map(move |value| {
                    let mut changed = members.clone();
                    changed[name] = value;
                    Value::Object(changed)
                })
            });
            let values = members.values().cloned().collect();
            within.chain([Value::Array(values)]).collect()
        }
        Value::Array(items) => {
            let within = items.iter().enumerate().flat_map(|(place, value)| {
                with_an_array(value).into_iter().map(move |value| {
                    let mut changed = items.clone();
                    changed[place] = value;
                    Value::Array(changed)
                })
            });
            within.collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The same with names as Go has them for what is exported; a key in it (a JWK) stays as it is.
fn in_go(payload: &Value) -> Value {
    match payload {
        Value::Object(members) if members.contains_key("kty") => payload.clone(),
        Value::Object(members) => {
            let members = members.iter();
            let named = members.map(|(name, value)| {
                let (first, rest) = name.split_at(1);
                (first.to_uppercase() + rest, in_go(value))
            });
            Value::Object(named.collect())
        }
        Value::Array(items) => items.iter().map(in_go).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => payload.clone(),
    }
}

/// An array of the right values is no object (RFC 8259 §4); what has both names of a member is
/// ambiguous. The names of the document are taken, and those that programs in Go send.
#[test]
fn every_body_is_an_object_at_every_depth_and_has_each_member_once() {
    for Body {
        resource,
        payload,
        send,
    } in bodies()
    {
        let arrays = with_an_array(&payload);
        assert!(!arrays.is_empty(), "{resource}");
        for changed in arrays {
            let answer = send(&changed);
            assert_eq!(answer.status, 400, "{resource}: {changed}");
            refused(&answer, 400, "malformed");
        }
        let go = in_go(&payload);
        if let (Value::Object(exact), Value::Object(go)) = (&payload, &go)
            && !exact.is_empty()
        {
            let both: Value = exact.clone().into_iter().chain(go.clone()).collect();
            let detail = refused(&send(&both), 400, "malformed");
            assert!(detail.contains("duplicate"), "{resource}: {detail}");
        }
        let answer = send(&go);
        assert!(answer.status < 300, "{resource}: {}", answer.text());
    }
}
