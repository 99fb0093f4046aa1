//! A clock that jumps ahead or back: expired objects are reported as such, certificates are
//! issued, and the server's own certificate is valid.

use acceptance::acme::csr;
use acceptance::authority::{Authority, Pair, Server};
use acceptance::clock::Clock;
use acceptance::namespace::{Harness, own_harness};
use acceptance::process;
use acceptance::web::Web;

/// A server with its own clock, whose orders expire after two minutes.
fn under_a_clock(harness: &Harness, task: &str) -> Option<(Server, Clock, acceptance::table::Row)> {
    harness.dns.addresses("example.com", &["127.0.0.1"]);
    let mut authority = Authority::init(harness, Pair::ours(), "ca");
    let (clock, row) = Clock::of(harness, &mut authority, task)?;
    let mut server = authority.start();
    server.add_acme();
    let file = server.authority.path.join("config/riser.toml");
    std::fs::write(file, "[provisioner.acme]\norder_life = \"2m\"\n").unwrap();
    process::eventually("orders that live two minutes", || {
        let log = server.daemon.log();
        log.contains("provisioner changed").then_some(())
    });
    Some((server, clock, row))
}

#[test]
fn an_order_expires_when_the_clock_jumps_past_its_end_and_the_next_one_is_served() {
    own_harness(|harness| {
        let task = "the clock jumps ahead";
        let Some((server, clock, row)) = under_a_clock(harness, task) else {
            return;
        };
        let web = Web::start("127.0.0.1:80");
        let account = server.account();
        let order = account.ready(&["example.com"], &web);
        clock.set(600);
        let answer = account
            .try_finalize(&order, &csr(&["example.com"]))
            .unwrap();
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("expired"), "{}", answer.text());
        let chain = account.obtain(&["example.com"], &web);
        assert!(chain.contains("BEGIN CERTIFICATE"));
        row.passed();
    });
}

#[test]
fn a_clock_set_back_an_hour_does_not_prevent_issuance() {
    own_harness(|harness| {
        let task = "the clock is set back";
        let Some((server, clock, row)) = under_a_clock(harness, task) else {
            return;
        };
        let web = Web::start("127.0.0.1:80");
        let account = server.account();
        let shown = || {
            server
                .client
                .shown("localhost:9000")
                .unwrap()
                .swap_remove(0)
        };
        let before = shown();
        account.obtain(&["example.com"], &web);
        clock.set(-3600);
        account.obtain(&["example.com"], &web);
        // By the server's clock its own certificate is not valid yet: it issues another.
        process::eventually("another certificate of the server's own", || {
            (shown() != before).then_some(())
        });
        account.obtain(&["example.com"], &web);
        row.passed();
    });
}
