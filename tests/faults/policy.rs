//! Policies and profiles that change while orders are open: names that are denied
//! and profiles that are withdrawn by then are not issued.

use std::fs;

use acceptance::acme::csr;
use acceptance::authority::{Authority, Server};
use acceptance::namespace::own_harness;
use acceptance::process;
use acceptance::web::{Page, Web, challenge_path};
use serde_json::{Value, json};

#[test]
fn a_name_denied_after_its_order_was_made_is_not_issued() {
    own_harness(|harness| {
        harness.dns.addresses("a.internal", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let account = server.account();
        let order = account.ready(&["a.internal"], &web);

        deny(&server, "*.internal");
        let refused = account.try_finalize(&order, &csr(&["a.internal"])).unwrap();
        assert_eq!(refused.status, 400, "{}", refused.text());
        assert!(
            refused.text().contains("rejectedIdentifier"),
            "{}",
            refused.text()
        );
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains(r#"authority.policy.x509.deny.dns "*.internal""#),
            "{detail}"
        );

        // The order is as it was: with the rule gone it can be finalized.
        deny(&server, "*.elsewhere");
        let done = account.try_finalize(&order, &csr(&["a.internal"])).unwrap();
        assert_eq!(done.json()["status"], "valid", "{}", done.text());
        server.stop();
    });
}

#[test]
fn a_challenge_that_is_switched_off_after_its_order_was_made_proves_nothing() {
    own_harness(|harness| {
        harness.dns.addresses("a.internal", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let account = server.account();
        let order = account.order(&["a.internal"]);
        let authorization = order.body["authorizations"][0].as_str().unwrap();
        let challenge = account.http01(authorization).unwrap();
        let path = challenge_path(challenge["token"].as_str().unwrap());
        web.set(&path, Page::Body(account.key_authorization(&challenge)));

        offer(&server, "dns-01");
        let answer = || account.post(challenge["url"].as_str().unwrap(), Some(&json!({})));
        let refused = answer();
        assert_eq!(refused.status, 403, "{}", refused.text());
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("http-01 was switched off"), "{detail}");

        // The order is as it was: with the method back it can be answered.
        offer(&server, "http-01");
        answer();
        account.await_status(authorization, "valid");
        server.stop();
    });
}

#[test]
fn a_certificate_whose_name_is_denied_since_is_not_renewed() {
    own_harness(|harness| {
        harness.dns.addresses("a.internal", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let step = |arguments: &[&str]| server.authority.run(arguments);
        let files = ["a.crt", "a.key"];
        step(
            &[
                &["ca", "certificate", "--provisioner", "acme", "a.internal"],
                &files[..],
            ]
            .concat(),
        )
        .success();
        let renew = [&["ca", "renew", "--force"], &files[..]].concat();
        step(&renew).success();
        deny(&server, "*.internal");
        let before = fs::read(harness.path("a.crt")).unwrap();
        let refused = step(&renew);
        assert_eq!(refused.code, Some(1), "{}", refused.text());
        let rule = r#"authority.policy.x509.deny.dns "*.internal""#;
        assert!(refused.stderr.contains(rule), "{}", refused.stderr);
        assert_eq!(fs::read(harness.path("a.crt")).unwrap(), before);
        server.stop();
    });
}

#[test]
fn a_profile_withdrawn_after_its_order_was_made_is_not_issued() {
    own_harness(|harness| {
        harness.dns.addresses("a.internal", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let offer = |names: &str| {
            let toml = format!(
                "profile = {{ long = {{}}, short = {{ life = \"1h\" }} }}\n\
                 [provisioner.acme]\nprofiles = [{names}]\n"
            );
            fs::write(server.authority.path.join("config/riser.toml"), toml).unwrap();
            let wanted = names.matches('"').count() / 2;
            process::eventually("the profiles to be offered", || {
                let directory = server.get("/acme/acme/directory").json();
                let offered = directory["meta"]["profiles"]
                    .as_object()
                    .map(|all| all.len());
                (offered == Some(wanted)).then_some(())
            });
        };
        offer(r#""short", "long""#);
        let account = server.account();
        let order = account.ready(&["a.internal"], &web);
        assert_eq!(order.body["profile"], "short");

        offer(r#""long""#);
        let refused = account.try_finalize(&order, &csr(&["a.internal"])).unwrap();
        assert!(
            refused.text().contains("invalidProfile"),
            "{}",
            refused.text()
        );
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("This provisioner offers long."), "{detail}");

        offer(r#""long", "short""#);
        let done = account.try_finalize(&order, &csr(&["a.internal"])).unwrap();
        assert_eq!(done.json()["status"], "valid", "{}", done.text());
        server.stop();
    });
}

/// Writes a deny rule into ca.json and waits until it is in force: an order for a name that
/// only this rule denies is refused.
fn offer(server: &Server, method: &str) {
    let settings = format!("[provisioner.acme]\nchallenges = [\"{method}\"]\n");
    fs::write(server.authority.path.join("config/riser.toml"), settings).unwrap();
    server.authority.run(&["ca", "reload"]).success();
}

fn deny(server: &Server, pattern: &str) {
    let file = server.authority.path.join("config/ca.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    config["authority"]["policy"] = json!({"x509": {"deny": {"dns": [pattern]}}});
    fs::write(&file, config.to_string()).unwrap();
    let probe = pattern.replace('*', "probe");
    let account = server.account();
    process::eventually("the policy to be in force", || {
        account.try_order(&[&probe]).is_err().then_some(())
    });
}
