//! Renewal information (RFC 9773): when a certificate should be renewed, and what may replace it.

use acme::Problem;
use acme::account::Account;
use acme::message::renewal::RenewalInfo;
use acme::order::OrderRequest;
use acme::problem::Kind;
use acme::renewal::{self, CertificateId, Window};
use ca::config::UnknownReplaces;
use ca::provisioner::Acme;
use jiff::SignedDuration;
use pki::Certificate;
use store::port::RenewalWindows as _;
use store::{CertificateRecord, RenewalRecord};

use super::{AcmeService, Caller, Error};

/// When to renew, and when to ask again.
pub(crate) struct Renewal {
    pub(crate) info: RenewalInfo,
    pub(crate) pause: SignedDuration,
}

impl AcmeService {
    /// When the certificate of this name should be renewed: in the past where it is revoked, in the newest window that
    /// an operator has set for it, else in its own.
    ///
    /// # Errors
    /// When the name has a wrong shape, or is not that of a certificate of this provisioner.
    pub(crate) async fn renewal(&self, acme: &Acme, name: &str) -> Result<Renewal, Error> {
        let id = CertificateId::parse(name)?;
        let found = self.store.renewal(id.serial()).await?;
        let RenewalRecord {
            certificate: record,
            window: set,
        } = found
            .filter(|found| found.certificate.provisioner.as_deref() == Some(acme.name()))
            .ok_or_else(unknown)?;
        named(&record, &id)?;
        let (begin, end) = (record.not_before.max(record.issued_at), record.not_after);
        let (window, explanation) = match (&record.revoked, set) {
            (Some(revoked), _) => (Window::revoked(revoked.at), None),
            (None, Some(set)) => (set.window, set.explanation),
            (None, None) => (Window::suggested(begin, end, &record.serial), None),
        };
        Ok(Renewal {
            info: RenewalInfo::new(window, explanation),
            pause: renewal::pause(begin, end),
        })
    }
}

/// Settles what an order replaces (RFC 9773 §5): a certificate of the same account that shares an identifier, or
/// nothing where the store has no such one. `record` is the certificate that it names, where the store has it.
/// Whether it is replaced already is seen when the order is stored. Returns what it renews: the certificate that it
/// replaces, if it asks for no other name.
///
/// # Errors
/// When the certificate has other names, or has no record and the provisioner refuses that.
pub(super) fn settle_replaces(
    caller: Caller<'_>,
    opening: &mut OrderRequest,
    record: Option<&CertificateRecord>,
) -> Result<Option<CertificateId>, Error> {
    let Some(id) = opening.replaces().cloned() else {
        return Ok(None);
    };
    let settings = caller.config.riser.provisioner(caller.provisioner.name());
    let certificate = match own(record, &id, caller.account) {
        Ok(certificate) => certificate,
        Err(error @ (Error::NotFound(_) | Error::Foreign(_)))
            if settings.unknown_replaces == UnknownReplaces::Ignore =>
        {
            log_ignored(&id, caller.account, &error);
            opening.replace_nothing();
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    renewal::replaces(&certificate, opening.identifiers())?;
    Ok(Some(id).filter(|_| renewal::renews(&certificate, opening.identifiers())))
}

/// The certificate of this name, if the account has ordered it.
fn own(
    record: Option<&CertificateRecord>,
    id: &CertificateId,
    account: &Account,
) -> Result<Certificate, Error> {
    let record = record.ok_or_else(unknown)?;
    let certificate = named(record, id)?;
    if record.account != Some(account.id) {
        return Err(Error::Foreign("certificate"));
    }
    Ok(certificate)
}

/// Logs that an order replaces nothing although it names a certificate.
fn log_ignored(id: &CertificateId, account: &Account, reason: &Error) {
    tracing::info!(
        event = "replaces_ignored",
        account = %account.id.simple(),
        provisioner = account.provisioner,
        certificate = %id,
        %reason,
    );
}

/// An order that wants to replace what is replaced already.
pub(super) fn already_replaced(id: &CertificateId) -> Problem {
    Problem::new(
        Kind::AlreadyReplaced,
        format!(
            "The certificate {id} is replaced already, or another order is about to replace it: \
             leave replaces out to order one more."
        ),
    )
}

/// The certificate, if its whole name is this: a serial number alone may be chance.
fn named(record: &CertificateRecord, id: &CertificateId) -> Result<Certificate, Error> {
    let certificate = Certificate::from_der(&record.der).map_err(ca::Refusal::from)?;
    match CertificateId::of(&certificate) {
        Some(own) if own == *id => Ok(certificate),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::NotFound("This provisioner has issued no certificate of this name.".to_owned())
}
