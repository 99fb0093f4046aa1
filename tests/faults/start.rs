//! A server that cannot start states why, on the right stream, with the right exit
//! code, before it opens a port.

use std::fs;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::{Harness, own_harness};
use acceptance::paths;
use acceptance::process::{self, Outcome};
use serde_json::{Value, json};

fn init(harness: &Harness) -> Authority {
    Authority::init(harness, Pair::ours(), "ca")
}

/// Runs the server's command to its end.
fn end(authority: &Authority) -> Outcome {
    process::run(&mut authority.command())
}

fn rewrite(authority: &Authority, change: impl FnOnce(&mut Value)) {
    let file = authority.path.join("config/ca.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut config);
    fs::write(&file, config.to_string()).unwrap();
}

#[test]
fn a_missing_configuration_is_reported_on_stdout_with_code_1() {
    own_harness(|harness| {
        let mut command = process::command(paths::ours("step-ca"));
        let out = process::run(
            command
                .env("STEPPATH", harness.path("nothing"))
                .arg("/nothing/ca.json"),
        )
        .code(1);
        assert!(out.stdout.contains("/nothing/ca.json"), "{out:?}");
        assert_eq!(out.stderr, "");
    });
}

#[test]
fn a_wrong_password_names_the_key_with_code_2() {
    own_harness(|harness| {
        let authority = init(harness);
        fs::write(authority.password(), "wrong\n").unwrap();
        let out = end(&authority).code(2);
        assert!(out.stderr.contains("intermediate_ca_key"), "{out:?}");
        assert!(out.stderr.contains("password"), "{out:?}");
    });
}

#[test]
fn a_missing_key_is_named_with_code_2() {
    own_harness(|harness| {
        let authority = init(harness);
        fs::remove_file(authority.path.join("secrets/intermediate_ca_key")).unwrap();
        let out = end(&authority).code(2);
        assert!(
            out.stderr.contains("secrets/intermediate_ca_key"),
            "{out:?}"
        );
    });
}

#[test]
fn a_port_in_use_is_named_with_code_2() {
    own_harness(|harness| {
        let authority = init(harness);
        let _taken = std::net::TcpListener::bind("127.0.0.1:9000").unwrap();
        let out = end(&authority).code(2);
        assert!(out.stderr.contains("127.0.0.1:9000"), "{out:?}");
    });
}

#[test]
fn a_second_process_on_the_same_store_is_refused_with_code_2() {
    own_harness(|harness| {
        let mut authority = init(harness);
        let server = init_on_another_port(harness).start();
        rewrite(&authority, |config| {
            config["address"] = json!("127.0.0.1:9002")
        });
        authority.path.clone_from(&server.authority.path);
        rewrite(&authority, |config| {
            config["address"] = json!("127.0.0.1:9003")
        });
        let out = end(&authority).code(2);
        assert!(out.stderr.contains("riser.sqlite3"), "{out:?}");
        assert_eq!(server.get("/health").status, 200, "the first one goes on");
    });
}

fn init_on_another_port(harness: &Harness) -> Authority {
    Authority::init_at(harness, Pair::ours(), "first", "127.0.0.1:9001")
}

#[test]
fn all_configuration_errors_are_reported_together_each_with_its_path() {
    own_harness(|harness| {
        let authority = init(harness);
        rewrite(&authority, |config| {
            config["address"] = json!("nowhere");
            config["tls"]["minVersion"] = json!(9.9);
            config["authority"]["provisioners"]
                .as_array_mut()
                .unwrap()
                .extend([
                    json!({"type": "ACME", "name": ""}),
                    json!({"type": "ACME", "name": "admin"}),
                ]);
        });
        let out = end(&authority).code(2);
        let places = [
            "address:",
            "tls.minVersion:",
            "authority.provisioners[1].name:",
            "authority.provisioners[2].name:",
        ];
        for place in places {
            let reported = |line: &&str| line.starts_with(&format!("ca.json: {place}"));
            let lines = out.stderr.lines().filter(reported).count();
            assert_eq!(lines, 1, "{place} {}", out.stderr);
        }
        assert_eq!(out.stderr.lines().count(), places.len(), "{}", out.stderr);
        assert!(
            !authority.path.join("db/riser.sqlite3").exists(),
            "nothing is half started"
        );
    });
}

#[test]
fn flags_of_unsupported_features_are_refused_in_one_line() {
    own_harness(|harness| {
        let authority = init(harness);
        for flag in [
            "--token",
            "--issuer-password-file",
            "--ssh-host-password-file",
        ] {
            let mut command = authority.command();
            let out = process::run(command.args([flag, "x"])).code(1);
            let lines: Vec<_> = out
                .stderr
                .lines()
                .filter(|line| !line.trim().is_empty())
                .collect();
            assert_eq!(lines.len(), 1, "{flag}: {out:?}");
            assert!(lines[0].contains(flag.trim_start_matches("--")), "{out:?}");
        }
    });
}

#[test]
fn an_unknown_flag_is_refused_with_code_1() {
    own_harness(|_| {
        let mut command = process::command(paths::ours("step-ca"));
        let out = process::run(command.arg("--no-such-flag")).code(1);
        assert!(out.text().contains("no-such-flag"), "{out:?}");
    });
}
