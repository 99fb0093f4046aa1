//! Reading a configuration value by value: each fault is noted with its place and reading goes
//! on, so that all faults are known at once.

use std::cell::RefCell;
use std::fmt;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::go_duration;

/// A configuration that cannot be used, and where it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The file: `ca.json` or `riser.toml`.
    pub file: &'static str,
    /// The path inside the file, such as `authority.provisioners[1].name`; empty for the whole.
    pub place: String,
    /// What is wrong and, where it is not obvious, what to do.
    pub what: String,
}

/// Something that the configuration says and that has no effect, or not the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The file: `ca.json` or `riser.toml`.
    pub file: &'static str,
    /// The path inside the file; empty for the whole.
    pub place: String,
    /// What the operator should know.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, self.file, &self.place, &self.what)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, self.file, &self.place, &self.what)
    }
}

fn line(f: &mut fmt::Formatter<'_>, file: &str, place: &str, what: &str) -> fmt::Result {
    if place.is_empty() {
        write!(f, "{file}: {what}")
    } else {
        write!(f, "{file}: {place}: {what}")
    }
}

/// Where faults and warnings of one file are gathered.
#[derive(Debug)]
pub(crate) struct Log {
    file: &'static str,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Warning>>,
    /// Every place that was asked for, whether or not the file has it: the manual is checked by it.
    #[cfg(test)]
    pub(crate) asked: RefCell<std::collections::BTreeSet<String>>,
}

impl Log {
    pub(crate) fn new(file: &'static str) -> Self {
        Self {
            file,
            faults: RefCell::default(),
            warnings: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    pub(crate) fn fault(&self, place: impl Into<String>, what: impl Into<String>) {
        self.faults.borrow_mut().push(Fault {
            file: self.file,
            place: place.into(),
            what: what.into(),
        });
    }

    pub(crate) fn warn(&self, place: impl Into<String>, what: impl Into<String>) {
        self.warnings.borrow_mut().push(Warning {
            file: self.file,
            place: place.into(),
            what: what.into(),
        });
    }

    pub(crate) fn into_parts(self) -> (Vec<Fault>, Vec<Warning>) {
        (self.faults.into_inner(), self.warnings.into_inner())
    }
}

/// What a key that no reader knows means in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// ca.json: other programs write it too, and newer ones know more.
    Warn,
    /// riser.toml: it is ours alone, and a misspelt deny rule must not pass.
    Fault,
}

/// One object of the file while it is read.
pub(crate) struct Section<'a> {
    map: &'a Map<String, Value>,
    place: String,
    asked: Vec<&'a str>,
    known: Vec<String>,
    log: &'a Log,
}

impl<'a> Section<'a> {
    pub(crate) fn new(map: &'a Map<String, Value>, place: impl Into<String>, log: &'a Log) -> Self {
        Self {
            map,
            place: place.into(),
            asked: Vec::new(),
            known: Vec::new(),
            log,
        }
    }

