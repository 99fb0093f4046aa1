//! RFC 8555 §7.4, §7.5: a valid authorization serves later orders where the operator enables that.

use acceptance::acme::{Account, csr};
use serde_json::json;

use crate::conformance::subject::{Subject, refused, subject};

fn account(subject: &Subject) -> Account {
    Account::register(&subject.client, &subject.directory_of("reuse"))
}

/// The second order for a proven name is ready from the start and gets its certificate (§7.4).
#[test]
fn the_second_order_for_a_proven_name_needs_no_challenge() {
    let subject = subject();
    let account = account(subject);
    let names = ["a.reuse.conformance.test", "b.reuse.conformance.test"];
    let first = subject.ready(&account, &names);
    let second = account.order(&[names[1]]);
    assert_eq!(second.body["status"], "ready", "{}", second.body);
    assert_eq!(
        second.body["authorizations"],
        json!([first.body["authorizations"][1]])
    );
    let done = account.try_finalize(&second, &csr(&[names[1]])).unwrap();
    assert_eq!(done.json()["status"], "valid", "{}", done.text());
    // It lives on for the order_life and the authorization_reuse that are configured.
    let authorization = first.body["authorizations"][1].as_str().unwrap();
    let body = account.post(authorization, None).json();
    let ends: jiff::Timestamp = body["expires"].as_str().unwrap().parse().unwrap();
    let left = ends.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((24 * 3600..=25 * 3600).contains(&left), "{left}");
}

/// If one of two names is proven, only the other needs a challenge.
#[test]
fn an_order_with_a_proven_and_a_new_name_requires_a_challenge_for_the_new_one() {
    let subject = subject();
    let account = account(subject);
    let names = ["old.reuse.conformance.test", "new.reuse.conformance.test"];
    let first = subject.ready(&account, &names[..1]);
    subject.host(&names);
    let mut second = account.order(&names);
    assert_eq!(second.body["status"], "pending");
    assert_eq!(
        second.body["authorizations"][0],
        first.body["authorizations"][0]
    );
    let new = second.body["authorizations"][1]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(account.post(&new, None).json()["status"], "pending");
    account.try_prove(&mut second, &subject.web).unwrap();
    assert_eq!(second.body["status"], "ready", "{}", second.body);
}

/// The proofs of one account do not serve another.
#[test]
fn nothing_is_reused_across_accounts() {
    let subject = subject();
    let name = "mine.reuse.conformance.test";
    subject.ready(&account(subject), &[name]);
    let order = account(subject).order(&[name]);
    assert_eq!(order.body["status"], "pending");
}

/// An authorization that is given up serves no new order, and the orders that it served end (§7.5.2).
#[test]
fn a_deactivated_authorization_is_not_reused() {
    let subject = subject();
    let account = account(subject);
    let name = "up.reuse.conformance.test";
    let first = subject.ready(&account, &[name]);
    let second = account.order(&[name]);
    assert_eq!(second.body["status"], "ready");
    let authorization = first.body["authorizations"][0].as_str().unwrap();
    account.post(authorization, Some(&json!({"status": "deactivated"})));
    assert_eq!(account.post(&second.url, None).json()["status"], "invalid");
    let answer = account.try_finalize(&second, &csr(&[name])).unwrap();
    refused(&answer, 403, "orderNotReady");
    let third = account.order(&[name]);
    assert_eq!(third.body["status"], "pending");
    assert_ne!(third.body["authorizations"], second.body["authorizations"]);
}

/// Deactivating and ordering at once never leaves a ready order without its authorization.
#[test]
fn an_order_that_races_with_a_deactivation_does_not_stay_ready() {
    let subject = subject();
    for n in 0..8 {
        let account = account(subject);
        let name = format!("race{n}.reuse.conformance.test");
        let first = subject.ready(&account, &[&name]);
        let authorization = first.body["authorizations"][0].as_str().unwrap();
        let orders: Vec<_> = std::thread::scope(|scope| {
            let ordering: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| account.order(&[&name])))
                .collect();
            let gone = account.post(authorization, Some(&json!({"status": "deactivated"})));
            assert_eq!(gone.status, 200);
            ordering
                .into_iter()
                .map(|one| one.join().unwrap())
                .collect()
        });
        for order in orders {
            let body = account.post(&order.url, None).json();
            let stands = body["authorizations"][0] == authorization;
            let expected = if stands { "invalid" } else { "pending" };
            assert_eq!(body["status"], expected, "{body}");
        }
    }
}

/// Where reuse is disabled, each order is proven again.
#[test]
fn nothing_is_reused_unless_the_operator_enables_it() {
    let subject = subject();
    let account = subject.account();
    let name = "anew.reuse.conformance.test";
    subject.ready(&account, &[name]);
    assert_eq!(account.order(&[name]).body["status"], "pending");
}
