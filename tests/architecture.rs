//! The house rules, checked: who may depend on whom, who may look at what,
//! who may sign, how long a file may grow. Each rule is a function over a
//! workspace's root that lists its violations, so that one test can plant
//! each violation in a copy and see it caught. `docs/ARCHITECTURE.md` says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use acceptance::paths;
use serde_json::Value;

/// Every arrow in the workspace. A new arrow is a change to this table.
const MAY_USE: &[(&str, &[&str])] = &[
    ("pki", &[]),
    ("acme", &["pki"]),
    ("ca", &["pki", "acme"]),
    ("keys", &["pki", "ca"]),
    ("store", &["pki", "acme", "ca"]),
    ("client", &["pki", "acme", "ca"]),
    ("server", &["pki", "acme", "ca", "keys", "store", "client"]),
    ("cli", &["pki", "acme", "ca", "keys", "client"]),
];
/// Inside `server`: a module may name only the modules listed beside it.
const SERVER_LAYERS: &[(&str, &[&str])] = &[
    ("dev", &["app", "flags", "live", "service"]),
    (
        "app",
        &["http", "jobs", "listen", "live", "log", "service", "probe"],
    ),
    ("http", &["service", "listen"]),
    ("jobs", &["service", "listen", "live"]),
    ("service", &["probe", "live"]),
    ("listen", &[]),
    ("live", &[]),
    ("probe", &[]),
];
/// The only files of `server` that may ask for a signature.
const SIGNING_FILES: &[&str] = &["service/issuer/mod.rs", "service/authority.rs"];
const PURE: &[&str] = &["pki", "acme", "ca"];
/// Crates that a pure crate may not reach, however indirectly.
const IMPURE_CRATES: &[&str] = &[
    "tokio", "hyper", "axum", "reqwest", "rusqlite", "mio", "socket2", "notify",
];
/// The doors for what is stored and proves something.
const DOORS: &[&str] = &["Proof::from_record", "Permit::from_record"];
/// Crates that may open them.
const PROOF_DOOR: &[&str] = &["acme", "store"];
const MAX_LINES: usize = 500;
/// The only folder of the workspace that may hold SQL.
const SQL_FOLDER: &str = "crates/store/src/sqlite";
/// How a literal begins that is a statement.
const STATEMENTS: &[&str] = &["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM "];
/// The verbs that one trait of the store's port may have.
const MAX_VERBS: usize = 8;
/// The most methods of one component of the service.
const MAX_METHODS: usize = 20;
/// The only files of the service that name the signing key: what makes it, and its holder.
const KEY_HOLDERS: &[&str] = &[
    "service/issuer/mod.rs",
    "service/mod.rs",
    "service/authority.rs",
    "service/harness.rs",
];

#[test]
fn arrows_point_only_where_the_table_allows() {
    none(&wrong_arrows(&paths::root()));
}

#[test]
fn pure_crates_reach_nothing_that_does_input_or_output() {
    none(&impure_dependencies(&paths::root()));
}

#[test]
fn each_pure_crate_forbids_clock_files_sockets_and_randomness_to_clippy() {
    none(&loose_clippy(&paths::root()));
}

#[test]
fn server_layers_look_only_downwards() {
    none(&upward_looks(&paths::root()));
}

#[test]
fn only_the_named_files_sign() {
    none(&second_signers(&paths::root()));
}

#[test]
fn each_component_of_the_service_is_small_and_only_the_issuer_holds_the_key() {
    none(&bloated_components(&paths::root()));
}

#[test]
fn only_the_store_reads_proofs_back() {
    none(&back_doors(&paths::root()));
}

#[test]
fn the_store_is_reached_through_its_ports_which_are_small_and_sql_stays_in_its_folder() {
    none(&wide_ports(&paths::root()));
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    none(&long_files(&paths::root()));
}

