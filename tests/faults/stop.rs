//! SIGTERM: requests in progress are answered, then the process ends with 0.

use std::time::Duration;

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::process;
use acceptance::web::{Page, Web, challenge_path};
use serde_json::json;

#[test]
fn a_validation_in_flight_gets_its_answer_before_the_server_ends() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let mut server = Authority::started(harness);
        let account = server.account();
        let order = account.order(&["example.com"]);
        let authorization = order.body["authorizations"][0].as_str().unwrap();
        let challenge = account.http01(authorization).unwrap();
        let page = Page::Body(account.key_authorization(&challenge));
        let late = Page::Late(Duration::from_millis(1500), Box::new(page));
        web.set(&challenge_path(challenge["token"].as_str().unwrap()), late);

        let url = challenge["url"].as_str().unwrap().to_owned();
        let client = account.clone();
        let posted = std::thread::spawn(move || client.try_post(&url, Some(&json!({}))).unwrap());
        process::eventually("the server to ask for the token", || {
            web.asked()
                .iter()
                .find(|a| a.contains("acme-challenge"))
                .cloned()
        });
        std::thread::sleep(Duration::from_millis(500));
        server.daemon.signal("TERM");
        let answer = posted.join().expect("the answer arrives");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(server.daemon.wait(), Some(0), "{}", server.daemon.log());

        let server = server.authority.start();
        server.await_acme();
        let order = account.await_status(&order.url, "ready");
        assert_eq!(order["identifiers"][0]["value"], "example.com");
        server.stop();
    });
}

#[test]
fn an_idle_server_ends_at_once_and_leaves_its_port() {
    own_harness(|harness| {
        for signal in ["TERM", "INT"] {
            let mut server =
                Authority::init(harness, acceptance::authority::Pair::ours(), signal).start();
            // An idle connection must not delay the end.
            let mut open = server.client.connect_h2("localhost:9000").unwrap();
            assert_eq!(open.get("/health").unwrap().status, 200);
            server.daemon.signal(signal);
            assert_eq!(server.daemon.wait(), Some(0), "{}", server.daemon.log());
        }
    });
}
