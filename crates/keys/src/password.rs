//! Passwords: generated when the user gives none, and read from password files.

use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use crate::{Error, random};

/// 64 characters that need no quoting in a shell or a URL's path, so that six random bits choose
/// one of them evenly.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH: usize = 32;

/// A new password: 32 printable characters, 192 random bits.
#[must_use]
pub fn generate() -> Zeroizing<String> {
    let bytes = Zeroizing::new(random::<LENGTH>());
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 64)]);
    Zeroizing::new(bytes.iter().map(letter).collect())
}

/// The password in a file, without the white space at its end.
///
/// # Errors
/// When the file cannot be read or has no password in it.
pub fn read(path: impl AsRef<Path>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let path = path.as_ref();
    let mut text = Zeroizing::new(fs::read(path).map_err(|error| Error::open(path, &error))?);
    let length = text.trim_ascii_end().len();
    text.truncate(length);
    if text.is_empty() {
        return Err(Error::EmptyPassword {
            path: path.display().to_string(),
        });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_has_32_printable_characters() {
        let password = generate();
        assert_eq!(password.len(), LENGTH);
        assert!(password.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_ne!(*password, *generate());
    }

    #[test]
    fn the_newline_at_the_end_of_a_password_file_is_not_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pw");
        fs::write(&path, " pass word \r\n\n").unwrap();
        assert_eq!(**read(&path).unwrap(), b" pass word"[..]);
        fs::write(&path, "\n").unwrap();
        assert!(matches!(read(&path), Err(Error::EmptyPassword { .. })));
    }

    #[test]
    fn a_missing_password_file_is_named() {
        let error = read("/nonexistent/pw").unwrap_err();
        assert_eq!(
            error.to_string(),
            "open /nonexistent/pw failed: no such file or directory"
        );
    }
}
