//! What can go wrong between a file and a signature.

use pki::KeyKind;

/// Why there is no key, or no signature. The text about a wrong password is the one that scripts of
/// existing installations match.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The key's URI has a scheme that is not supported yet.
    #[error(transparent)]
    UnsupportedUri(#[from] ca::config::UnsupportedKeyUri),
    /// The file cannot be read.
    #[error("open {path} failed: {reason}")]
    Open {
        /// The file.
        path: String,
        /// The system's error.
        reason: String,
    },
    /// The file is not a private key.
    #[error("error parsing {path}: {reason}")]
    Parse {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: pki::Error,
    },
    /// The key is encrypted, and no password was given.
    #[error("error decrypting {path}: the key is encrypted and no password was given")]
    PasswordRequired {
        /// The file.
        path: String,
    },
    /// The password does not decrypt the key.
    #[error("error decrypting {path}: x509: decryption password incorrect")]
    WrongPassword {
        /// The file.
        path: String,
    },
    /// A password file is empty.
    #[error("the password file {path} is empty")]
    EmptyPassword {
        /// The file.
        path: String,
    },
    /// The key does not match the certificate.
    #[error(
        "the private key does not belong to the certificate {subject}: `key` and `crt` of ca.json must match"
    )]
    KeyMismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The certificate may not issue others.
    #[error("the certificate {subject} is not that of a certificate authority")]
    NotAnAuthority {
        /// The certificate's subject.
        subject: String,
    },
    /// The certificate to sign names another issuer than the signer's.
    #[error("the certificate to sign names the issuer {named}, but this key is that of {own}")]
    ForeignIssuer {
        /// The issuer that it names.
        named: String,
        /// The signer's own.
        own: String,
    },
    /// A root is to be signed by another key than its own, or another certificate by a root's first
    /// signature.
    #[error("a root is signed with its own key only")]
    Root,
    /// The signer returned something that is not a signature of what it was given.
    #[error("the signer returned a signature that does not verify; nothing was issued")]
    BadSignature,
    /// A key of this kind cannot be generated.
    #[error("cannot generate a key of kind {0}")]
    Generate(KeyKind),
    /// The certificate of a new authority is refused.
    #[error(transparent)]
    Refusal(#[from] ca::Refusal),
    /// The certificate cannot be encoded.
    #[error(transparent)]
    Pki(#[from] pki::Error),
}

impl Error {
    /// The system's error when a file is read.
    pub(crate) fn open(path: &std::path::Path, error: &std::io::Error) -> Self {
        let text = error.to_string();
        let words = text.split(" (os error").next().unwrap_or(&text);
        let mut letters = words.chars();
        let reason = letters.next().map_or_else(String::new, |first| {
            first.to_lowercase().chain(letters).collect()
        });
        Self::Open {
            path: path.display().to_string(),
            reason,
        }
    }
}
