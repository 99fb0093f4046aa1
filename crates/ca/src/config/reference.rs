//! The manual's reference of settings is true: every key that the code asks for has its row in
//! `docs/manual/configuration.md`, every row is a key that is asked for, and the defaults that it
//! names are the defaults.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::section::{Log, Section};
use super::{Riser, UnusedTable, provisioner, riser};
use crate::claims::Claims;

const PAGE: &str = include_str!("../../../../docs/manual/configuration.md");

const ACME: riser::Provisioners<'_> = riser::Provisioners {
    names: &["acme"],
    unused: UnusedTable::Fault,
};

/// Rows by the heading they stand under: key to default.
type Rows = BTreeMap<String, Vec<(String, String)>>;

/// The tables below a heading of the second level.
fn rows(chapter: &str) -> Rows {
    let mut rows = Rows::new();
    let mut heading = String::new();
    for line in chapter.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            heading = title.trim_matches('`').to_owned();
        } else if line.starts_with("| `") {
            let cells: Vec<_> = line
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect();
            let row = (cells[1].to_owned(), cells[2].to_owned());
            rows.entry(heading.clone()).or_default().push(row);
        }
    }
    rows
}

fn chapter(title: &str) -> &'static str {
    let rest = PAGE.split(&format!("\n## {title}\n")).nth(1).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// The block of this language in a chapter: a file in which every table stands once.
fn example(chapter: &str, language: &str) -> String {
    let rest = chapter.split(&format!("```{language}\n")).nth(1).unwrap();
    rest.split("```").next().unwrap().to_owned()
}

/// `provisioner.acme.policy.deny_dns` as the manual writes it: heading and key.
fn place(asked: &str) -> (String, String) {
    let mut words: Vec<&str> = asked.split('.').collect();
    if matches!(words.first(), Some(&("provisioner" | "profile"))) && words.len() > 2 {
        words[1] = "<name>";
    }
    let key = words.pop().unwrap_or_default().to_owned();
    let table = words.join(".");
    let heading = match table.split_once('[') {
        Some((list, _)) => format!("[[{list}]]"),
        None if table.is_empty() => String::new(),
        None => format!("[{table}]"),
    };
    (heading, key)
}

/// Whether the example has a table, or a list of tables, at this place.
fn is_table(example: &Value, asked: &str) -> bool {
    let mut value = example;
    for word in asked.split('.') {
        let (key, index) = match word.split_once('[') {
            Some((key, index)) => (key, index.trim_end_matches(']').parse::<usize>().ok()),
            None => (word, None),
        };
        let Some(next) = value.get(key) else {
            return false;
        };
        value = index.map_or(next, |index| &next[index]);
    }
    match value {
        Value::Object(_) => true,
        Value::Array(values) => values.iter().any(Value::is_object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn documented(rows: &Rows) -> BTreeSet<(String, String)> {
    let each = rows
        .iter()
        .flat_map(|(heading, rows)| rows.iter().map(|(key, _)| (heading.clone(), key.clone())));
    each.collect()
}

#[test]
fn every_key_of_riser_toml_is_in_the_manual_and_the_reverse() {
    let chapter = chapter("riser.toml");
    let text = example(chapter, "toml");
    let log = Log::new("riser.toml");
    riser::read(&text, ACME, &log);
    let asked = log.asked.borrow().clone();
    assert_eq!(log.into_parts().0, []);
    let table = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    let asked: BTreeSet<_> = asked
        .iter()
        .filter(|key| !is_table(&table, key))
        .map(|key| place(key))
        .collect();
    let documented = documented(&rows(chapter));
    assert_eq!(
        asked.difference(&documented).collect::<Vec<_>>(),
        [] as [&(String, String); 0],
        "asked for and not in the manual"
    );
    assert_eq!(
        documented.difference(&asked).collect::<Vec<_>>(),
        [] as [&(String, String); 0],
        "in the manual and not asked for"
    );
}

#[test]
fn the_defaults_in_the_manual_are_the_defaults() {
    let mut text = String::new();
    for (heading, rows) in rows(chapter("riser.toml")) {
        if heading.contains("profile.") || heading.starts_with("[[") {
            continue;
        }
        let stated = rows.iter().filter(|(_, default)| default != "–");
        if stated.clone().next().is_none() {
            continue;
        }
        let lines: Vec<_> = stated
            .map(|(key, default)| format!("{key} = {default}\n"))
            .collect();
        text += &format!("{}\n{}", heading.replace("<name>", "acme"), lines.concat());
    }
    let log = Log::new("riser.toml");
    let riser = riser::read(&text, ACME, &log);
    assert_eq!(log.into_parts().0, [], "{text}");
    assert_eq!(
        riser.provisioner("acme"),
        Riser::default().provisioner("acme")
    );
    assert_eq!(
        Riser {
            provisioners: BTreeMap::new(),
            ..riser
        },
        Riser::default()
    );
}

#[test]
fn every_key_of_an_acme_provisioner_is_in_the_manual_and_the_reverse() {
    let chapter = chapter("An ACME provisioner in ca.json");
    let value: Value = serde_json::from_str(&example(chapter, "json")).unwrap();
    let log = Log::new("ca.json");
    let section = Section::new(value.as_object().unwrap(), "", &log);
    let read = provisioner::read(section, &value, &Claims::default());
    assert_eq!(read.disabled(), None);
    let asked = log.asked.borrow().clone();
    assert_eq!(log.into_parts(), (Vec::new(), Vec::new()));
    let asked: BTreeSet<_> = (asked.iter())
        .filter(|key| !is_table(&value, key))
        .map(|key| (String::new(), key.clone()))
        .collect();
    let documented = documented(&rows(chapter));
    assert_eq!(asked, documented);
}
