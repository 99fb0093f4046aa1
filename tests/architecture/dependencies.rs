//! Which crate may depend on which, and what the pure crates may not reach.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::MAY_USE;

pub(super) const PURE: &[&str] = &["pki", "acme", "ca"];
/// Crates that a pure crate may not reach, however indirectly.
const IMPURE_CRATES: &[&str] = &[
    "tokio", "hyper", "axum", "reqwest", "rusqlite", "mio", "socket2", "notify",
];

pub(super) fn wrong_arrows(root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, uses) in members(root) {
        match MAY_USE.iter().find(|(n, _)| *n == name) {
            None => wrong.push(format!("crate `{name}` is not in MAY_USE")),
            Some((_, allowed)) => wrong.extend(
                uses.iter()
                    .filter(|used| !allowed.contains(&used.as_str()))
                    .map(|used| format!("`{name}` may not depend on `{used}`")),
            ),
        }
    }
    wrong
}

pub(super) fn impure_dependencies(root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in PURE {
        let arguments = [
            "tree",
            "-p",
            name,
            "-e",
            "normal",
            "--prefix",
            "none",
            "--offline",
        ];
        for line in cargo(root, &arguments).lines() {
            let dependency = line.split(' ').next().unwrap_or_default();
            if IMPURE_CRATES.contains(&dependency) {
                wrong.push(format!("`{name}` pulls in `{dependency}`"));
            }
        }
    }
    wrong
}

pub(super) fn loose_clippy(root: &Path) -> Vec<String> {
    const FORBIDDEN: &[&str] = &[
        "std::time::SystemTime::now",
        "std::time::Instant::now",
        "jiff::Timestamp::now",
        "std::fs::read",
        "std::env::var",
        "uuid::Uuid::now_v7",
    ];
    let mut wrong = Vec::new();
    let ours = fs::read_to_string(root.join("clippy.toml")).unwrap();
    for name in PURE {
        let file = root.join("crates").join(name).join("clippy.toml");
        let text = fs::read_to_string(&file).unwrap_or_default();
        for path in FORBIDDEN.iter().filter(|path| !text.contains(**path)) {
            wrong.push(format!("{}: does not forbid `{path}`", file.display()));
        }
        let thresholds = ours.lines().filter(|line| line.contains("threshold"));
        for line in thresholds.filter(|line| !text.contains(line.trim())) {
            wrong.push(format!("{}: does not repeat `{line}`", file.display()));
        }
    }
    wrong
}

/// Workspace crates under `crates/`, each with the workspace crates it uses.
fn members(root: &Path) -> Vec<(String, BTreeSet<String>)> {
    let arguments = [
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ];
    let json: Value = serde_json::from_str(&cargo(root, &arguments)).unwrap();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ours: Vec<Value> = list(&json["packages"])
        .into_iter()
        .filter(|p| text(&p["manifest_path"]).contains("/crates/"))
        .collect();
    let names: BTreeSet<String> = ours.iter().map(|p| text(&p["name"])).collect();
    ours.iter()
        .map(|p| {
            let normal = list(&p["dependencies"])
                .into_iter()
                .filter(|d| d["kind"].is_null());
            let used = normal
                .map(|d| text(&d["name"]))
                .filter(|d| names.contains(d));
            (text(&p["name"]), used.collect())
        })
        .collect()
}

/// What clippy says about this text in a crate of its own that has this configuration.
pub(super) fn clippy_on(configuration: &Path, text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let manifest =
        "[package]\nname = \"planted\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(dir.path().join("Cargo.toml"), manifest).unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("src/lib.rs"), text).unwrap();
    fs::copy(configuration, dir.path().join("clippy.toml")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["clippy", "--offline", "--quiet", "--", "-D", "warnings"])
        .env("CARGO_TARGET_DIR", dir.path().join("target"))
        .current_dir(dir.path())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn cargo(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
