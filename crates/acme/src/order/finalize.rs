//! Finalize: whether a CSR has exactly the names of the order (RFC 8555 §7.4, §11.1).

use std::collections::BTreeSet;

use pki::{AltName, Csr, PublicKey};

use super::{Order, Ready};
use crate::identifier::{Device, Identifier};
use crate::problem::{Problem, quote};

/// A ready order with a CSR that fits it: the basis of a grant.
#[derive(Debug)]
pub struct Finalized {
    order: Box<Order>,
    common_name: Option<String>,
    public_key: PublicKey,
}

impl Finalized {
    /// The order.
    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The names of the certificate, in the order's order.
    pub fn names(&self) -> &[Identifier] {
        &self.order.identifiers
    }

    /// The common name in the CSR; one of the names, that of a device without assigner or type.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The key that signed the CSR.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// What the key of a CSR is used for already (RFC 8555 §11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Nothing that is known.
    Separate,
    /// It is the key of an account.
    Account,
}

impl Ready {
    /// Checks that the CSR's names are exactly the order's, those of devices excepted, which it may leave
    /// out (draft-ietf-acme-device-attest), and that its key is for the certificate alone and is the one
    /// that a device attested.
    ///
    /// # Errors
    /// `badCSR` with its own detail for each fault, `unauthorized` for another key than the attested one.
    /// The stored order stays ready, so the client may retry.
    pub fn finalize(self, csr: &Csr, key_use: KeyUse) -> Result<Finalized, Problem> {
        let public_key = csr.public_key();
        if key_use == KeyUse::Account {
            return Err(Problem::bad_csr(
                "The CSR's key is the key of an account, which RFC 8555 §11.1 forbids: create a \
                 separate key for the certificate.",
            ));
        }
        if self.attested.iter().any(|attested| attested != public_key) {
            return Err(Problem::unauthorized(
                "The CSR's key is not the key that the device attested: sign the CSR with the key \
                 in the device.",
            )
            .with_status(401));
        }
        let wanted: BTreeSet<_> = self.order.identifiers.iter().collect();
        let named = csr.common_name();
        let common_name = named.map(|text| common_name(&wanted, text)).transpose()?;
        let mut names = (csr.alt_names().iter())
            .map(alt_name)
            .collect::<Result<BTreeSet<_>, _>>()?;
        names.extend(common_name.cloned());
        compare(&wanted, &names)?;
        Ok(Finalized {
            common_name: common_name.map(in_subject),
            order: self.order,
            public_key: public_key.clone(),
        })
    }
}

fn compare(wanted: &BTreeSet<&Identifier>, names: &BTreeSet<Identifier>) -> Result<(), Problem> {
    let may_be_absent = |it: &&&Identifier| matches!(it, Identifier::Device(_));
    if names.is_empty() && !wanted.iter().all(|it| may_be_absent(&it)) {
        return Err(Problem::bad_csr(format!(
            "The CSR has no names: put the order's identifiers ({}) into its subjectAltName \
             extension.",
            list(wanted.iter().copied())
        )));
    }
    let extra: Vec<_> = names.iter().filter(|name| !wanted.contains(name)).collect();
    let missing = wanted.iter().filter(|name| !names.contains(name));
    let missing: Vec<_> = missing.filter(|name| !may_be_absent(name)).collect();
    let words = match (missing.is_empty(), extra.is_empty()) {
        (true, true) => return Ok(()),
        (false, true) => format!(
            "The CSR lacks {}, which the order has",
            list(missing.into_iter().copied())
        ),
        (true, false) => format!("The CSR has {}, which the order lacks", list(extra)),
        (false, false) => format!(
            "The CSR has {}, which the order lacks, and lacks {}, which the order has",
            list(extra),
            list(missing.into_iter().copied())
        ),
    };
    Err(Problem::bad_csr(format!(
        "{words}: both must name exactly the same."
    )))
}

/// The identifier of the order that the common name is.
fn common_name<'a>(
    wanted: &BTreeSet<&'a Identifier>,
    text: &str,
) -> Result<&'a Identifier, Problem> {
    let is_device = |one: &&&Identifier| match one {
        Identifier::Device(device) => device.common_name() == Some(text),
        Identifier::Dns(_) | Identifier::Wildcard(_) | Identifier::Ip(_) => false,
    };
    if let Some(device) = wanted.iter().find(is_device) {
        return Ok(device);
    }
    let name = Identifier::guess(text).map_err(|problem| {
        Problem::bad_csr(format!(
            "The CSR's common name is neither a host name nor an address: {problem}"
        ))
    })?;
    wanted.get(&name).copied().ok_or_else(|| {
        Problem::bad_csr(format!(
            "The CSR's common name {name} is not among the order's identifiers ({}): omit it \
             or order it.",
            list(wanted.iter().copied())
        ))
    })
}

/// The identifier as a common name.
fn in_subject(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Device(device) => device.name().to_owned(),
        Identifier::Dns(_) | Identifier::Wildcard(_) | Identifier::Ip(_) => identifier.to_string(),
    }
}

fn alt_name(name: &AltName) -> Result<Identifier, Problem> {
    let (sort, value) = match name {
        AltName::Dns(value) => {
            return Identifier::parse("dns", value).map_err(|problem| {
                Problem::bad_csr(format!(
                    "A DNS name of the CSR's subjectAltName is not valid: {problem}"
                ))
            });
        }
        AltName::Ip(address) => return Ok(Identifier::Ip(address.to_canonical())),
        AltName::Email(value) => ("the e-mail address", value.clone()),
        AltName::Uri(value) => ("the URI", value.clone()),
        AltName::Other { .. } => match Device::from_alt_name(name) {
            Ok(Some(device)) => return Ok(Identifier::Device(device)),
            Ok(None) => ("a name of another kind", name.to_string()),
            Err(problem) => {
                return Err(Problem::bad_csr(format!(
                    "A device's name in the CSR's subjectAltName is not valid: {problem}"
                )));
            }
        },
    };
    Err(Problem::bad_csr(format!(
        "The CSR's subjectAltName has {sort} {}, and an ACME order is for DNS names, IP \
         addresses and devices only: leave it out.",
        quote(&value)
    )))
}

