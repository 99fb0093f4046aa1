//! `[provisioner.<name>]` of riser.toml: what ca.json has no place for.

use std::collections::BTreeMap;

use acme::challenge::Method;
use jiff::SignedDuration;
use serde_json::Value;

use crate::config::section::{Section, Unknown};

/// `[provisioner.<name>]`: what ca.json has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionerSettings {
    /// `order_life`: how long an order and its authorizations stay open, 24 h.
    pub order_life: SignedDuration,
    /// `challenges`: the challenge types to offer, in place of ca.json's list, which cannot name
    /// those of drafts.
    pub challenges: Option<Vec<Method>>,
}

impl Default for ProvisionerSettings {
    fn default() -> Self {
        Self {
            order_life: SignedDuration::from_hours(24),
            challenges: None,
        }
    }
}

pub(super) fn read_all(
    top: &mut Section<'_>,
    names: &[&str],
) -> BTreeMap<String, ProvisionerSettings> {
    let mut found = BTreeMap::new();
    let Some(value) = top.value("provisioner") else {
        return found;
    };
    let Some(map) = value.as_object() else {
        top.fault("provisioner", "must be tables: [provisioner.<name>]");
        return found;
    };
    for (name, value) in map {
        let place = format!("provisioner.{name}");
        let Value::Object(table) = value else {
            top.log().fault(place, "must be a table");
            continue;
        };
        if !names.contains(&name.as_str()) {
            let what = "names no provisioner of ca.json; correct the name or remove the table";
            top.log().fault(place, what);
            continue;
        }
        found.insert(name.clone(), read(Section::new(table, place, top.log())));
    }
    found
}

fn read(mut section: Section<'_>) -> ProvisionerSettings {
    let default = ProvisionerSettings::default();
    let settings = ProvisionerSettings {
        order_life: section.positive("order_life").unwrap_or(default.order_life),
        challenges: challenges(&mut section),
    };
    section.finish(Unknown::Fault);
    settings
}

fn challenges(section: &mut Section<'_>) -> Option<Vec<Method>> {
    section.value("challenges")?;
    let mut methods = Vec::new();
    let words = section.strings("challenges");
    if words.is_empty() {
        section.fault("challenges", "names none; remove it to offer ca.json's");
    }
    for (n, word) in words.iter().enumerate() {
        match Method::parse(word) {
            Some(method) if methods.contains(&method) => {}
            Some(method) => methods.push(method),
            None => {
                let known: Vec<_> = Method::ALL.iter().map(|m| m.as_str()).collect();
                section.fault(
                    &format!("challenges[{n}]"),
                    format!("{word:?} is none of {}", known.join(", ")),
                );
            }
        }
    }
    Some(methods)
}
