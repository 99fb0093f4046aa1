//! The documents agree with the code: files, tests, links and log events that they
//! name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use acceptance::paths;

/// Every name in back quotes that looks like a path: it has a slash or a known ending.
fn named_files(text: &str) -> Vec<String> {
    quoted(text)
        .into_iter()
        .filter(|word| {
            !word.contains(' ') && !word.contains('<') && !word.contains('*') && !word.contains('$')
        })
        .filter(|word| {
            [
                "crates/", "tests/", "docs/", "scripts/", "peers/", "benches/", "fuzz/",
            ]
            .iter()
            .any(|start| word.starts_with(start))
        })
        .collect()
}

/// Every name in back quotes that reads as a test: `module::a_sentence_of_what_holds`.
fn named_tests(text: &str) -> Vec<String> {
    quoted(text)
        .into_iter()
        .filter(|word| word.contains("::"))
        .filter_map(|word| word.rsplit("::").next().map(str::to_owned))
        .filter(|last| {
            last.matches('_').count() >= 3
                && last
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .collect()
}

fn quoted(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            words.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    words
}

/// The text of every Rust file of the crates and of the tests.
fn sources() -> Vec<String> {
    fn collect(dir: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = Vec::new();
    for dir in ["crates", "tests"] {
        collect(&paths::root().join(dir), &mut found);
    }
    found
}

fn tests_that_exist() -> BTreeSet<String> {
    functions_below(&["#[test]", "#[tokio::test"])
}

/// The functions that one of these attributes stands above.
fn functions_below(attributes: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in sources() {
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            if attributes.iter().any(|start| line.starts_with(start)) {
                marked = true;
            } else if let Some(rest) = line.split("fn ").nth(1).filter(|_| marked) {
                found.extend(rest.split('(').next().map(str::to_owned));
                marked = false;
            }
        }
    }
    found
}

fn untrue(document: &str) -> Vec<String> {
    let root = paths::root();
    let text = fs::read_to_string(root.join(document)).unwrap();
    let tests = tests_that_exist();
    let files = named_files(&text)
        .into_iter()
        .filter(|file| !root.join(file).exists())
        .map(|file| format!("{document}: `{file}` does not exist"));
    let missing = named_tests(&text)
        .into_iter()
        .filter(|test| !tests.contains(test))
        .map(|test| format!("{document}: no test `{test}`"));
    files.chain(missing).collect()
}

#[test]
fn every_file_and_test_that_the_rfc_map_names_exists() {
    assert_eq!(untrue("docs/rfc-map.md"), Vec::<String>::new());
}

#[test]
fn every_file_and_test_that_the_other_documents_name_exists() {
    let wrong: Vec<String> = pages().iter().flat_map(|page| untrue(page)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_invariant_names_its_test() {
    let text = fs::read_to_string(paths::root().join("docs/ARCHITECTURE.md")).unwrap();
    let section = text.split("\n## Invariants").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let invariants: Vec<&str> = section.split("\n- ").skip(1).collect();
    assert!(
        invariants.len() >= 10,
        "only {} invariants",
        invariants.len()
    );
    for invariant in invariants {
        assert_ne!(
            named_tests(invariant),
            Vec::<String>::new(),
            "no test: {invariant}"
        );
    }
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let root = paths::root();
    let mut wrong = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(root.join(&page)).unwrap();
        let folder = Path::new(&page).parent().unwrap();
        let links = text.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = root.join(folder).join(file);
            let exists = link.starts_with("https://")
                || target.exists() && (anchor.is_empty() || anchors(&target).contains(anchor));
            if !exists {
                wrong.push(format!("{page}: {link}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Every page for people, as a path from the root.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ]
    .map(str::to_owned)
    .to_vec();
    for folder in ["docs", "docs/adr", "docs/manual"] {
        for entry in fs::read_dir(paths::root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            pages.extend(name.ends_with(".md").then(|| format!("{folder}/{name}")));
        }
    }
    pages
}

/// The anchors of a page's headings, as they appear in links.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.collect::<String>().replace(' ', "-")
        })
        .collect()
}

/// The events that the log may have are a closed list, documented for operators.
#[test]
fn every_log_event_is_in_the_manual_and_the_manual_has_no_other() {
    let manual = fs::read_to_string(paths::root().join("docs/manual/server.md")).unwrap();
    let table = manual.split("| event | when |").nth(1).unwrap();
    let listed: BTreeSet<&str> = table
        .split("\n\n")
        .next()
        .unwrap()
        .split("\n| `")
        .skip(1)
        .filter_map(|row| row.split('`').next())
        .collect();
    let sources = sources();
    let logged: BTreeSet<&str> = sources
        .iter()
        .flat_map(|text| text.split("event = \"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|event| event.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .filter(|event| !event.is_empty())
        .collect();
    assert_eq!(logged, listed, "events in the sources, events in server.md");
}

fn rfc_map() -> String {
    fs::read_to_string(paths::root().join("docs/rfc-map.md")).unwrap()
}

/// The lines of the map's table, without its head.
fn rows(map: &str) -> Vec<&str> {
    let table = map.split("\n## ").next().unwrap_or_default();
    let lines = table.lines().filter(|line| line.starts_with("| "));
    lines
        .filter(|line| !line.starts_with("| ---"))
        .skip(1)
        .collect()
}

#[test]
fn every_row_of_the_rfc_map_names_a_file_and_a_test() {
    let text = rfc_map();
    let rows = rows(&text);
    assert!(rows.len() >= 20, "only {} rows", rows.len());
    for row in rows {
        assert!(!named_files(row).is_empty(), "no file: {row}");
        assert!(!named_tests(row).is_empty(), "no test: {row}");
    }
}

#[test]
fn the_rfc_map_ends_with_its_true_count() {
    let text = rfc_map();
    let rows = rows(&text);
    let tests: BTreeSet<String> = rows.iter().flat_map(|row| named_tests(row)).collect();
    let ignored = functions_below(&["#[ignore"]);
    let left_out: Vec<_> = tests.intersection(&ignored).collect();
    assert_eq!(left_out, [] as [&String; 0], "ignored and yet on the map");
    let count = format!(
        "{} points, held by {} tests, none of them ignored.",
        rows.len(),
        tests.len()
    );
    assert_eq!(text.lines().last(), Some(count.as_str()));
}
