//! The admin socket: which users it accepts, when it exists, and what happens without it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon};
use acceptance::{admin_socket, paths};
use serde_json::{Value, json};

fn started(harness: &Harness) -> Server {
    Authority::init(harness, Pair::ours(), "ca").start()
}

fn socket(authority: &Authority) -> PathBuf {
    authority.path.join("run/step-ca.sock")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Root of a user namespace without mappings is alone.
fn has_other_users() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap();
    let size = map.split_whitespace().nth(2).unwrap();
    size.parse::<u64>().unwrap() > 65534
}

fn open_to_all(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn it_is_private_and_exists_exactly_while_the_server_runs() {
    own_harness(|harness| {
        let server = started(harness);
        let path = socket(&server.authority);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let answer = server.authority.run(&["ca", "reload"]).success();
        assert_eq!(answer.stdout, "");
        assert!(answer.stderr.contains("in force"), "{answer:?}");
        assert!(server.daemon.log().contains("uid 0"), "the log says who");
        let authority = server.stop();
        assert!(!path.exists());
        let answer = authority.run(&["ca", "reload"]).code(1);
        assert!(answer.stderr.contains(path.to_str().unwrap()), "{answer:?}");
        assert!(answer.stderr.contains("start it"), "{answer:?}");
    });
}

#[test]
fn every_error_of_a_broken_configuration_is_reported_to_the_operator() {
    own_harness(|harness| {
        let server = started(harness);
        let file = server.authority.path.join("config/riser.toml");
        fs::write(&file, "one = 1\ntwo = 2\n").unwrap();
        let answer = server.authority.run(&["ca", "reload"]).code(1);
        for fault in ["one", "two"] {
            assert!(
                answer.stderr.contains(&format!("riser.toml: {fault}: ")),
                "{answer:?}"
            );
        }
        fs::remove_file(&file).unwrap();
        server.authority.run(&["ca", "reload"]).success();
    });
}

#[test]
fn settings_without_effect_are_reported_to_the_operator() {
    own_harness(|harness| {
        let server = started(harness);
        let file = server.authority.path.join("config/riser.toml");
        fs::write(&file, "[profile.lost]\n[limits]\nconnections = 100\n").unwrap();
        for _ in 0..2 {
            let answer = server.authority.run(&["ca", "reload"]).success().stderr;
            assert!(
                answer.contains("profile.lost: is offered by no provisioner"),
                "{answer}"
            );
            assert!(
                answer.contains("takes effect at the next start"),
                "{answer}"
            );
        }
        fs::remove_file(&file).unwrap();
        let reload = &["ca", "reload", "--accept-removal"];
        let answer = server.authority.run(reload).success().stderr;
        assert!(!answer.contains("profile.lost"), "{answer}");
    });
}

#[test]
fn another_user_is_refused_and_logged_even_if_the_files_permit_access() {
    own_harness(|harness| {
        if !has_other_users() {
            eprintln!("skipped: this user namespace has no second user");
            return;
        }
        let server = started(harness);
        let path = socket(&server.authority);
        let step = harness.path("step");
        fs::copy(&server.authority.pair.step, &step).unwrap();
        open_to_all(&step, 0o755);
        for folder in [harness.dir(), &server.authority.path] {
            open_to_all(folder, 0o755);
        }
        let config = server.authority.path.join("config");
        open_to_all(&config, 0o755);
        open_to_all(&config.join("defaults.json"), 0o644);
        let ask = || {
            let mut command = process::command("setpriv");
            command
                .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
                .arg(&step)
                .args(["ca", "reload"])
                .env("STEPPATH", &server.authority.path);
            process::run(&mut command).code(1).stderr
        };
        let answer = ask();
        assert!(answer.contains("only root and the user"), "{answer}");
        open_to_all(path.parent().unwrap(), 0o755);
        open_to_all(&path, 0o666);
        let answer = ask();
        assert!(answer.contains("uid 65534 is neither root nor"), "{answer}");
        let log = server.daemon.log();
        let line = log.lines().find(|line| line.contains("\"uid 65534\""));
        assert!(
            line.is_some_and(|line| line.contains("status=401")),
            "{log}"
        );
    });
}

#[test]
fn the_socket_of_a_killed_server_is_replaced() {
    own_harness(|harness| {
        let mut server = started(harness);
        server.daemon.kill();
        let path = socket(&server.authority);
        assert!(path.exists(), "a killed server cannot remove its socket");
        let answer = server.authority.run(&["ca", "reload"]).code(1);
        assert!(answer.stderr.contains("has ended"), "{answer:?}");
        let server = server.authority.start();
        server.authority.run(&["ca", "reload"]).success();
    });
}

#[test]
fn a_second_server_on_one_step_path_is_refused_whatever_its_store() {
    own_harness(|harness| {
        let server = started(harness);
        let config = server.authority.path.join("config");
        let text = fs::read_to_string(config.join("ca.json")).unwrap();
        let mut other: Value = serde_json::from_str(&text).unwrap();
        other["address"] = json!("127.0.0.1:9001");
        other["db"]["dataSource"] = json!(harness.path("other-db"));
        fs::write(config.join("other.json"), other.to_string()).unwrap();
        let mut second = process::command(paths::ours("step-ca"));
        second
            .arg(config.join("other.json"))
            .arg("--password-file")
            .arg(server.authority.password());
        let answer = process::run(&mut second).code(2);
        assert!(
            answer.stderr.contains("held by another step-ca"),
            "{answer:?}"
        );
        server.authority.run(&["ca", "reload"]).success();
    });
}

#[test]
fn a_step_path_that_is_too_long_costs_the_socket_and_nothing_else() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), &"x".repeat(100));
        let server = authority.start();
        let log = server.daemon.log();
        assert!(log.contains("use a shorter step path"), "{log}");
        assert_eq!(server.get("/health").status, 200);
        let answer = server.authority.run(&["ca", "reload"]).code(1);
        assert!(answer.stderr.contains("shorter step path"), "{answer:?}");
        server.stop();
    });
}

