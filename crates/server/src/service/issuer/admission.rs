//! Admission: `ca` decides, this fetches the facts that it asks for and asks again.

use ca::admission::{self, Admission, Facts, Question, Standing};
use ca::config::Config;
use ca::external_key::ExternalKeyRules;
use ca::{Grant, IssuanceRequest, Recipient};
use jiff::Timestamp;

use super::Issuer;
use crate::service::Error;

impl Issuer {
    /// Decides on a request by the configuration, the external account key's rules and the records,
    /// with the facts from outside that the decision asks for.
    ///
    /// # Errors
    /// When it is refused, when a fact cannot be fetched, or when the account looks up too much.
    pub(in crate::service) async fn admit(
        &self,
        config: &Config,
        mut request: IssuanceRequest,
        rules: Option<&ExternalKeyRules>,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Grant, Error> {
        let policy = config.issuance_policy(&request, rules).below(self.chain());
        let mut facts = Facts::default();
        let mut caa = self.validator.caa_lookups(config, request.basis());
        loop {
            match admission::admit(request, &policy, standing, &facts, now) {
                Admission::Grant(grant) => {
                    log_objections(&grant);
                    return Ok(grant);
                }
                Admission::Refusal(refusal) => return Err(refusal.into()),
                Admission::Ask(Question::Caa(question), asked) => {
                    caa.fetch(question, &mut facts.caa).await?;
                    request = *asked;
                }
            }
        }
    }
}

/// Logs what would have refused the certificate, a line for each reason.
fn log_objections(grant: &Grant) {
    let (account, provisioner) = match grant.recipient() {
        Recipient::Order {
            account,
            provisioner,
            ..
        } => (Some(account), Some(provisioner)),
        Recipient::Renewal {
            account,
            provisioner,
            ..
        } => (account.as_ref(), provisioner.as_ref()),
        Recipient::ServerCertificate | Recipient::Authority => return,
    };
    let account = account.map(|id| id.simple().to_string());
    for objection in grant.objections() {
        // Names of events are literals, and CAA is the one question that objects.
        tracing::warn!(
            event = "caa",
            outcome = "issued all the same",
            provisioner = provisioner.map(String::as_str).unwrap_or_default(),
            account = account.as_deref().unwrap_or_default(),
            reason = objection.reason,
        );
    }
}
