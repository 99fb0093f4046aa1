//! Failed validations of each kind: certbot's output states what the server queried,
//! which address it tried, and what it received.

use acceptance::authority::Authority;
use acceptance::dns::Answer;
use acceptance::namespace::{Harness, own_harness};
use acceptance::web::{Page, Silence, Web};
use acceptance::{process, table};

use super::certbot::certbot;

/// Runs certbot for example.com in a harness prepared by `prepare`; it must fail with each of `words`
/// (of alternatives separated by `|` one).
fn certbot_says(task: &str, prepare: impl Fn(&Harness), words: &[&str]) {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", task) else {
            return;
        };
        prepare(harness);
        let server = Authority::started(harness);
        std::fs::create_dir_all(harness.path("www")).unwrap();
        let mut command = certbot(&program, harness, &server.authority);
        command
            .args(["--webroot", "-d", "example.com", "-w"])
            .arg(harness.path("www"));
        let text = process::run(&mut command).code(1).text();
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(
                word.split('|')
                    .any(|w| flat.to_lowercase().contains(&w.to_lowercase())),
                "certbot does not say {word:?}:\n{text}\n--- server\n{}",
                server.daemon.log()
            );
        }
        assert!(
            !flat.contains("secret of the page"),
            "the body leaked:\n{text}"
        );
        row.passed();
    });
}

fn name_is_here(harness: &Harness) {
    harness.dns.addresses("example.com", &["127.0.0.1"]);
}

#[test]
fn a_closed_port_is_named_with_its_address() {
    certbot_says(
        "fails: closed port",
        name_is_here,
        &["127.0.0.1:80|127.0.0.1 port 80", "refused"],
    );
}

#[test]
fn a_silent_address_is_named() {
    certbot_says(
        "fails: silent address",
        |harness| {
            harness.dns.addresses("example.com", &["127.0.0.99"]);
            std::mem::forget(Silence::start("127.0.0.99:80"));
        },
        &[
            "127.0.0.99:80",
            "timed out|time-out|timeout|no answer|did not answer|silent",
        ],
    );
}

#[test]
fn a_silent_web_server_is_named() {
    certbot_says(
        "fails: silent server",
        |harness| {
            name_is_here(harness);
            Web::start("127.0.0.1:80").otherwise(Page::Silence);
        },
        &[
            "127.0.0.1",
            "timed out|time-out|timeout|no answer|did not answer|silent",
        ],
    );
}

#[test]
fn a_missing_page_is_reported_with_its_status() {
    certbot_says(
        "fails: 404",
        |harness| {
            name_is_here(harness);
            Web::start("127.0.0.1:80");
        },
        &["127.0.0.1", "404"],
    );
}

#[test]
fn a_wrong_body_is_reported_by_length_and_type_but_never_shown() {
    certbot_says(
        "fails: wrong body",
        |harness| {
            name_is_here(harness);
            Web::start("127.0.0.1:80").otherwise(Page::Body("secret of the page".to_owned()));
        },
        &["127.0.0.1", "18 bytes|18 octets|length 18", "text/plain"],
    );
}

#[test]
fn a_name_that_does_not_exist_is_reported_with_the_resolver() {
    certbot_says(
        "fails: NXDOMAIN",
        |_| (),
        &["NXDOMAIN", "127.0.0.1", "example.com"],
    );
}

#[test]
fn a_resolver_that_fails_is_named() {
    certbot_says(
        "fails: SERVFAIL",
        |harness| harness.dns.set("example.com", Answer::Fails),
        &["SERVFAIL", "127.0.0.1", "example.com"],
    );
}
