//! No verb reads a whole table, however many records there are: SQLite is asked for the plan of every statement.

use rusqlite::Connection;

/// The files with statements in them.
const SOURCES: &[&str] = &[
    include_str!("accounts.rs"),
    include_str!("audit.rs"),
    include_str!("authorizations.rs"),
    include_str!("certificate_retention.rs"),
    include_str!("certificate_search.rs"),
    include_str!("certificates.rs"),
    include_str!("configurations.rs"),
    include_str!("continuation.rs"),
    include_str!("external_keys.rs"),
    include_str!("reuse.rs"),
    include_str!("orders.rs"),
    include_str!("own.rs"),
    include_str!("permits.rs"),
    include_str!("retention.rs"),
    include_str!("renewals.rs"),
    include_str!("revocations.rs"),
    include_str!("untouched.rs"),
    include_str!("verdicts.rs"),
];

#[test]
fn no_statement_reads_a_whole_table() {
    let connection = Connection::open_in_memory().unwrap();
    for step in super::migrate::STEPS {
        connection.execute_batch(step.sql).unwrap();
    }
    let statements: Vec<_> = SOURCES.iter().flat_map(|text| statements(text)).collect();
    assert!(statements.len() > 30, "{}", statements.len());
    for sql in statements {
        for step in plan(&connection, sql) {
            // The index of unfinished challenges holds nothing else.
            let whole = step.starts_with("SCAN") && !step.ends_with("challenges_unfinished");
            assert!(!whole, "{step}: {sql}");
        }
    }
}

/// The string literals that begin like a statement.
fn statements(source: &str) -> impl Iterator<Item = &str> {
    let literals = source.split('"').skip(1).step_by(2);
    literals.filter(|text| {
        let first = text.split_whitespace().next();
        matches!(first, Some("SELECT" | "UPDATE" | "DELETE" | "INSERT"))
    })
}

pub(super) fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}
