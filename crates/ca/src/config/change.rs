//! What differs between two configurations, in words for the log, and whether a running server
//! can take it over.

use std::collections::BTreeMap;

use super::Config;
use crate::provisioner::Provisioner;

/// One difference between the configuration in force and a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What changed: `provisioner acme added`, `address: 127.0.0.1:9000 -> :9000`.
    pub what: String,
    /// A running server takes it over; otherwise it waits for the next start.
    pub live: bool,
}

impl Config {
    /// The differences that `new` would bring, provisioners first; none when both are equal.
    #[must_use]
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let mut changes = provisioners(&self.authority.provisioners, &new.authority.provisioners);
        let mut differs = |live, what: &str, same: bool| {
            if !same {
                changes.push(Change {
                    what: format!("{what} changed"),
                    live,
                });
            }
        };
        let (a, b) = (&self.authority, &new.authority);
        differs(true, "authority.claims", a.claims == b.claims);
        differs(true, "authority.backdate", a.backdate == b.backdate);
        let issued_at = a.disable_issued_at_check == b.disable_issued_at_check;
        differs(true, "authority.disableIssuedAtCheck", issued_at);
        differs(true, "authority.policy", a.policy == b.policy);
        let federated = self.federated_roots == new.federated_roots;
        differs(false, "federatedRoots", federated);
        differs(false, "root", self.root == new.root);
        differs(false, "crt", self.crt == new.crt);
        differs(false, "key", self.key == new.key);
        differs(false, "password", self.password == new.password);
        differs(false, "address", self.address == new.address);
        let insecure = self.insecure_address == new.insecure_address;
        differs(false, "insecureAddress", insecure);
        differs(true, "dnsNames", self.dns_names == new.dns_names);
        differs(true, "commonName", self.common_name == new.common_name);
        differs(
            false,
            "logger.format",
            self.logger_format == new.logger_format,
        );
        let trace = self.trace_header == new.trace_header;
        differs(false, "logger.traceHeader", trace);
        differs(false, "db", self.db == new.db);
        differs(false, "tls", self.tls == new.tls);
        let (a, b) = (&self.riser, &new.riser);
        differs(true, "public_names", a.public_names == b.public_names);
        differs(true, "validation", a.validation == b.validation);
        differs(true, "server", a.server == b.server);
        differs(false, "limits", a.limits == b.limits);
        differs(true, "rate_limits", a.rate_limits == b.rate_limits);
        differs(true, "retention", a.retention == b.retention);
        differs(true, "chains", a.chains == b.chains);
        differs(true, "profile", a.profiles == b.profiles);
        differs(true, "provisioner", a.provisioners == b.provisioners);
        changes
    }
}

fn provisioners(old: &[Provisioner], new: &[Provisioner]) -> Vec<Change> {
    let before: BTreeMap<_, _> = old.iter().map(|p| (p.name(), p)).collect();
    let after: BTreeMap<_, _> = new.iter().map(|p| (p.name(), p)).collect();
    let change = |provisioner: &Provisioner, verb: &str| Change {
        what: format!(
            "provisioner {} ({}) {verb}",
            provisioner.name(),
            provisioner.kind_name()
        ),
        live: true,
    };
    let mut changes = Vec::new();
    for provisioner in new {
        match before.get(provisioner.name()) {
            None => changes.push(change(provisioner, "added")),
            Some(old) if *old != provisioner => changes.push(change(provisioner, "changed")),
            Some(_) => {}
        }
    }
    for provisioner in old {
        if !after.contains_key(provisioner.name()) {
            changes.push(change(provisioner, "removed"));
        }
    }
    changes
}
