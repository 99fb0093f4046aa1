//! Parses the arguments, runs the command, and turns its result into an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser};

use crate::command::{self, Command};
use crate::context::Context;
use crate::{arguments, output};

/// Create and use a private certificate authority, and inspect certificates
#[derive(Parser)]
#[command(
    name = "step",
    version = command::version::line(),
    disable_version_flag = true,
    arg_required_else_help = true,
    args_override_self = true,
    after_help = EXAMPLES
)]
pub(crate) struct Step {
    /// Read the defaults of flags from this file instead of $(step path)/config/defaults.json
    #[arg(long, global = true, value_name = "file", hide_short_help = true)]
    config: Option<std::path::PathBuf>,

    /// Print the version
    #[arg(long, short = 'v', action = clap::ArgAction::Version)]
    version: Option<bool>,

    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  Create a certificate authority, start it and request a certificate:
    $ step ca init --name Example --dns localhost --address 127.0.0.1:9000 --provisioner admin
    $ step-ca $(step path)/config/ca.json
    $ step ca provisioner add acme --type ACME
    $ step ca certificate --provisioner acme example.com example.crt example.key

  Show a certificate:
    $ step certificate inspect example.crt --short

Each flag can also be set as an environment variable: --ca-url as STEP_CA_URL.";

/// Runs the command that `argv` asks for.
pub(crate) fn run(argv: Vec<OsString>) -> ExitCode {
    let mut tree = Step::command();
    tree.build();
    let argv = arguments::respell(argv, &tree);
    match parse(&argv) {
        Ok((step, context)) => match step.command.run(&context) {
            Ok(code) => code,
            Err(error) => output::failure(&error),
        },
        Err(Stop::Usage(error)) => complain(&error),
        Err(Stop::Failed(error)) => output::failure(&error),
    }
}

/// The whole command tree, for completions.
pub(crate) fn tree() -> clap::Command {
    arguments::fill(Step::command(), &serde_json::Map::new())
}

enum Stop {
    Usage(clap::Error),
    Failed(anyhow::Error),
}

fn parse(argv: &[OsString]) -> Result<(Step, Context), Stop> {
    let context = Context::find(argv).map_err(Stop::Failed)?;
    let defaults = context.defaults().map_err(Stop::Failed)?;
    let tree = arguments::fill(Step::command(), &defaults);
    let matches = tree.try_get_matches_from(argv).map_err(Stop::Usage)?;
    let step = Step::from_arg_matches(&matches).map_err(Stop::Usage)?;
    Ok((step, context))
}

/// Reports what is wrong with the arguments, in the words and with the exit codes that scripts know.
fn complain(error: &clap::Error) -> ExitCode {
    use ErrorKind as Kind;
    let kind = error.kind();
    let usage = usage_line(error);
    let is_help = [
        Kind::DisplayHelp,
        Kind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    if kind == Kind::DisplayVersion {
        // As `step version` prints it.
        let _ = command::version::run();
        return ExitCode::SUCCESS;
    }
    if is_help.contains(&kind) {
        output::help(error);
        return ExitCode::SUCCESS;
    }
    if kind == Kind::InvalidSubcommand {
        return command::no_help_topic(&given(error, ContextKind::InvalidSubcommand));
    }
    let invalid = given(error, ContextKind::InvalidArg);
    if kind == Kind::UnknownArgument && invalid.starts_with('-') {
        show_help(&usage);
        let name = invalid.trim_start_matches('-');
        output::say(&format!("flag provided but not defined: -{name}"));
    } else if kind == Kind::UnknownArgument {
        output::say(&format!(
            "too many positional arguments were provided in '{usage}'"
        ));
    } else if kind == Kind::MissingRequiredArgument {
        output::say(&missing(error, &usage));
    } else if kind == Kind::ArgumentConflict {
        let other = given(error, ContextKind::PriorArg);
        output::say(&format!(
            "flag '{}' is incompatible with '{}'",
            flag_only(&invalid),
            flag_only(&other)
        ));
    } else if [Kind::InvalidValue, Kind::ValueValidation].contains(&kind) {
        output::say(&invalid_value(error));
    } else {
        let text = error.to_string();
        output::say(text.trim_start_matches("error: ").trim_end());
    }
    if command::answers_by_code(&bare_command(&usage)) && !invalid.starts_with('-') {
        return ExitCode::from(command::NO_ANSWER);
    }
    ExitCode::FAILURE
}

/// The parser's value for `kind`; the first of several.
fn given(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

/// Reports a missing argument, or a flag that another one requires.
fn missing(error: &clap::Error, usage: &str) -> String {
    let missing = given(error, ContextKind::InvalidArg);
    let command = bare_command(usage).join(" ");
    if missing.starts_with('-') {
        return format!("'{command}' requires the '{}' flag", flag_only(&missing));
    }
    let choice = choice(&missing);
    if choice.len() > 1 {
        return format!("'{command}' requires one of {}", choice.join(", "));
    }
    format!("not enough positional arguments were provided in '{usage}'")
}

/// The arguments of which one is required, from `<--account <url|id>|--eab-key <id>>`.
fn choice(missing: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = vec![String::new()];
    for letter in missing.chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            '|' if depth == 1 => names.push(String::new()),
            _ => {}
        }
        if depth == 1
            && !"<>|[] ".contains(letter)
            && let Some(name) = names.last_mut()
        {
            name.push(letter);
        }
    }
    names
}

/// `invalid value 'zzz' for flag '--kty'; options are EC, RSA, OKP`.
fn invalid_value(error: &clap::Error) -> String {
    let flag = given(error, ContextKind::InvalidArg);
    let value = given(error, ContextKind::InvalidValue);
    if value.is_empty() {
        return format!("flag '{}' requires a value", flag_only(&flag));
    }
    let what = if flag.starts_with('-') {
        "flag '"
    } else {
        "argument '"
    };
    let mut line = format!("invalid value '{value}' for {what}{}'", flag_only(&flag));
    if let Some(ContextValue::Strings(options)) = error.get(ContextKind::ValidValue) {
        line.push_str("; options are ");
        line.push_str(&options.join(", "));
    } else if let Some(cause) = std::error::Error::source(error) {
        line.push_str(": ");
        line.push_str(&cause.to_string());
    }
    line
}

/// `--kty <kty>` without its value's name.
fn flag_only(text: &str) -> &str {
    text.split([' ', '=']).next().unwrap_or(text)
}

/// The usage line of the failing command: `step ca certificate <subject> <crt-file> <key-file>`.
fn usage_line(error: &clap::Error) -> String {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return "step".to_owned();
    };
    let usage = usage.to_string();
    let line = usage.trim_start_matches("Usage:").trim();
    line.lines()
        .next()
        .unwrap_or(line)
        .replace(" [OPTIONS]", "")
        .trim()
        .to_owned()
}

