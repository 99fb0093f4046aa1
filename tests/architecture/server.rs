//! The layers of the server, its components, and the holders of the signing key.

use std::collections::BTreeMap;
use std::path::Path;

use super::SERVER_LAYERS;
use super::layers::inside_layers;
use super::sources::{production, sources};

/// The only files of `server` that may ask for a signature; the second is a test, whose maker of devices
/// signs for them.
const SIGNING_FILES: &[&str] = &["service/issuer/mod.rs", "http/tests/attestation.rs"];
/// The only files of the service that name the signing key: what makes it, and its holder.
const KEY_HOLDERS: &[&str] = &[
    "service/issuer/mod.rs",
    "service/mod.rs",
    "service/harness.rs",
];
/// The only files of `http` and `service` that may take a configuration: once a request.
const SNAPSHOT_FILES: &[&str] = &["http/request.rs", "service/mod.rs"];
/// The most methods of one component of the service.
pub(super) const MAX_METHODS: usize = 20;

pub(super) fn upward_uses(root: &Path) -> Vec<String> {
    inside_layers(root, "server", SERVER_LAYERS)
}

pub(super) fn second_signers(root: &Path) -> Vec<String> {
    sources(&root.join("crates/server/src"))
        .iter()
        .filter(|file| !SIGNING_FILES.iter().any(|name| file.ends_with(name)))
        .filter(|file| production(file).contains(".sign("))
        .map(|file| format!("{}: may not sign", file.display()))
        .collect()
}

/// Components with too many methods, and files that name the signing key without being its holder.
pub(super) fn bloated_components(root: &Path) -> Vec<String> {
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

/// Files that take a configuration besides the one that the request has.
pub(super) fn second_snapshots(root: &Path) -> Vec<String> {
    let src = root.join("crates/server/src");
    let files = ["http", "service"].map(|layer| sources(&src.join(layer)));
    let takes = |file: &Path| {
        let code = production(file);
        code.contains(".config()") || code.contains(".snapshot()")
    };
    files
        .iter()
        .flatten()
        .filter(|file| !SNAPSHOT_FILES.iter().any(|it| file.ends_with(it)))
        .filter(|file| !file.components().any(|part| part.as_os_str() == "tests"))
        .filter(|file| takes(file))
        .map(|file| format!("{}: takes a second configuration", file.display()))
        .collect()
}

/// Files that read the body of a request other than by `acme::message::body`, where serde would take
/// an array for an object.
pub(super) fn other_readers(root: &Path) -> Vec<String> {
    const READERS: [&str; 3] = ["serde_json::from_", "Json<", "Form<"];
    let dirs = ["crates/server/src/http", "crates/acme/src"];
    let files = dirs.map(|dir| sources(&root.join(dir)));
    let reads = |file: &Path| {
        let code = production(file);
        READERS.iter().any(|reader| code.contains(reader))
    };
    files
        .iter()
        .flatten()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "tests"))
        .filter(|file| reads(file))
        .map(|file| format!("{}: reads a body by itself", file.display()))
        .collect()
}
