//! Known advisories about locked crates, checked without network: `tests/advisories.toml` is a dated
//! extract of the RustSec database.

use std::fs;

use acceptance::paths;
use serde::Deserialize;

#[derive(Deserialize)]
struct Extract {
    as_of: String,
    compared: Vec<String>,
    advisory: Vec<Advisory>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    /// Ranges of versions that are patched or unaffected, such as `>= 0.3.24, < 0.4.0`.
    safe: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
}

/// Major, minor, patch. A pre-release counts as its release.
type Version = [u64; 3];

#[test]
fn no_locked_crate_has_a_known_advisory() {
    let extract = extract();
    let affected: Vec<String> = locked()
        .iter()
        .flat_map(|one| {
            let about = extract.advisory.iter();
            let about = about.filter(|advisory| advisory.package == one.name);
            about
                .filter(|advisory| !advisory.is_safe(&one.version))
                .map(|advisory| format!("{} {}: {}", one.name, one.version, advisory.id))
        })
        .collect();
    assert!(affected.is_empty(), "as of {}: {affected:?}", extract.as_of);
}

#[test]
fn an_affected_version_is_caught() {
    let extract = extract();
    let find = |id: &str| extract.advisory.iter().find(|advisory| advisory.id == id);
    let h2 = find("RUSTSEC-2024-0332").unwrap();
    for (version, safe) in [
        ("0.3.25", false),
        ("0.3.26", true),
        ("0.4.3", false),
        ("0.4.4", true),
        ("0.4.10", true),
    ] {
        assert_eq!(h2.is_safe(version), safe, "{version}");
    }
}

#[test]
fn every_advisory_is_about_a_compared_crate() {
    let extract = extract();
    assert!(extract.advisory.len() >= 30, "{}", extract.advisory.len());
    for advisory in &extract.advisory {
        assert!(
            extract.compared.contains(&advisory.package),
            "{}",
            advisory.id
        );
        assert!(!advisory.safe.is_empty(), "{}", advisory.id);
    }
}

impl Advisory {
    fn is_safe(&self, version: &str) -> bool {
        let version = parsed(version);
        self.safe.iter().any(|range| {
            range
                .split(',')
                .all(|bound| match bound.trim().split_once(' ') {
                    Some((">=", least)) => version >= parsed(least),
                    Some(("<", limit)) => version < parsed(limit),
                    _ => panic!("{}: `{bound}` is neither `>= x` nor `< x`", self.id),
                })
        })
    }
}

fn parsed(version: &str) -> Version {
    let release = version.split(['-', '+']).next().unwrap();
    let mut numbers = release.split('.').map(|part| part.parse().unwrap());
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

fn extract() -> Extract {
    let text = fs::read_to_string(paths::root().join("tests/advisories.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

fn locked() -> Vec<Locked> {
    let text = fs::read_to_string(paths::root().join("Cargo.lock")).unwrap();
    toml::from_str::<Lock>(&text).unwrap().package
}
