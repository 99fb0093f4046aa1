//! RFC 8738 §6: tls-alpn-01 for addresses: the reverse name is asked for, and the
//! certificate has the address itself.

use acceptance::alpn::{Responder, Shown, name};

use crate::conformance::rfc8737::{Target, attempt, failed};
use crate::conformance::subject::subject;

const REVERSE: &str = "1.0.0.127.in-addr.arpa";
const LOOPBACK: Target<'_> = Target {
    identifier: "127.0.0.1",
    server_name: REVERSE,
};
const REVERSE_V6: &str = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa";

/// An IPv4 address: asked for as in-addr.arpa, proven by one iPAddress (§6). The wrong certificates
/// come first, as all are shown under one name.
#[test]
fn an_address_is_requested_by_its_reverse_name() {
    let subject = subject();
    let account = subject.account();
    for (names, words) in [
        (vec![name(REVERSE)], "not a iPAddress"),
        (vec![name("127.0.0.2")], "is not 127.0.0.1"),
        (vec![name("127.0.0.1"), name(REVERSE)], "2 names"),
    ] {
        let challenge = attempt(&account, LOOPBACK, |text| {
            let mut shown = Shown::of("127.0.0.1", &text);
            shown.names = names;
            Some(shown)
        });
        let detail = failed(&challenge, "unauthorized");
        assert!(detail.contains(words), "{detail}");
    }
    let challenge = attempt(&account, LOOPBACK, |text| {
        Some(Shown::of("127.0.0.1", &text))
    });
    assert_eq!(challenge["status"], "valid", "{challenge}");
    let asked = subject.tls.asked();
    assert!(
        asked.contains(&format!("{REVERSE} acme-tls/1")),
        "{asked:?}"
    );
}

/// An IPv6 address is asked for as 32 nibbles under ip6.arpa (§6).
#[test]
fn an_ipv6_address_is_requested_by_its_nibbles() {
    let subject = subject();
    let port = subject.tls.address().port();
    if std::net::TcpListener::bind(("::1", 0)).is_err() {
        eprintln!("this machine has no IPv6 loopback");
        return;
    }
    let responder = Responder::start(&format!("[::1]:{port}"));
    let account = subject.account();
    let challenge = attempt(
        &account,
        Target {
            identifier: "::1",
            server_name: REVERSE_V6,
        },
        |text| {
            responder.set(REVERSE_V6, &Shown::of("::1", &text));
            None
        },
    );
    assert_eq!(challenge["status"], "valid", "{challenge}");
}
