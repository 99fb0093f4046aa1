//! `[provisioner.<name>]` of riser.toml: what ca.json has no place for.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;

use crate::config::section::{Section, Unknown};

/// `[provisioner.<name>]`: what ca.json has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionerSettings {
    /// `order_life`: how long an order and its authorizations stay open, 24 h.
    pub order_life: SignedDuration,
}

impl Default for ProvisionerSettings {
    fn default() -> Self {
        Self {
            order_life: SignedDuration::from_hours(24),
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
    };
    section.finish(Unknown::Fault);
    settings
}
