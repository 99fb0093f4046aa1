//! Text that somebody else wrote, made safe to print: it can neither control a terminal nor forge a line.
//!
//! Not here: what the text means. The escapes are those of JSON, so that text inside JSON stays the same value.

use std::fmt::{self, Display, Write};

/// Foreign text as part of one line: every character that a terminal acts on is shown as its escape, line ends included.
#[derive(Debug, Clone, Copy)]
pub struct Foreign<T>(pub T);

impl<T: Display> Display for Foreign<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Escaping {
            out: f,
            kept: is_never,
        };
        write!(out, "{}", self.0)
    }
}

/// Text of several lines that may contain foreign text: as [`Foreign`], but line ends and tabs stay.
#[derive(Debug, Clone, Copy)]
pub struct Lines<T>(pub T);

impl<T: Display> Display for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Escaping {
            out: f,
            kept: is_layout,
        };
        write!(out, "{}", self.0)
    }
}

/// Escapes what is written through it, except for the characters that `kept` names.
struct Escaping<'a, 'b> {
    out: &'a mut fmt::Formatter<'b>,
    kept: fn(char) -> bool,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Most text is printable ASCII, which is passed over octet by octet.
        let is_plain = |octet: &u8| (b' '..=b'~').contains(octet);
        let (mut written, mut at) = (0, 0);
        while let Some(plain) = text.as_bytes()[at..].iter().position(|it| !is_plain(it)) {
            at += plain;
            let Some(found) = text[at..].chars().next() else {
                break;
            };
            let end = at + found.len_utf8();
            if is_active(found) && !(self.kept)(found) {
                self.out.write_str(&text[written..at])?;
                escape(self.out, found)?;
                written = end;
            }
            at = end;
        }
        self.out.write_str(&text[written..])
    }
}

fn escape(out: &mut fmt::Formatter<'_>, found: char) -> fmt::Result {
    match found {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        _ => {
            let mut units = [0; 2];
            let units = found.encode_utf16(&mut units);
            units
                .iter()
                .try_for_each(|unit| write!(out, "\\u{unit:04x}"))
        }
    }
}

/// Whether a terminal acts on a character rather than showing it: controls, line separators, changes of
/// the writing direction, and characters that nobody sees.
fn is_active(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

const fn is_layout(c: char) -> bool {
    matches!(c, '\n' | '\t')
}

const fn is_never(_: char) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_shown_as_its_escape() {
        for (text, shown) in [
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\\u001b[2J\\u001b]0;x\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\r\n\tb\u{8}\0\u{7f}", "a\\r\\n\\tb\\u0008\\u0000\\u007f"),
            ("\u{202e}gpj.exe\u{2066}", "\\u202egpj.exe\\u2066"),
            ("\u{2028}\u{feff}\u{e0041}", "\\u2028\\ufeff\\udb40\\udc41"),
            ("O=Zürich, 株式会社 😀\\n", "O=Zürich, 株式会社 😀\\n"),
        ] {
            assert_eq!(Foreign(text).to_string(), shown);
        }
    }

    #[test]
    fn several_lines_keep_their_layout_and_nothing_else() {
        let text = "one\n\ttwo\r\u{1b}[A\n";
        assert_eq!(Lines(text).to_string(), "one\n\ttwo\\r\\u001b[A\n");
    }

    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({ "a": "\u{9b}\u{202e}\u{e0041}\u{1b}\n" });
        let printed = Lines(serde_json::to_string_pretty(&value).unwrap()).to_string();
        assert!(!printed.contains('\u{9b}') && !printed.contains('\u{202e}'));
        let read: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(read, value);
    }
}
