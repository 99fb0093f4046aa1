//! RFC 9444: names are proven by a domain above them. At the provisioner `subdomains`, which
//! enforces CAA too; it is `ca.example` in records.

use acceptance::acme::{Account, Order};
use acceptance::dns::Answer;
use acceptance::https::Response;
use serde_json::{Value, json};

use crate::conformance::rfc8555::{start, value};
use crate::conformance::subject::subject;

mod s4_1_authorizations;
mod s4_2_preauthorization;
mod s4_3_orders;
mod s4_4_directory;

/// A fresh account where subdomains are switched on.
#[track_caller]
fn account() -> Account {
    Account::register(&subject().client, &subject().directory_of("subdomains"))
}

/// A name in an order; an empty ancestor domain is left out.
#[derive(Clone, Copy, Debug)]
struct Name<'a> {
    value: &'a str,
    ancestor: &'a str,
}

impl<'a> Name<'a> {
    fn new(value: &'a str, ancestor: &'a str) -> Self {
        Self { value, ancestor }
    }
}

/// newOrder for these names.
#[track_caller]
fn new_order(account: &Account, names: &[Name<'_>]) -> Response {
    let identifiers = names.iter().map(|name| match name.ancestor {
        "" => json!({"type": "dns", "value": name.value}),
        ancestor => json!({"type": "dns", "value": name.value, "ancestorDomain": ancestor}),
    });
    let payload = json!({"identifiers": identifiers.collect::<Vec<_>>()});
    account.post(&account.resource("newOrder"), Some(&payload))
}

/// The same; a refusal fails the test.
#[track_caller]
fn order(account: &Account, names: &[Name<'_>]) -> Order {
    let answer = new_order(account, names);
    assert_eq!(answer.status, 201, "{}", answer.text());
    Order {
        url: answer.header("location").to_owned(),
        body: answer.json(),
    }
}

/// newAuthz for a domain, and whether for the names below, too.
#[track_caller]
fn new_authz(account: &Account, domain: &str, below: &Value) -> Response {
    let identifier = json!({"type": "dns", "value": domain, "subdomainAuthAllowed": below});
    let payload = json!({"identifier": identifier});
    account.post(&account.resource("newAuthz"), Some(&payload))
}

/// The URLs of an order's authorizations.
fn authorizations(order: &Order) -> Vec<String> {
    let urls = order.body["authorizations"].as_array().unwrap().iter();
    urls.map(|url| url.as_str().unwrap().to_owned()).collect()
}

/// Proves an authorization by dns-01.
#[track_caller]
fn prove(account: &Account, authorization: &str) {
    let body = account.post(authorization, None).json();
    let domain = body["identifier"]["value"].as_str().unwrap();
    let challenge = account.challenge(authorization, "dns-01").unwrap();
    let record = format!("_acme-challenge.{domain}");
    let right = Answer::Text(vec![value(account, &challenge)]);
    subject().dns.set(&record, right);
    assert_eq!(start(account, &challenge)["status"], "valid");
}

/// The types of an authorization's challenges.
fn kinds(authorization: &Value) -> Vec<String> {
    let challenges = authorization["challenges"].as_array().unwrap().iter();
    challenges
        .map(|one| one["type"].as_str().unwrap().to_owned())
        .collect()
}
