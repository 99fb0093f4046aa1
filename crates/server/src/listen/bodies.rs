//! Memory for the bodies that are still arriving, on all connections of a listener together. Where it is used up, the
//! client that uses most of it loses the body that it has left unfinished for longest.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The unfinished bodies of all connections.
pub(super) struct Bodies {
    room: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: usize,
    begun: u64,
    clients: HashMap<Option<IpAddr>, Client>,
}

/// The unfinished bodies of one network, oldest first.
#[derive(Default)]
struct Client {
    held: usize,
    bodies: BTreeMap<u64, Unfinished>,
}

struct Unfinished {
    held: usize,
    /// Dropped where the body loses its memory.
    _keep: oneshot::Sender<()>,
}

/// The memory of one unfinished body, until dropped.
pub(super) struct Share {
    bodies: Arc<Bodies>,
    client: Option<IpAddr>,
    number: u64,
    /// Ends when the body has lost its memory.
    pub(super) lost: oneshot::Receiver<()>,
}

impl Bodies {
    /// Room for this many bytes.
    pub(super) fn new(room: usize) -> Arc<Self> {
        Arc::new(Self {
            room,
            state: Mutex::default(),
        })
    }

    /// Begins a body of a client, which holds nothing yet.
    pub(super) fn begin(self: &Arc<Self>, client: Option<IpAddr>) -> Share {
        let (keep, lost) = oneshot::channel();
        let mut state = self.state();
        state.begun += 1;
        let number = state.begun;
        let unfinished = Unfinished {
            held: 0,
            _keep: keep,
        };
        let bodies = &mut state.clients.entry(client).or_default().bodies;
        bodies.insert(number, unfinished);
        drop(state);
        Share {
            bodies: Arc::clone(self),
            client,
            number,
            lost,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes so many more bytes; if there is no room, bodies are lost, perhaps this one.
    pub(super) fn grow(&self, bytes: usize) {
        let mut state = self.bodies.state();
        let State { held, clients, .. } = &mut *state;
        let Some(client) = clients.get_mut(&self.client) else {
            return;
        };
        let Some(body) = client.bodies.get_mut(&self.number) else {
            return;
        };
        body.held += bytes;
        client.held += bytes;
        *held += bytes;
        while state.held > self.bodies.room && state.cut() {}
    }
}

impl State {
    /// Takes the memory of the oldest body of the client that holds most; returns whether there was one.
    fn cut(&mut self) -> bool {
        let most = self.clients.iter().max_by_key(|(_, client)| client.held);
        let Some((client, number)) =
            most.and_then(|(client, it)| Some((*client, *it.bodies.first_key_value()?.0)))
        else {
            return false;
        };
        self.end(client, number);
        true
    }

    fn end(&mut self, client: Option<IpAddr>, number: u64) {
        let Some(of_client) = self.clients.get_mut(&client) else {
            return;
        };
        if let Some(body) = of_client.bodies.remove(&number) {
            of_client.held -= body.held;
            self.held -= body.held;
        }
        if of_client.bodies.is_empty() {
            self.clients.remove(&client);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.bodies.state().end(self.client, self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(n: u8) -> Option<IpAddr> {
        Some(Ipv4Addr::new(10, 0, 0, n).into())
    }

    fn is_lost(share: &mut Share) -> bool {
        share.lost.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_client_that_holds_most_loses_its_oldest_body_and_others_keep_theirs() {
        let bodies = Bodies::new(100);
        let mut small = bodies.begin(client(1));
        small.grow(10);
        let mut old = bodies.begin(client(2));
        old.grow(40);
        let mut young = bodies.begin(client(2));
        young.grow(45);
        assert!(![&mut small, &mut old, &mut young].into_iter().any(is_lost));
        small.grow(10);
        assert!(is_lost(&mut old));
        assert!(!is_lost(&mut small) && !is_lost(&mut young));
        old.grow(1000);
        assert_eq!(
            bodies.state().held,
            65,
            "what is lost takes nothing any more"
        );
    }

    #[test]
    fn one_body_never_holds_more_than_the_room() {
        let bodies = Bodies::new(100);
        let mut body = bodies.begin(client(1));
        body.grow(101);
        assert!(is_lost(&mut body));
    }

    #[test]
    fn what_ends_gives_its_room_back_at_once() {
        let bodies = Bodies::new(100);
        for _ in 0..1000 {
            let mut body = bodies.begin(client(1));
            body.grow(99);
            assert!(!is_lost(&mut body));
        }
        let state = bodies.state();
        assert_eq!((state.held, state.clients.len()), (0, 0));
    }
}
