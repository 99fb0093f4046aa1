//! How far an authorization and its proof reach (RFC 9444 §4.1): a name alone, or all below it.

use crate::identifier::Identifier;

/// How far an authorization reaches (RFC 9444 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// To its identifier.
    #[default]
    Name,
    /// To its identifier, a host name, and to every name and wildcard below.
    Subdomains,
}

impl Scope {
    /// Whether an authorization for `own` that reaches so far stands for `wanted`.
    pub fn covers(self, own: &Identifier, wanted: &Identifier) -> bool {
        if own == wanted {
            return true;
        }
        match (self, own, wanted) {
            (
                Self::Subdomains,
                Identifier::Dns(own),
                Identifier::Dns(name) | Identifier::Wildcard(name),
            ) => name.is_within(own),
            (Self::Name | Self::Subdomains, _, _) => false,
        }
    }

    /// What authorizations that stand for `wanted` are for, and how far they reach at least, where
    /// none reaches farther than this.
    pub fn standing_for(self, wanted: &Identifier) -> Vec<(Identifier, Self)> {
        let mut all = vec![(wanted.clone(), Self::Name)];
        match (self, wanted) {
            (Self::Subdomains, Identifier::Dns(name) | Identifier::Wildcard(name)) => {
                let above = name.lineage().take(MOST_ABOVE);
                all.extend(above.map(|name| (Identifier::Dns(name), Self::Subdomains)));
            }
            (Self::Subdomains, Identifier::Ip(_)) | (Self::Name, _) => {}
        }
        all
    }
}

/// How many names above one are looked for, itself included: each costs a question to the store, and names of a
/// hundred labels are nobody's.
const MOST_ABOVE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_for_subdomains_stands_for_the_names_below() {
        let id = |text| Identifier::guess(text).unwrap();
        for (wanted, below) in [
            ("a.foo.lab", true),
            ("b.a.foo.lab", true),
            ("*.foo.lab", true),
            ("*.a.foo.lab", true),
            ("lab", false),
            ("*.lab", false),
            ("xfoo.lab", false),
            ("10.0.0.7", false),
        ] {
            let covers = |scope: Scope| scope.covers(&id("foo.lab"), &id(wanted));
            assert_eq!(covers(Scope::Subdomains), below, "{wanted}");
            assert!(!covers(Scope::Name), "{wanted}");
            let standing = Scope::Subdomains.standing_for(&id(wanted));
            let listed = standing.contains(&(id("foo.lab"), Scope::Subdomains));
            assert_eq!(listed, below, "{wanted}");
            let alone = Scope::Name.standing_for(&id(wanted));
            assert_eq!(alone, [(id(wanted), Scope::Name)]);
        }
        assert!(!Scope::Subdomains.covers(&id("*.foo.lab"), &id("a.foo.lab")));
        assert!(Scope::Name.covers(&id("*.foo.lab"), &id("*.foo.lab")));
    }

    #[test]
    fn what_stands_for_a_name_of_many_labels_is_looked_for_near_it() {
        let deep = Identifier::guess(&format!("{}lab", "a.".repeat(120))).unwrap();
        let standing = Scope::Subdomains.standing_for(&deep);
        assert_eq!(standing.len(), 1 + MOST_ABOVE);
        assert_eq!(standing[1], (deep, Scope::Subdomains));
    }
}
