//! Subject and `--san`: what the certificate is for.

use ::acme::Identifier;
use anyhow::{Result, bail};
use pki::{AltName, Name};

/// The longest common name that X.509 allows (RFC 5280, ub-common-name).
const LONGEST_COMMON_NAME: usize = 64;

/// The names of one certificate.
pub(crate) struct Names {
    subject: String,
    identifiers: Vec<Identifier>,
}

impl Names {
    /// Reads the subject and the names; the subject is one of them.
    ///
    /// # Errors
    /// When http-01 cannot prove a name, or it is none.
    pub(crate) fn read(subject: &str, sans: &[String]) -> Result<Self> {
        let mut identifiers = Vec::new();
        for san in sans.iter().flat_map(|san| san.split(',')) {
            let identifier = provable(san.trim())?;
            if !identifiers.contains(&identifier) {
                identifiers.push(identifier);
            }
        }
        // The order that smallstep's `step` sends: names, addresses, then the subject.
        identifiers.sort_by_key(|identifier| matches!(identifier, Identifier::Ip(_)));
        let own = provable(subject)?;
        if !identifiers.contains(&own) {
            identifiers.push(own);
        }
        Ok(Self {
            subject: subject.to_owned(),
            identifiers,
        })
    }

    /// The identifiers of the order.
    pub(crate) fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// The certificate's subject: a name too long for it is in the alternative names only.
    ///
    /// # Errors
    /// When the subject cannot be encoded.
    pub(crate) fn subject(&self) -> Result<Name> {
        if self.subject.len() > LONGEST_COMMON_NAME {
            return Ok(Name::empty());
        }
        Ok(Name::common_name(&self.subject)?)
    }

    /// The certificate's alternative names.
    pub(crate) fn alt_names(&self) -> Vec<AltName> {
        let identifiers = self.identifiers.iter();
        identifiers.map(Identifier::to_alt_name).collect()
    }
}

fn provable(name: &str) -> Result<Identifier> {
    if name.contains("://") {
        bail!("'{name}' cannot be certified over ACME: it is a URI");
    }
    if name.contains('@') {
        bail!("'{name}' cannot be certified over ACME: it is an e-mail address");
    }
    let identifier = match Identifier::guess(name) {
        Ok(identifier) => identifier,
        Err(problem) => bail!("'{name}' cannot be certified: {}", problem.detail),
    };
    if identifier.is_wildcard() {
        bail!(
            "the wildcard '{name}' requires the dns-01 challenge, which step cannot answer: use a client \
             that can, such as certbot or lego"
        );
    }
    Ok(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(subject: &str, sans: &[&str]) -> Vec<String> {
        let sans: Vec<String> = sans.iter().map(ToString::to_string).collect();
        let names = Names::read(subject, &sans).unwrap();
        names
            .identifiers()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn names_go_before_addresses_and_the_subject_is_among_them() {
        assert_eq!(shown("a.test", &[]), ["a.test"]);
        assert_eq!(
            shown("a.test", &["10.0.0.7", "b.test"]),
            ["b.test", "10.0.0.7", "a.test"]
        );
        assert_eq!(
            shown("127.0.0.1", &["localhost"]),
            ["localhost", "127.0.0.1"]
        );
        assert_eq!(shown("a.test", &["A.test", "a.test"]), ["a.test"]);
    }

    #[test]
    fn names_that_http_cannot_prove_are_refused_before_the_order() {
        for name in ["*.a.test", "x@a.test", "spiffe://a/b", "a b"] {
            assert!(Names::read(name, &[]).is_err(), "{name}");
        }
    }
}
