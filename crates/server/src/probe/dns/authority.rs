//! The authoritative servers of a name: its zone, its name servers and their
//! addresses, all found through the resolvers. For operators whose resolvers
//! serve outdated answers.

use std::net::{IpAddr, SocketAddr};

use acme::challenge::{FailureKind, Trace};
use hickory_proto::rr::{Name, RData, RecordType};

use super::records::{Server, Servers, Wanted};
use super::{Finder, address, in_order};
use crate::probe::ProbeError;

/// The most servers of one zone that are asked.
const MOST_SERVERS: usize = 6;
/// Where authoritative servers listen.
const DNS_PORT: u16 = 53;

impl Finder {
    /// The authoritative servers for this name that the address rules allow, IPv6 first.
    pub(super) async fn authoritative(&self, name: &Name) -> Result<Servers, ProbeError> {
        let (zone, name_servers) = self.zone_of(name).await?;
        let (mut found, mut refused) = (Vec::new(), Vec::new());
        for name_server in &name_servers {
            for ip in self
                .addresses_of(name_server)
                .await?
                .into_iter()
                .take(MOST_SERVERS)
            {
                let server = Server {
                    address: SocketAddr::new(ip, DNS_PORT),
                    words: format!(
                        "the authoritative server {} ({})",
                        SocketAddr::new(ip, DNS_PORT),
                        shown(name_server)
                    ),
                };
                match self.rules.check(ip) {
                    Ok(()) => found.push(server),
                    Err(why) => refused.push(format!("{}, {why}", server.words)),
                }
            }
        }
        if found.is_empty() {
            // The owner of the zone decides how many there are.
            refused.truncate(MOST_SERVERS);
            return Err(unreachable(&zone, &name_servers, &refused));
        }
        found.sort_by_key(|server| server.address.is_ipv4());
        found.truncate(MOST_SERVERS);
        Ok(Servers {
            all: found,
            recursive: false,
        })
    }

    /// The closest enclosing zone of a name, and its name servers.
    async fn zone_of(&self, name: &Name) -> Result<(Name, Vec<Name>), ProbeError> {
        let mut zone = name.clone();
        while !zone.is_root() {
            let servers = self.through_resolvers(&zone, RecordType::NS).await?;
            let servers = servers.iter().filter_map(name_server);
            let servers: Vec<_> = servers.take(MOST_SERVERS).collect();
            if !servers.is_empty() {
                return Ok((zone, servers));
            }
            zone = zone.base_name();
        }
        let words = format!(
            "the resolvers know name servers for no zone that {} lies in",
            shown(name)
        );
        Err(ProbeError::new(FailureKind::Dns, words))
    }

    async fn addresses_of(&self, server: &Name) -> Result<Vec<IpAddr>, ProbeError> {
        let mut found = self.through_resolvers(server, RecordType::AAAA).await?;
        found.extend(self.through_resolvers(server, RecordType::A).await?);
        Ok(in_order(found.iter().filter_map(address).collect()))
    }

    /// The records of the name itself at the resolvers, aliases not followed.
    async fn through_resolvers(
        &self,
        name: &Name,
        kind: RecordType,
    ) -> Result<Vec<RData>, ProbeError> {
        let mut trace = Trace::default();
        let servers = self.recursive(name);
        let asked = self
            .query(&servers, Wanted { name, kind }, &mut trace)
            .await;
        let (answer, _) = asked.map_err(|_| {
            let words = format!(
                "{kind} records of {} were asked for at {}, which answered {}",
                shown(name),
                trace.resolver.unwrap_or_default(),
                trace.answers.join(", ")
            );
            ProbeError::new(FailureKind::Dns, words)
        })?;
        let mut records = answer.answers;
        records.retain(|record| record.name == *name && record.record_type() == kind);
        Ok(records.into_iter().map(|record| record.data).collect())
    }
}

/// Why no server of a zone can be asked.
fn unreachable(zone: &Name, servers: &[Name], refused: &[String]) -> ProbeError {
    if refused.is_empty() {
        let servers: Vec<_> = servers.iter().map(shown).collect();
        let words = format!(
            "no name server of {} has an address: {}",
            shown(zone),
            servers.join(", ")
        );
        return ProbeError::new(FailureKind::Dns, words);
    }
    ProbeError::new(FailureKind::AddressNotAllowed, refused.join("; "))
}

fn name_server(data: &RData) -> Option<Name> {
    if let RData::NS(server) = data {
        Some(server.0.clone())
    } else {
        None
    }
}

fn shown(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}
