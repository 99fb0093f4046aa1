//! `step-ca dev`: each of the command lines that it prints works as printed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon};
use acceptance::{paths, table};

/// A running `step-ca dev` and what it printed: the root's path, and each client's line.
struct Dev {
    daemon: Daemon,
    root: String,
    lines: BTreeMap<String, String>,
}

fn dev(harness: &Harness, arguments: &[&str]) -> Dev {
    let mut command = shell(harness);
    let line = format!(
        "exec step-ca dev --http-port 5002 --names '*.test' {}",
        arguments.join(" ")
    );
    command.args(["-c", &line]);
    let daemon = Daemon::spawn(&mut command, &harness.path("dev.log"));
    let text = process::eventually("the lines to paste", || {
        Some(daemon.log()).filter(|log| log.contains("# step") && log.contains("Serving HTTPS"))
    });
    let after = |start: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(start));
        line.unwrap_or_else(|| panic!("no {start:?} in\n{text}"))
            .trim()
            .to_owned()
    };
    assert_eq!(after("Root fingerprint:").len(), 64, "{text}");
    assert!(
        text.contains("not encrypted"),
        "the keys are said to be open:\n{text}"
    );
    let mut lines = BTreeMap::new();
    let mut rest = text.lines().map(str::trim);
    while let Some(line) = rest.next() {
        if let (Some(client), Some(line)) = (line.strip_prefix("# "), rest.clone().next()) {
            lines.insert(client.to_owned(), line.to_owned());
        }
    }
    Dev {
        root: after("Root certificate:"),
        daemon,
        lines,
    }
}

/// A shell that finds our programs first.
fn shell(harness: &Harness) -> Command {
    let programs = paths::ours("step");
    let mut command = Command::new("sh");
    command
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/sbin:/usr/bin:/sbin:/bin",
                programs.parent().unwrap().display()
            ),
        )
        .env("HOME", harness.dir())
        .env("TMPDIR", harness.dir())
        .current_dir(harness.dir());
    command
}

fn pasted(program: &str, client: &str, task: &str, look: impl Fn(&Harness, &Path)) {
    own_harness(|harness| {
        let peer = table::peer(program, &format!("{client}, pasted from dev"), task);
        let Some((_, row)) = peer else {
            return;
        };
        let mut dev = dev(harness, &["--ephemeral"]);
        let line = &dev.lines[client];
        let mut command = shell(harness);
        process::run(command.args(["-c", line])).success();
        look(harness, Path::new(&dev.root));
        dev.daemon.signal("TERM");
        assert_eq!(dev.daemon.wait(), Some(0), "{}", dev.daemon.log());
        assert!(!Path::new(&dev.root).exists(), "nothing is kept");
        row.passed();
    });
}

#[test]
fn the_line_for_certbot_gets_a_certificate() {
    pasted("certbot", "certbot", "http-01 dns", |harness, root| {
        crate::third_party::openssl_accepts(
            &harness.path("certbot/live/app.test/fullchain.pem"),
            root,
        );
    });
}

#[test]
fn the_line_for_lego_gets_a_certificate() {
    pasted("lego", "lego", "http-01 dns", |harness, root| {
        crate::third_party::openssl_accepts(&harness.path(".lego/certificates/app.test.crt"), root);
    });
}

#[test]
fn the_line_for_curl_reads_the_directory() {
    pasted("curl", "curl", "reads the directory", |_, _| ());
}

#[test]
fn the_line_for_step_gets_a_certificate() {
    own_harness(|harness| {
        let dev = dev(harness, &["--ephemeral"]);
        process::run(shell(harness).args(["-c", &dev.lines["step"]])).success();
        crate::third_party::openssl_accepts(&harness.path("app.test.crt"), Path::new(&dev.root));
    });
}

#[test]
fn the_line_for_caddy_serves_a_site() {
    own_harness(|harness| {
        let Some((_, row)) = table::peer("caddy", "Caddy, pasted from dev", "http-01 dns") else {
            return;
        };
        let dev = dev(harness, &["--ephemeral"]);
        let mut command = shell(harness);
        let _caddy = Daemon::spawn(
            command.args(["-c", &dev.lines["Caddy"]]),
            &harness.path("caddy.log"),
        );
        let curl = format!(
            "curl -sS --resolve app.test:443:127.0.0.1 --cacert {} https://app.test/",
            dev.root
        );
        process::eventually("Caddy's site", || {
            let seen = process::run(shell(harness).args(["-c", &curl]));
            (seen.stdout == "Hello").then_some(())
        });
        row.passed();
    });
}

#[test]
fn a_folder_keeps_the_authority_from_one_run_to_the_next() {
    own_harness(|harness| {
        let root = |dev: &Dev| std::fs::read(harness.path(&dev.root)).unwrap();
        let mut first = dev(harness, &["--dir", "kept"]);
        let before = root(&first);
        process::run(shell(harness).args(["-c", &first.lines["step"]])).success();
        first.daemon.signal("TERM");
        assert_eq!(first.daemon.wait(), Some(0), "{}", first.daemon.log());
        drop(first);
        std::fs::remove_file(harness.path("dev.log")).unwrap();
        let second = dev(harness, &["--dir", "kept"]);
        assert_eq!(root(&second), before);
    });
}
