//! The scope of an authorization and its proof (RFC 9444 §4.1): a name, or a name with all its
//! subdomains.

use crate::identifier::Identifier;

/// The scope of an authorization (RFC 9444 §4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Its identifier.
    #[default]
    Name,
    /// Its identifier, a host name, and every name and wildcard below.
    Subdomains,
}

impl Scope {
    /// Whether an authorization for `own` with this scope proves `wanted`.
    fn covers(self, own: &Identifier, wanted: &Identifier) -> bool {
        if own == wanted {
            return true;
        }
        if self == Self::Name {
            return false;
        }
        match own {
            Identifier::Dns(own) => wanted.host_name().is_some_and(|name| name.is_within(own)),
            Identifier::Wildcard(_) | Identifier::Ip(_) | Identifier::Device(_) => false,
        }
    }

    /// The subjects of the authorizations that would prove `wanted`, each with the narrowest scope,
    /// none wider than this one.
    pub fn subjects_for(self, wanted: &Identifier) -> Vec<Subject> {
        let mut all = vec![Subject::name(wanted.clone())];
        if let (Self::Subdomains, Some(name)) = (self, wanted.host_name()) {
            let above = name.lineage().take(MOST_ABOVE);
            all.extend(above.map(|name| Subject {
                identifier: Identifier::Dns(name),
                scope: Self::Subdomains,
            }));
        }
        all
    }
}

/// The subject of an authorization or a proof: an identifier and a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The identifier.
    pub identifier: Identifier,
    /// The scope.
    pub scope: Scope,
}

impl Subject {
    /// An identifier without its subdomains.
    pub const fn name(identifier: Identifier) -> Self {
        Self {
            identifier,
            scope: Scope::Name,
        }
    }

    /// Whether it covers `wanted`.
    pub fn covers(&self, wanted: &Identifier) -> bool {
        self.scope.covers(&self.identifier, wanted)
    }
}

/// The most parents of a name that are searched for, including the name: each costs a query to the
/// store, and real names do not have a hundred labels.
const MOST_ABOVE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scope_subdomains_covers_names_below() {
        let id = |text| Identifier::guess(text).unwrap();
        let subject = |text, scope| Subject {
            identifier: id(text),
            scope,
        };
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
            let covers = |scope| subject("foo.lab", scope).covers(&id(wanted));
            assert_eq!(covers(Scope::Subdomains), below, "{wanted}");
            assert!(!covers(Scope::Name), "{wanted}");
            let subjects = Scope::Subdomains.subjects_for(&id(wanted));
            let listed = subjects.contains(&subject("foo.lab", Scope::Subdomains));
            assert_eq!(listed, below, "{wanted}");
            let alone = Scope::Name.subjects_for(&id(wanted));
            assert_eq!(alone, [Subject::name(id(wanted))]);
        }
        assert!(!subject("*.foo.lab", Scope::Subdomains).covers(&id("a.foo.lab")));
        assert!(subject("*.foo.lab", Scope::Name).covers(&id("*.foo.lab")));
    }

    #[test]
    fn the_subjects_for_a_name_of_many_labels_are_its_nearest_parents() {
        let deep = Identifier::guess(&format!("{}lab", "a.".repeat(120))).unwrap();
        let subjects = Scope::Subdomains.subjects_for(&deep);
        assert_eq!(subjects.len(), 1 + MOST_ABOVE);
        assert_eq!(subjects[1].identifier, deep);
        assert_eq!(subjects[1].scope, Scope::Subdomains);
    }
}
