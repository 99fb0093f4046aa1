//! Validation: a challenge is looked at by a job that outlives the request; the answer waits
//! for it a while, so that most clients see the verdict at once and never poll.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acme::Problem;
use acme::account::Account;
use acme::authz::{Authorization, Status};
use acme::challenge::{self, Binding, Challenge, Context, Finding, Proof, Verdict};
use jiff::Timestamp;
use moka::sync::Cache;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::order::whole;
use super::seats::{Seat, Seats, Turn};
use super::{Error, Service};

/// The validations that run now, and how long answers have waited for those of each order.
pub(super) struct Flights {
    running: Mutex<HashMap<Uuid, watch::Receiver<bool>>>,
    waited: Cache<Uuid, Arc<AtomicU64>>,
    /// So many look at the same time; each holds a few sockets.
    seats: Arc<Seats>,
}

/// How one attempt at a challenge ended.
enum Attempt {
    Proven(Proof),
    Again(Finding),
    Failed(Finding),
}

/// What a job needs to know.
struct Flight {
    service: Service,
    account: Account,
    authorization: Authorization,
    challenge: Challenge,
    binding: Binding,
    landed: watch::Sender<bool>,
}

impl Service {
    /// Begins (or joins) the validation of a challenge and waits a while for its verdict
    /// (RFC 8555 §7.5.1). A challenge that has ended already is only read. `binding` is what
    /// records in the DNS have to name.
    ///
    /// # Errors
    /// When the challenge is unknown or another account's, or the store fails.
    pub(crate) async fn attempt(
        &self,
        (account, binding): (&Account, Binding),
        authorization: Uuid,
        id: Uuid,
    ) -> Result<Authorization, Error> {
        let account_url = binding.account_url.clone();
        let (found, orders) = self.challenge(account, authorization, id).await?;
        let challenge = found.challenge(id).filter(|c| is_open(&found, c));
        let Some(challenge) = challenge.cloned() else {
            return Ok(found);
        };
        self.still_offers(&found, &challenge)?;
        let order = orders.first().copied().unwrap_or(authorization);
        self.may_try(account.id, &found.identifier)?;
        let most = self.config().riser.rate_limits.validations_per_account;
        let landing = self.launch((account, binding), found, challenge, most)?;
        if !self.wait(order, landing).await {
            self.store().begin_challenge(id, &account_url).await?;
        }
        let (found, _) = self.challenge(account, authorization, id).await?;
        Ok(found)
    }

    /// Waits for a seat among those who look at the outside.
    ///
    /// # Errors
    /// [`Error::Limited`] if the account sits or waits on as many as it may.
    pub(super) async fn seat(&self, account: Uuid) -> Result<Option<Seat>, Error> {
        let most = self.config().riser.rate_limits.validations_per_account;
        let turn = self.state.flights.seats.queue(account, most);
        let mut turn = turn.ok_or_else(|| self.too_many_at_once(account, most))?;
        Ok(turn.seat().await)
    }

    /// Refuses a method that the operator has switched off since the challenge was made.
    fn still_offers(&self, found: &Authorization, challenge: &Challenge) -> Result<(), Error> {
        let config = self.config();
        let acme = config.authority.working_acme(&found.provisioner)?;
        let method = challenge.method;
        if config.challenges(acme).contains(&method) {
            return Ok(());
        }
        Err(Problem::unauthorized(format!(
            "{} was switched off at this provisioner after this challenge was made: answer another \
             one of the authorization, or create a new order.",
            method.as_str()
        ))
        .into())
    }

    /// Takes up the validations that an earlier process left unfinished.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn resume(&self) -> Result<(), Error> {
        for (id, account_url) in self.store().unfinished_challenges().await? {
            let Some(found) = self.store().challenge(id).await? else {
                continue;
            };
            let account = self.store().account(found.authorization.account).await?;
            let challenge = found.authorization.challenge(id);
            let challenge = challenge.filter(|one| is_open(&found.authorization, one));
            if let (Some(account), Some(challenge)) = (account, challenge) {
                let challenge = challenge.clone();
                let binding = self.binding(&found.authorization.provisioner, account_url);
                let who = (&account, binding);
                let landing = self.launch(who, found.authorization, challenge, usize::MAX);
                drop(landing?);
            }
        }
        Ok(())
    }

    /// Starts the job of a challenge unless it runs already, or the account has `most` of them.
    fn launch(
        &self,
        (account, binding): (&Account, Binding),
        authorization: Authorization,
        challenge: Challenge,
        most: usize,
    ) -> Result<watch::Receiver<bool>, Error> {
        let mut running = self.state.flights.running();
        if let Some(landing) = running.get(&challenge.id) {
            return Ok(landing.clone());
        }
        let turn = self.state.flights.seats.queue(account.id, most);
        let turn = turn.ok_or_else(|| self.too_many_at_once(account.id, most))?;
        let (landed, landing) = watch::channel(false);
        running.insert(challenge.id, landing.clone());
        let flight = Flight {
            service: self.clone(),
            account: account.clone(),
            authorization,
            challenge,
            binding,
            landed,
        };
        drop(self.state.work.spawn(flight.fly(turn)));
        Ok(landing)
    }

    /// Waits for a landing as long as the order's patience lasts; tells whether it came.
    async fn wait(&self, order: Uuid, mut landing: watch::Receiver<bool>) -> bool {
        let waited = self.state.flights.waited.get_with(order, Arc::default);
        let left = PATIENCE.saturating_sub(Duration::from_millis(waited.load(Ordering::Relaxed)));
        let started = Instant::now();
        let landed = timeout(left, landing.wait_for(|landed| *landed)).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        waited.fetch_add(millis, Ordering::Relaxed);
        landed.is_ok()
    }
}

