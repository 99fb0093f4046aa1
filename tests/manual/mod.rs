//! The manual against the programs: console examples are run in order, configuration examples are
//! loaded, and every command has a section. `RISER_MANUAL=record` writes the output into the page.

mod transcript;

use std::collections::BTreeSet;
use std::fs;

use acceptance::authority::Authority;
use acceptance::cross;
use acceptance::namespace::{Harness, own_harness};
use acceptance::paths;
use acceptance::process::{self, Daemon, Outcome};
use serde_json::{Value, json};
use transcript::Example;

const PAGE: &str = "docs/manual/step.md";
/// Runs a command with the variables that the commands before it have set.
const SESSION: &str = r#"
    [ ! -f session ] || . ./session
    set -a
    eval "$1" 2>&1
    code=$?
    export -p > session
    exit $code
"#;

#[test]
fn the_examples_of_the_command_line_print_what_the_manual_says() {
    own_harness(|harness| {
        harness.host("127.0.0.1", "example.com");
        harness.write("pw", "a password\n");
        let page = fs::read_to_string(paths::root().join(PAGE)).unwrap();
        let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
        let examples = transcript::examples(&page);
        assert!(examples.len() >= 30, "only {} examples", examples.len());
        let mut servers = Vec::new();
        let mut wrong = Vec::new();
        let mut moved = Vec::new();
        for example in &examples {
            if let Some(server) = example.command.strip_suffix(" &") {
                servers.push(started(harness, server));
                continue;
            }
            let printed = printed(harness, &typed(harness, &example.command));
            if !transcript::matches(&example.expected, &printed) {
                wrong.push(difference(example, &printed));
                moved.push((example, transcript::without_chance(&printed)));
            }
        }
        if std::env::var("RISER_MANUAL").is_ok_and(|v| v == "record") {
            for (example, printed) in moved.into_iter().rev() {
                lines.splice(example.lines.clone(), printed);
            }
            fs::write(paths::root().join(PAGE), lines.join("\n") + "\n").unwrap();
            return;
        }
        assert!(
            wrong.is_empty(),
            "RISER_MANUAL=record rewrites {PAGE}\n{}",
            wrong.join("\n")
        );
    });
}

fn typed(harness: &Harness, line: &str) -> Outcome {
    process::run(harness.shell().args(["-c", SESSION, "sh", line]))
}

/// What a user would see, with the test's folder as the home directory.
fn printed(harness: &Harness, outcome: &Outcome) -> Vec<String> {
    let home = harness.dir().display().to_string();
    let text = outcome.text().replace(&home, "/home/you");
    text.lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

/// Starts the server of an example that ends with ` &`, and waits until it is healthy.
fn started(harness: &Harness, command: &str) -> Daemon {
    let mut line = harness.shell();
    line.args(["-c", &format!("exec {command}")]);
    let server = Daemon::spawn(&mut line, &harness.path("server.log"));
    process::eventually("a healthy server", || {
        (typed(harness, "step ca health").stdout == "ok\n").then_some(())
    });
    server
}

fn difference(example: &Example, printed: &[String]) -> String {
    format!(
        "$ {}\n--- the manual says\n{}\n--- it prints\n{}\n",
        example.command,
        example.expected.join("\n"),
        printed.join("\n")
    )
}

#[test]
fn the_configuration_examples_of_every_page_load_without_errors() {
    own_harness(|harness| {
        let mut server = Authority::started(harness);
        cross::sign(&server.authority.path);
        let config = server.authority.path.join("config");
        let before = fs::read_to_string(config.join("ca.json")).unwrap();
        let mut loaded = 0;
        for example in configuration_examples() {
            let mut ca: Value = serde_json::from_str(&before).unwrap();
            let acme = &mut ca["authority"]["provisioners"][1];
            acme["caaIdentities"] = json!(["ca.example.com"]);
            let mut riser = String::new();
            match example.language {
                Language::Toml => riser.clone_from(&example.text),
                Language::Json => {
                    let part: Value = serde_json::from_str(&example.text).unwrap();
                    let target = if part["type"] == "ACME" {
                        acme
                    } else {
                        &mut ca
                    };
                    merge(target, part);
                }
            }
            fs::write(config.join("riser.toml"), riser).unwrap();
            fs::write(config.join("ca.json"), ca.to_string()).unwrap();
            let answer = server.authority.run(&["ca", "reload", "--accept-removal"]);
            assert_eq!(answer.code, Some(0), "{}\n{answer:?}", example.text);
            loaded += 1;
        }
        assert!(loaded >= 5, "only {loaded} examples");
        assert!(server.daemon.is_running());
    });
}

enum Language {
    Toml,
    Json,
}

/// A block of `riser.toml`, or a part of `ca.json`: an ACME provisioner, or an object to merge.
struct Configuration {
    language: Language,
    text: String,
}

fn configuration_examples() -> Vec<Configuration> {
    let mut found: Vec<Configuration> = Vec::new();
    for entry in fs::read_dir(paths::root().join("docs/manual")).unwrap() {
        let page = fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut inside = false;
        for line in page.lines() {
            let language = match line {
                "```toml" => Some(Language::Toml),
                "```json" => Some(Language::Json),
                _ => None,
            };
            if let Some(language) = language {
                inside = true;
                let text = String::new();
                found.push(Configuration { language, text });
            } else if line.starts_with("```") {
                inside = false;
            } else if let Some(example) = found.last_mut().filter(|_| inside) {
                example.text.push_str(line);
                example.text.push('\n');
            }
        }
    }
    found
}

/// Puts every member of `part` into `target`; objects are merged.
fn merge(target: &mut Value, part: Value) {
    match (target, part) {
        (Value::Object(target), Value::Object(part)) => {
            for (key, value) in part {
                merge(target.entry(key).or_insert(Value::Null), value);
            }
        }
        (target, part) => *target = part,
    }
}

#[test]
fn every_command_has_a_section_in_the_manual() {
    let page = fs::read_to_string(paths::root().join(PAGE)).unwrap();
    let sections: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### `"))
        .filter_map(|line| line.strip_suffix('`').map(str::to_owned))
        .collect();
    let mut commands = BTreeSet::new();
    collect(&mut vec!["step".to_owned()], &mut commands);
    assert!(commands.len() >= 25, "{commands:?}");
    assert_eq!(sections, commands, "sections of {PAGE}, commands of step");
}

/// Adds every command without subcommands, as the help lists them.
fn collect(words: &mut Vec<String>, commands: &mut BTreeSet<String>) {
    let mut help = process::command(paths::ours("step"));
    let help = process::run(help.args(&words[1..]).arg("--help")).success();
    let names: Vec<String> = help
        .stdout
        .split("\nCommands:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .unwrap_or_default()
        .lines()
        // A line that continues a help text is indented further.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        commands.insert(words.join(" "));
    }
    for name in names {
        words.push(name);
        collect(words, commands);
        words.pop();
    }
}
