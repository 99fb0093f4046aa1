//! The rules of the code base, checked: permitted dependencies between crates and
//! layers, who may sign, maximum length of a file. Each rule is a function over a
//! workspace's root that lists its violations, so that one test can plant
//! each violation in a copy and see it caught. `docs/ARCHITECTURE.md` gives the reasons.

mod dependencies;
mod layers;
mod plants;
mod records;
mod server;
mod sources;

use std::fs;

use acceptance::paths;

use self::dependencies::{PURE, clippy_on, impure_dependencies, loose_clippy, wrong_arrows};
use self::layers::{second_grants, upward_uses_in_ca};
use self::plants::copy_of_the_workspace;
use self::records::{misplaced_proofs, wide_ports};
use self::server::{
    bloated_components, other_readers, second_signers, second_snapshots, upward_uses,
};
use self::sources::{long_files, raw_prints};

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
    ("step_ca", &["app", "dev", "flags", "log", "steppath"]),
    ("dev", &["app", "flags", "live"]),
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
    ("flags", &[]),
    ("steppath", &[]),
    ("log", &[]),
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
fn server_layers_use_only_lower_layers() {
    none(&upward_uses(&paths::root()));
}

#[test]
fn inside_ca_arrows_point_one_way_and_files_are_read_in_config_alone() {
    none(&upward_uses_in_ca(&paths::root()));
}

#[test]
fn grants_are_made_by_admission_alone() {
    none(&second_grants(&paths::root()));
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
fn a_request_takes_its_configuration_once() {
    none(&second_snapshots(&paths::root()));
}

#[test]
fn bodies_of_requests_are_read_in_one_way() {
    none(&other_readers(&paths::root()));
}

#[test]
fn only_the_store_reads_proofs_back() {
    none(&misplaced_proofs(&paths::root()));
}

#[test]
fn the_store_is_reached_through_its_ports_which_are_small_and_sql_stays_in_its_folder() {
    none(&wide_ports(&paths::root()));
}

#[test]
fn text_reaches_the_terminal_through_the_files_that_escape_it() {
    none(&raw_prints(&paths::root()));
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    none(&long_files(&paths::root()));
}

#[test]
fn a_planted_violation_of_each_rule_is_caught() {
    let copy = copy_of_the_workspace();
    let root = copy.path();
    for plant in plants::all() {
        none(&(plant.rule)(root));
        assert_ne!(plant.try_in(root), Vec::<String>::new(), "{}", plant.file);
    }
    let clippy = root.join("crates/ca/clippy.toml");
    let text = fs::read_to_string(&clippy).unwrap();
    for line in ["too-many-lines-threshold = 60", "std::time::Instant::now"] {
        fs::write(&clippy, text.replace(line, "")).unwrap();
        assert_ne!(loose_clippy(root), Vec::<String>::new(), "{line}");
    }
    fs::remove_file(&clippy).unwrap();
    assert_ne!(loose_clippy(root), Vec::<String>::new());
}

#[test]
fn a_clock_in_a_pure_crate_is_refused_by_clippy() {
    let copy = copy_of_the_workspace();
    let crates = copy.path().join("crates");
    for name in PURE {
        let lint = clippy_on(
            &crates.join(name).join("clippy.toml"),
            "//! A crate that reads the clock, a file and the environment.\n\
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
