//! One validation, from the first probe to the stored verdict.

use std::sync::Arc;
use std::time::Duration;

use acme::authz::Authorization;
use acme::challenge::{
    self, AttestationRules, Context, FailureKind, Finding, Method, Observation, Ports, Proof,
    Verdict,
};
use ca::config::Config;
use jiff::Timestamp;
use store::port::Challenges as _;
use store::{AuditEntry, Failed, Proven};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::slots::{Ticket, ValidationSlot};
use super::{Progress, Subject, Validator, surroundings};
use crate::service::acme::truncate_to_second;

/// The validation of one challenge, under the configuration of the request that started it.
pub(super) struct ValidationJob {
    pub(super) validator: Validator,
    pub(super) config: Arc<Config>,
    pub(super) subject: Subject,
    /// The authorization with the verdict, once it is stored.
    pub(super) settled: Option<Arc<Authorization>>,
    pub(super) progress: watch::Sender<Progress>,
}

/// How one attempt at a challenge ended.
enum Attempt {
    Proven(Proof),
    Again(Finding),
    Failed(Finding),
}

impl ValidationJob {
    /// Waits for its turn, probes, stores the verdict, and wakes the other answers that wait for it. Returns the
    /// authorization with the verdict, where that was stored.
    pub(super) async fn run(mut self, mut ticket: Ticket) -> Option<Arc<Authorization>> {
        let slot = ticket.slot().await;
        // Thousands may wait for their turn: until then a job is small.
        Box::pin(async move {
            let outcome = self.outcome_in(slot?).await;
            self.settled = self.settle(outcome).await.map(Arc::new);
            self.settled.clone()
        })
        .await
    }

    /// The verdict. What is not decided soon waits for silence, and leaves its slot to others meanwhile.
    async fn outcome_in(&self, mut slot: ValidationSlot) -> Result<Proof, Finding> {
        let outcome = self.outcome();
        tokio::pin!(outcome);
        match timeout(SLOT_TIME, outcome.as_mut()).await {
            Ok(outcome) => outcome,
            Err(_) => {
                slot.fall_silent();
                outcome.await
            }
        }
    }