#[test]
fn a_planted_violation_of_each_rule_is_caught() {
    let copy = copy_of_the_workspace();
    let root = copy.path();
    type Rule = fn(&Path) -> Vec<String>;
    let plants: &[(&str, &str, Rule)] = &[
        (
            "crates/pki/Cargo.toml",
            "\n[dependencies.acme]\nworkspace = true\n",
            wrong_arrows,
        ),
        (
            "crates/server/src/probe/planted.rs",
            "//! x\nuse crate::http;\n",
            upward_looks,
        ),
        (
            "crates/server/src/service/planted.rs",
            "//! x\nfn f(p: CertificateSigner) { p.sign(1); }\n",
            second_signers,
        ),
        (
            "crates/server/src/service/native/planted.rs",
            "//! x\nstruct S { key: CertificateSigner }\n",
            bloated_components,
        ),
        (
            "crates/server/src/service/native/methods.rs",
            &format!(
                "//! x\nimpl NativeService {{\n{}}}\n",
                "    pub(crate) async fn f(&self) {}\n".repeat(MAX_METHODS)
            ),
            bloated_components,
        ),
        (
            "crates/server/src/http/planted.rs",
            "//! x\nfn f() { Proof::from_record(1); }\n",
            back_doors,
        ),
        (
            "crates/server/src/service/permitted.rs",
            "//! x\nfn f() { Permit::from_record(1); }\n",
            back_doors,
        ),
        (
            "crates/store/src/port/planted.rs",
            &format!(
                "//! x\npub trait Planted {{\n{}}}\n",
                "    fn f(&self);\n".repeat(MAX_VERBS + 1)
            ),
            wide_ports,
        ),
        (
            "crates/store/src/sqlite/planted.rs",
            "//! x\nimpl Store {\n    pub async fn f(&self) {}\n}\n",
            wide_ports,
        ),
        (
            "crates/store/src/planted.rs",
            "//! x\nuse rusqlite::Connection;\n",
            wide_ports,
        ),
        (
            "crates/server/src/service/statement.rs",
            "//! x\nconst SQL: &str = \"SELECT 1 FROM orders\";\n",
            wide_ports,
        ),
        (
            "crates/acme/src/planted.rs",
            &"//! x\n".repeat(MAX_LINES + 1),
            long_files,
        ),
        ("crates/acme/src/undocumented.rs", "fn f() {}\n", long_files),
    ];
    for (file, text, rule) in plants {
        none(&rule(root));
        plant(root, file, text, |caught| {
            assert!(caught(*rule), "{file}: not caught");
        });
    }
    fs::remove_file(root.join("crates/ca/clippy.toml")).unwrap();
    assert_ne!(loose_clippy(root), Vec::<String>::new());
}

#[test]
fn a_clock_in_a_pure_crate_is_refused_by_clippy() {
    let copy = copy_of_the_workspace();
    let crates = copy.path().join("crates");
    for name in PURE {
        let lint = clippy_on(
            &crates.join(name).join("clippy.toml"),
            "//! A crate that looks at the clock, a file and the environment.\n\
             use std::time::SystemTime as Innocent;\n\
             /// When it is.\npub fn now() -> Innocent { Innocent::now() }\n\
             /// What is there.\npub fn file() -> Option<String> { std::fs::read_to_string(\"x\").ok() }\n\
             /// What is set.\npub fn set() -> Option<String> { std::env::var(\"x\").ok() }\n",
        );
        for word in ["SystemTime::now", "fs::read_to_string", "env::var"] {
            assert!(
                lint.contains(word),
                "{name}: clippy let `{word}` pass:\n{lint}"
            );
        }
    }
}

fn none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

