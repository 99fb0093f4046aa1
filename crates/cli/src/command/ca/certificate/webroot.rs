//! Answers http-01 challenges with files in the folder of a running web server.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::file;

/// The folder of a web server; the files in it are removed when the order ends.
pub(crate) struct Webroot {
    challenges: PathBuf,
    made: Vec<PathBuf>,
    tokens: RefCell<Vec<String>>,
}

impl Webroot {
    /// Creates the folder of challenges below `root`.
    ///
    /// # Errors
    /// When `root` is no folder or cannot be written.
    pub(crate) fn open(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            bail!(
                "the folder '{}' of '--webroot' does not exist",
                root.display()
            );
        }
        let well_known = root.join(".well-known");
        let challenges = well_known.join("acme-challenge");
        let mut made = Vec::new();
        for folder in [well_known, challenges.clone()] {
            if folder.is_dir() {
                continue;
            }
            if let Err(e) = std::fs::create_dir(&folder) {
                bail!("error creating {}: {}", folder.display(), file::words(&e));
            }
            made.push(folder);
        }
        Ok(Self {
            challenges,
            made,
            tokens: RefCell::default(),
        })
    }

    /// Writes the answer to `token`.
    ///
    /// # Errors
    /// When it cannot be written, or the token is malformed.
    pub(crate) fn put(&self, token: &str, answer: &str) -> Result<()> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if token.is_empty() || !token.bytes().all(is_plain) {
            bail!("the server's token '{}' is malformed", token.escape_debug());
        }
        self.tokens.borrow_mut().push(token.to_owned());
        file::write(
            &self.challenges.join(token),
            answer.as_bytes(),
            file::SHARED,
        )
    }

    /// Removes the answer.
    pub(crate) fn take(&self, token: &str) {
        // A file that stays does no harm: a token is valid for one challenge.
        let _ = std::fs::remove_file(self.challenges.join(token));
    }
}

impl Drop for Webroot {
    fn drop(&mut self) {
        for token in self.tokens.take() {
            self.take(&token);
        }
        for folder in self.made.iter().rev() {
            // A folder that another program uses by now is not empty and stays.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind() {
        let root = std::env::temp_dir().join(format!("step-webroot-{}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        let webroot = Webroot::open(&root).unwrap();
        webroot.put("tok", "tok.thumb").unwrap();
        let path = root.join(".well-known/acme-challenge/tok");
        assert_eq!(std::fs::read(path).unwrap(), b"tok.thumb");
        assert!(webroot.put("../tok", "x").is_err());
        drop(webroot);
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
        std::fs::remove_dir_all(root).unwrap();
    }
}
