//! Renewal by mutual TLS: a client that holds a certificate of this authority and its key gets the
//! next one, as long as it would get one anew.

use std::sync::Arc;

use acme::Problem;
use acme::account::Account;
use acme::problem::Kind;
use ca::admission::{self, AccountBasis, KeyStanding, Renewed, Standing};
use ca::config::Config;
use ca::external_key::{ExternalKey, ExternalKeyRules};
use ca::renew::Recorded;
use ca::{IssuanceRequest, Refusal};
use jiff::Timestamp;
use pki::chain::{self, Purpose};
use pki::{Certificate, PublicKey, Serial};
use store::port::Certificates as _;
use store::{CertificateRecord, CertificateStanding, RenewalEnd, RenewalKeys};
use uuid::Uuid;

use super::{Error, NativeService};
use crate::service::standing;

/// The URL of an account of a provisioner at the host that the client asked for, which CAA records
/// may name.
pub(crate) type AccountUrl = Box<dyn Fn(&str, Uuid) -> String + Send + Sync>;

/// A request to renew the certificate that the peer proved to hold.
pub(crate) struct RenewalRequest {
    /// The certificate as DER.
    pub(crate) presented: Option<Vec<u8>>,
    /// Where the client knows accounts.
    pub(crate) account_url: AccountUrl,
    /// The id of the request.
    pub(crate) request_id: String,
}

/// A certificate that the peer proved to hold, and the key that the next one is for.
struct Wanted {
    old: Certificate,
    new_key: Option<PublicKey>,
    request: RenewalRequest,
}

/// What the records say about a renewal, as `ca` judges by it.
struct Known {
    recorded: Recorded,
    rules: Option<ExternalKeyRules>,
    standing: Standing,
}

impl NativeService {
    /// Renews the certificate that the peer proved to hold.
    ///
    /// # Errors
    /// When the peer has none of ours, it is unknown, or something that it rests on has ended.
    pub(crate) async fn renew(
        &self,
        config: &Arc<Config>,
        request: RenewalRequest,
    ) -> Result<Certificate, Error> {
        let wanted = Wanted {
            old: self.verify(request.presented.as_deref())?,
            new_key: None,
            request,
        };
        self.next(config, wanted).await
    }

    /// Renews the certificate that the peer proved to hold, for another key.
    ///
    /// # Errors
    /// As [`NativeService::renew`]; also when the CSR is not signed by its own key.
    pub(crate) async fn rekey(
        &self,
        config: &Arc<Config>,
        request: RenewalRequest,
        csr: &[u8],
    ) -> Result<Certificate, Error> {
        let old = self.verify(request.presented.as_deref())?;
        let csr = pki::Csr::verify(csr)
            .map_err(|why| Error::BadRequest(format!("the CSR cannot be taken: {why}")))?;
        let wanted = Wanted {
            old,
            new_key: Some(csr.public_key().clone()),
            request,
        };
        self.next(config, wanted).await
    }

    async fn next(&self, config: &Arc<Config>, wanted: Wanted) -> Result<Certificate, Error> {
        let (service, config) = (self.clone(), Arc::clone(config));
        let run = async move {
            let request_id = wanted.request.request_id.as_str();
            // What was read may have ended by the time of the write; then it is read again.
            for reading in 0..READINGS {
                let now = Timestamp::now();
                let Known {
                    recorded,
                    rules,
                    standing,
                } = service.known(&wanted, now).await?;
                let (new_key, chain) = (wanted.new_key.as_ref(), service.chain());
                let asked = ca::renew::request(&wanted.old, chain, recorded, new_key)?;
                let rules = rules.as_ref();
                let policy = config.issuance_policy(&asked, rules);
                admission::precheck(&asked, &policy, &standing, now)?;
                if reading == 0 {
                    service.count(&config, &wanted.old, &asked).await?;
                }
                let admission = (service.issuer).admit(&config, asked, rules, &standing, now);
                let grant = admission.await?;
                if let Some(next) = service.issuer.issue(grant, request_id).await? {
                    return Ok(next.certificate);
                }
            }
            Err(Error::Unanswered(Problem::new(
                Kind::ServerInternal,
                "The records that the renewal depends on keep changing: try again in a few seconds.",
            )))
        };
        self.tasks.outlive(run).await?
    }

    /// Counts a renewal for its lineage, and with the orders of the account that ordered the first
    /// certificate.
    async fn count(
        &self,
        config: &Config,
        old: &Certificate,
        asked: &IssuanceRequest,
    ) -> Result<(), Error> {
        let limits = self.limiter.under(&config.riser.rate_limits);
        let lineage = asked.lineage().unwrap_or_else(|| old.serial());
        match &asked.basis().account {
            Some(account) => {
                let names = acme::revocation::identifiers(old).unwrap_or_default();
                limits.count_renewed(account.id, lineage, &names).await
            }
            None => limits.count_lineage(lineage).await,
        }
    }

