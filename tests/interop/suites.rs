//! The test suites of client libraries, unmodified, against our server. They start a Pebble;
//! `peers/pebble-front` accepts its command line and starts our server. `suites.toml` lists the tests
//! that do not apply, with reasons. Every other test must pass; a test that skips itself does not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon};
use acceptance::table::{self, Row};
use acceptance::{https, paths};
use serde_json::json;

type Excuses = BTreeMap<String, String>;

/// What `suites.toml` says of one suite.
fn excuses(suite: &str) -> Excuses {
    let text = std::fs::read_to_string(paths::root().join("tests/interop/suites.toml")).unwrap();
    let mut all: BTreeMap<String, Excuses> = toml::from_str(&text).unwrap();
    all.remove(suite).unwrap_or_default()
}

/// The programs that every suite needs, or nothing where one is absent.
fn front() -> Option<PathBuf> {
    table::peer("pebble-front", "suites", "the front for them").map(|(program, row)| {
        row.passed();
        program
    })
}

/// A folder as Pebble's repository has it: a certificate for the front, which is its own root.
fn pebble_folder(harness: &Harness) -> PathBuf {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let certificate = rcgen::CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let folder = harness.path("pebble");
    let certs = folder.join("test/certs/localhost");
    std::fs::create_dir_all(&certs).unwrap();
    std::fs::write(
        folder.join("test/certs/pebble.minica.pem"),
        certificate.pem(),
    )
    .unwrap();
    std::fs::write(certs.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(certs.join("key.pem"), key.serialize_pem()).unwrap();
    folder
}

/// A command whose environment has the path of our programs for the front end.
fn command(program: &Path, harness: &Harness) -> Command {
    let mut command = process::command(program);
    command
        .env("RISER_STEP", paths::ours("step"))
        .env("RISER_STEP_CA", paths::ours("step-ca"))
        .env("HOME", harness.dir())
        .env("TMPDIR", harness.dir())
        .current_dir(harness.dir());
    command
}

/// Runs the tests of a Go suite but for the excused ones; each has to pass.
fn go_suite(mut suite: Command, list: Command, excused: &Excuses) {
    let mut list = list;
    let listed = process::run(list.args(["-test.list", "."]))
        .success()
        .stdout;
    let listed: BTreeSet<&str> = listed
        .lines()
        .filter(|line| line.starts_with("Test"))
        .collect();
    for name in excused.keys() {
        let top = name.split('/').next().unwrap();
        assert!(
            listed.contains(top),
            "the suite has no test {name} to excuse"
        );
    }
    let skip: Vec<String> = excused
        .keys()
        .map(|name| format!("^{}$", name.replace('/', "$/^")))
        .collect();
    suite.args([
        "-test.v",
        "-test.timeout",
        "150s",
        "-test.skip",
        &skip.join("|"),
    ]);
    let outcome = process::run(&mut suite);
    let verdicts = outcome.stdout.lines().filter_map(|line| {
        let (verdict, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": ")?;
        Some((rest.split(' ').next()?, verdict))
    });
    let verdicts: BTreeMap<&str, &str> = verdicts.collect();
    let wrong: Vec<&str> = listed
        .iter()
        .filter(|name| !excused.contains_key(**name))
        .chain(verdicts.keys())
        .filter(|name| verdicts.get(**name) != Some(&"PASS"))
        .copied()
        .collect();
    assert!(
        wrong.is_empty() && outcome.code == Some(0),
        "{wrong:?}\n{}\n{}",
        outcome.stdout,
        outcome.stderr
    );
}

#[test]
fn the_suite_of_eggsamplers_client_passes() {
    own_harness(|harness| {
        let task = "its own suite";
        let Some((suite, row)) = table::peer("eggsampler-suite", "eggsampler/acme 3.7.0", task)
        else {
            return;
        };
        let peers = (front(), paths::peer("pebble-challtestsrv"));
        let (Some(front), Some(challenges)) = peers else {
            return;
        };
        let folder = pebble_folder(harness);
        let certs = folder.join("test/certs/localhost");
        let text = json!({"pebble": {
            "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
            "certificate": certs.join("cert.pem"), "privateKey": certs.join("key.pem"),
            "httpPort": 5002, "tlsPort": 5001,
            "profiles": {
                "default": {"description": "the default", "validityPeriod": 86400},
                "shortlived": {"description": "for six hours", "validityPeriod": 21600},
            },
        }});
        let file = harness.write("pebble.json", &text.to_string());
        let mut dns = command(&challenges, harness);
        dns.args(["-dnsserver", "127.0.0.1:8053", "-doh", ""]);
        let _dns = Daemon::spawn(&mut dns, &harness.path("challtestsrv.log"));
        let mut pebble = command(&front, harness);
        pebble
            .env("PEBBLE_ALTERNATE_ROOTS", "1")
            .args(["-dnsserver", "127.0.0.1:8053", "-config"])
            .arg(file);
        let pebble = Daemon::spawn(&mut pebble, &harness.path("front.log"));
        let client = https::Client::new(&folder.join("test/certs/pebble.minica.pem"));
        process::eventually("the directory behind the front", || {
            client.get("https://localhost:14000/dir").ok()
        });
        let go = || {
            let mut go = command(&suite, harness);
            go.env("PEBBLE_PATH", &folder);
            go
        };
        go_suite(go(), go(), &excuses("eggsampler"));
        drop(pebble);
        row.passed();
    });
}

#[test]
fn the_suite_of_gos_own_client_passes() {
    own_harness(|harness| {
        let task = "its own suite";
        let Some((suite, row)) = table::peer("xcrypto-suite", "golang.org/x/crypto/acme", task)
        else {
            return;
        };
        let peers = (front(), paths::peer("pebble-challtestsrv"));
        let (Some(front), Some(challenges)) = peers else {
            return;
        };
        let folder = pebble_folder(harness);
        // The suite builds ./cmd/pebble and ./cmd/pebble-challtestsrv of that folder with `go`.
        std::fs::create_dir_all(harness.path("go")).unwrap();
        let script = format!(
            "#!/bin/sh\ncase $6 in\n*/pebble) exec cp '{}' \"$3\" ;;\n\
             *) exec cp '{}' \"$3\" ;;\nesac\n",
            front.display(),
            challenges.display()
        );
        let go = harness.write("go/go", &script);
        process::run(process::command("chmod").arg("755").arg(go)).success();
        let go = || {
            let mut go = command(&suite, harness);
            go.env(
                "PATH",
                format!("{}:/usr/bin:/bin", harness.path("go").display()),
            );
            go
        };
        let mut run = go();
        run.arg("-pebble-local-dir").arg(folder);
        go_suite(run, go(), &excuses("xcrypto"));
        row.passed();
    });
}

/// A program whose output goes to a file: the suite's own has the verdicts.
fn quiet(harness: &Harness, program: &Path) -> PathBuf {
    let name = program.file_name().unwrap().to_str().unwrap();
    let log = harness.path("servers.log");
    let (program, log) = (program.display(), log.display());
    harness.script(name, &format!("exec '{program}' \"$@\" >>'{log}' 2>&1\n"))
}

#[test]
fn the_suite_of_instant_acme_passes() {
    own_harness(|harness| {
        let task = "its own suite";
        let Some((suite, row)) = table::peer("instant-acme-suite", "instant-acme 0.8.5", task)
        else {
            return;
        };
        let peers = (front(), paths::peer("pebble-challtestsrv"));
        let (Some(front), Some(challenges)) = peers else {
            return;
        };
        let list = process::run(command(&suite, harness).args(["--list", "--ignored"]));
        let list = list.success().stdout;
        let listed = list.lines().filter_map(|line| line.strip_suffix(": test"));
        let listed: BTreeSet<&str> = listed.collect();
        let excused = excuses("instant-acme");
        for name in excused.keys() {
            assert!(
                listed.contains(name.as_str()),
                "the suite has no test {name} to excuse"
            );
        }
        let mut run = command(&suite, harness);
        run.env("PEBBLE", quiet(harness, &front))
            .env("CHALLTESTSRV", quiet(harness, &challenges))
            .args(["--ignored", "--exact"])
            .args(listed.iter().filter(|name| !excused.contains_key(**name)));
        let outcome = process::run(&mut run);
        let passed: BTreeSet<&str> = outcome
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"))
            .collect();
        let wrong: Vec<&&str> = listed
            .iter()
            .filter(|name| !excused.contains_key(**name) && !passed.contains(*name))
            .collect();
        assert!(
            wrong.is_empty() && listed.len() > excused.len() && outcome.code == Some(0),
            "{wrong:?}\n{}\n{}",
            outcome.stdout,
            std::fs::read_to_string(harness.path("servers.log")).unwrap_or_default()
        );
        row.passed();
    });
}

/// Every second test of acme-tiny's: each makes several RSA keys, and all in one run take long.
fn acme_tiny(half: usize, task: &str) {
    own_harness(|harness| {
        let Some((suite, row)) = table::peer("acme-tiny-suite", "acme-tiny 5.0.3", task) else {
            return;
        };
        let Some(front) = front() else {
            return;
        };
        harness.host("127.0.0.1", "example.com");
        harness.host("127.0.0.1", "www.example.com");
        let peers = suite.ancestors().nth(2).unwrap();
        let source = peers.join("suites/acme-tiny/tests/test_module.py");
        let source = std::fs::read_to_string(source).unwrap();
        let names: BTreeSet<String> = source
            .lines()
            .filter_map(|line| line.strip_prefix("    def test_")?.split('(').next())
            .map(|name| format!("test_{name}"))
            .collect();
        let excused = excuses("acme-tiny");
        for name in excused.keys() {
            assert!(
                names.contains(name),
                "the suite has no test {name} to excuse"
            );
        }
        let asked = names.iter().filter(|name| !excused.contains_key(*name));
        let asked = asked.skip(half).step_by(2);
        let asked: Vec<String> = asked
            .map(|name| format!("tests.test_module.TestModule.{name}"))
            .collect();
        // The suite starts its web server as `python`, which Debian calls python3.
        let programs = harness.path("programs");
        std::fs::create_dir_all(&programs).unwrap();
        std::os::unix::fs::symlink("/usr/bin/python3", programs.join("python")).unwrap();
        let mut run = command(&suite, harness);
        run.env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
            .env("ACME_TINY_PEBBLE_BIN", front)
            .env("ACME_TINY_DOMAIN", "example.com")
            .args(&asked);
        let outcome = process::run(&mut run).success();
        let ran = format!("Ran {} tests", asked.len());
        assert!(
            outcome.stderr.contains(&ran) && !outcome.stderr.contains("skipped="),
            "{}",
            outcome.stderr
        );
        row.passed();
    });
}

#[test]
fn the_first_half_of_acme_tinys_suite_passes() {
    acme_tiny(0, "its own suite, first half");
}

#[test]
fn the_second_half_of_acme_tinys_suite_passes() {
    acme_tiny(1, "its own suite, second half");
}

#[test]
fn suites_that_cannot_run_against_a_server_are_listed_with_the_reason() {
    let elsewhere = excuses("elsewhere");
    assert!(elsewhere.values().all(|reason| reason.len() > 20));
    for (suite, reason) in elsewhere {
        Row::open(&suite, "its own suite").absent(&reason);
    }
}
