//! RFC 9773 §5: who renews when asked to is not held up by rate limits.

use acceptance::authority::Authority;
use acceptance::https::Response;
use acceptance::namespace::own_harness;
use acceptance::web::Web;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{joined, parts};
use crate::conformance::subject::refused;

/// An order that replaces a certificate is not counted, and one that only says so is refused as such.
#[test]
fn an_order_that_replaces_a_certificate_is_not_counted() {
    own_harness(|harness| {
        let web = Web::start("127.0.0.1:80");
        harness.dns.addresses("a.test", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let limits = "[rate_limits]\norders_per_account = { count = 1, per = \"1h\" }\n";
        std::fs::write(server.authority.path.join("config/riser.toml"), limits).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        let account = server.account();
        let (authority, serial) = parts(&leaf(&account.obtain(&["a.test"], &web)));
        let order = |fields: Value| -> Response {
            let mut payload = json!({"identifiers": [{"type": "dns", "value": "a.test"}]});
            let all = payload.as_object_mut().unwrap();
            all.extend(fields.as_object().unwrap().clone());
            account.post(&account.resource("newOrder"), Some(&payload))
        };
        refused(&order(json!({})), 429, "rateLimited");
        let replaces = json!({"replaces": joined(&authority, &serial)});
        let renewed = order(replaces.clone());
        assert_eq!(renewed.status, 201, "{}", renewed.text());
        refused(&order(replaces), 409, "alreadyReplaced");
        refused(&order(json!({})), 429, "rateLimited");
    });
}

/// Naming what is replaced is no way around the limits: other names are counted, and so are orders without end.
#[test]
fn an_order_that_only_claims_to_replace_a_certificate_is_counted() {
    own_harness(|harness| {
        let web = Web::start("127.0.0.1:80");
        harness.dns.addresses("a.test", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let limits = "[rate_limits]\norders_per_account = { count = 1, per = \"1h\" }\n";
        std::fs::write(server.authority.path.join("config/riser.toml"), limits).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        let account = server.account();
        let (authority, serial) = parts(&leaf(&account.obtain(&["a.test"], &web)));
        let order = |names: &[&str]| -> Response {
            let names: Vec<_> = names
                .iter()
                .map(|n| json!({"type": "dns", "value": n}))
                .collect();
            let payload = json!({"identifiers": names, "replaces": joined(&authority, &serial)});
            account.post(&account.resource("newOrder"), Some(&payload))
        };
        refused(&order(&["a.test", "b.test"]), 429, "rateLimited");
        let unknown = json!({
            "identifiers": [{"type": "dns", "value": "a.test"}],
            "replaces": joined(&authority, &[1, 2, 3]),
        });
        let answer = account.post(&account.resource("newOrder"), Some(&unknown));
        refused(&answer, 429, "rateLimited");
        for _ in 0..5 {
            let renewed = order(&["a.test"]);
            assert_eq!(renewed.status, 201, "{}", renewed.text());
            let authorization = renewed.json()["authorizations"][0].clone();
            let end = json!({"status": "deactivated"});
            account.post(authorization.as_str().unwrap(), Some(&end));
        }
        refused(&order(&["a.test"]), 429, "rateLimited");
    });
}

/// The first certificate of a PEM chain.
fn leaf(chain: &str) -> Vec<u8> {
    let body = chain.split("-----").nth(2).unwrap();
    BASE64.decode(body.replace('\n', "").as_bytes()).unwrap()
}
