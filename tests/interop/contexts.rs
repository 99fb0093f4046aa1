//! Contexts: our `step` and smallstep's leave the same files and answer alike, and each uses the other's.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Outcome};
use acceptance::{paths, table};

/// A `step` on a step path.
struct Step {
    program: PathBuf,
    path: PathBuf,
}

impl Step {
    fn new(harness: &Harness, program: &Path, name: &str) -> Self {
        Self {
            program: program.to_owned(),
            path: harness.path(name),
        }
    }

    fn run(&self, line: &str) -> Outcome {
        let mut command = process::command(&self.program);
        command.env_clear().env("STEPPATH", &self.path);
        command.env("PATH", "/usr/bin:/bin");
        process::run(command.args(line.split(' ')))
    }

    /// Exit code and output, without what differs between step paths.
    fn answer(&self, line: &str) -> String {
        let outcome = self.run(line);
        let text = outcome
            .text()
            .replace(&self.path.display().to_string(), "PATH");
        format!("{line}: {:?}\n{}", outcome.code, process::plain(&text))
    }

    /// Every file and its mode; what is in those about contexts.
    fn files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                let name = path.strip_prefix(&self.path).unwrap().display().to_string();
                let is_small = name.contains("context") || name.starts_with("profiles");
                let text = match is_small && path.is_file() {
                    true => fs::read_to_string(&path).unwrap(),
                    false => String::new(),
                };
                found.insert(name, format!("{mode:03o} {text}"));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found
    }
}

/// The flags with which an authority is trusted.
fn bootstrap(server: &Server) -> String {
    let mut step = server.authority.step();
    step.args(["certificate", "fingerprint"]);
    step.arg(server.authority.root());
    let fingerprint = process::run(&mut step).success().stdout;
    let url = server.authority.url();
    format!(
        "ca bootstrap --ca-url {url} --fingerprint {}",
        fingerprint.trim()
    )
}

#[test]
fn contexts_are_those_of_smallsteps_step() {
    own_harness(|harness| {
        let Some((real, row)) = table::peer("step", "contexts", "ours and smallstep's alike")
        else {
            return;
        };
        let server = Authority::started(harness);
        let bootstrap = bootstrap(&server);
        let init = format!(
            "ca init --name T --dns localhost --address :9443 --provisioner admin --password-file {}",
            server.authority.password().display()
        );
        let ours = Step::new(harness, &paths::ours("step"), "ours");
        let theirs = Step::new(harness, &real, "theirs");
        for created in [
            format!("{init} --context lab"),
            init.clone(),
            format!("{init} --context two --authority auth2 --profile prof2"),
            format!("{bootstrap} --context office"),
            format!("{bootstrap} --authority a1"),
            format!("{bootstrap} --profile p1 --force"),
        ] {
            theirs.run(&created).success();
            ours.run(&created).success();
            assert_eq!(ours.files(), theirs.files(), "{created}");
        }
        for line in [
            "context list",
            "context current",
            "context select lab",
            "context current --json",
            "path",
            "path --profile",
            "path --base",
            "ca health --context office",
            "context select nope",
            "context remove lab",
            "context remove nope",
            "context remove two --force",
            "context list",
        ] {
            assert_eq!(ours.answer(line), theirs.answer(line));
        }
        assert_eq!(ours.files(), theirs.files());
        let swapped = Step::new(harness, &real, "ours");
        assert_eq!(
            swapped.answer("ca health --context office"),
            ours.answer("ca health --context office")
        );
        row.passed();
    });
}

#[test]
fn a_context_without_a_folder_of_its_own_is_refused_before_anything_is_written() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let bootstrap = bootstrap(&server);
        let ours = Step::new(harness, &paths::ours("step"), "ours");
        for name in ["../../evil", "..", "a/b"] {
            let refused = ours.run(&format!("{bootstrap} --context {name}"));
            assert_eq!(refused.code, Some(1), "{name}");
            assert!(!ours.path.exists(), "{name}");
        }
        let missing = ours.run("ca health --context nope");
        assert!(missing.stderr.starts_with("could not load context 'nope'"));
    });
}
