//! Spellings and sources of flags: the command line, the environment, `defaults.json`.

use std::collections::HashSet;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value};

/// Flags that take no value from the environment or from `defaults.json`, by command:
/// the root that a new authority is to use must be named each time.
const OWN_ONLY: &[(&str, &str)] = &[
    ("init", "root"),
    ("init", "key"),
    ("bootstrap", "root"),
    ("inspect", "roots"),
];

/// Rewrites the spellings that scripts use into the one that the parser knows:
/// `-force` as `--force`, `--force=true` as `--force`, and `--force=false` as nothing.
pub(crate) fn respell(argv: Vec<OsString>, tree: &Command) -> Vec<OsString> {
    let mut names = Names::default();
    names.collect(tree);
    let mut out = Vec::with_capacity(argv.len());
    let mut words = argv.into_iter();
    out.extend(words.next());
    for word in words.by_ref() {
        if word == "--" {
            out.push(word);
            break;
        }
        match word.to_str().map(|text| names.respell(text)) {
            Some(Spelling::Other(text)) => out.push(text.into()),
            Some(Spelling::Dropped) => {}
            Some(Spelling::Same) | None => out.push(word),
        }
    }
    out.extend(words);
    out
}

/// Gives each flag its environment variable and its value from `defaults.json`.
/// The parser then knows the order: command line, environment, file, built-in.
pub(crate) fn fill(tree: Command, defaults: &Map<String, Value>) -> Command {
    let name = tree.get_name().to_owned();
    let mut tree = tree
        .args_override_self(true)
        .mut_args(|arg| source(arg, &name, defaults));
    let below: Vec<String> = tree
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for sub in below {
        tree = tree.mut_subcommand(sub, |sub| fill(sub, defaults));
    }
    tree
}

fn source(arg: Arg, command: &str, defaults: &Map<String, Value>) -> Arg {
    let Some(long) = arg.get_long().map(str::to_owned) else {
        let name = arg.get_id().as_str().replace('_', "-");
        return arg.value_name(&*name.leak());
    };
    if matches!(long.as_str(), "help" | "version" | "config" | "context") {
        return arg;
    }
    if OWN_ONLY.contains(&(command, long.as_str())) {
        return arg;
    }
    let variable = format!("STEP_{}", long.to_uppercase().replace('-', "_"));
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let is_list = matches!(arg.get_action(), ArgAction::Append);
    // The parser borrows names for as long as the process lives.
    let mut arg = arg.env(&*variable.leak()).hide_env(true);
    if is_flag {
        arg = arg.value_parser(yes_or_no);
    }
    let Some(values) = defaults.get(&long).map(texts) else {
        return arg;
    };
    let taken = if is_list { values.len() } else { 1 };
    let values: Vec<&'static str> = values
        .into_iter()
        .take(taken)
        .map(|value| &*value.leak())
        .collect();
    if values.is_empty() {
        return arg;
    }
    let arg = arg.default_values(values);
    if is_flag {
        arg
    } else {
        arg.hide_default_value(true)
    }
}

/// A flag's value in the environment or `defaults.json`; an empty one is no.
fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "yes" | "on" => Ok(true),
        "false" | "0" | "f" | "no" | "off" | "" => Ok(false),
        _ => Err("give true or false".to_owned()),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null | Value::Object(_) => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
    }
}

#[derive(Default)]
struct Names {
    flags: HashSet<String>,
    all: HashSet<String>,
}

enum Spelling {
    Same,
    Other(String),
    Dropped,
}

impl Names {
    fn collect(&mut self, tree: &Command) {
        for arg in tree.get_arguments() {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            for name in arg.get_long().into_iter().chain(aliases) {
                if matches!(arg.get_action(), ArgAction::SetTrue) {
                    self.flags.insert(name.to_owned());
                }
                self.all.insert(name.to_owned());
            }
        }
        for sub in tree.get_subcommands() {
            self.collect(sub);
        }
    }

    fn respell(&self, word: &str) -> Spelling {
        let Some(after) = word.strip_prefix('-') else {
            return Spelling::Same;
        };
        let long = after.strip_prefix('-').unwrap_or(after);
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        if name.len() < 2 || !self.all.contains(name) {
            return Spelling::Same;
        }
        if !self.flags.contains(name) {
            return Spelling::Other(format!("--{long}"));
        }
        match value {
            None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => {
                Spelling::Other(format!("--{name}"))
            }
            Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Spelling::Dropped,
            Some(_) => Spelling::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Command {
        Command::new("step").subcommand(
            Command::new("x")
                .arg(Arg::new("force").long("force").action(ArgAction::SetTrue))
                .arg(Arg::new("san").long("san").action(ArgAction::Append))
                .arg(Arg::new("kty").long("kty")),
        )
    }

    fn words(argv: &[&str]) -> Vec<String> {
        let argv = argv.iter().map(OsString::from).collect();
        let out = respell(argv, &tree()).into_iter();
        out.map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn one_dash_and_explicit_booleans_mean_the_same_as_two_dashes() {
        assert_eq!(
            words(&["step", "x", "-force=true", "-kty", "RSA"]),
            ["step", "x", "--force", "--kty", "RSA"]
        );
        assert_eq!(words(&["step", "x", "--force=false"]), ["step", "x"]);
        assert_eq!(
            words(&["step", "--", "-force"]),
            ["step", "--", "-force"],
            "nothing is a flag after two dashes"
        );
    }

    #[test]
    fn a_flag_in_a_file_is_true_or_false_and_nothing_else() {
        let parsed = |value: &str| {
            let defaults = serde_json::json!({ "force": value });
            let filled = fill(tree(), defaults.as_object().unwrap());
            let found = filled.try_get_matches_from(["step", "x"]);
            found.map(|found| found.subcommand().unwrap().1.get_flag("force"))
        };
        assert!(parsed("true").unwrap());
        assert!(!parsed("0").unwrap());
        assert!(parsed("maybe").is_err(), "a typo must not overwrite files");
    }

    #[test]
    fn a_default_fills_a_flag_that_was_not_given() {
        let defaults = serde_json::json!({"kty": "RSA", "san": ["a", "b"], "force": true});
        let filled = fill(tree(), defaults.as_object().unwrap());
        let found = filled.try_get_matches_from(["step", "x"]).unwrap();
        let (_, x) = found.subcommand().unwrap();
        assert_eq!(x.get_one::<String>("kty").unwrap(), "RSA");
        assert_eq!(x.get_many::<String>("san").unwrap().count(), 2);
        assert!(x.get_flag("force"));
        let filled = fill(tree(), defaults.as_object().unwrap());
        let found = filled
            .try_get_matches_from(["step", "x", "--kty", "EC"])
            .unwrap();
        let (_, x) = found.subcommand().unwrap();
        assert_eq!(x.get_one::<String>("kty").unwrap(), "EC");
    }
}
