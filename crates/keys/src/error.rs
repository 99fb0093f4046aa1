//! What can go wrong between a file and a signature.

use pki::KeyKind;

/// Why there is no key, or no signature. A wrong password is told in the words that scripts and
/// units of existing installations look for.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The key is kept where keys cannot be used yet.
    #[error(transparent)]
    UnsupportedUri(#[from] ca::config::UnsupportedKeyUri),
    /// The file cannot be read.
    #[error("open {path} failed: {reason}")]
    Open {
        /// The file.
        path: String,
        /// The system's words.
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
    /// The key is encrypted, and there is no password.
    #[error("error decrypting {path}: the key is encrypted and no password was given")]
    PasswordRequired {
        /// The file.
        path: String,
    },
    /// The password does not open the key.
    #[error("error decrypting {path}: x509: decryption password incorrect")]
    WrongPassword {
        /// The file.
        path: String,
    },
    /// A password file without a password.
    #[error("{path} has no password in it")]
    EmptyPassword {
        /// The file.
        path: String,
    },
    /// The key is not the one that the certificate names.
    #[error(
        "the private key does not belong to the certificate {subject}; `key` and `crt` of ca.json have to be a pair"
    )]
    KeyMismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The certificate may not issue others.
    #[error("the certificate {subject} is no certificate authority's")]
    NotAnAuthority {
        /// The certificate's subject.
        subject: String,
    },
    /// What was to be signed names another issuer than the certificate_signer's.
    #[error("the certificate to sign names the issuer {named}, and this key is that of {own}")]
    ForeignIssuer {
        /// The issuer that it names.
        named: String,
        /// The certificate_signer's own.
        own: String,
    },
    /// A certificate_signer signs a root once, when it is made, and nothing but a root then.
    #[error("a root is signed by its own key, and by that alone")]
    Root,
    /// The signer returned something that is not a signature of what it was given.
    #[error("the signature that came back does not verify; nothing was issued")]
    BadSignature,
    /// A key of this kind cannot be made.
    #[error("cannot generate a key of kind {0}")]
    Generate(KeyKind),
    /// The authority's certificate may not be made.
    #[error(transparent)]
    Refusal(#[from] ca::Refusal),
    /// The certificate cannot be encoded.
    #[error(transparent)]
    Pki(#[from] pki::Error),
}

impl Error {
    /// The system's refusal to read a file.
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
