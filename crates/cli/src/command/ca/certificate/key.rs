//! `--kty`, `--curve`, `--size`: which key is generated.

use anyhow::{Result, bail};
use clap::ValueEnum;
use pki::KeyKind;

/// The shortest RSA key that is generated, in bits.
const SHORTEST: usize = 2048;
/// The longest RSA key that is generated, in bits.
const LONGEST: usize = 8192;

/// The flags about the key.
#[derive(clap::Args)]
#[group(id = "key")]
pub(crate) struct Flags {
    /// Type of the key
    #[arg(long, value_name = "kty", default_value = "EC")]
    kty: Kty,
    /// Curve of the key (default: P-256 for EC, Ed25519 for OKP)
    #[arg(long = "curve", alias = "crv", value_name = "curve")]
    curve: Option<Curve>,
    /// Size of an RSA key in bits (default: 2048)
    #[arg(long, value_name = "bits")]
    size: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kty {
    #[value(name = "EC")]
    Ec,
    #[value(name = "RSA")]
    Rsa,
    #[value(name = "OKP")]
    Okp,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Curve {
    #[value(name = "P-256")]
    P256,
    #[value(name = "P-384")]
    P384,
    #[value(name = "P-521")]
    P521,
    #[value(name = "Ed25519")]
    Ed25519,
}

impl Flags {
    /// The key that the flags ask for.
    ///
    /// # Errors
    /// When flags exclude each other, or a size is not safe.
    pub(crate) fn kind(&self) -> Result<KeyKind> {
        if self.size.is_some() && self.kty != Kty::Rsa {
            bail!("flag '--size' requires the '--kty RSA' flag");
        }
        match (self.kty, self.curve) {
            (Kty::Rsa, Some(_)) => bail!("flag '--curve' is incompatible with '--kty RSA'"),
            (Kty::Rsa, None) => match self.size.unwrap_or(SHORTEST) {
                bits if bits < SHORTEST => bail!(
                    "flag '--size' requires at least {SHORTEST} bits: a shorter RSA key is not safe"
                ),
                bits if bits > LONGEST => {
                    bail!("flag '--size' takes at most {LONGEST} bits")
                }
                bits => Ok(KeyKind::Rsa { bits }),
            },
            (Kty::Ec, None | Some(Curve::P256)) => Ok(KeyKind::EcP256),
            (Kty::Ec, Some(Curve::P384)) => Ok(KeyKind::EcP384),
            (Kty::Ec, Some(Curve::P521)) => Ok(KeyKind::EcP521),
            (Kty::Okp, None | Some(Curve::Ed25519)) => Ok(KeyKind::Ed25519),
            (Kty::Ec, Some(Curve::Ed25519)) => {
                bail!("flag '--curve Ed25519' requires the '--kty OKP' flag")
            }
            (Kty::Okp, Some(Curve::P256 | Curve::P384 | Curve::P521)) => {
                bail!("flag '--kty OKP' takes only '--curve Ed25519'")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(kty: Kty, curve: Option<Curve>, size: Option<usize>) -> Flags {
        Flags { kty, curve, size }
    }

    #[test]
    fn flags_that_do_not_go_together_are_refused() {
        assert_eq!(flags(Kty::Ec, None, None).kind().unwrap(), KeyKind::EcP256);
        let rsa = flags(Kty::Rsa, None, None).kind().unwrap();
        assert_eq!(rsa, KeyKind::Rsa { bits: 2048 });
        assert!(flags(Kty::Rsa, None, Some(1024)).kind().is_err());
        assert!(flags(Kty::Rsa, Some(Curve::P256), None).kind().is_err());
        assert!(flags(Kty::Ec, None, Some(2048)).kind().is_err());
        assert!(flags(Kty::Okp, Some(Curve::P256), None).kind().is_err());
    }
}
