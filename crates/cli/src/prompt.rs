//! Questions to a person, on the terminal itself, whatever stdin and stdout are.

use std::fs::OpenOptions;

use anyhow::{Result, bail};
use dialoguer::console::Term;
use dialoguer::{Confirm, Input, Password, Select};
use zeroize::Zeroizing;

/// The person's terminal.
pub(crate) struct Terminal(Term);

impl Terminal {
    /// Opens `/dev/tty`.
    ///
    /// # Errors
    /// Where there is no terminal, in the words that scripts match.
    pub(crate) fn open() -> Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let cloned = opened.and_then(|tty| Ok((tty.try_clone()?, tty)));
        match cloned {
            Ok((read, write)) => Ok(Self(Term::read_write_pair(read, write))),
            Err(e) => bail!(
                "error allocating terminal: open /dev/tty: {}",
                crate::file::words(&e)
            ),
        }
    }

    /// Asks for a line; an empty one is `default` where there is one.
    ///
    /// # Errors
    /// When the terminal goes away or the person interrupts.
    pub(crate) fn line(&self, question: &str, default: Option<&str>) -> Result<String> {
        let mut input = Input::<String>::new().with_prompt(question);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        Ok(input.interact_text_on(&self.0)?.trim().to_owned())
    }

    /// Asks for a line until `read` can use it, and says each time why it cannot.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn until<T>(
        &self,
        question: &str,
        default: &str,
        read: impl Fn(&str) -> Result<T>,
    ) -> Result<T> {
        loop {
            match read(&self.line(question, Some(default))?) {
                Ok(value) => return Ok(value),
                Err(error) => self.show(&error.to_string())?,
            }
        }
    }

    /// Asks for a secret, unseen; it may be empty.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn secret(&self, question: &str) -> Result<Zeroizing<String>> {
        let password = Password::new()
            .with_prompt(question)
            .allow_empty_password(true);
        Ok(Zeroizing::new(password.interact_on(&self.0)?))
    }

    /// Lets the person choose one of `options`; answers with its place.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn choose(&self, question: &str, options: &[String]) -> Result<usize> {
        let select = Select::new()
            .with_prompt(question)
            .items(options)
            .default(0);
        Ok(select.interact_on(&self.0)?)
    }

    /// Asks yes or no.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn confirm(&self, question: &str) -> Result<bool> {
        Ok(Confirm::new().with_prompt(question).interact_on(&self.0)?)
    }

    /// Shows a line on the terminal only, where no log keeps it.
    ///
    /// # Errors
    /// When the terminal goes away.
    pub(crate) fn show(&self, line: &str) -> Result<()> {
        Ok(self.0.write_line(line)?)
    }
}
