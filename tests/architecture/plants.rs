//! Violations to plant: each rule has to catch its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use acceptance::paths;

use super::dependencies::{impure_dependencies, wrong_arrows};
use super::layers::{second_grants, upward_uses_in_ca};
use super::records::{MAX_VERBS, misplaced_proofs, wide_ports};
use super::server::{
    MAX_METHODS, bloated_components, other_readers, second_signers, second_snapshots, upward_uses,
};
use super::sources::{MAX_LINES, long_files, raw_prints};

/// A rule: lists what violates it under a workspace's root.
pub(super) type Rule = fn(&Path) -> Vec<String>;

/// A violation: what is appended to which file, and the rule that has to notice.
pub(super) struct Plant {
    pub(super) file: &'static str,
    text: String,
    pub(super) rule: Rule,
}

/// Every planted violation.
pub(super) fn all() -> Vec<Plant> {
    let all = [in_crates(), in_ca(), in_server(), in_store()];
    all.into_iter().flatten().collect()
}

fn plant(file: &'static str, text: impl Into<String>, rule: Rule) -> Plant {
    Plant {
        file,
        text: text.into(),
        rule,
    }
}

fn in_crates() -> Vec<Plant> {
    vec![
        plant(
            "crates/pki/Cargo.toml",
            "\n[dependencies.acme]\nworkspace = true\n",
            wrong_arrows,
        ),
        // Reaches tokio through another crate.
        plant(
            "crates/acme/Cargo.toml",
            "\n[dependencies.hyper-util]\nworkspace = true\n",
            impure_dependencies,
        ),
        plant(
            "crates/acme/src/planted.rs",
            "//! x\n".repeat(MAX_LINES + 1),
            long_files,
        ),
        plant("crates/acme/src/undocumented.rs", "fn f() {}\n", long_files),
        plant(
            "crates/cli/src/command/planted.rs",
            "//! x\nfn f(text: &str) { anstream::println!(\"{text}\"); }\n",
            raw_prints,
        ),
    ]
}

fn in_ca() -> Vec<Plant> {
    let upward = [
        (
            "crates/ca/src/policy/planted.rs",
            "use crate::{claims::Claims, config::Config};\n",
        ),
        (
            "crates/ca/src/renew/planted.rs",
            "use super::super::provisioner;\n",
        ),
        ("crates/ca/src/profile/planted.rs", "use crate::Config;\n"),
        (
            "crates/ca/src/provisioner/planted.rs",
            "fn f(text: &str) { text.parse::<toml::Table>(); }\n",
        ),
        ("crates/ca/src/unlisted.rs", "fn f() {}\n"),
    ];
    let grants = [
        (
            "crates/ca/src/renew/granted.rs",
            "fn f() { Grant::new(1); }\n",
        ),
        (
            "crates/server/src/service/granted.rs",
            "fn f() { Grant::server_certificate(1); }\n",
        ),
    ];
    let with = |text: &str| format!("//! x\n{text}");
    let upward = upward.map(|(file, text)| plant(file, with(text), upward_uses_in_ca));
    let grants = grants.map(|(file, text)| plant(file, with(text), second_grants));
    upward.into_iter().chain(grants).collect()
}

fn in_server() -> Vec<Plant> {
    vec![
        plant(
            "crates/server/src/probe/planted.rs",
            "//! x\nuse crate::http;\n",
            upward_uses,
        ),
        plant(
            "crates/server/src/service/planted.rs",
            "//! x\nfn f(p: CertificateSigner) { p.sign(1); }\n",
            second_signers,
        ),
        plant(
            "crates/server/src/service/native/planted.rs",
            "//! x\nstruct S { key: CertificateSigner }\n",
            bloated_components,
        ),
        plant(
            "crates/server/src/service/native/methods.rs",
            format!(
                "//! x\nimpl NativeService {{\n{}}}\n",
                "    pub(crate) async fn f(&self) {}\n".repeat(MAX_METHODS)
            ),
            bloated_components,
        ),
        plant(
            "crates/server/src/http/acme/planted.rs",
            "//! x\nfn f(services: &Services) { services.snapshot(); }\n",
            second_snapshots,
        ),
        plant(
            "crates/server/src/service/configured.rs",
            "//! x\nfn f(live: &Live) { live.config(); }\n",
            second_snapshots,
        ),
        plant(
            "crates/server/src/http/step/read.rs",
            "//! x\nfn f(body: &[u8]) { serde_json::from_slice(body); }\n",
            other_readers,
        ),
        plant(
            "crates/server/src/http/acme/taken.rs",
            "//! x\nasync fn f(body: Json<NewOrder>) {}\n",
            other_readers,
        ),
    ]
}

fn in_store() -> Vec<Plant> {
    vec![
        plant(
            "crates/server/src/http/planted.rs",
            "//! x\nfn f() { Proof::from_record(1); }\n",
            misplaced_proofs,
        ),
        plant(
            "crates/server/src/service/permitted.rs",
            "//! x\nfn f() { Permit::from_record(1); }\n",
            misplaced_proofs,
        ),
        plant(
            "crates/ca/src/ordered.rs",
            "//! x\nfn f() { Order::from_record(1); }\n",
            misplaced_proofs,
        ),
        plant(
            "crates/store/src/port/planted.rs",
            format!(
                "//! x\npub trait Planted {{\n{}}}\n",
                "    fn f(&self);\n".repeat(MAX_VERBS + 1)
            ),
            wide_ports,
        ),
        plant(
            "crates/store/src/sqlite/planted.rs",
            "//! x\nimpl Store {\n    pub async fn f(&self) {}\n}\n",
            wide_ports,
        ),
        plant(
            "crates/store/src/planted.rs",
            "//! x\nuse rusqlite::Connection;\n",
            wide_ports,
        ),
        plant(
            "crates/server/src/service/statement.rs",
            "//! x\nconst SQL: &str = \"SELECT 1 FROM orders\";\n",
            wide_ports,
        ),
    ]
}

impl Plant {
    /// Appends the violation in a copy of the workspace, returns what its rule says, and takes the
    /// violation back.
    pub(super) fn try_in(&self, root: &Path) -> Vec<String> {
        let path = root.join(self.file);
        let before = fs::read_to_string(&path).ok();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = before.clone().unwrap_or_default() + &self.text;
        fs::write(&path, text).unwrap();
        let caught = (self.rule)(root);
        match before {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        caught
    }
}

/// The workspace's manifests and sources, without what is built.
pub(super) fn copy_of_the_workspace() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let root = paths::root();
    for name in ["Cargo.toml", "Cargo.lock", "clippy.toml"] {
        fs::copy(root.join(name), copy.path().join(name)).unwrap();
    }
    for name in ["crates", "tests", "benches", "fuzz"] {
        let status = Command::new("cp")
            .arg("-r")
            .arg(root.join(name))
            .arg(copy.path())
            .status()
            .unwrap();
        assert!(status.success());
    }
    copy
}
