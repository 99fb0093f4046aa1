//! Validation: a job that outlives the request probes a challenge; the answer waits for its verdict
//! for a while, so that most clients see it at once and never poll.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acme::Problem;
use acme::account::Account;
use acme::authz::{Authorization, Status};
use acme::challenge::{self, CaaIdentity, Challenge, Method};
use acme::identifier::Identifier;
use acme::rate::network;
use ca::config::Config;
use jiff::Timestamp;
use moka::sync::Cache;
use store::port::{Accounts as _, Challenges as _, ValidationJobs as _};
use store::{ChallengeRecord, Store, UnfinishedChallenge};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use self::job::ValidationJob;
use self::schedule::{Bounds, Full, Party};
use self::slots::{Ticket, ValidationSlot, ValidationSlots};
use super::limiter::Limiter;
use super::tasks::Tasks;
use super::{Caller, Error, caa_identity};
use crate::probe::Prober;

mod caa;
mod job;
mod schedule;
mod slots;

/// Validates challenges and looks up what the DNS says about certificates; the one component that
/// connects to addresses that clients choose. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Validator {
    store: Store,
    prober: Prober,
    jobs: Arc<ValidationJobs>,
    /// How many probes run at the same time; each holds a few sockets.
    slots: Arc<ValidationSlots>,
    limiter: Arc<Limiter>,
    tasks: Tasks,
}

/// How far a validation is.
#[derive(Clone)]
enum Progress {
    /// It is under way.
    Running,
    /// It has ended, and this is its authorization with the verdict, where that was stored.
    Ended(Option<Arc<Authorization>>),
}

/// A validation that an answer waits for.
enum Awaited {
    /// It began with this answer, which carries it out.
    Own(Box<ValidationJob>, Ticket),
    /// It was under way.
    Other(watch::Receiver<Progress>),
}

/// The validations under way, how long answers have waited for those of each order, and where names were silent.
struct ValidationJobs {
    running: Mutex<HashMap<Uuid, watch::Receiver<Progress>>>,
    waited: Cache<Uuid, Arc<AtomicU64>>,
    silent: Cache<String, IpAddr>,
}

/// Which challenge of which authorization.
#[derive(Clone, Copy)]
pub(crate) struct ChallengePath {
    /// The authorization.
    pub(crate) authorization: Uuid,
    /// The challenge.
    pub(crate) challenge: Uuid,
}

/// A client's word that it has answered a challenge (RFC 8555 §7.5.1).
pub(crate) struct ChallengeAnswer {
    /// The challenge.
    pub(crate) path: ChallengePath,
    /// The account's URL as its client knows it, which records in the DNS may name.
    pub(crate) account_url: String,
    /// The JSON object that the client signed.
    pub(crate) payload: Vec<u8>,
    /// The address that it came from.
    pub(crate) remote: Option<IpAddr>,
}

/// What a job is about.
struct Subject {
    account: Account,
    authorization: Authorization,
    challenge: Challenge,
    caa_identity: CaaIdentity,
    /// Of the account's key when its client answered the challenge.
    thumbprint: String,
    payload: Vec<u8>,
}

impl Validator {
    /// Puts the validator together; nothing runs yet.
    pub(super) fn new(store: Store, prober: Prober, limiter: Arc<Limiter>, tasks: Tasks) -> Self {
        Self {
            store,
            prober,
            jobs: Arc::new(ValidationJobs::new()),
            slots: ValidationSlots::new(BOUNDS),
            limiter,
            tasks,
        }
    }

