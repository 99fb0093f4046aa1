//! Each rule catches a violation that is planted in a copy of the workspace. A new rule adds a
//! function with its violations, and its name to [`plants`].

use std::fs;
use std::path::Path;
use std::process::Command;

use acceptance::paths;

use super::{
    MAX_LINES, MAX_VERBS, back_doors, long_files, loose_clippy, none, second_signers, upward_looks,
    wide_ports, wrong_arrows,
};

/// Text appended to a file, and the rule that has to catch it.
struct Plant {
    file: &'static str,
    text: String,
    rule: fn(&Path) -> Vec<String>,
}

#[test]
fn a_planted_violation_of_each_rule_is_caught() {
    let copy = copy_of_the_workspace();
    let root = copy.path();
    for plant in plants() {
        none(&(plant.rule)(root));
        assert!(plant.is_caught(root), "{}: not caught", plant.file);
    }
    fs::remove_file(root.join("crates/ca/clippy.toml")).unwrap();
    assert_ne!(loose_clippy(root), Vec::<String>::new());
}

fn plants() -> Vec<Plant> {
    [dependencies(), signers_and_proofs(), ports(), files()]
        .into_iter()
        .flatten()
        .collect()
}

fn dependencies() -> Vec<Plant> {
    vec![
        Plant {
            file: "crates/pki/Cargo.toml",
            text: "\n[dependencies.acme]\nworkspace = true\n".to_owned(),
            rule: wrong_arrows,
        },
        Plant {
            file: "crates/server/src/probe/planted.rs",
            text: "//! x\nuse crate::http;\n".to_owned(),
            rule: upward_looks,
        },
    ]
}

fn signers_and_proofs() -> Vec<Plant> {
    vec![
        Plant {
            file: "crates/server/src/service/planted.rs",
            text: "//! x\nfn f(p: CertificateSigner) { p.sign(1); }\n".to_owned(),
            rule: second_signers,
        },
        Plant {
            file: "crates/server/src/http/planted.rs",
            text: "//! x\nfn f() { Proof::from_record(1); }\n".to_owned(),
            rule: back_doors,
        },
        Plant {
            file: "crates/server/src/service/permitted.rs",
            text: "//! x\nfn f() { Permit::from_record(1); }\n".to_owned(),
            rule: back_doors,
        },
    ]
}

fn ports() -> Vec<Plant> {
    vec![
        Plant {
            file: "crates/store/src/port/planted.rs",
            text: format!(
                "//! x\npub trait Planted {{\n{}}}\n",
                "    fn f(&self);\n".repeat(MAX_VERBS + 1)
            ),
            rule: wide_ports,
        },
        Plant {
            file: "crates/store/src/sqlite/planted.rs",
            text: "//! x\nimpl Store {\n    pub async fn f(&self) {}\n}\n".to_owned(),
            rule: wide_ports,
        },
        Plant {
            file: "crates/store/src/planted.rs",
            text: "//! x\nuse rusqlite::Connection;\n".to_owned(),
            rule: wide_ports,
        },
        Plant {
            file: "crates/server/src/service/statement.rs",
            text: "//! x\nconst SQL: &str = \"SELECT 1 FROM orders\";\n".to_owned(),
            rule: wide_ports,
        },
    ]
}

fn files() -> Vec<Plant> {
    vec![
        Plant {
            file: "crates/acme/src/planted.rs",
            text: "//! x\n".repeat(MAX_LINES + 1),
            rule: long_files,
        },
        Plant {
            file: "crates/acme/src/undocumented.rs",
            text: "fn f() {}\n".to_owned(),
            rule: long_files,
        },
    ]
}

impl Plant {
    /// Appends the text to its file in the copy, checks the rule, and restores the file.
    fn is_caught(&self, root: &Path) -> bool {
        let path = root.join(self.file);
        let before = fs::read_to_string(&path).ok();
        let text = before.clone().unwrap_or_default() + &self.text;
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let caught = !(self.rule)(root).is_empty();
        match before {
            Some(text) => fs::write(&path, text).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        caught
    }
}

/// A copy of the workspace's manifests and sources, without build products.
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