    /// The verdict: up to three tries within the budget, then failure.
    async fn outcome(&self) -> Result<Proof, Finding> {
        let started = Instant::now();
        let mut tries = TRIES.iter().map(|after| started + *after);
        loop {
            let finding = match self.attempt(started + SILENCE).await {
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

    /// One attempt: probe, follow where the challenge leads, judge. The whole attempt ends with
    /// the deadline, whatever it is waiting for.
    async fn attempt(&self, deadline: Instant) -> Attempt {
        let key_authorization =
            challenge::key_authorization(&self.subject.challenge.token, &self.subject.thumbprint);
        let rules = self.attestation_rules();
        let mut redirects = Vec::new();
        let mut probe = challenge::ask(
            self.subject.challenge.method,
            &self.context(&key_authorization, &rules, &[]),
        );
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let seen = self.validator.prober.probe(&probe, left).await;
            self.note_silence(&seen);
            let cx = self.context(&key_authorization, &rules, &redirects);
            match challenge::judge(self.subject.challenge.method, &cx, &seen) {
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

    /// Remembers where a name's address stays silent, for the share of its network.
    fn note_silence(&self, seen: &Observation) {
        if let Observation::Failed(failure) = seen
            && failure.kind == FailureKind::Timeout
            && let Some(last) = failure.trace.attempts.last()
        {
            let name = self.subject.authorization.identifier.to_string();
            let silent = &self.validator.jobs.silent;
            silent.insert(name, surroundings(last.address.ip()));
        }
    }

    /// Whose statements about devices are believed, where the method asks.
    fn attestation_rules(&self) -> AttestationRules {
        let provisioner = &self.subject.authorization.provisioner;
        match self.config.authority.acme(provisioner) {
            Some(acme) if self.subject.challenge.method == Method::DeviceAttest01 => {
                self.config.attestation(acme)
            }
            Some(_) | None => AttestationRules::default(),
        }
    }

    fn context<'a>(
        &'a self,
        key_authorization: &'a str,
        attestation: &'a AttestationRules,
        redirects: &'a [String],
    ) -> Context<'a> {
        Context {
            identifier: &self.subject.authorization.identifier,
            token: &self.subject.challenge.token,
            payload: &self.subject.payload,
            key_authorization,
            account: self.subject.account.id,
            caa_identity: &self.subject.caa_identity,
            ports: self.ports(),
            attestation,
            redirect_ports: &self.config.riser.validation.redirect_ports,
            now: Timestamp::now(),
            redirects,
        }
    }

    /// The ports of the first probe.
    fn ports(&self) -> Ports {
        let validation = &self.config.riser.validation;
        Ports {
            http: validation.http_port,
            tls: validation.tls_port,
        }
    }

    /// Writes the verdict. A store that is out of order is asked again for a while; after that the
    /// next POST, or the next start, takes the challenge up anew. Returns the authorization as it is stored then.
    async fn settle(&self, outcome: Result<Proof, Finding>) -> Option<Authorization> {
        let (store, id) = (&self.validator.store, self.subject.challenge.id);
        let verdict = self.verdict(outcome);
        for pause in SETTLE_PAUSES {
            let stored = match &verdict {
                Ok(proven) => store.settle_valid(proven).await,
                Err(failed) => store.settle_invalid(failed).await,
            };
            match stored {
                Ok(stored) => {
                    self.log_outcome(&verdict, stored.written);
                    if stored.written && verdict.is_err() {
                        self.count_failure(stored.ended).await;
                    }
                    return Some(stored.authorization);
                }
                Err(error) if error.is_outage() => sleep(pause).await,
                Err(error) => {
                    tracing::warn!(event = "validation", challenge = %id, error = %error);
                    return None;
                }
            }
        }
        tracing::error!(event = "validation", challenge = %id, error = "the verdict was not stored");
        None
    }

    /// The verdict as it is stored.
    fn verdict(&self, outcome: Result<Proof, Finding>) -> Result<Proven, Box<Failed>> {
        let (authorization, challenge) = (&self.subject.authorization, &self.subject.challenge);
        let method = challenge.method;
        match outcome {
            Ok(proof) => Ok(Proven {
                challenge: challenge.id,
                until: self.until(&proof),
                entry: AuditEntry::authorization_valid(authorization, method, proof.at()),
                proof,
            }),
            Err(Finding { problem, evidence }) => Err(Box::new(Failed {
                challenge: challenge.id,
                entry: AuditEntry::authorization_invalid(
                    authorization,
                    method,
                    &problem,
                    Timestamp::now(),
                ),
                problem,
                evidence,
            })),
        }
    }

    /// How long the authorization holds when it is proven.
    fn until(&self, proof: &Proof) -> Timestamp {
        let provisioner = &self.subject.authorization.provisioner;
        let settings = self.config.riser.provisioner(provisioner);
        truncate_to_second(
            proof
                .at()
                .saturating_add(settings.authorization_life)
                .unwrap_or_else(|_| proof.at()),
        )
    }

    /// Counts a failure that has ended so many orders.
    async fn count_failure(&self, ended: usize) {
        let limits = self.validator.limiter.under(&self.config.riser.rate_limits);
        let Subject {
            account,
            authorization,
            ..
        } = &self.subject;
        let counted = limits.count_failure(account.id, &authorization.identifier, ended);
        if let Err(error) = counted.await {
            tracing::warn!(event = "validation", account = %account.id.simple(), error = %error);
        }
    }

    fn log_outcome(&self, verdict: &Result<Proven, Box<Failed>>, written: bool) {
        let (result, reason) = match verdict {
            // Another verdict came first, or the authorization has ended.
            Ok(_) if !written => ("overtaken", ""),
            Ok(_) => ("valid", ""),
            Err(failed) => ("invalid", failed.problem.detail.as_str()),
        };
        tracing::info!(
            event = "validation",
            outcome = result,
            identifier = %self.subject.authorization.identifier,
            method = self.subject.challenge.method.as_str(),
            provisioner = self.subject.authorization.provisioner,
            account = %self.subject.account.id.simple(),
            challenge = %self.subject.challenge.id.simple(),
            reason,
        );
    }
}

impl Drop for ValidationJob {
    /// Also when the job is lost: no request waits for it any longer, and the next POST starts a new one.
    fn drop(&mut self) {
        self.validator
            .jobs
            .running()
            .remove(&self.subject.challenge.id);
        let settled = self.settled.take();
        self.progress.send_replace(Progress::Ended(settled));
    }
}

/// When to try again after the first attempt, counted from its begin.
const TRIES: [Duration; 2] = [Duration::from_millis(1000), Duration::from_millis(2500)];
/// How long a validation keeps its slot while others wait for one.
const SLOT_TIME: Duration = Duration::from_secs(2);
/// When silence is an answer.
const SILENCE: Duration = Duration::from_secs(10);
/// How long to wait after each failure to write a verdict.
const SETTLE_PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