    /// Starts (or joins) the validation of a challenge and waits a while for its verdict
    /// (RFC 8555 §7.5.1). A challenge that has ended already is only read.
    ///
    /// # Errors
    /// When the challenge is unknown or another account's, its method is switched off, a limit is
    /// reached, or the store fails.
    pub(crate) async fn validate(
        &self,
        caller: Caller<'_>,
        answer: ChallengeAnswer,
    ) -> Result<Authorization, Error> {
        let Caller {
            config, account, ..
        } = caller;
        let ChallengeAnswer {
            path,
            account_url,
            payload,
            remote,
        } = answer;
        let found = self.record(account, path).await?;
        let authorization = found.authorization;
        let challenge = authorization.challenge(path.challenge);
        let challenge = challenge
            .filter(|one| is_open(&authorization, one))
            .cloned();
        let Some(challenge) = challenge else {
            return Ok(authorization);
        };
        check_still_offered(config, &authorization, &challenge)?;
        let payload = kept(challenge.method, payload);
        let order = found.orders.first().copied();
        let rates = &config.riser.rate_limits;
        let limits = self.limiter.under(rates);
        limits
            .check_failure_limit(account.id, &authorization.identifier)
            .await?;
        let subject = Subject {
            account: account.clone(),
            caa_identity: caa_identity(config, &authorization.provisioner, account_url.clone()),
            authorization,
            challenge,
            thumbprint: account.key.thumbprint(),
            payload: payload.clone(),
        };
        let most = rates.validations_per_account;
        let awaited = self.start(config, subject, remote, |party| {
            self.queue(config, party, most)
        })?;
        let order = order.unwrap_or(path.authorization);
        match self.wait(order, awaited).await {
            Progress::Ended(Some(settled)) => return Ok(Authorization::clone(&settled)),
            Progress::Ended(None) => {}
            Progress::Running => {
                let begun = UnfinishedChallenge {
                    challenge: path.challenge,
                    account_url,
                    thumbprint: account.key.thumbprint(),
                    payload,
                };
                self.store.begin_challenge(begun).await?;
            }
        }
        self.challenge(account, path).await
    }

    /// A challenge's authorization.
    ///
    /// # Errors
    /// When there is no such challenge under this authorization, or it is another account's.
    pub(crate) async fn challenge(
        &self,
        account: &Account,
        path: ChallengePath,
    ) -> Result<Authorization, Error> {
        let found = self.record(account, path).await?;
        Ok(found.authorization)
    }

    /// Takes up the validations that an earlier process left unfinished.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn resume(&self, config: &Arc<Config>) -> Result<(), Error> {
        for unfinished in self.store.unfinished_challenges().await? {
            let UnfinishedChallenge {
                challenge: id,
                account_url,
                thumbprint,
                payload,
            } = unfinished;
            let Some(found) = self.store.challenge(id).await? else {
                continue;
            };
            let authorization = found.authorization;
            let account = self.store.account(authorization.account).await?;
            let challenge = authorization.challenge(id);
            let challenge = challenge
                .filter(|one| is_open(&authorization, one))
                .cloned();
            if let (Some(account), Some(challenge)) = (account, challenge) {
                let current = || account.key.thumbprint();
                let thumbprint = Some(thumbprint).filter(|kept| !kept.is_empty());
                let subject = Subject {
                    thumbprint: thumbprint.unwrap_or_else(current),
                    account,
                    caa_identity: caa_identity(config, &authorization.provisioner, account_url),
                    authorization,
                    challenge,
                    payload,
                };
                let started =
                    self.start(config, subject, None, |party| Ok(self.slots.requeue(party)));
                if let Awaited::Own(job, ticket) = started? {
                    drop(self.tasks.spawn(job.run(ticket)));
                }
            }
        }
        Ok(())
    }

    /// Waits for a slot among those that limit how many probes run at a time.
    ///
    /// # Errors
    /// [`Error::Limited`] if the account has or awaits as many as it may.
    async fn slot(&self, config: &Config, account: Uuid) -> Result<Option<ValidationSlot>, Error> {
        let most = config.riser.rate_limits.validations_per_account;
        let party = Party {
            account,
            source: None,
            target: None,
        };
        let mut ticket = self.queue(config, party, most)?;
        Ok(ticket.slot().await)
    }

    /// A place in the queue for a slot.
    fn queue(&self, config: &Config, party: Party, most: usize) -> Result<Ticket, Error> {
        let limits = self.limiter.under(&config.riser.rate_limits);
        let ticket = self.slots.queue(party, most);
        ticket.map_err(|full| match full {
            Full::Account => limits.too_many_at_once(party.account, most),
            Full::Queue => limits.queue_is_full(),
        })
    }

    /// Who asks for a validation, and where it looks as far as that is known.
    fn party(&self, subject: &Subject, remote: Option<IpAddr>) -> Party {
        let identifier = &subject.authorization.identifier;
        let target = match identifier {
            Identifier::Ip(address) => Some(surroundings(*address)),
            Identifier::Device(_) => None,
            Identifier::Dns(_) | Identifier::Wildcard(_) => {
                self.jobs.silent.get(&identifier.to_string())
            }
        };
        Party {
            account: subject.account.id,
            source: remote.map(network),
            target,
        }
    }

    /// Begins the job of a challenge, with the ticket that `queue` gives, unless it runs already.
    fn start(
        &self,
        config: &Arc<Config>,
        subject: Subject,
        remote: Option<IpAddr>,
        queue: impl FnOnce(Party) -> Result<Ticket, Error>,
    ) -> Result<Awaited, Error> {
        let mut running = self.jobs.running();
        if let Some(completion) = running.get(&subject.challenge.id) {
            return Ok(Awaited::Other(completion.clone()));
        }
        let ticket = queue(self.party(&subject, remote))?;
        let (progress, completion) = watch::channel(Progress::Running);
        running.insert(subject.challenge.id, completion);
        let job = ValidationJob {
            validator: self.clone(),
            config: Arc::clone(config),
            subject,
            settled: None,
            progress,
        };
        Ok(Awaited::Own(Box::new(job), ticket))
    }

    /// Waits for a job to end as long as the order's patience lasts; its own job goes on by itself after that.
    async fn wait(&self, order: Uuid, awaited: Awaited) -> Progress {
        let waited = self.jobs.waited.get_with(order, Arc::default);
        let left = PATIENCE.saturating_sub(Duration::from_millis(waited.load(Ordering::Relaxed)));
        let started = Instant::now();
        let progress = match awaited {
            Awaited::Own(job, ticket) => {
                let job = self.tasks.outlive(job.run(ticket));
                let ended = timeout(left, job).await;
                ended.map(|settled| Progress::Ended(settled.unwrap_or_default()))
            }
            Awaited::Other(mut completion) => {
                let ended = |progress: &Progress| matches!(progress, Progress::Ended(_));
                let ended = timeout(left, completion.wait_for(ended)).await;
                ended.map(|progress| {
                    let progress = progress.map(|progress| progress.clone());
                    progress.unwrap_or(Progress::Ended(None))
                })
            }
        };
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        waited.fetch_add(millis, Ordering::Relaxed);
        progress.unwrap_or(Progress::Running)
    }

    /// A challenge of this account, with its authorization and the orders that wait for it.
    async fn record(
        &self,
        account: &Account,
        path: ChallengePath,
    ) -> Result<ChallengeRecord, Error> {
        let found = self.store.challenge(path.challenge).await?;
        let found = found.filter(|found| found.authorization.id == path.authorization);
        match found {
            Some(found) if found.authorization.account == account.id => Ok(found),
            Some(_) => Err(Error::Foreign("challenge")),
            None => Err(Error::unknown("challenge")),
        }
    }
}

