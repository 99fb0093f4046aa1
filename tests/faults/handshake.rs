//! The server's own certificate: presented to every client, renewed by the server itself.

use std::collections::BTreeSet;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::own_harness;
use acceptance::process;

/// Each handshake verifies the certificate by the client's clock, so an expired one fails the test.
#[test]
fn another_serial_is_seen_before_a_certificate_of_ten_seconds_expires() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "ca");
        std::fs::write(
            authority.path.join("config/riser.toml"),
            "[server]\ncertificate_life = \"10s\"\n",
        )
        .unwrap();
        let server = authority.start();
        let leaf = || {
            server
                .client
                .shown("localhost:9000")
                .unwrap()
                .swap_remove(0)
        };
        let before = leaf();
        process::eventually("another certificate", || (leaf() != before).then_some(()));
    });
}

#[test]
fn an_open_connection_survives_a_renewal_of_the_servers_certificate() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "ca");
        std::fs::write(
            authority.path.join("config/riser.toml"),
            "[server]\ncertificate_life = \"10s\"\n",
        )
        .unwrap();
        let server = authority.start();
        let mut open = server.client.connect_h2("localhost:9000").unwrap();
        let mut seen = BTreeSet::new();
        process::eventually("two certificates", || {
            assert_eq!(open.get("/health").unwrap().status, 200);
            seen.insert(
                server
                    .client
                    .shown("localhost:9000")
                    .unwrap()
                    .swap_remove(0),
            );
            (seen.len() >= 2).then_some(())
        });
    });
}
