//! Console examples of a page: commands after `$ `, what each prints, and the comparison of the
//! two. `…` in an expected line stands for any text; alone on a line, for any number of lines.

use std::ops::Range;

/// A command and the lines that the page says it prints.
pub struct Example {
    /// What the shell runs, continued lines joined.
    pub command: String,
    /// The expected lines.
    pub expected: Vec<String>,
    /// Where the expected lines are in the page, as line numbers from 0.
    pub lines: Range<usize>,
}

/// Reads the examples of every ```` ```console ```` block of a page, in order.
pub fn examples(page: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let (mut inside, mut continued) = (false, false);
    for (at, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            (inside, continued) = (line == "```console", false);
        } else if !inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            continued = command.ends_with('\\');
            found.push(Example {
                command: command.to_owned(),
                expected: Vec::new(),
                lines: at + 1..at + 1,
            });
        } else if let Some(example) = found.last_mut() {
            if continued {
                example.command.push('\n');
                example.command.push_str(line);
                continued = line.ends_with('\\');
                example.lines = at + 1..at + 1;
            } else {
                example.expected.push(line.to_owned());
                example.lines.end = at + 1;
            }
        }
    }
    found
}

/// Whether the printed lines are the expected ones.
pub fn matches(expected: &[String], printed: &[String]) -> bool {
    match (expected.split_first(), printed.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((line, rest)), _) if line.trim() == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        (Some((line, rest)), Some((first, others))) => {
            line_matches(line, first) && matches(rest, others)
        }
        (Some(_), None) => false,
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let Some((first, rest)) = expected.split_once('…') else {
        return expected == printed;
    };
    let Some(printed) = printed.strip_prefix(first) else {
        return false;
    };
    let starts = printed.char_indices().map(|(at, _)| at);
    starts
        .chain([printed.len()])
        .any(|at| line_matches(rest, &printed[at..]))
}

/// Replaces what differs from run to run: identifiers, times, keys, dots of waiting.
pub fn without_chance(printed: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut armoured = false;
    for line in printed {
        if line.starts_with("-----END ") {
            armoured = false;
        }
        if !armoured {
            let words: Vec<String> = line.split(' ').map(word_without_chance).collect();
            lines.push(words.join(" "));
        }
        if line.starts_with("-----BEGIN ") {
            armoured = true;
            lines.push("…".to_owned());
        }
    }
    lines
}

/// A word whose long runs of digits, hexadecimal or base64 are `…`.
fn word_without_chance(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c == '.') {
        return "…".to_owned();
    }
    let mut out = String::new();
    let mut run = String::new();
    for c in word.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_') && looks_random(&run) {
            run.push(c);
            continue;
        }
        let random = looks_random(&run) && run.len() >= 9;
        out.push_str(if random { "…" } else { &run });
        run.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// Has digits, and is longer than what a name has of them.
fn looks_random(run: &str) -> bool {
    run.chars().filter(char::is_ascii_digit).count() >= 4
}
