//! Questions and output at a terminal, which `script` of util-linux provides.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::{Harness, own_harness};
use acceptance::paths;
use acceptance::process::{self, plain};

/// What a person types after a question.
struct Reply {
    question: &'static str,
    answer: &'static str,
}

fn reply(question: &'static str, answer: &'static str) -> Reply {
    Reply { question, answer }
}

/// Runs a line on a terminal, waits for each question and types its answer; everything that was shown.
fn talk(harness: &Harness, line: &str, replies: &[Reply]) -> String {
    let shown = harness.path("shown");
    let programs = paths::ours("step");
    let mut child = Command::new("script")
        .args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            line,
            "/dev/null",
        ])
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", programs.parent().unwrap().display()),
        )
        .env("HOME", harness.dir())
        .env("TERM", "xterm")
        .current_dir(harness.dir())
        .stdin(Stdio::piped())
        .stdout(File::create(&shown).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let read = || String::from_utf8_lossy(&fs::read(&shown).unwrap()).into_owned();
    let mut keyboard = child.stdin.take().unwrap();
    let mut past = 0;
    for Reply { question, answer } in replies {
        past = process::eventually(question, || {
            let text = read();
            text[past..]
                .find(question)
                .map(|at| past + at + question.len())
        });
        keyboard.write_all(answer.as_bytes()).unwrap();
        keyboard.write_all(b"\r").unwrap();
    }
    let status = process::eventually("the command to end", || child.try_wait().unwrap());
    let text = read();
    assert!(status.success(), "{text}");
    text
}

#[test]
fn init_prompts_for_what_no_flag_sets_and_shows_a_generated_password_once() {
    own_harness(|harness| {
        let text = talk(
            harness,
            "step ca init",
            &[
                reply("Deployment type", ""),
                reply("Name of the new authority", "Example"),
                reply("DNS names", ""),
                reply("Address to listen on", "127.0.0.1:9000"),
                reply("Name of the first provisioner", ""),
                reply("Password for the keys", ""),
            ],
        );
        let text = plain(&text);
        let password = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Password: "));
        let password = password
            .unwrap_or_else(|| panic!("no password shown:\n{text}"))
            .trim();
        assert_eq!(password.len(), 32, "{password:?}");
        assert_eq!(text.matches(password).count(), 1, "shown once");

        harness.write("pw", password);
        let mut server = Command::new(paths::ours("step-ca"));
        server.args([".step/config/ca.json", "--password-file", "pw"]);
        server.env("HOME", harness.dir()).current_dir(harness.dir());
        let server = process::Daemon::spawn(&mut server, &harness.path("log"));
        process::eventually("a server that opens its key with it", || {
            server
                .log()
                .contains("Serving HTTPS on 127.0.0.1:9000")
                .then_some(())
        });
    });
}

#[test]
fn a_typed_password_is_never_shown() {
    own_harness(|harness| {
        let line = "step ca init --name Example --dns localhost --address :9000 --provisioner admin --deployment-type standalone";
        let text = talk(
            harness,
            line,
            &[reply("Password for the keys", "open sesame")],
        );
        assert!(!text.contains("sesame"), "{text}");
        assert!(harness.path(".step/config/ca.json").exists());
    });
}

#[test]
fn colours_are_for_terminals() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), ".step");
        let mut server = authority.start();
        server.add_acme();
        let line = "step ca certificate --provisioner acme localhost l.crt l.key";
        let text = talk(harness, line, &[]);
        assert!(text.contains("\u{1b}[32m✔"), "{text:?}");
        assert!(plain(&text).contains("✔ Certificate: l.crt"), "{text:?}");
    });
}

#[test]
fn a_long_task_shows_how_far_it_is_on_a_terminal_alone() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), ".step");
        let server = authority.start();
        let text = talk(harness, "step ca store check", &[]);
        assert!(text.contains("checking pages and indexes"), "{text:?}");
        let piped = server.authority.run(&["ca", "store", "check"]).success();
        assert!(!piped.stderr.contains("checking pages"), "{piped:?}");
    });
}

#[test]
fn an_existing_file_is_overwritten_when_the_user_confirms() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), ".step");
        let mut server = authority.start();
        server.add_acme();
        harness.write("l.crt", "something else\n");
        let line = "step ca certificate --provisioner acme localhost l.crt l.key";
        talk(harness, line, &[reply("Would you like to overwrite", "y")]);
        let text = fs::read_to_string(harness.path("l.crt")).unwrap();
        assert!(text.contains("BEGIN CERTIFICATE"), "{text}");
    });
}
