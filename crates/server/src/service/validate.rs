//! Validation: a challenge is looked at by a job that outlives the request; the answer waits
//! for it a while, so that most clients see the verdict at once and never poll.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use acme::Problem;
use acme::account::Account;
use acme::authz::{Authorization, Status};
use acme::challenge::{self, CaaIdentity, Challenge, Context, Finding, Proof, Verdict};
use jiff::Timestamp;
use moka::sync::Cache;
use store::UnfinishedChallenge;
use store::port::{Accounts as _, Challenges as _, ValidationJobs as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::order::truncate_to_second;
use super::validation_slots::{Ticket, ValidationSlot, ValidationSlots};
use super::{Error, Service};

/// The validations that run now, and how long answers have waited for those of each order.
pub(super) struct ValidationJobs {
    running: Mutex<HashMap<Uuid, watch::Receiver<bool>>>,
    waited: Cache<Uuid, Arc<AtomicU64>>,
    /// So many look at the same time; each holds a few sockets.
    slots: Arc<ValidationSlots>,
}

/// How one attempt at a challenge ended.
enum Attempt {
    Proven(Proof),
    Again(Finding),
    Failed(Finding),
}

/// What a job needs to know.
struct ValidationJob {
    service: Service,
    account: Account,
    authorization: Authorization,
    challenge: Challenge,
    caa_identity: CaaIdentity,
    done: watch::Sender<bool>,
}

impl Service {
    /// Begins (or joins) the validation of a challenge and waits a while for its verdict
    /// (RFC 8555 §7.5.1). A challenge that has ended already is only read. `caa_identity` is what
    /// records in the DNS have to name.
    ///
    /// # Errors
    /// When the challenge is unknown or another account's, or the store fails.
    pub(crate) async fn attempt(
        &self,
        (account, caa_identity): (&Account, CaaIdentity),
        authorization: Uuid,
        id: Uuid,
    ) -> Result<Authorization, Error> {
        let account_url = caa_identity.account_url.clone();
        let (found, orders) = self.challenge(account, authorization, id).await?;
        let challenge = found.challenge(id).filter(|c| is_open(&found, c));
        let Some(challenge) = challenge.cloned() else {
            return Ok(found);
        };
        self.still_offers(&found, &challenge)?;
        let order = orders.first().copied().unwrap_or(authorization);
        self.check_failure_limit(account.id, &found.identifier)?;
        let most = self.config().riser.rate_limits.validations_per_account;
        let completion = self.start((account, caa_identity), found, challenge, most)?;
        if !self.wait(order, completion).await {
            self.store().begin_challenge(id, &account_url).await?;
        }
        let (found, _) = self.challenge(account, authorization, id).await?;
        Ok(found)
    }

    /// Waits for a slot among those who look at the outside.
    ///
    /// # Errors
    /// [`Error::Limited`] if the account sits or waits on as many as it may.
    pub(super) async fn slot(&self, account: Uuid) -> Result<Option<ValidationSlot>, Error> {
        let most = self.config().riser.rate_limits.validations_per_account;
        let ticket = self.state.validation_jobs.slots.queue(account, most);
        let mut ticket = ticket.ok_or_else(|| self.too_many_at_once(account, most))?;
        Ok(ticket.slot().await)
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
        for unfinished in self.store().unfinished_challenges().await? {
            let UnfinishedChallenge {
                challenge: id,
                account_url,
            } = unfinished;
            let Some(found) = self.store().challenge(id).await? else {
                continue;
            };
            let account = self.store().account(found.authorization.account).await?;
            let challenge = found.authorization.challenge(id);
            let challenge = challenge.filter(|one| is_open(&found.authorization, one));
            if let (Some(account), Some(challenge)) = (account, challenge) {
                let challenge = challenge.clone();
                let caa_identity = self.caa_identity(&found.authorization.provisioner, account_url);
                let who = (&account, caa_identity);
                let completion = self.start(who, found.authorization, challenge, usize::MAX);
                drop(completion?);
            }
        }
        Ok(())
    }

    /// Starts the job of a challenge unless it runs already, or the account has `most` of them.
    fn start(
        &self,
        (account, caa_identity): (&Account, CaaIdentity),
        authorization: Authorization,
        challenge: Challenge,
        most: usize,
    ) -> Result<watch::Receiver<bool>, Error> {
        let mut running = self.state.validation_jobs.running();
        if let Some(completion) = running.get(&challenge.id) {
            return Ok(completion.clone());
        }
        let ticket = self.state.validation_jobs.slots.queue(account.id, most);
        let ticket = ticket.ok_or_else(|| self.too_many_at_once(account.id, most))?;
        let (done, completion) = watch::channel(false);
        running.insert(challenge.id, completion.clone());
        let job = ValidationJob {
            service: self.clone(),
            account: account.clone(),
            authorization,
            challenge,
            caa_identity,
            done,
        };
        drop(self.state.tasks.spawn(job.run(ticket)));
        Ok(completion)
    }

    /// Waits for a completion as long as the order's patience lasts; tells whether it came.
    async fn wait(&self, order: Uuid, mut completion: watch::Receiver<bool>) -> bool {
        let waited = self
            .state
            .validation_jobs
            .waited
            .get_with(order, Arc::default);
        let left = PATIENCE.saturating_sub(Duration::from_millis(waited.load(Ordering::Relaxed)));
        let started = Instant::now();
        let done = timeout(left, completion.wait_for(|done| *done)).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        waited.fetch_add(millis, Ordering::Relaxed);
        done.is_ok()
    }
}

impl ValidationJobs {
    /// Nothing runs.
    pub(super) fn new() -> Self {
        Self {
            running: Mutex::new(HashMap::new()),
            waited: Cache::builder()
                .max_capacity(100_000)
                .time_to_live(Duration::from_mins(10))
                .build(),
            slots: ValidationSlots::new(SLOTS),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Receiver<bool>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ValidationJob {
    /// Looks, settles, and lets those who wait know.
    async fn run(self, mut ticket: Ticket) {
        let outcome = self.outcome(&mut ticket).await;
        self.settle(&outcome).await;
    }

    /// The verdict: up to three tries within the budget, then failure.
    async fn outcome(&self, ticket: &mut Ticket) -> Result<Proof, Finding> {
        let _seat = ticket.slot().await;
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

    /// One attempt: look, follow where the challenge says, judge. The truncate_to_second attempt ends with
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
            let seen = self.service.state.parts.prober.look(&probe, left).await;
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
            caa_identity: &self.caa_identity,
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
        truncate_to_second(
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

impl Drop for ValidationJob {
    /// Also when the job is lost: nobody waits for it any longer, and the next POST begins anew.
    fn drop(&mut self) {
        self.service
            .state
            .validation_jobs
            .running()
            .remove(&self.challenge.id);
        self.done.send_replace(true);
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
const SLOTS: usize = 256;
/// How long to wait after each failure to write a verdict.
const SETTLE_PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
