//! `[chains]` of riser.toml: further chains above the leaves, for clients that trust another root.

use std::path::PathBuf;

use pki::Certificate;

use crate::config::section::{Section, Unknown};

/// `[chains]`: what is offered beside the chain of ca.json's `crt`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chains {
    /// `alternates`: files with a chain above the leaf each, the certificate for the issuer's key first.
    pub alternates: Vec<PathBuf>,
    /// What the files hold, in the same order; who reads files puts it there after [`fits`].
    pub above: Vec<Vec<Certificate>>,
}

pub(super) fn read(mut section: Section<'_>) -> Chains {
    let alternates = section.strings("alternates").into_iter().map(PathBuf::from);
    let chains = Chains {
        alternates: alternates.collect(),
        above: Vec::new(),
    };
    section.finish(Unknown::Fault);
    chains
}

/// Checks that a chain can stand above what `issuer` signs (RFC 8555 §7.4.2): its first certificate has the
/// issuer's name and key, and each is signed by the next.
///
/// # Errors
/// What is wrong, and what to do.
pub fn fits(issuer: &Certificate, above: &[Certificate]) -> Result<(), String> {
    let Some(first) = above.first() else {
        return Err("there is no certificate in it".to_owned());
    };
    if first.subject() != issuer.subject() || first.spki_der() != issuer.spki_der() {
        return Err(format!(
            "its first certificate ({}) does not have the name and key of the issuer ({}): put the cross-signed \
             intermediate first",
            first.subject().in_order(),
            issuer.subject().in_order()
        ));
    }
    if first.subject_key_id() != issuer.subject_key_id() {
        return Err(
            "its first certificate has another subject key identifier than the issuer, so that clients would not \
             find it: have it cross-signed with the issuer's"
                .to_owned(),
        );
    }
    let mut pairs = above.windows(2).zip(1..);
    let broken = pairs.find(|(pair, _)| pair[0].is_issued_by(&pair[1]).is_err());
    match broken {
        None => Ok(()),
        Some((_, place)) => Err(format!(
            "certificate {} in it is not signed by the next: order them upwards",
            place
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_issuers_own_chain_fits_and_another_does_not() {
        let (root, intermediate) = (fixture::root(), fixture::intermediate());
        let whole = [intermediate.clone(), root.clone()];
        assert_eq!(fits(&intermediate, &whole), Ok(()));
        assert_eq!(fits(&intermediate, &whole[..1]), Ok(()));
        let upside_down = [root, intermediate.clone()];
        let refused = fits(&intermediate, &upside_down).unwrap_err();
        assert!(refused.contains("name and key"), "{refused}");
        let gap = [intermediate.clone(), intermediate.clone()];
        let refused = fits(&intermediate, &gap).unwrap_err();
        assert!(refused.contains("certificate 1"), "{refused}");
        assert!(fits(&intermediate, &[]).is_err());
    }
}
