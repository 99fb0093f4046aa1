//! Runs a target over its corpus and over mutated inputs.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use proptest::test_runner::{Config, TestError, TestRunner};

use crate::mutate::{Input, inputs};
use crate::{TARGETS, corpus};

/// How many inputs `cargo test` generates for a target; `FUZZ_CASES` overrides it.
const CASES: u32 = 500;

/// Runs a target on its seeds, all of which it must accept, then on mutations of them.
#[track_caller]
pub(crate) fn nearly_valid(target: &str) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let seeds = corpus::seeds(target);
    for (name, octets) in &seeds {
        assert!(check(octets), "the seed {target}/{name} is not accepted");
    }
    let cases = std::env::var("FUZZ_CASES")
        .ok()
        .map(|text| text.parse().unwrap());
    let config = Config {
        cases: cases.unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let refused = Cell::new(0_u32);
    let octets = seeds.into_iter().map(|(_, octets)| octets).collect();
    let found = TestRunner::new(config).run(&inputs(octets), |Input(octets)| {
        refused.set(refused.get() + u32::from(!check(&octets)));
        Ok(())
    });
    match found {
        Ok(()) => assert_ne!(
            refused.get(),
            0,
            "no input was refused: the mutations have no effect"
        ),
        Err(TestError::Fail(why, input)) => {
            let file = keep(target, &input.0);
            let file = file.display();
            panic!(
                "{target}: {why}\n{input:?}\nsaved, repeat with: cargo run -p fuzz -- {target} {file}"
            );
        }
        Err(TestError::Abort(reason)) => panic!("{target}: {reason}"),
    }
}

/// Saves an input that violated an invariant.
fn keep(target: &str, octets: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{target}-{}", octets.len()));
    std::fs::write(&file, octets).unwrap();
    file
}