impl ValidationJobs {
    /// Nothing runs.
    fn new() -> Self {
        Self {
            running: Mutex::new(HashMap::new()),
            waited: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_mins(10))
                .build(),
            silent: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_mins(10))
                .build(),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Receiver<Progress>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a method that the operator has switched off since the challenge was made.
fn check_still_offered(
    config: &Config,
    authorization: &Authorization,
    challenge: &Challenge,
) -> Result<(), Error> {
    let acme = config.authority.working_acme(&authorization.provisioner)?;
    let method = challenge.method;
    if config.challenges(acme).contains(&method) {
        return Ok(());
    }
    Err(Problem::unauthorized(format!(
        "{} was switched off at this provisioner after this challenge was made: answer another \
         challenge of the authorization, or create a new order.",
        method.as_str()
    ))
    .into())
}

/// The payload that a job and its record keep: jobs wait in numbers, so that only a method that
/// judges the payload holds one.
fn kept(method: Method, payload: Vec<u8>) -> Vec<u8> {
    if method.judges_payload() {
        payload
    } else {
        NO_PAYLOAD.to_vec()
    }
}

/// The network that an address counts for as a target.
fn surroundings(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() >> 8 << 8)),
        v6 @ IpAddr::V6(_) => v6,
    }
}

/// Whether a verdict is still outstanding.
fn is_open(authorization: &Authorization, challenge: &Challenge) -> bool {
    let undecided = matches!(
        challenge.status,
        challenge::Status::Pending | challenge::Status::Processing
    );
    undecided && authorization.status_at(Timestamp::now()) == Status::Pending
}

/// How long the answers of one order wait for verdicts, all together.
const PATIENCE: Duration = Duration::from_secs(2);
/// Each validation holds a few sockets, and `app::descriptors` keeps as many free.
const BOUNDS: Bounds = Bounds {
    slots: 256,
    silent: 1024,
    queue: 16_384,
};
/// The payload of an answer that says nothing (RFC 8555 §7.5.1).
const NO_PAYLOAD: &[u8] = b"{}";
