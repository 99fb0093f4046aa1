//! The source files of the workspace, with and without their tests, and how long they may be.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) const MAX_LINES: usize = 500;

pub(super) fn long_files(root: &Path) -> Vec<String> {
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

/// The only files that print. Each escapes what it prints, or prints its own words only.
const PRINTING_FILES: &[&str] = &[
    "cli/src/output.rs",
    "cli/src/prompt.rs",
    "server/src/log.rs",
    "server/src/flags.rs",
    "server/src/app/material.rs",
];
/// The words that printing takes.
const PRINTS: &[&str] = &[
    "print!(",
    "println!(",
    "stdout()",
    "stderr()",
    "io::stdout",
    "io::stderr",
    "Term::",
];

/// Files of the programs that print past the files that escape.
pub(super) fn raw_prints(root: &Path) -> Vec<String> {
    let programs =
        ["cli", "server", "client", "keys"].map(|name| root.join("crates").join(name).join("src"));
    programs
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|file| !PRINTING_FILES.iter().any(|name| file.ends_with(name)))
        .filter(|file| !file.ends_with("tests.rs"))
        .filter(|file| PRINTS.iter().any(|word| production(file).contains(word)))
        .map(|file| format!("{}: prints without escaping", file.display()))
        .collect()
}

/// A file's code: no inline tests, no comments.
pub(super) fn production(file: &Path) -> String {
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
pub(super) fn sources(dir: &Path) -> Vec<PathBuf> {
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