/// A usage line's words up to its first placeholder.
fn bare_command(usage: &str) -> Vec<&str> {
    let words = usage.split(' ');
    words
        .take_while(|word| !word.starts_with(['<', '[', '-']))
        .collect()
}

/// Prints the help of the command in a usage line, on stdout as the reference implementation does.
fn show_help(usage: &str) {
    let mut tree = tree();
    tree.build();
    let mut command = &mut tree;
    for word in bare_command(usage).into_iter().skip(1) {
        let Some(next) = command.find_subcommand_mut(word) else {
            return;
        };
        command = next;
    }
    // A closed pipe is no failure: the line on stderr says what is wrong.
    let _ = output::data(&command.render_help().to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_consistent() {
        Step::command().debug_assert();
    }

    #[test]
    fn every_help_text_has_examples() {
        fn visit(command: &clap::Command, path: &str, bare: &mut Vec<String>) {
            let path = format!("{path} {}", command.get_name());
            let after = command.get_after_help().map(ToString::to_string);
            if !after.is_some_and(|text| text.contains("Examples:\n")) {
                bare.push(path.clone());
            }
            for sub in command.get_subcommands() {
                visit(sub, &path, bare);
            }
        }
        let mut bare = Vec::new();
        visit(&tree(), "", &mut bare);
        assert!(bare.is_empty(), "no examples: {bare:?}");
    }

    fn reported(line: &str) -> String {
        let words = line.split(' ').map(OsString::from);
        let error = tree().try_get_matches_from(words).unwrap_err();
        if error.kind() == ErrorKind::DisplayHelp {
            return error.to_string();
        }
        missing(&error, &usage_line(&error))
    }

    #[test]
    fn the_help_of_a_command_says_more_than_its_line_in_the_list() {
        let help = reported("step ca acme authorize add --help");
        assert!(help.contains("'**.example.com' every name below"), "{help}");
        let list = reported("step ca acme authorize --help");
        assert!(list.contains("Authorize names\n"), "{list}");
    }

    #[test]
    fn where_one_of_several_arguments_is_required_all_are_listed() {
        assert_eq!(
            reported("step ca acme authorize add acme db.internal"),
            "'step ca acme authorize add' requires one of --account, --eab-key"
        );
        assert_eq!(
            reported("step ca acme renewal set --start 0s --end 2h"),
            "'step ca acme renewal set' requires one of serial, --provisioner, --issued-before"
        );
        assert_eq!(
            reported("step ca acme renewal set --provisioner acme --end 2h"),
            "'step ca acme renewal set' requires the '--start' flag"
        );
    }
}
