//! Clients that do a task again and again, and what that cost.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::challenges::Challenges;
use crate::disk::Disk;
use crate::peer::Peer;
use crate::worker::{Task, Worker};

/// A load to put on a server.
#[derive(Clone, Copy)]
pub struct Load {
    /// What each client does.
    pub task: Task,
    /// How many there are.
    pub clients: usize,
    /// How often it is done at the most, by all of them together.
    pub most: usize,
    /// After this long nobody begins anew.
    pub limit: Duration,
}

/// What one run measured.
pub struct Figures {
    /// How often the task was done.
    pub count: usize,
    /// From the first beginning to the last end.
    pub wall: Duration,
    /// User and system time of the server's process.
    pub cpu: Duration,
    /// How long it took each time, sorted.
    pub latencies: Vec<Duration>,
    /// Resident memory at the end, in MiB.
    pub memory: u64,
    /// What the store has grown by since it was empty, for each time, accounts included.
    pub grown: Option<Disk>,
}

impl Figures {
    /// The latency that `per_mille` of the times stayed within.
    #[must_use]
    pub fn percentile(&self, per_mille: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        let index = (self.latencies.len() * per_mille / 1000).min(last);
        self.latencies.get(index).copied().unwrap_or_default()
    }

    /// Server CPU for one time.
    #[must_use]
    pub fn cpu_each(&self) -> Duration {
        self.cpu / u32::try_from(self.count.max(1)).unwrap_or(u32::MAX)
    }
}

/// Puts the load on a server whose store is empty.
///
/// # Errors
/// The first failure of any client.
pub async fn run(peer: &Peer, challenges: &Challenges, load: &Load) -> Result<Figures, Failure> {
    let empty = peer.disk()?;
    let mut opening = JoinSet::new();
    for number in 0..load.clients {
        let (endpoint, challenges) = (peer.endpoint.clone(), challenges.clone());
        opening.spawn(Worker::open(endpoint, challenges, load.task, number));
    }
    let ready: Vec<Worker> = opening
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let (began, cpu) = (Instant::now(), peer.cpu()?);
    let each = load.most.div_ceil(load.clients);
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|worker| tokio::spawn(repeat(worker, each, began + load.limit)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let (wall, cpu) = (began.elapsed(), peer.cpu()?.saturating_sub(cpu));
    latencies.sort_unstable();
    let grown = match (peer.disk()?, empty) {
        (Some(full), Some(empty)) => {
            Some((full - empty).each(u64::try_from(latencies.len() + load.clients)?))
        }
        _ => None,
    };
    Ok(Figures {
        count: latencies.len(),
        wall,
        cpu,
        latencies,
        memory: peer.memory()?,
        grown,
    })
}

async fn repeat(mut worker: Worker, most: usize, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    while latencies.len() < most && Instant::now() < until {
        let began = Instant::now();
        worker.once().await?;
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}
