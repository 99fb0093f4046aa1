//! The open connections of a listener by network, and which of them closes for a new one where there is no room.
//!
//! It is one of a network that has at least as many connections as the newcomer's, and among those of the network
//! with the most the one that the server has waited for longest. So no network keeps the others out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::activity::Activity;

/// All open connections.
#[derive(Default)]
pub(super) struct Connections(Mutex<HashMap<IpAddr, Vec<Arc<Activity>>>>);

/// A connection in the list, until dropped.
pub(super) struct Listed {
    connections: Arc<Connections>,
    network: IpAddr,
    activity: Arc<Activity>,
}

impl Connections {
    /// Lists a connection of this network.
    pub(super) fn list(self: &Arc<Self>, network: IpAddr, activity: Arc<Activity>) -> Listed {
        let mut networks = self.networks();
        networks
            .entry(network)
            .or_default()
            .push(Arc::clone(&activity));
        drop(networks);
        Listed {
            connections: Arc::clone(self),
            network,
            activity,
        }
    }

    /// Dismisses one connection for a new one of this network, if one is awaited that may be.
    pub(super) fn make_room(&self, newcomer: IpAddr) {
        let networks = self.networks();
        let own = networks.get(&newcomer).map_or(0, Vec::len);
        let crowds = networks.values().filter(|crowd| crowd.len() >= own.max(1));
        let awaited = crowds.flat_map(|crowd| {
            let waits = |it: &Arc<Activity>| Some((crowd.len(), it.awaited()?));
            crowd.iter().filter_map(move |it| Some((waits(it)?, it)))
        });
        if let Some((_, longest)) = awaited.max_by_key(|(rank, _)| *rank) {
            longest.dismiss();
        }
    }

    fn networks(&self) -> MutexGuard<'_, HashMap<IpAddr, Vec<Arc<Activity>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut networks = self.connections.networks();
        if let Some(crowd) = networks.get_mut(&self.network) {
            let own = crowd.iter().position(|it| Arc::ptr_eq(it, &self.activity));
            own.map(|at| crowd.swap_remove(at));
            if crowd.is_empty() {
                networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn network(n: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, n).into()
    }

    async fn is_dismissed(activity: &Arc<Activity>) -> bool {
        timeout(Duration::ZERO, activity.dismissed()).await.is_ok()
    }

    /// A connection of this network that began so many seconds ago.
    fn connection(connections: &Arc<Connections>, n: u8, ago: u64) -> (Arc<Activity>, Listed) {
        let activity = Arc::new(Activity::began(Duration::from_secs(ago)));
        let listed = connections.list(network(n), Arc::clone(&activity));
        (activity, listed)
    }

    #[tokio::test]
    async fn the_longest_awaited_of_the_network_with_the_most_connections_is_dismissed() {
        let connections = Arc::default();
        let (lone, _one) = connection(&connections, 1, 9);
        let (busy, _two) = connection(&connections, 2, 8);
        let (longest, _three) = connection(&connections, 2, 7);
        let (later, _four) = connection(&connections, 2, 6);
        let _request = busy.begin();
        connections.make_room(network(3));
        assert!(is_dismissed(&longest).await);
        for other in [&lone, &busy, &later] {
            assert!(!is_dismissed(other).await);
        }
    }

    #[tokio::test]
    async fn a_network_dismisses_its_own_and_never_those_of_one_that_has_fewer() {
        let connections = Arc::default();
        let (lone, _one) = connection(&connections, 1, 5);
        let (first, _two) = connection(&connections, 2, 4);
        let (second, _three) = connection(&connections, 2, 3);
        let _requests = (first.begin(), second.begin());
        connections.make_room(network(2));
        assert!(!is_dismissed(&lone).await);
        let _body = second.arriving();
        connections.make_room(network(2));
        assert!(is_dismissed(&second).await);
    }

    #[tokio::test]
    async fn what_is_closed_is_forgotten() {
        let connections = Arc::default();
        let (_, listed) = connection(&connections, 1, 2);
        drop(listed);
        assert!(connections.networks().is_empty());
    }
}