    pub(crate) fn log(&self) -> &'a Log {
        self.log
    }

    /// The full path of a key in this section.
    pub(crate) fn at(&self, key: &str) -> String {
        if self.place.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.place)
        }
    }

    pub(crate) fn fault(&self, key: &str, what: impl Into<String>) {
        self.log.fault(self.at(key), what);
    }

    pub(crate) fn warn(&self, key: &str, what: impl Into<String>) {
        self.log.warn(self.at(key), what);
    }

    /// The value of a key, `null` counting as absent. Letter case of keys does not matter, as
    /// in the program that defined the file; the exact spelling comes first.
    pub(crate) fn value(&mut self, key: &str) -> Option<&'a Value> {
        #[cfg(test)]
        self.log.asked.borrow_mut().insert(self.at(key));
        if !self.known.iter().any(|known| known == key) {
            self.known.push(key.to_owned());
        }
        let (name, value) = self.map.get_key_value(key).or_else(|| {
            self.map
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
        })?;
        self.asked.push(name);
        (!value.is_null()).then_some(value)
    }

    /// Marks keys as known whose values have no meaning here.
    pub(crate) fn skip(&mut self, keys: &[&str]) {
        for key in keys {
            self.value(key);
        }
    }

    pub(crate) fn string(&mut self, key: &str) -> Option<String> {
        let value = self.value(key)?;
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(key, "a string", value),
        }
    }

    /// A string that is not empty; an empty one counts as absent.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.string(key).filter(|text| !text.is_empty())
    }

    pub(crate) fn required(&mut self, key: &str) -> String {
        let before = self.log.faults.borrow().len();
        let found = self.text(key);
        if found.is_none() && self.log.faults.borrow().len() == before {
            self.fault(key, "is missing or empty");
        }
        found.unwrap_or_default()
    }

    pub(crate) fn bool(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        match value.as_bool() {
            Some(flag) => Some(flag),
            None => self.wrong(key, "true or false", value),
        }
    }

    pub(crate) fn float(&mut self, key: &str) -> Option<f64> {
        let value = self.value(key)?;
        match value.as_f64() {
            Some(number) => Some(number),
            None => self.wrong(key, "a number", value),
        }
    }

    /// A whole number within `bounds`.
    pub(crate) fn whole(
        &mut self,
        key: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.value(key)?;
        match value.as_u64().filter(|number| bounds.contains(number)) {
            Some(number) => Some(number),
            None => {
                let expected =
                    format!("a whole number from {} to {}", bounds.start(), bounds.end());
                self.wrong(key, &expected, value)
            }
        }
    }

    pub(crate) fn duration(&mut self, key: &str) -> Option<SignedDuration> {
        let text = self.text(key)?;
        match go_duration::parse(&text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.fault(key, error.to_string());
                None
            }
        }
    }

    /// A duration greater than zero.
    pub(crate) fn positive(&mut self, key: &str) -> Option<SignedDuration> {
        let duration = self.duration(key)?;
        if duration <= SignedDuration::ZERO {
            self.fault(key, "must be greater than 0");
            return None;
        }
        Some(duration)
    }

    /// A list of strings; `null` and absent are the empty list.
    pub(crate) fn strings(&mut self, key: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (place, value) in self.list(key) {
            match value.as_str() {
                Some(text) => found.push(text.to_owned()),
                None => {
                    let what = format!("must be a string, not {}", kind(value));
                    self.log.fault(place, what);
                }
            }
        }
        found
    }

    /// A list's values, each with its place; `null` and absent are the empty list.
    pub(crate) fn list(&mut self, key: &str) -> Vec<(String, &'a Value)> {
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(values)) => values
                .iter()
                .enumerate()
                .map(|(n, value)| (format!("{}[{n}]", self.at(key)), value))
                .collect(),
            Some(other) => {
                self.wrong::<()>(key, "a list", other);
                Vec::new()
            }
        }
    }

    /// The object under a key.
    pub(crate) fn section(&mut self, key: &str) -> Option<Self> {
        let value = self.value(key)?;
        match value.as_object() {
            Some(map) => Some(Section::new(map, self.at(key), self.log)),
            None => self.wrong(key, "an object", value),
        }
    }

    /// Ends the reading: keys that no reader knows are reported.
    pub(crate) fn finish(self, unknown: Unknown) {
        for key in self.map.keys() {
            if self.asked.contains(&key.as_str()) {
                continue;
            }
            match unknown {
                Unknown::Warn => self.warn(key, "is not a known key and has no effect"),
                Unknown::Fault => {
                    let known = self.known.join(", ");
                    self.fault(key, format!("is not a known key; known keys: {known}"));
                }
            }
        }
    }

    fn wrong<T>(&self, key: &str, expected: &str, found: &Value) -> Option<T> {
        self.fault(key, format!("must be {expected}, not {}", kind(found)));
        None
    }
}

/// Whether a text is an HTTP URL that a header field can contain.
pub(crate) fn is_url(text: &str) -> bool {
    let rest = (text.strip_prefix("https://")).or_else(|| text.strip_prefix("http://"));
    let is_visible = |c: char| c.is_ascii_graphic() && !"<>\"".contains(c);
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_visible))
}

/// What a value is, in words.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// `true` for what Go leaves out as empty: null, "", false, 0, {}, [], and objects of such.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(map) => map.values().all(is_blank),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_wrong_value_is_noted_with_its_place() {
        let value = json!({"a": 1, "b": "x", "c": ["y", 2], "d": "5 days", "e": "-1s"});
        let log = Log::new("ca.json");
        let mut section = Section::new(value.as_object().unwrap(), "top", &log);
        section.string("a");
        section.bool("b");
        section.strings("c");
        section.duration("d");
        section.positive("e");
        section.finish(Unknown::Warn);
        let (faults, warnings) = log.into_parts();
        let places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
        assert_eq!(places, ["top.a", "top.b", "top.c[1]", "top.d", "top.e"]);
        assert_eq!(
            faults[0].to_string(),
            "ca.json: top.a: must be a string, not 1"
        );
        assert!(warnings.is_empty());
    }

    #[test]
    fn null_is_absent_and_letter_case_does_not_matter() {
        let value = json!({"dnsnames": ["a"], "root": null});
        let log = Log::new("ca.json");
        let mut section = Section::new(value.as_object().unwrap(), "", &log);
        assert_eq!(section.strings("dnsNames"), ["a"]);
        assert_eq!(section.string("root"), None);
        section.finish(Unknown::Fault);
        assert_eq!(log.into_parts(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_missing_value_is_noted_once() {
        let value = json!({"crt": 1});
        let log = Log::new("ca.json");
        let mut section = Section::new(value.as_object().unwrap(), "", &log);
        section.required("crt");
        section.required("key");
        let (faults, _) = log.into_parts();
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[1].to_string(), "ca.json: key: is missing or empty");
    }
}