impl Flights {
    /// Nothing runs.
    pub(super) fn new() -> Self {
        Self {
            running: Mutex::new(HashMap::new()),
            waited: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_mins(10))
                .build(),
            seats: Seats::new(SEATS),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Receiver<bool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// Looks, settles, and lets those who wait know.
    async fn fly(self, mut turn: Turn) {
        let outcome = self.outcome(&mut turn).await;
        self.settle(&outcome).await;
    }

    /// The verdict: up to three tries within the budget, then failure.
    async fn outcome(&self, turn: &mut Turn) -> Result<Proof, Finding> {
        let _seat = turn.seat().await;
        let started = Instant::now();
        let mut tries = TRIES.iter().map(|after| started + *after);
        loop {
            let finding = match self.look(started + SILENCE).await {
                Attempt::Proven(proof) => return Ok(proof),
                Attempt::Failed(finding) => return Err(finding),
                Attempt::Again(finding) => finding,
            };
            let now = Instant::now();
            let Some(next) = tries.find(|at| *at >= now) else {
                return Err(finding);
            };
            sleep_until(next).await;
        }
    }

    /// One attempt: look, follow where the challenge says, judge. The whole attempt ends with
    /// the deadline, whatever it is waiting for.
    async fn look(&self, deadline: Instant) -> Attempt {
        let key_authorization =
            challenge::key_authorization(&self.challenge.token, &self.account.key);
        let mut redirects = Vec::new();
        let mut probe = challenge::ask(
            self.challenge.method,
            &self.context(&key_authorization, &[]),
        );
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let seen = self.service.state.parts.eyes.look(&probe, left).await;
            let cx = self.context(&key_authorization, &redirects);
            match challenge::judge(self.challenge.method, &cx, &seen) {
                Verdict::Valid(proof) => return Attempt::Proven(proof),
                Verdict::Retry(finding) => return Attempt::Again(finding),
                Verdict::Invalid(finding) => return Attempt::Failed(finding),
                Verdict::Ask(next) => {
                    redirects.push(next.url());
                    probe = next;
                }
            }
        }
    }

    fn context<'a>(&'a self, key_authorization: &'a str, redirects: &'a [String]) -> Context<'a> {
        Context {
            identifier: &self.authorization.identifier,
            token: &self.challenge.token,
            key_authorization,
            account: self.account.id,
            binding: &self.binding,
            ports: self.service.ports(),
            now: Timestamp::now(),
            redirects,
        }
    }

    /// Writes the verdict. A store that is out of order is asked again for a while; after that the
    /// next POST, or the next start, takes the challenge up anew.
    async fn settle(&self, outcome: &Result<Proof, Finding>) {
        let id = self.challenge.id;
        for pause in SETTLE_PAUSES {
            let (store, now) = (self.service.store(), Timestamp::now());
            let stored = match outcome {
                Ok(proof) => store.settle_valid(id, proof, self.until(proof)).await,
                Err(Finding { problem, evidence }) => {
                    store.settle_invalid(id, problem, evidence, now).await
                }
            };
            match stored {
                Ok(stored) => return self.tell(outcome, stored.written),
                Err(error) if error.is_outage() => sleep(pause).await,
                Err(error) => {
                    tracing::warn!(event = "validation", challenge = %id, error = %error);
                    return;
                }
            }
        }
        tracing::error!(event = "validation", challenge = %id, error = "the verdict was not stored");
    }

    /// How long the authorization holds when it is proven.
    fn until(&self, proof: &Proof) -> Timestamp {
        let provisioner = &self.authorization.provisioner;
        let settings = self.service.config().riser.provisioner(provisioner);
        whole(
            proof
                .at()
                .saturating_add(settings.authorization_life)
                .unwrap_or_else(|_| proof.at()),
        )
    }

    fn tell(&self, outcome: &Result<Proof, Finding>, written: bool) {
        if written && outcome.is_err() {
            self.service
                .count_failure(self.account.id, &self.authorization.identifier);
        }
        let (result, reason) = match outcome {
            // Another verdict came first, or the authorization has ended.
            Ok(_) if !written => ("overtaken", ""),
            Ok(_) => ("valid", ""),
            Err(finding) => ("invalid", finding.problem.detail.as_str()),
        };
        tracing::info!(
            event = "validation",
            outcome = result,
            identifier = %self.authorization.identifier,
            method = self.challenge.method.as_str(),
            provisioner = self.authorization.provisioner,
            account = %self.account.id.simple(),
            challenge = %self.challenge.id.simple(),
            reason,
        );
    }
}

impl Drop for Flight {
    /// Also when the job is lost: nobody waits for it any longer, and the next POST begins anew.
    fn drop(&mut self) {
        self.service
            .state
            .flights
            .running()
            .remove(&self.challenge.id);
        self.landed.send_replace(true);
    }
}

/// Whether there is still something to look at.
fn is_open(authorization: &Authorization, challenge: &Challenge) -> bool {
    let looked_at = matches!(
        challenge.status,
        challenge::Status::Pending | challenge::Status::Processing
    );
    looked_at && authorization.status_at(Timestamp::now()) == Status::Pending
}

/// How long the answers of one order wait for verdicts, all together.
const PATIENCE: Duration = Duration::from_secs(2);
/// When to try again after the first attempt, counted from its begin.
const TRIES: [Duration; 2] = [Duration::from_millis(1000), Duration::from_millis(2500)];
/// When silence is an answer.
const SILENCE: Duration = Duration::from_secs(10);
const SEATS: usize = 256;
/// How long to wait after each failure to write a verdict.
const SETTLE_PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