fn wrong_arrows(root: &Path) -> Vec<String> {
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

fn impure_dependencies(root: &Path) -> Vec<String> {
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

fn loose_clippy(root: &Path) -> Vec<String> {
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

fn upward_looks(root: &Path) -> Vec<String> {
    let src = root.join("crates/server/src");
    let mut wrong = Vec::new();
    for (layer, below) in SERVER_LAYERS {
        let above = SERVER_LAYERS
            .iter()
            .map(|(other, _)| other)
            .filter(|other| *other != layer && !below.contains(other));
        for other in above {
            wrong.extend(
                sources(&src.join(layer))
                    .iter()
                    .filter(|file| production(file).contains(&format!("crate::{other}")))
                    .map(|file| format!("{}: `{layer}` may not name `{other}`", file.display())),
            );
        }
    }
    wrong
}

fn second_signers(root: &Path) -> Vec<String> {
    sources(&root.join("crates/server/src"))
        .iter()
        .filter(|file| !SIGNING_FILES.iter().any(|name| file.ends_with(name)))
        .filter(|file| production(file).contains(".sign("))
        .map(|file| format!("{}: may not sign", file.display()))
        .collect()
}

/// Components with too many methods, and files that name the signing key without being its holder.
fn bloated_components(root: &Path) -> Vec<String> {
    let mut methods: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for file in sources(&root.join("crates/server/src/service")) {
        let code = production(&file);
        if code.contains("CertificateSigner") && !KEY_HOLDERS.iter().any(|it| file.ends_with(it)) {
            wrong.push(format!("{}: may not hold the signing key", file.display()));
        }
        let mut component = None;
        for line in code.lines() {
            if let Some(rest) = line.strip_prefix("impl ") {
                let name = rest.split(['<', ' ']).next().unwrap_or_default();
                component = (!rest.contains(" for ")).then(|| name.to_owned());
            } else if line == "}" {
                component = None;
            }
            if let Some(name) = &component
                && line.starts_with("    ")
                && !line.starts_with("     ")
                && line.contains("fn ")
            {
                *methods.entry(name.clone()).or_default() += 1;
            }
        }
    }
    let too_many = methods.into_iter().filter(|(_, n)| *n > MAX_METHODS);
    wrong
        .extend(too_many.map(|(name, n)| format!("`{name}` has {n} methods, limit {MAX_METHODS}")));
    wrong
}

fn back_doors(root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, _) in MAY_USE
        .iter()
        .filter(|(name, _)| !PROOF_DOOR.contains(name))
    {
        wrong.extend(
            sources(&root.join("crates").join(name))
                .iter()
                .filter(|file| DOORS.iter().any(|door| production(file).contains(door)))
                .map(|file| format!("{}: only the store reads proofs back", file.display())),
        );
    }
    wrong
}

fn wide_ports(root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in sources(&root.join("crates/store/src/port")) {
        for port in production(&file).split("pub trait ").skip(1) {
            let body = port.split("\n}").next().unwrap_or_default();
            let verbs = body.matches("\n    fn ").count();
            if verbs > MAX_VERBS {
                wrong.push(format!(
                    "{}: {verbs} verbs in a trait, limit {MAX_VERBS}",
                    file.display()
                ));
            }
        }
    }
    for file in sources(&root.join("crates/store/src")) {
        let verbs = production(&file).matches("pub async fn ").count();
        if verbs > production(&file).matches("pub async fn close(").count() {
            wrong.push(format!("{}: a verb outside the port", file.display()));
        }
    }
    for file in sources(&root.join("crates")) {
        let code = production(&file);
        let has_sql = code.contains("rusqlite") || STATEMENTS.iter().any(|it| code.contains(it));
        if has_sql && !file.starts_with(root.join(SQL_FOLDER)) {
            wrong.push(format!("{}: SQL outside {SQL_FOLDER}", file.display()));
        }
    }
    wrong
}

fn long_files(root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for dir in ["crates", "tests", "fuzz"] {
        for file in sources(&root.join(dir)) {
            let text = shipped(&file);
            let lines = text.lines().count();
            if !text.starts_with("//!") {
                wrong.push(format!("{}: begins without `//!`", file.display()));
            }
            if lines > MAX_LINES {
                wrong.push(format!(
                    "{}: {lines} lines, limit {MAX_LINES}",
                    file.display()
                ));
            }
        }
    }
    wrong
}

/// Appends `text` to `file` in the copy, lets `look` see which rules speak up, and takes it back.
fn plant(
    root: &Path,
    file: &str,
    text: &str,
    look: impl FnOnce(&dyn Fn(fn(&Path) -> Vec<String>) -> bool),
) {
    let path = root.join(file);
    let before = fs::read_to_string(&path).ok();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(
        &path,
        format!("{}{text}", before.as_deref().unwrap_or_default()),
    )
    .unwrap();
    look(&|rule| !rule(root).is_empty());
    match before {
        Some(text) => fs::write(&path, text).unwrap(),
        None => fs::remove_file(&path).unwrap(),
    }
}

/// The workspace's manifests and sources, without what is built.
fn copy_of_the_workspace() -> tempfile::TempDir {
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

/// What clippy says about this text in a crate of its own that has this configuration.
fn clippy_on(configuration: &Path, text: &str) -> String {
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

/// A file's code: no inline tests, no comments.
fn production(file: &Path) -> String {
    let shipped = shipped(file);
    let code = shipped
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// A file's text up to its inline tests.
fn shipped(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests").next();
    code.unwrap_or_default().to_owned()
}

/// The Rust files of a folder, or of a module that is a file with or without a folder.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let file = dir.with_extension("rs");
    if file.is_file() {
        found.push(file);
    }
    let Ok(entries) = fs::read_dir(dir) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found.dedup();
    found
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
