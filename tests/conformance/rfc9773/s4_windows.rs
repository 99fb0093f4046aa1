//! RFC 9773 §4.2: the operator moves the windows, for one certificate or for many.

use std::process::Command;

use acceptance::acme::Account;
use acceptance::{admin_socket, paths, process};
use jiff::Timestamp;
use serde_json::json;

use super::name;
use super::s4_renewal_info::{info, window};
use crate::conformance::der;
use crate::conformance::leaf::Leaf;
use crate::conformance::subject::subject;

/// `step ca acme renewal …` on the judged server's folder.
fn renewal(arguments: &[&str]) -> process::Outcome {
    let folder = subject().root.parent().unwrap().parent().unwrap();
    let mut command = Command::new(paths::ours("step"));
    command
        .env_clear()
        .env("STEPPATH", folder)
        .env("HOME", folder);
    process::run(command.args(["ca", "acme", "renewal"]).args(arguments))
}

/// The serial number in decimal.
fn serial(leaf: &Leaf) -> String {
    let octets = der::certificate(&leaf.der)[0].1;
    let mut digits = vec![0_u32];
    for octet in octets {
        let mut carry = u32::from(*octet);
        for digit in &mut digits {
            let sum = *digit * 256 + carry;
            (*digit, carry) = (sum % 10, sum / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    digits.iter().rev().map(ToString::to_string).collect()
}

#[test]
fn the_window_of_one_certificate_is_moved_and_moved_back() {
    let account = subject().account();
    let names = ["one.window.conformance.test"];
    let (leaf, other) = (
        Leaf::issued(&account, &names, "ES256"),
        Leaf::issued(&account, &names, "ES256"),
    );
    let (own, others) = (window(&info(&name(&leaf))), window(&info(&name(&other))));
    let number = serial(&leaf);
    let (start, end) = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
    renewal(&[
        "set",
        &number,
        "--start",
        start,
        "--end",
        end,
        "--explanation-url",
        "https://ca.example/why",
    ])
    .success();
    let moved = info(&name(&leaf));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(window(&moved), (at(start), at(end)));
    assert_eq!(moved.json()["explanationURL"], "https://ca.example/why");
    assert_eq!(window(&info(&name(&other))), others);
    let shown = renewal(&["show"]).success().stdout;
    assert!(
        shown.contains(&number) && shown.contains("ca.example/why"),
        "{shown}"
    );
    let cleared = renewal(&["clear", &number]).success();
    assert!(cleared.stderr.contains("one window"), "{cleared:?}");
    assert_eq!(window(&info(&name(&leaf))), own);
}

#[test]
fn a_window_for_a_provisioner_is_for_what_it_has_issued_so_far() {
    let directory = subject().directory_of("my%20acme");
    let account = Account::register(&subject().client, &directory);
    let names = ["many.window.conformance.test"];
    let before = Leaf::issued(&account, &names, "ES256");
    renewal(&[
        "set",
        "--provisioner",
        "my acme",
        "--start=-2h",
        "--end=-1h",
    ])
    .success();
    let after = Leaf::issued(&account, &names, "ES256");
    let of = |leaf: &Leaf| {
        let url = format!("{}/{}", account.resource("renewalInfo"), name(leaf));
        window(&subject().client.get(&url).unwrap())
    };
    let now = Timestamp::now();
    assert!(of(&before).1 < now);
    assert!(of(&after).0 > now);
    renewal(&["clear"]).success();
    assert!(of(&before).0 > now);
}

#[test]
fn an_invalid_window_is_refused() {
    let leaf = Leaf::issued(
        &subject().account(),
        &["bad.window.conformance.test"],
        "ES256",
    );
    let number = serial(&leaf);
    for (arguments, word) in [
        (
            vec!["set", &number, "--start", "1h", "--end", "0s"],
            "is not after",
        ),
        (
            vec!["set", "12345", "--start", "0s", "--end", "1h"],
            "no record",
        ),
        (
            vec!["set", "twelve", "--start", "0s", "--end", "1h"],
            "serial number",
        ),
        (
            vec![
                "set",
                "--provisioner",
                "none",
                "--start",
                "0s",
                "--end",
                "1h",
            ],
            "none",
        ),
        (vec!["set", "--start", "0s", "--end", "1h"], "serial"),
        (
            vec!["set", &number, "--start", "soon", "--end", "1h"],
            "'--start'",
        ),
        (
            vec![
                "set",
                &number,
                "--start",
                "0s",
                "--end",
                "1h",
                "--explanation-url",
                "javascript:x",
            ],
            "https://",
        ),
        (vec!["clear", "twelve"], "serial number"),
    ] {
        let outcome = renewal(&arguments);
        assert_ne!(outcome.code, Some(0), "{arguments:?}");
        assert!(outcome.stderr.contains(word), "{arguments:?}: {outcome:?}");
    }
    let socket = subject().root.parent().unwrap().parent().unwrap();
    let socket = socket.join("run/step-ca.sock");
    let body = json!({"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"});
    let (status, _) = admin_socket::ask(&socket, "POST", "/admin/acme/renewal", &body);
    assert_eq!(status, 400);
}
