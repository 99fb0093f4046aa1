//! Provisioners of types that cannot issue here yet: they are listed as they are written, so
//! that the tools that edit the file see all of it.

use super::{Common, ProvisionerType};

/// A type that ca.json knows and that cannot issue yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its name in ca.json.
    pub(crate) name: &'static str,
    /// Its number in the certificate extension.
    pub(crate) number: u32,
}

/// A provisioner of a type that cannot issue yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Other {
    pub(crate) common: Common,
    /// The type's name.
    pub(crate) kind: String,
    /// Its number, where it is one of [`KNOWN`].
    pub(crate) number: Option<u32>,
}

impl ProvisionerType for Other {
    fn common(&self) -> &Common {
        &self.common
    }

    fn type_name(&self) -> &str {
        &self.kind
    }

    fn number(&self) -> Option<u32> {
        self.number
    }
}

impl Known {
    /// The type of this name, whatever its letter case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let mut all = KNOWN.iter();
        all.find(|known| known.name.eq_ignore_ascii_case(name))
            .copied()
    }

    const fn new(name: &'static str, number: u32) -> Self {
        Self { name, number }
    }
}

const KNOWN: [Known; 9] = [
    Known::new("OIDC", 2),
    Known::new("GCP", 3),
    Known::new("AWS", 4),
    Known::new("Azure", 5),
    Known::new("X5C", 7),
    Known::new("K8sSA", 8),
    Known::new("SSHPOP", 9),
    Known::new("SCEP", 10),
    Known::new("Nebula", 11),
];
