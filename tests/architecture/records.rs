//! What the store alone may do: read proofs back, and hold SQL behind ports of few verbs.

use std::path::Path;

use super::MAY_USE;
use super::sources::{production, sources};

/// Constructors from stored records of what proves something.
const RECORD_CONSTRUCTORS: &[&str] = &[
    "Proof::from_record",
    "Permit::from_record",
    "Order::from_record",
];
/// Crates that may call them.
const PROOF_READERS: &[&str] = &["acme", "store"];
/// The only folder of the workspace that may hold SQL.
const SQL_FOLDER: &str = "crates/store/src/sqlite";
/// How a literal begins that is a statement.
const STATEMENTS: &[&str] = &["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM "];
/// The verbs that one trait of the store's port may have.
pub(super) const MAX_VERBS: usize = 8;

pub(super) fn misplaced_proofs(root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, _) in MAY_USE
        .iter()
        .filter(|(name, _)| !PROOF_READERS.contains(name))
    {
        wrong.extend(
            sources(&root.join("crates").join(name))
                .iter()
                .filter(|file| {
                    RECORD_CONSTRUCTORS
                        .iter()
                        .any(|constructor| production(file).contains(constructor))
                })
                .map(|file| format!("{}: only the store reads proofs back", file.display())),
        );
    }
    wrong
}

pub(super) fn wide_ports(root: &Path) -> Vec<String> {
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
