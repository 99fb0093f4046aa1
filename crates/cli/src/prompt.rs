//! Asks the user on the terminal itself, wherever stdin and stdout lead: for passwords, choices, and
//! before a file is overwritten.

use std::fs::{self, OpenOptions};
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use ca::config::KeyUri;
use dialoguer::console::Term;
use dialoguer::{Confirm, Input, Password, Select};
use pki::foreign::Lines;
use pki::{Foreign, PrivateKey};
use zeroize::Zeroizing;

use crate::file;

/// The user's terminal.
pub(crate) struct Terminal(Term);

impl Terminal {
    /// Opens `/dev/tty`.
    ///
    /// # Errors
    /// When there is no terminal, in the words that scripts match.
    pub(crate) fn open() -> Result<Self> {
        let opened = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let cloned = opened.and_then(|tty| Ok((tty.try_clone()?, tty)));
        match cloned {
            Ok((read, write)) => Ok(Self(Term::read_write_pair(read, write))),
            Err(e) => bail!(
                "error allocating terminal: open /dev/tty: {}",
                file::words(&e)
            ),
        }
    }

    /// Asks for a line; an empty answer is `default`, if there is one.
    ///
    /// # Errors
    /// When the terminal closes or the user interrupts.
    pub(crate) fn line(&self, question: &str, default: Option<&str>) -> Result<String> {
        let mut input = Input::<String>::new().with_prompt(Foreign(question).to_string());
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        Ok(input.interact_text_on(&self.0)?.trim().to_owned())
    }

    /// Asks for a line until `read` accepts it, and shows each time why it does not.
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

    /// Asks for a secret without showing it; it may be empty.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn secret(&self, question: &str) -> Result<Zeroizing<String>> {
        let password = Password::new()
            .with_prompt(Foreign(question).to_string())
            .allow_empty_password(true);
        Ok(Zeroizing::new(password.interact_on(&self.0)?))
    }

    /// Lets the user choose one of `options`; returns its index.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn choose(&self, question: &str, options: &[String]) -> Result<usize> {
        let select = Select::new()
            .with_prompt(Foreign(question).to_string())
            .items(options.iter().map(Foreign))
            .default(0);
        Ok(select.interact_on(&self.0)?)
    }

    /// Asks yes or no.
    ///
    /// # Errors
    /// As [`Terminal::line`].
    pub(crate) fn confirm(&self, question: &str) -> Result<bool> {
        let question = Foreign(question).to_string();
        Ok(Confirm::new().with_prompt(question).interact_on(&self.0)?)
    }

    /// Shows a line on the terminal only, so that no log records it.
    ///
    /// # Errors
    /// When the terminal closes.
    pub(crate) fn show(&self, line: &str) -> Result<()> {
        Ok(self.0.write_line(&Lines(line).to_string())?)
    }
}

/// Reads a private key from a file or the URI of one; asks for its password if it is encrypted and no file is given.
///
/// # Errors
/// When the file or the password cannot be used.
pub(crate) fn read_key(path: &Path, password_file: Option<&Path>) -> Result<PrivateKey> {
    let named = path.to_str().map(KeyUri::parse).transpose()?;
    let path = match &named {
        Some(KeyUri::File(file)) => file,
        None => path,
    };
    let password = if password_file.is_some() || keys::file::is_encrypted(path)? {
        Some(key_password(path, password_file)?)
    } else {
        None
    };
    let password = password.as_ref().map(|bytes| bytes.as_slice());
    Ok(keys::file::read(path, password)?)
}

/// The password of an encrypted key: from the file, else from the terminal.
///
/// # Errors
/// When the file cannot be read, or there is no terminal.
pub(crate) fn key_password(key: &Path, password_file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>> {
    if let Some(password_file) = password_file {
        return file::read_password(password_file);
    }
    let question = format!("Please enter the password to decrypt {}", key.display());
    let typed = Terminal::open()?.secret(&question)?;
    Ok(Zeroizing::new(typed.as_bytes().to_vec()))
}

/// Checks that `paths` can be written, and asks before any that exists is overwritten, unless `force` says yes
/// to all.
///
/// Asking before the work starts saves an order whose result could not be written.
///
/// # Errors
/// When one cannot be written, the answer is no, or there is no terminal.
pub(crate) fn may_overwrite(paths: &[&Path], force: bool) -> Result<()> {
    file::check_writable(paths)?;
    if force {
        return Ok(());
    }
    ask_to_overwrite(paths, "use '--force' to overwrite it")
}

/// As [`may_overwrite`] without a way to say yes in advance; `hint` is what to do instead.
///
/// # Errors
/// As [`may_overwrite`].
pub(crate) fn ask_to_overwrite(paths: &[&Path], hint: &str) -> Result<()> {
    file::refuse_folders(paths)?;
    for path in paths {
        let Ok(found) = fs::metadata(path) else {
            continue;
        };
        if !found.is_file() {
            continue;
        }
        let question = format!("Would you like to overwrite {}", path.display());
        let terminal = Terminal::open()
            .map_err(|error| anyhow!("{error}\n{} exists: {hint}", path.display()))?;
        if !terminal.confirm(&question)? {
            bail!("file {} already exists", path.display());
        }
    }
    Ok(())
}
