//! The configuration changes while the server runs: no restart, no signal, no
//! dropped connection; an invalid edit changes nothing and is reported.

use std::fs;
use std::time::Duration;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::own_harness;
use acceptance::process;
use acceptance::web::{Page, Web, challenge_path};
use serde_json::{Value, json};

#[test]
fn a_provisioner_comes_and_goes_without_dropping_a_connection_or_a_validation() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let mut open = server.client.connect_h2("localhost:9000").unwrap();
        assert_eq!(open.get("/health").unwrap().status, 200);

        let account = server.account();
        let order = account.order(&["example.com"]);
        let challenge = account
            .http01(order.body["authorizations"][0].as_str().unwrap())
            .unwrap();
        let page = Page::Body(account.key_authorization(&challenge));
        let late = Page::Late(Duration::from_millis(1500), Box::new(page));
        web.set(&challenge_path(challenge["token"].as_str().unwrap()), late);
        let client = account.clone();
        let url = challenge["url"].as_str().unwrap().to_owned();
        let posted = std::thread::spawn(move || client.post(&url, Some(&json!({}))));
        process::eventually("the server to ask for the token", || {
            web.asked()
                .iter()
                .find(|a| a.contains("acme-challenge"))
                .cloned()
        });

        let step = |arguments: &[&str]| {
            let arguments = [&["ca", "provisioner"], arguments].concat();
            server.authority.run(&arguments).success()
        };
        step(&["add", "second", "--type", "ACME"]);
        // The command returns when the running server lists the change.
        assert_eq!(open.get("/acme/second/directory").unwrap().status, 200);
        let listed = step(&["list"]).stdout;
        assert!(listed.contains("\"second\""), "{listed}");
        step(&["update", "second", "--name", "renamed"]);
        assert_eq!(open.get("/acme/renamed/directory").unwrap().status, 200);
        assert_eq!(open.get("/acme/second/directory").unwrap().status, 404);
        step(&["remove", "renamed"]);
        assert_eq!(open.get("/acme/renamed/directory").unwrap().status, 404);
        assert_eq!(open.get("/acme/acme/directory").unwrap().status, 200);

        assert_eq!(posted.join().unwrap().status, 200);
        account.await_status(&order.url, "ready");
        server.stop();
    });
}

#[test]
fn an_edit_by_hand_takes_effect_however_the_editor_writes() {
    own_harness(|harness| {
        let server = Authority::init(harness, Pair::ours(), "ca").start();
        let file = server.authority.path.join("config/ca.json");
        let add = |name: &str| {
            let mut config: Value =
                serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let list = config["authority"]["provisioners"].as_array_mut().unwrap();
            list.push(json!({"type": "ACME", "name": name}));
            serde_json::to_string_pretty(&config).unwrap()
        };
        let served = |name: &str| {
            process::eventually(name, || {
                (server.get(&format!("/acme/{name}/directory")).status == 200).then_some(())
            });
        };
        // In place: truncated, then one write.
        fs::write(&file, add("in-place")).unwrap();
        served("in-place");
        // By a new file that takes the name.
        let beside = file.with_extension("json.new");
        fs::write(&beside, add("by-rename")).unwrap();
        fs::rename(&beside, &file).unwrap();
        served("by-rename");
        served("in-place");
    });
}

#[test]
fn a_broken_edit_leaves_the_old_configuration_in_force_and_is_reported() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let mut open = server.client.connect_h2("localhost:9000").unwrap();
        let file = server.authority.path.join("config/ca.json");
        let good = fs::read_to_string(&file).unwrap();
        let half = &good[..good.len() / 2];
        let mut doubled: Value = serde_json::from_str(&good).unwrap();
        let list = doubled["authority"]["provisioners"].as_array_mut().unwrap();
        list.push(json!({"type": "ACME", "name": "acme"}));
        for broken in [half.to_owned(), doubled.to_string()] {
            fs::write(&file, &broken).unwrap();
            process::eventually("health to report the broken configuration", || {
                open.get("/health")
                    .ok()
                    .filter(|r| r.text().contains("ca.json"))
            });
            assert!(
                server.daemon.log().contains("ca.json"),
                "{}",
                server.daemon.log()
            );
            assert_eq!(
                open.get("/acme/acme/directory").unwrap().status,
                200,
                "the old one is in force"
            );
            fs::write(&file, &good).unwrap();
            process::eventually("health to be quiet again", || {
                open.get("/health")
                    .ok()
                    .filter(|r| r.text().trim() == r#"{"status":"ok"}"#)
            });
        }
    });
}

#[test]
fn a_name_that_the_servers_own_certificate_cannot_have_is_refused_while_it_runs() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let file = server.authority.path.join("config/ca.json");
        let good = fs::read_to_string(&file).unwrap();
        for name in ["", "https://ca.example.com"] {
            let mut config: Value = serde_json::from_str(&good).unwrap();
            config["dnsNames"] = json!(["localhost", name]);
            fs::write(&file, config.to_string()).unwrap();
            let refused = server.authority.run(&["ca", "reload"]).code(1);
            assert!(
                refused.stderr.contains("ca.json: dnsNames[1]: "),
                "{refused:?}"
            );
        }
        fs::write(&file, &good).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        server.stop();
    });
}

#[test]
fn sighup_reads_the_configuration_again() {
    own_harness(|harness| {
        let mut server = Authority::started(harness);
        let mut open = server.client.connect_h2("localhost:9000").unwrap();
        server.daemon.signal("HUP");
        for _ in 0..20 {
            assert_eq!(open.get("/acme/acme/directory").unwrap().status, 200);
        }
        assert!(server.daemon.is_running());
        server.stop();
    });
}
