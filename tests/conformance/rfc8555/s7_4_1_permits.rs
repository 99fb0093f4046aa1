//! RFC 8555 §7.4.1: authorizations without a challenge, granted by the operator.

use acceptance::acme::csr;
use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use serde_json::json;

use crate::conformance::subject::refused;

/// An order for a name that the operator has given is ready at once, for that account alone, until the
/// operator takes it back.
#[test]
fn a_name_authorized_by_the_operator_needs_no_challenge_until_it_is_removed() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let authorize = |arguments: &[&str]| {
            let arguments = [&["ca", "acme", "authorize"], arguments].concat();
            server.authority.run(&arguments)
        };
        let account = server.account();
        let none = authorize(&["list", "acme"]).success();
        assert!(
            none.stderr.contains("No names are authorized"),
            "{}",
            none.stderr
        );
        let add = [
            "add",
            "acme",
            "--account",
            &account.kid,
            "db.internal",
            "*.web.internal",
        ];
        let added = authorize(&add).success().stdout;
        assert!(added.contains(" *.web.internal "), "{added}");

        let names = ["db.internal", "a.web.internal"];
        let order = account.order(&names);
        assert_eq!(order.body["status"], "ready", "{}", order.body);
        let authorization = order.body["authorizations"][0].as_str().unwrap();
        let body = account.post(authorization, None).json();
        assert_eq!(
            (&body["status"], &body["challenges"]),
            (&json!("valid"), &json!([]))
        );
        let done = account.try_finalize(&order, &csr(&names)).unwrap();
        assert_eq!(done.json()["status"], "valid", "{}", done.text());

        for name in ["internal", "a.b.web.internal", "xdb.internal"] {
            assert_eq!(account.order(&[name]).body["status"], "pending", "{name}");
        }
        assert_eq!(
            account.order(&["db.internal", "other.test"]).body["status"],
            "pending"
        );
        let another = server.account();
        assert_eq!(another.order(&["db.internal"]).body["status"], "pending");

        let open = account.order(&["db.internal"]);
        let listed = authorize(&["list", "acme", "--format", "json"])
            .success()
            .stdout;
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(
            (&listed[0]["name"], &listed[0]["by"]),
            (&json!("db.internal"), &json!("uid 0"))
        );
        authorize(&["remove", "acme", listed[0]["id"].as_str().unwrap()]).success();
        let ended = account.post(&open.url, None).json();
        assert_eq!(ended["status"], "invalid", "{ended}");
        let answer = account.try_finalize(&open, &csr(&["db.internal"])).unwrap();
        refused(&answer, 403, "orderNotReady");
        assert_eq!(account.order(&["db.internal"]).body["status"], "pending");
        assert_eq!(account.order(&["b.web.internal"]).body["status"], "ready");
    });
}

/// What cannot be given is refused with the reason, and nothing of it is given.
#[test]
fn invalid_names_and_accounts_are_refused_with_the_reason() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let kid = server.account().kid;
        let unknown = "0193a7c05f7b7d1c9d3b1d2e3f405162";
        for (provisioner, account, name, reason) in [
            ("acme", kid.as_str(), "a_b.test", "underscore"),
            (
                "acme",
                "me",
                "a.test",
                "neither the URL of an account nor its id",
            ),
            ("acme", unknown, "a.test", "no such account"),
            ("nope", kid.as_str(), "a.test", "no provisioner"),
            ("acme", kid.as_str(), "10.0.0.0/40", "network"),
        ] {
            let arguments = [
                "ca",
                "acme",
                "authorize",
                "add",
                provisioner,
                "--account",
                account,
                "good.test",
                name,
            ];
            let message = server.authority.run(&arguments).code(1).stderr;
            assert!(message.contains(reason), "{reason} is not in {message}");
        }
        let both = "ca acme authorize add acme a_b.test 10.0.0.0/40 --account";
        let both: Vec<_> = both.split(' ').chain([kid.as_str()]).collect();
        let message = server.authority.run(&both).code(1).stderr;
        assert!(
            message.contains("underscore") && message.contains("network"),
            "{message}"
        );
        let late = [
            "ca",
            "acme",
            "authorize",
            "add",
            "acme",
            "--account",
            &kid,
            "a.test",
            "--expires",
            "2020-01-01T00:00:00Z",
        ];
        let message = server.authority.run(&late).code(1).stderr;
        assert!(message.contains("to come"), "{message}");
        let listed = server
            .authority
            .run(&["ca", "acme", "authorize", "list", "acme"]);
        assert_eq!(listed.success().stdout, "");
    });
}

/// What policy denies, no operator's word gives.
#[test]
fn policy_applies_to_a_name_authorized_by_the_operator() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let account = server.account();
        let add = [
            "ca",
            "acme",
            "authorize",
            "add",
            "acme",
            "--account",
            &account.kid,
        ];
        let add = [&add[..], &["**.test"]].concat();
        server.authority.run(&add).success();
        let policy = "[provisioner.acme.policy]\ndeny_dns = [\"secret.test\"]\n";
        std::fs::write(server.authority.path.join("config/riser.toml"), policy).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        assert_eq!(account.order(&["open.test"]).body["status"], "ready");
        let payload = json!({"identifiers": [{"type": "dns", "value": "secret.test"}]});
        let answer = account.post(&account.resource("newOrder"), Some(&payload));
        refused(&answer, 400, "rejectedIdentifier");
    });
}
