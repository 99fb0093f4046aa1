//! Layers inside a crate: which module may name which, where files are read, who makes grants.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::sources::{production, sources};

/// Inside `ca`: every module, with the modules that it may name. Arrows point down the table.
const CA_LAYERS: &[(&str, &[&str])] = &[
    ("authority", &["config", "issue", "tls"]),
    (
        "api",
        &[
            "external_key",
            "policy",
            "provisioner",
            "refusal",
            "tls",
            "words",
        ],
    ),
    (
        "config",
        &[
            "provisioner",
            "admission",
            "refusal",
            "external_key",
            "policy",
            "profile",
            "claims",
            "tls",
            "words",
            "go_duration",
        ],
    ),
    ("provisioner", &["admission", "refusal", "claims"]),
    ("renew", &["admission", "refusal"]),
    ("revoke", &["refusal"]),
    (
        "issue",
        &[
            "admission",
            "refusal",
            "lint",
            "issuing_chain",
            "profile",
            "claims",
        ],
    ),
    (
        "admission",
        &["refusal", "issuing_chain", "policy", "profile", "claims"],
    ),
    (
        "refusal",
        &[
            "lint",
            "issuing_chain",
            "external_key",
            "policy",
            "profile",
            "claims",
        ],
    ),
    ("lint", &["issuing_chain"]),
    ("issuing_chain", &[]),
    ("external_key", &["policy"]),
    ("policy", &[]),
    ("profile", &["claims", "go_duration"]),
    ("claims", &["words"]),
    ("tls", &[]),
    ("words", &["go_duration"]),
    ("go_duration", &[]),
];
/// Modules of `ca` that know how files write things; what a value needs stands below them.
const FILE_FORMS: &[&str] = &["section::", "toml::", "serde_json::Map"];
/// The only files that may make a grant.
const GRANTING_FILES: &[&str] = &[
    "ca/src/admission/mod.rs",
    "ca/src/admission/grant.rs",
    "server/src/service/issuer/server_certificate.rs",
];
/// How a grant is made.
const GRANTS: &[&str] = &["Grant::new(", "Grant::server_certificate("];
pub(super) fn upward_uses_in_ca(root: &Path) -> Vec<String> {
    let mut wrong = inside_layers(root, "ca", CA_LAYERS);
    let src = root.join("crates/ca/src");
    let listed = |module: &str| CA_LAYERS.iter().any(|(layer, _)| *layer == module);
    for file in production_sources(&src) {
        let path = module_path(&src, &file);
        let Some(layer) = path.first() else {
            continue;
        };
        let code = production(&file);
        if !listed(layer) {
            wrong.push(format!("{}: `{layer}` is not in CA_LAYERS", file.display()));
        }
        wrong.extend(
            (named_in_crate(&code, path.len()).iter())
                .filter(|named| !listed(named))
                .map(|named| format!("{}: `crate::{named}` is no module", file.display())),
        );
        if layer != "config" && FILE_FORMS.iter().any(|form| code.contains(form)) {
            wrong.push(format!("{}: reads a file's form", file.display()));
        }
    }
    wrong
}

/// Inside a crate: a module of the table names only the modules listed beside it, which all stand
/// below it in the table.
pub(super) fn inside_layers(root: &Path, name: &str, table: &[(&str, &[&str])]) -> Vec<String> {
    let src = root.join("crates").join(name).join("src");
    let mut wrong = Vec::new();
    for (place, (layer, below)) in table.iter().enumerate() {
        let (_, lower) = table.split_at(place + 1);
        wrong.extend(
            (below.iter())
                .filter(|other| table.iter().any(|(it, _)| it == *other))
                .filter(|other| !lower.iter().any(|(it, _)| it == *other))
                .map(|other| format!("`{other}` stands above `{layer}` in the table of {name}")),
        );
        for file in production_sources(&src.join(layer)) {
            let named = named_in_crate(&production(&file), module_path(&src, &file).len());
            wrong.extend(
                (table.iter().map(|(other, _)| *other))
                    .filter(|other| other != layer && !below.contains(other))
                    .filter(|other| named.contains(*other))
                    .map(|other| format!("{}: `{layer}` may not name `{other}`", file.display())),
            );
        }
    }
    wrong
}

pub(super) fn second_grants(root: &Path) -> Vec<String> {
    let crates = root.join("crates");
    production_sources(&crates)
        .iter()
        .filter(|file| !GRANTING_FILES.iter().any(|name| file.ends_with(name)))
        .filter(|file| {
            let code = production(file);
            GRANTS.iter().any(|way| code.contains(way))
        })
        .map(|file| format!("{}: may not make grants", file.display()))
        .collect()
}

/// The names at the crate's root that code names: after `crate::`, alone or in braces, and after as many
/// `super::` as the file's module is deep.
fn named_in_crate(code: &str, depth: usize) -> BTreeSet<String> {
    let supers = "super::".repeat(depth);
    let mut named = BTreeSet::new();
    for root in ["crate::", supers.as_str()] {
        for (at, _) in code.match_indices(root).filter(|_| !root.is_empty()) {
            if code[..at].ends_with("super::") {
                continue;
            }
            let rest = &code[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => named.extend(heads_of_group(group)),
                None => named.extend([head(rest)]),
            }
        }
    }
    named.remove("");
    named.remove("super");
    named
}

/// The first words of what stands in braces: of `a::{b, c}, d}` `a` and `d`.
fn heads_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut at_head) = (0, Vec::new(), true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_head = true,
            _ if at_head && !character.is_whitespace() => {
                heads.push(head(&group[at..]));
                at_head = false;
            }
            _ => {}
        }
    }
    heads
}

/// The word that a text begins with.
fn head(text: &str) -> String {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    text.chars().take_while(is_word).collect()
}

/// The modules down to a file: `policy/levels.rs` is `policy`, `levels`; the crate's root has none.
fn module_path(src: &Path, file: &Path) -> Vec<String> {
    let path = file.strip_prefix(src).unwrap().with_extension("");
    let names = path.iter().map(|name| name.to_string_lossy().into_owned());
    names
        .filter(|name| !["mod", "lib", "main"].contains(&name.as_str()))
        .collect()
}

/// Sources without files that hold tests or what tests share.
fn production_sources(dir: &Path) -> Vec<PathBuf> {
    const OF_TESTS: &[&str] = &[
        "tests.rs",
        "fixture.rs",
        "harness.rs",
        "reference.rs",
        "weather.rs",
    ];
    let of_tests = |file: &PathBuf| {
        OF_TESTS.iter().any(|name| file.ends_with(name))
            || file.iter().any(|part| part == "tests" || part == "suite")
    };
    let mut all = sources(dir);
    all.retain(|file| !of_tests(file));
    all
}