    /// The peer's certificate, verified here once more.
    fn verify(&self, presented: Option<&[u8]>) -> Result<Certificate, Error> {
        let der = presented
            .ok_or_else(|| Error::Unproven("the client presented no certificate".to_owned()))?;
        let certificate = Certificate::from_der(der).map_err(|why| unproven(why.to_string()))?;
        let options = chain::Options {
            intermediates: self.chain(),
            roots: self.roots(),
            at: Timestamp::now(),
            // Whoever holds the key may renew, whatever the certificate is for.
            purpose: Purpose::Any,
            host: None,
        };
        chain::verify(&certificate, &options).map_err(|why| unproven(why.to_string()))?;
        Ok(certificate)
    }

    /// What the store says about the renewal.
    async fn known(&self, wanted: &Wanted, now: Timestamp) -> Result<Known, Error> {
        let Wanted { old, new_key, .. } = wanted;
        let asking = old.public_key().map_err(Refusal::from)?;
        let keys = RenewalKeys {
            asking: asking.digest(),
            certified: new_key.as_ref().unwrap_or(asking).digest(),
        };
        let found = self.store.certificate_standing(old.serial(), keys, now);
        let found = found.await?;
        self.check_recorded(old, found.certificate.as_ref())?;
        let standing = Standing {
            renewed: renewed(old, &found),
            permits: found.permits,
            asking_key: match new_key {
                Some(_) => standing::key(found.asking_key_compromised),
                None => KeyStanding::NotAsked,
            },
            certified_key: standing::key(found.certified_key_compromised),
            ..Standing::default()
        };
        let Some(record) = found.certificate else {
            return Ok(Known {
                recorded: Recorded::default(),
                rules: None,
                standing,
            });
        };
        let account = found.account.as_ref();
        let rules = found.external_key.map(ExternalKey::into_rules);
        let basis = record.account.map(|id| AccountBasis {
            id,
            uri: account_url(&wanted.request, &record, id),
            external_key: account.and_then(external_key_of),
        });
        Ok(Known {
            standing: Standing {
                account: account.map(standing::account).unwrap_or_default(),
                external_key: account
                    .map(|account| standing::external_key(account, rules.as_ref()))
                    .unwrap_or_default(),
                ..standing
            },
            rules,
            recorded: Recorded {
                provisioner: record.provisioner,
                lineage: record.lineage,
                profile: record.profile,
                account: basis,
                basis: record.basis,
            },
        })
    }

    /// Whether the record of the serial number is that of the peer's certificate. One without a record
    /// may be renewed unless another program's store, which may have revoked it, lies beside this one.
    fn check_recorded(
        &self,
        certificate: &Certificate,
        record: Option<&CertificateRecord>,
    ) -> Result<(), Error> {
        let serial: &Serial = certificate.serial();
        match record {
            Some(record) if record.der == certificate.der() => Ok(()),
            Some(_) => Err(unproven(format!(
                "serial number {serial} was given to another"
            ))),
            None if self.renews_unknown => Ok(()),
            None => Err(unproven(format!(
                "serial number {serial} is not in this store, and another program's store \
                 lies beside it: start once with --fresh-store to renew what that one issued"
            ))),
        }
    }
}

fn unproven(why: String) -> Error {
    Error::Unproven(format!("the client's certificate: {why}"))
}

fn account_url(request: &RenewalRequest, record: &CertificateRecord, account: Uuid) -> String {
    let provisioner = record.provisioner.as_deref().unwrap_or_default();
    (request.account_url)(provisioner, account)
}

fn external_key_of(account: &Account) -> Option<String> {
    account
        .external
        .as_ref()
        .map(|external| external.key.clone())
}

/// What the records say about a certificate to be renewed. One that was neither ordered nor renewed
/// is the server's own.
fn renewed(old: &Certificate, found: &CertificateStanding) -> Renewed {
    let ended = |until| old.not_after() <= until;
    match (found.end, &found.certificate) {
        (Some(RenewalEnd::Revoked), _) => Renewed::Revoked,
        (Some(RenewalEnd::LineageEnded), _) => Renewed::LineageEnded,
        (Some(RenewalEnd::Superseded), _) => Renewed::Superseded,
        (None, None) if found.deleted_until.is_some_and(ended) => Renewed::Deleted,
        (None, None) => Renewed::Unknown,
        (None, Some(record)) if record.order.is_none() && record.renewed_from.is_none() => {
            Renewed::ServerCertificate
        }
        (None, Some(_)) => Renewed::Valid,
    }
}

/// How often what a renewal rests on is read, at most.
const READINGS: usize = 3;