fn list<'a>(names: impl IntoIterator<Item = &'a Identifier>) -> String {
    let names: Vec<_> = names.into_iter().map(Identifier::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use pki::{Name, PrivateKey};

    use super::*;
    use crate::order::tests::ready;
    use crate::problem::Kind;

    fn certificate_key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../../testdata/certificate.pem"), None).unwrap()
    }

    fn csr(common_name: &str, names: &[AltName], key: &PrivateKey) -> Csr {
        let subject = match common_name {
            "" => Name::empty(),
            text => Name::common_name(text).unwrap(),
        };
        Csr::verify(&pki::request(&subject, names, key).unwrap()).unwrap()
    }

    fn finalized(
        ordered: &[&str],
        common_name: &str,
        names: &[AltName],
    ) -> Result<Finalized, Problem> {
        let ready = ready(ordered);
        let csr = csr(common_name, names, &certificate_key());
        ready.finalize(&csr, KeyUse::Separate)
    }

    fn refused(common_name: &str, names: &[AltName]) -> String {
        let problem = finalized(&["a.lab", "10.0.0.7"], common_name, names).unwrap_err();
        assert_eq!((problem.kind, problem.status), (Kind::BadCsr, 400));
        problem.detail
    }

    fn dns(name: &str) -> AltName {
        AltName::Dns(name.into())
    }

    fn ip() -> AltName {
        AltName::Ip("10.0.0.7".parse().unwrap())
    }

    #[test]
    fn a_csr_with_exactly_the_orders_names_finalizes_it() {
        for (common_name, names) in [
            ("", vec![dns("a.lab"), ip()]),
            ("", vec![ip(), dns("A.LAB"), dns("a.lab")]),
            ("A.lab", vec![dns("a.lab"), ip()]),
            ("a.lab", vec![ip()]),
            ("10.0.0.7", vec![dns("a.lab")]),
        ] {
            let done = finalized(&["a.lab", "10.0.0.7"], common_name, &names).unwrap();
            assert_eq!(done.names(), done.order().identifiers);
            assert_eq!(done.common_name().is_some(), !common_name.is_empty());
            assert_eq!(done.public_key(), certificate_key().public());
        }
    }

    #[test]
    fn a_common_name_alone_is_enough_for_one_name() {
        let done = finalized(&["a.lab"], "A.LAB", &[]).unwrap();
        assert_eq!(done.common_name().unwrap().to_string(), "a.lab");
    }

    #[test]
    fn a_wildcard_is_asked_for_as_such() {
        assert!(finalized(&["a.lab"], "", &[dns("*.a.lab")]).is_err());
        assert!(finalized(&["*.a.lab"], "", &[dns("a.lab")]).is_err());
    }

    #[test]
    fn every_bad_csr_has_its_own_detail() {
        let email = AltName::Email("a@b.lab".into());
        let uri = AltName::Uri("https://a.lab/".into());
        let other = AltName::Other {
            oid: "directoryName".into(),
            der: vec![0xa4, 2, 0x30, 0],
        };
        let all = [dns("a.lab"), ip()];
        let with = |extra: AltName| [all.to_vec(), vec![extra]].concat();
        for (detail, words) in [
            (refused("", &[]), "no names"),
            (
                refused("", &all[..1]),
                "lacks 10.0.0.7, which the order has",
            ),
            (
                refused("", &with(dns("b.lab"))),
                "has b.lab, which the order lacks",
            ),
            (refused("", &[dns("a.lab"), dns("10.0.0.8")]), "type ip"),
            (
                refused("", &[dns("a.lab"), dns("c.lab")]),
                "has c.lab, which the order lacks, and lacks 10.0.0.7, which",
            ),
            (refused("", &with(email)), "the e-mail address \"a@b.lab\""),
            (refused("", &with(uri)), "the URI \"https://a.lab/\""),
            (refused("", &with(other)), "another kind \"directoryName\""),
            (refused("", &with(dns("a_b.lab"))), "underscore"),
            (refused("b.lab", &all), "common name b.lab is not among"),
            (refused("Some Body", &all), "common name is neither"),
        ] {
            assert!(detail.contains(words), "{detail}");
        }
    }

    #[test]
    fn the_key_of_an_account_is_refused() {
        let request = csr("", &[dns("a.lab")], &certificate_key());
        let refused = ready(&["a.lab"]).finalize(&request, KeyUse::Account);
        let problem = refused.unwrap_err();
        assert_eq!(problem.kind, Kind::BadCsr);
        assert!(problem.detail.contains("key of an account"), "{problem}");
    }

    #[test]
    fn a_device_may_be_the_common_name_unless_it_reads_as_a_host() {
        let device = |text: &str| Identifier::parse("permanent-identifier", text).unwrap();
        let (plain, host) = (device("C02PROBE0001"), device("www.bank.lab"));
        let wanted: BTreeSet<_> = [&plain, &host].into();
        assert_eq!(common_name(&wanted, "C02PROBE0001"), Ok(&plain));
        assert!(common_name(&wanted, "www.bank.lab").is_err());
    }
}
