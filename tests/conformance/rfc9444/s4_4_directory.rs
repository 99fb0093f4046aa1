//! RFC 9444 §4.4: the directory says whether names may be proven by a domain above them.

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use serde_json::{Value, json};

use super::account;
use crate::conformance::subject::subject;

/// It is there and true where it is switched on, and absent elsewhere.
#[test]
fn the_directory_shows_where_subdomains_are_enabled() {
    let said = |directory: Value| directory["meta"].get("subdomainAuthAllowed").cloned();
    assert_eq!(said(account().directory), Some(json!(true)));
    assert_eq!(said(subject().account().directory), None);
}

/// After it is disabled in the running server, a proven domain no longer covers the names below.
#[test]
fn it_is_enabled_and_disabled_without_a_restart() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let switch = |on: bool| {
            let text = format!("[provisioner.acme]\npreauthorization = true\nsubdomains = {on}\n");
            std::fs::write(server.authority.path.join("config/riser.toml"), text).unwrap();
            server.authority.run(&["ca", "reload"]).success();
        };
        switch(true);
        let account = server.account();
        assert_eq!(account.directory["meta"]["subdomainAuthAllowed"], true);
        let identifier = json!({"type": "dns", "value": "lab.test", "subdomainAuthAllowed": true});
        let payload = json!({ "identifier": identifier });
        let made = account.post(&account.resource("newAuthz"), Some(&payload));
        assert_eq!(made.json()["subdomainAuthAllowed"], true, "{}", made.text());
        let identifier =
            json!({"type": "dns", "value": "a.lab.test", "ancestorDomain": "lab.test"});
        let payload = json!({ "identifiers": [identifier] });
        let above = || {
            let order = account
                .post(&account.resource("newOrder"), Some(&payload))
                .json();
            order["authorizations"].clone()
        };
        assert_eq!(above(), json!([made.header("location")]));
        switch(false);
        let again = server.account();
        assert!(
            again.directory["meta"]
                .get("subdomainAuthAllowed")
                .is_none()
        );
        assert_ne!(above(), json!([made.header("location")]));
    });
}
