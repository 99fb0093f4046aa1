//! RFC 9773 §5: an order says which certificate it replaces; each is replaced once.

use std::sync::{Arc, Barrier};

use acceptance::acme::{Account, csr};
use acceptance::https::Response;
use serde_json::{Value, json};

use super::{joined, name, parts};
use crate::conformance::leaf::{Leaf, ordered};
use crate::conformance::subject::{refused, subject};

/// newOrder for this name, replacing what is called so.
#[track_caller]
fn order(account: &Account, host: &str, replaces: &Value) -> Response {
    subject().host(&[host]);
    let payload = json!({
        "identifiers": [{"type": "dns", "value": host}], "replaces": replaces,
    });
    account.post(&account.resource("newOrder"), Some(&payload))
}

#[test]
fn an_order_shows_what_it_replaces() {
    let account = subject().account();
    let host = "shown.replaces.test";
    let name = json!(name(&Leaf::issued(&account, &[host], "ES256")));
    let answer = order(&account, host, &name);
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["replaces"], name);
    let read = account.post(answer.header("location"), None).json();
    assert_eq!(read["replaces"], name);
    let plain = account.order(&[host]);
    assert!(plain.body.get("replaces").is_none(), "{}", plain.body);
}

#[test]
fn a_certificate_is_replaced_once() {
    let account = subject().account();
    let host = "once.replaces.test";
    let name = json!(name(&Leaf::issued(&account, &[host], "ES256")));
    let requested = json!({"replaces": name});
    let first = ordered(&account, &[host], &requested);
    refused(&order(&account, host, &name), 409, "alreadyReplaced");
    let done = account.try_finalize(&first, &csr(&[host])).unwrap();
    assert_eq!(done.json()["replaces"], name);
    refused(&order(&account, host, &name), 409, "alreadyReplaced");
    let plain = account.order(&[host]);
    assert_eq!(plain.body["status"], "pending");
}

#[test]
fn an_order_that_becomes_invalid_frees_the_certificate() {
    let account = subject().account();
    let host = "freed.replaces.test";
    let name = json!(name(&Leaf::issued(&account, &[host], "ES256")));
    let first = order(&account, host, &name).json();
    let authorization = first["authorizations"][0].as_str().unwrap();
    account.post(authorization, Some(&json!({"status": "deactivated"})));
    let second = order(&account, host, &name);
    assert_eq!(second.status, 201, "{}", second.text());
}

#[test]
fn an_order_that_replaces_a_certificate_with_other_names_is_refused() {
    let account = subject().account();
    let host = "names.replaces.test";
    let name = json!(name(&Leaf::issued(&account, &[host], "ES256")));
    let detail = refused(
        &order(&account, "other.replaces.test", &name),
        400,
        "malformed",
    );
    assert!(detail.contains(host), "{detail}");
    for bad in [json!("x"), json!(""), json!("a.b.c"), json!(7), json!([])] {
        refused(&order(&account, host, &bad), 400, "malformed");
    }
}

/// A client that moved from another authority, or with another account, names the certificate that it
/// has: a refusal would end its renewals, as it sends the same again.
#[test]
fn a_certificate_that_the_account_never_had_here_is_replaced_by_nothing() {
    let account = subject().account();
    let host = "unknown.replaces.test";
    let leaf = Leaf::issued(&account, &[host], "ES256");
    let own = json!(name(&leaf));
    let (authority, serial) = parts(&leaf.der);
    let mut foreign = authority.clone();
    foreign[0] ^= 1;
    let another = subject().account();
    for (account, name) in [
        (&another, name(&leaf)),
        (&account, joined(&authority, &[1, 2, 3])),
        (&account, joined(&foreign, &serial)),
    ] {
        let made = order(account, host, &json!(name));
        assert_eq!(made.status, 201, "{}", made.text());
        assert!(made.json().get("replaces").is_none(), "{}", made.text());
    }
    let whole = order(&account, host, &own);
    assert_eq!(whole.status, 201, "it was not marked: {}", whole.text());
    assert_eq!(whole.json()["replaces"], own);
    refused(&order(&account, host, &own), 409, "alreadyReplaced");
}

#[test]
fn one_name_in_common_is_enough() {
    let account = subject().account();
    let (kept, dropped) = ("kept.replaces.test", "dropped.replaces.test");
    let name = json!(name(&Leaf::issued(&account, &[kept, dropped], "ES256")));
    let requested = json!({"replaces": name});
    let order = ordered(&account, &[kept, "new.replaces.test"], &requested);
    assert_eq!(order.body["replaces"], name);
}

#[test]
fn a_revoked_certificate_is_replaced_like_any_other() {
    let account = subject().account();
    let host = "revoked.replaces.test";
    let leaf = Leaf::issued(&account, &[host], "ES256");
    let revoke = account.resource("revokeCert");
    account.post(&revoke, Some(&leaf.revocation(Some(json!(1)))));
    let requested = json!({"replaces": name(&leaf)});
    Leaf::ordered(&account, &[host], &requested, "ES256");
}

#[test]
fn of_many_orders_at_once_that_replace_one_certificate_one_is_made() {
    const AT_ONCE: usize = 8;
    let account = subject().account();
    let host = "race.replaces.test";
    let name = json!(name(&Leaf::issued(&account, &[host], "ES256")));
    let barrier = Arc::new(Barrier::new(AT_ONCE));
    let askers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (account, barrier, name) = (account.clone(), Arc::clone(&barrier), name.clone());
            std::thread::spawn(move || {
                barrier.wait();
                order(&account, host, &name)
            })
        })
        .collect();
    let answers: Vec<_> = askers.into_iter().map(|one| one.join().unwrap()).collect();
    let (made, late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 201);
    assert_eq!(made.len(), 1);
    for answer in late {
        refused(&answer, 409, "alreadyReplaced");
    }
}
