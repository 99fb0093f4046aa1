//! CAA look-ups (RFC 8659 §3): what an admission asks for is looked up afresh for every name, so that
//! no answer is older than the request. No answer is an outage, never a yes.

use std::collections::BTreeSet;
use std::time::Duration;

use acme::caa::{self, Record};
use ca::admission::Basis;
use ca::admission::caa::{Facts, OnOutage, Question};
use ca::config::Config;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::slots::ValidationSlot;
use super::{Error, Validator};
use crate::probe::{RData, RecordLookup, RecordType, Records};

/// The look-ups of one admission: they share a deadline and take one slot of the account.
pub(in crate::service) struct CaaLookups<'a> {
    validator: &'a Validator,
    config: &'a Config,
    basis: LookupBasis,
    started: Option<Started>,
}

/// What is looked up for.
struct LookupBasis {
    account: Option<Uuid>,
    provisioner: String,
    what: Purpose,
}

/// What the look-ups are for.
enum Purpose {
    /// An order, which stays ready while the DNS is out.
    Order,
    /// A renewal, which waits.
    Renewal,
}

/// When the look-ups have to be done, and the slot that they hold until then.
struct Started {
    deadline: Instant,
    _slot: Option<ValidationSlot>,
}

impl Validator {
    /// The look-ups of one admission; nothing is looked up yet.
    pub(in crate::service) fn caa_lookups<'a>(
        &'a self,
        config: &'a Config,
        basis: &Basis,
    ) -> CaaLookups<'a> {
        CaaLookups {
            validator: self,
            config,
            basis: LookupBasis {
                account: basis.account.as_ref().map(|it| it.id),
                provisioner: basis.provisioner.clone().unwrap_or_default(),
                what: match basis.renewed {
                    None => Purpose::Order,
                    Some(_) => Purpose::Renewal,
                },
            },
            started: None,
        }
    }
}

impl CaaLookups<'_> {
    /// Looks up what is asked for and adds it to the facts.
    ///
    /// # Errors
    /// [`Error::Unanswered`] when the DNS gives no usable answer and that has to stop the issuance.
    /// When the account looks up too much already.
    pub(in crate::service) async fn fetch(
        &mut self,
        question: Question,
        facts: &mut Facts,
    ) -> Result<(), Error> {
        let deadline = self.deadline().await?;
        if let Some(account) = self.basis.account {
            let limits = self.validator.limiter.under(&self.config.riser.rate_limits);
            let names = u32::try_from(question.names.len()).unwrap_or(u32::MAX);
            limits.count_caa_lookups(account, names).await?;
        }
        let outcome = self.look_up(question.names, deadline, facts).await;
        match (outcome, question.outage) {
            (Err(Error::Unanswered(problem)), OnOutage::Report) => {
                facts.outage = Some(problem);
                Ok(())
            }
            (Err(Error::Unanswered(mut problem)), OnOutage::Fail) => {
                problem.detail += &self.basis.meanwhile();
                Err(Error::Unanswered(problem))
            }
            (outcome, _) => outcome,
        }
    }

    /// When the look-ups have to be done; the first call waits for a slot.
    async fn deadline(&mut self) -> Result<Instant, Error> {
        if let Some(started) = &self.started {
            return Ok(started.deadline);
        }
        let slot = match self.basis.account {
            Some(account) => self.validator.slot(self.config, account).await?,
            None => None,
        };
        let deadline = Instant::now() + PATIENCE;
        self.started = Some(Started {
            deadline,
            _slot: slot,
        });
        Ok(deadline)
    }

    async fn look_up(
        &self,
        names: BTreeSet<String>,
        deadline: Instant,
        facts: &mut Facts,
    ) -> Result<(), Error> {
        let (mut names, mut looks) = (names.into_iter(), JoinSet::new());
        loop {
            for name in names.by_ref().take(AT_ONCE - looks.len()) {
                let prober = self.validator.prober.clone();
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
            facts.records.insert(name, found(&records));
        }
    }
}

impl LookupBasis {
    /// What holds while the DNS gives no usable answer.
    fn meanwhile(&self) -> String {
        match self.what {
            Purpose::Order => {
                " Nothing is issued meanwhile; the order stays ready: finalize it again \
                               then."
                    .to_owned()
            }
            Purpose::Renewal => format!(
                " The certificate is not renewed meanwhile: try again then. If the outage lasts, the \
                 operator can set caa = \"warn\" in [provisioner.{}] of riser.toml.",
                self.provisioner
            ),
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
            // An empty record counts as well, and what it forbids is unknown.
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