#[test]
fn the_public_port_does_not_serve_its_commands() {
    own_harness(|harness| {
        let server = started(harness);
        for path in ["/admin/admins", "/admin/reload", "/1.0/admin/admins"] {
            assert_eq!(server.get(path).status, 404, "{path}");
        }
        let url = format!("{}/admin/reload", server.authority.url());
        let posted = server.client.post(&url, "application/json", b"{}").unwrap();
        assert_eq!(posted.status, 404);
    });
}

#[test]
fn an_authority_for_development_has_one_too() {
    own_harness(|harness| {
        let folder = harness.path("dev");
        let mut command = process::command(paths::ours("step-ca"));
        command.args(["dev", "--dir"]).arg(&folder);
        let mut daemon = Daemon::spawn(&mut command, &harness.path("dev.log"));
        process::eventually("the socket", || {
            assert!(daemon.is_running(), "{}", daemon.log());
            UnixStream::connect(folder.join("run/step-ca.sock")).ok()
        });
        let mut reload = process::command(paths::ours("step"));
        reload.args(["ca", "reload"]).env("STEPPATH", &folder);
        process::run(&mut reload).success();
    });
}

#[test]
fn an_unknown_command_is_reported_in_the_form_of_the_admin_api() {
    own_harness(|harness| {
        let server = started(harness);
        let socket = socket(&server.authority);
        let (status, body) = admin_socket::ask(&socket, "GET", "/admin/nothing", &Value::Null);
        assert_eq!((status, &body["type"]), (404, &json!("notFound")));
        for member in ["detail", "message"] {
            assert_ne!(body[member].as_str().unwrap_or_default(), "", "{body}");
        }
        let (status, _) = admin_socket::ask(&socket, "GET", "/admin/reload", &Value::Null);
        assert_eq!(status, 405);
    });
}
