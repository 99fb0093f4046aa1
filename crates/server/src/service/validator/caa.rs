//! CAA at finalize (RFC 8659 §3): what `acme::caa` asks for is looked up afresh for every name of
//! the order, so that no answer is older than the request. No answer is an outage, never a yes.

use std::collections::BTreeSet;
use std::time::Duration;

use acme::caa::{self, Answer, Facts, Record};
use acme::challenge::{CaaIdentity, Proof};
use acme::order::Order;
use ca::config::{Caa, Config};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Error, Validator};
use crate::probe::{Prober, RData, RecordLookup, RecordType, Records};

impl Validator {
    /// Lets an order pass that no CAA record forbids, as far as its provisioner heeds them.
    ///
    /// # Errors
    /// Where CAA is enforced: `caa` when a record forbids a name, [`Error::Unanswered`] when the DNS
    /// gives no usable answer. When the store fails, or the account looks at too much already.
    pub(crate) async fn check_caa(
        &self,
        config: &Config,
        order: &Order,
        proofs: &[Proof],
        caa_identity: &CaaIdentity,
    ) -> Result<(), Error> {
        let settings = config.riser.provisioners.get(&order.provisioner);
        let heed = settings.map_or(Caa::Off, |settings| settings.caa);
        if heed == Caa::Off {
            return Ok(());
        }
        let _slot = self.slot(config, order.account).await?;
        let climb = Climb {
            order,
            caa_identity,
            proofs,
            hosts: hosts(config),
            prober: &self.prober,
        };
        match (heed, climb.to_the_top().await) {
            (Caa::Warn, Err(error)) => {
                warn(order, &error);
                Ok(())
            }
            (_, Err(Error::Unanswered(mut problem))) => {
                problem.detail += " Nothing is issued meanwhile; the order stays ready: finalize it \
                                   again then.";
                Err(Error::Unanswered(problem))
            }
            (_, outcome) => outcome,
        }
    }
}

/// Logs what would have kept the certificate back, a line for each name that is forbidden.
fn warn(order: &Order, error: &Error) {
    let reasons: Vec<String> = if let Error::Problem(problem) = error {
        let each = problem.subproblems.iter();
        each.map(|one| one.detail.clone()).collect()
    } else {
        vec![error.to_string()]
    };
    for reason in reasons {
        tracing::warn!(
            event = "caa",
            outcome = "issued all the same",
            provisioner = order.provisioner,
            account = %order.account.simple(),
            reason,
        );
    }
}

/// One order's names on their way up the tree.
struct Climb<'a> {
    order: &'a Order,
    caa_identity: &'a CaaIdentity,
    proofs: &'a [Proof],
    hosts: Vec<String>,
    prober: &'a Prober,
}

impl Climb<'_> {
    /// Looks up what is asked for, each name once, until every identifier has its answer.
    async fn to_the_top(&self) -> Result<(), Error> {
        let deadline = Instant::now() + PATIENCE;
        let mut facts = Facts::new();
        loop {
            let (mut asked, mut refused) = (BTreeSet::new(), Vec::new());
            for identifier in &self.order.identifiers {
                let proof = self.proofs.iter().find(|p| p.covers(identifier));
                let cx = caa::Context {
                    issuers: &self.caa_identity.issuers,
                    account_url: &self.caa_identity.account_url,
                    hosts: &self.hosts,
                    method: proof.and_then(Proof::method),
                };
                match caa::judge(identifier, &cx, &facts) {
                    Answer::Allowed => {}
                    Answer::Ask(name) => drop(asked.insert(name)),
                    Answer::Refused(problem) => refused.push(problem),
                }
            }
            if asked.is_empty() {
                return match refused.is_empty() {
                    true => Ok(()),
                    false => Err(caa::problem(refused).into()),
                };
            }
            self.look(asked, deadline, &mut facts).await?;
        }
    }

    async fn look(
        &self,
        names: BTreeSet<String>,
        deadline: Instant,
        facts: &mut Facts,
    ) -> Result<(), Error> {
        let (mut names, mut looks) = (names.into_iter(), JoinSet::new());
        loop {
            for name in names.by_ref().take(AT_ONCE - looks.len()) {
                let prober = self.prober.clone();
                let left = deadline.saturating_duration_since(Instant::now());
                looks.spawn(async move {
                    let looked = prober.records(&name, RecordType::CAA, left).await;
                    (name, looked)
                });
            }
            let Some(done) = looks.join_next().await else {
                return Ok(());
            };
            let (name, looked) = done.map_err(|e| Error::Internal(format!("a look-up: {e}")))?;
            let RecordLookup { records, .. } =
                looked.map_err(|failure| Error::Unanswered(caa::unanswered(&name, &failure)))?;
            facts.insert(name, found(&records));
        }
    }
}

/// The CAA records among what was found.
fn found(records: &Records) -> Vec<Record> {
    let Records::Found(found) = records else {
        return Vec::new();
    };
    let read = |data: &RData| {
        let RData::CAA(caa) = data else {
            // An empty record is there all the same, and nobody knows what it forbids.
            return Record {
                critical: true,
                tag: String::new(),
                value: String::new(),
            };
        };
        Record {
            critical: caa.issuer_critical,
            tag: caa.tag.clone(),
            value: String::from_utf8_lossy(&caa.value).into_owned(),
        }
    };
    found.iter().map(read).collect()
}

/// The hosts by which a record may write an account's URL.
fn hosts(config: &Config) -> Vec<String> {
    let names = config.dns_names.iter().chain(&config.riser.public_names);
    names.cloned().collect()
}

/// How long all look-ups of one order may take together.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many names of one order are looked up at the same time: resolvers serve others too.
const AT_ONCE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_record_counts_as_one_that_forbids() {
        let empty = RData::Update0(RecordType::CAA);
        let [record] = &found(&Records::Found(vec![empty]))[..] else {
            panic!("it is not seen");
        };
        assert!(record.critical);
        assert_eq!(found(&Records::None), []);
    }
}
