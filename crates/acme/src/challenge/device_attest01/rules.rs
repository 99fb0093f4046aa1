//! Whose statements a provisioner believes.

use std::fmt;

use pki::Certificate;

/// A format of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Apple's Managed Device Attestation.
    Apple,
    /// A YubiKey, or a device that smallstep's agent manages.
    Step,
    /// A TPM 2.0 (WebAuthn §8.3).
    Tpm,
    /// Android's hardware keystore (WebAuthn §8.4).
    AndroidKey,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Apple, Self::Step, Self::Tpm, Self::AndroidKey];

    /// Those of a provisioner that names none.
    pub const USUAL: [Self; 3] = [Self::Apple, Self::Step, Self::Tpm];

    /// The name in statements (`fmt`).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Step => "step",
            Self::Tpm => "tpm",
            Self::AndroidKey => "android-key",
        }
    }

    /// Finds the format with this name, in the same case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Whether a statement that names no device is about any.
    pub(super) const fn may_name_no_device(self, rules: &AttestationRules) -> bool {
        matches!(self, Self::Tpm) && rules.any_enrolled_tpm
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose statements about devices are believed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AttestationRules {
    /// The enabled formats, each with the roots of its makers: a chain of one format never passes as another.
    pub roots: Vec<FormatRoots>,
    /// An Apple statement without a freshness code is believed, whenever it was made.
    pub stale_apple: bool,
    /// An attestation key's certificate that names no device stands for every device.
    pub any_enrolled_tpm: bool,
}

/// The roots of one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatRoots {
    /// The format.
    pub format: Format,
    /// The roots that are trusted for it.
    pub roots: Vec<Certificate>,
}

impl AttestationRules {
    /// Nobody's statements are believed.
    pub const NONE: &'static Self = &Self {
        roots: Vec::new(),
        stale_apple: false,
        any_enrolled_tpm: false,
    };

    /// The roots that are trusted for a format; none if it is not enabled.
    #[must_use]
    pub fn roots(&self, format: Format) -> Option<&[Certificate]> {
        let found = self.roots.iter().find(|one| one.format == format);
        found.map(|one| one.roots.as_slice())
    }
}
