//! A policy in ca.json: our server and smallstep's refuse the same names.

use std::fs;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::{Harness, own_harness};
use acceptance::{paths, table};
use serde_json::{Value, json};

/// The policies that are compared, and names and addresses to try with each.
fn cases() -> Vec<(Value, Vec<&'static str>)> {
    vec![
        (
            json!({"allow": {"dns": ["*.local", "one.corp"], "ip": ["10.0.0.0/8", "fd00::/8"]}}),
            vec![
                "a.local",
                "A.Local",
                "local",
                "a.b.local",
                "one.corp",
                "two.corp",
                "10.1.2.3",
                "11.1.2.3",
                "fd00::1",
                "fe80::1",
            ],
        ),
        (
            json!({"allow": {"dns": ["*.local"]}, "deny": {"dns": ["db.local"]}}),
            vec!["a.local", "db.local", "DB.local", "a.corp", "10.0.0.1"],
        ),
        (
            json!({"deny": {"dns": ["*.internal"], "ip": ["192.168.0.0/16"]}}),
            vec![
                "a.internal",
                "a.b.internal",
                "internal",
                "192.168.7.7",
                "10.0.0.1",
                "a.corp",
            ],
        ),
        (
            json!({"allow": {"email": ["@lab"]}, "deny": {"ip": ["10.0.0.1"]}}),
            vec!["a.local", "10.0.0.1", "10.0.0.2"],
        ),
        (
            json!({"deny": {"cn": ["a.local"], "uri": ["*.lab"]}, "allowWildcardNames": true}),
            vec!["a.local", "10.0.0.1"],
        ),
    ]
}

/// Which of the names a server of this pair takes into an order, for each policy.
fn taken(harness: &Harness, pair: &Pair, folder: &str) -> Vec<Vec<&'static str>> {
    let mut authority = Authority::init(harness, pair.clone(), folder);
    let mut server = authority.start();
    server.add_acme();
    authority = server.stop();
    let file = authority.path.join("config/ca.json");
    let mut taken = Vec::new();
    for (policy, names) in cases() {
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        config["authority"]["policy"] = json!({"x509": policy});
        fs::write(&file, config.to_string()).unwrap();
        let server = authority.start();
        let account = server.account();
        let mut passed = Vec::new();
        for name in names {
            match account.try_order(&[name]) {
                Ok(_) => passed.push(name),
                Err(refused) => {
                    let words = refused.to_string();
                    assert!(words.contains("rejectedIdentifier"), "{name}: {words}");
                }
            }
        }
        taken.push(passed);
        authority = server.stop();
    }
    taken
}

#[test]
fn a_policy_of_smallsteps_programs_admits_the_same_names_in_ours() {
    own_harness(|harness| {
        let Some((step_ca, row)) = table::peer("step-ca", "folders", "policies in ours") else {
            return;
        };
        let Some(step) = paths::peer("step") else {
            return;
        };
        let real = taken(harness, &Pair::real(&step, &step_ca), "theirs");
        let ours = taken(harness, &Pair::ours(), "ours");
        for ((policy, _), (real, ours)) in cases().iter().zip(real.iter().zip(&ours)) {
            assert_eq!(real, ours, "{policy}");
        }
        assert!(real.iter().all(|names| !names.is_empty()), "{real:?}");
        row.passed();
    });
}

#[test]
fn a_folder_of_smallsteps_programs_with_a_policy_opens_in_ours() {
    own_harness(|harness| {
        let Some((step_ca, row)) = table::peer("step-ca", "folders", "one with a policy in ours")
        else {
            return;
        };
        let Some(step) = paths::peer("step") else {
            return;
        };
        let mut authority = Authority::init(harness, Pair::real(&step, &step_ca), "theirs");
        let file = authority.path.join("config/ca.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        config["authority"]["policy"] = json!({
            "x509": {"allow": {"dns": ["*.local", "localhost"]}, "allowWildcardNames": false},
            "ssh": {"host": {"allow": {"dns": ["*.local"]}}, "user": {"deny": {"email": ["@x"]}}},
        });
        fs::write(&file, config.to_string()).unwrap();
        authority.pair = Pair::ours();
        let mut server = authority.start();
        server.add_acme();
        let get = |name: &str| {
            let arguments = [
                "ca",
                "certificate",
                "--provisioner",
                "acme",
                name,
                "l.crt",
                "l.key",
            ];
            server
                .authority
                .run(&[&arguments[..], &["--force"]].concat())
        };
        get("localhost").success();
        crate::third_party::openssl_accepts(&harness.path("l.crt"), &server.authority.root());
        let refused = get("a.corp");
        assert_eq!(refused.code, Some(1), "{}", refused.text());
        let rule = r#"authority.policy.x509.allow.dns ("*.local", "localhost")"#;
        assert!(refused.stderr.contains(rule), "{}", refused.stderr);
        assert!(
            server.daemon.log().contains("policy.ssh"),
            "{}",
            server.daemon.log()
        );
        row.passed();
    });
}
