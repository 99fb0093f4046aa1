//! Accounts (RFC 8555 §7.3): made, found, changed, ended. Each belongs to one provisioner.

use acme::Problem;
use acme::account::{Account, Status};
use acme::message::account::{NewAccount, Update};
use acme::problem::Kind;
use ca::provisioner::Acme;
use jiff::Timestamp;
use pki::jose::Jwk;
use store::Created;
use uuid::Uuid;

use super::{Error, Service};

/// What became of a request for an account.
pub(crate) enum Registered {
    /// It is new.
    New(Account),
    /// The key had one already.
    Existing(Account),
}

impl Service {
    /// The account of this id at this provisioner.
    ///
    /// # Errors
    /// `accountDoesNotExist`; a refusal if it is another provisioner's.
    pub(crate) async fn account(&self, id: Uuid, provisioner: &str) -> Result<Account, Error> {
        match self.store().account(id).await? {
            Some(account) if account.provisioner == provisioner => Ok(account),
            Some(_) => Err(Problem::unauthorized(format!(
                "This account does not belong to provisioner {provisioner:?}."
            ))
            .into()),
            None => Err(unknown("There is no account with this URL")),
        }
    }

    /// Makes the account of a key, or finds the one it has (RFC 8555 §7.3, §7.3.1).
    ///
    /// # Errors
    /// When the request may not make one; see the problem's words.
    pub(crate) async fn register(
        &self,
        acme: &Acme,
        key: Jwk,
        request: NewAccount,
    ) -> Result<Registered, Error> {
        let found = self
            .store()
            .account_by_key(acme.name(), &key.thumbprint())
            .await?;
        if let Some(account) = found {
            account.active()?;
            return Ok(Registered::Existing(account));
        }
        if request.only_return_existing {
            return Err(unknown("This key has no account here"));
        }
        acme.check()?;
        admit(acme, &request)?;
        let account = Account {
            id: Uuid::now_v7(),
            provisioner: acme.name().to_owned(),
            key,
            status: Status::Valid,
            contact: request.contact,
            terms_agreed: request.terms_of_service_agreed,
            created_at: Timestamp::now(),
        };
        match self.store().create_account(account).await? {
            Created::Created(account) => Ok(Registered::New(account)),
            Created::Existing(account) => {
                account.active()?;
                Ok(Registered::Existing(account))
            }
        }
    }

    /// The orders of an account that are not over, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn orders(&self, account: &Account) -> Result<Vec<Uuid>, Error> {
        Ok(self
            .store()
            .open_orders(account.id, Timestamp::now())
            .await?)
    }

    /// Changes an account's contacts, or ends it (RFC 8555 §7.3.2, §7.3.6).
    ///
    /// # Errors
    /// When the request asks for what cannot be had, or the store fails.
    pub(crate) async fn update_account(
        &self,
        account: Account,
        update: Update,
    ) -> Result<Account, Error> {
        let now = Timestamp::now();
        match update.status.as_deref() {
            None | Some("valid") => {}
            Some("deactivated") => {
                return Ok(self.store().deactivate_account(account.id, now).await?);
            }
            Some(other) => {
                return Err(Problem::malformed(format!(
                    "The status of an account can only be set to \"deactivated\", not to {other:?}."
                ))
                .into());
            }
        }
        match update.contact {
            Some(contact) if contact != account.contact => {
                check_contacts(&contact)?;
                Ok(self.store().update_contact(account.id, contact).await?)
            }
            _ => Ok(account),
        }
    }
}

/// Whether this provisioner takes this request for a new account.
fn admit(acme: &Acme, request: &NewAccount) -> Result<(), Problem> {
    if let Some(terms) = acme.terms_of_service()
        && !request.terms_of_service_agreed
    {
        return Err(Problem::new(
            Kind::UserActionRequired,
            format!("Agree to the terms of service at {terms} first (termsOfServiceAgreed)."),
        ));
    }
    if request.external_account_binding.is_some() {
        return Err(Problem::unauthorized(
            "The external account binding names a key that this CA does not know.",
        ));
    }
    if acme.require_eab() {
        return Err(Problem::new(
            Kind::ExternalAccountRequired,
            "This provisioner makes accounts only for those who bring an external account key: \
             ask the operator for one.",
        ));
    }
    check_contacts(&request.contact)
}

/// Contacts are mail addresses (RFC 8555 §7.3): one address each, no header fields.
fn check_contacts(contacts: &[String]) -> Result<(), Problem> {
    contacts.iter().try_for_each(|contact| {
        let Some(address) = contact.strip_prefix("mailto:") else {
            return Err(Problem::new(
                Kind::UnsupportedContact,
                format!("Contact {contact:?} is not supported here: use a mailto: URL."),
            ));
        };
        let parts = address.split_once('@');
        let whole = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
        let odd = |c: char| c.is_control() || !c.is_ascii() || " ,?#<>\"@".contains(c);
        let clean = parts.is_some_and(|(user, host)| !user.contains(odd) && !host.contains(odd));
        if whole && clean {
            return Ok(());
        }
        Err(Problem::new(
            Kind::InvalidContact,
            format!("Contact {contact:?} is not one plain mail address."),
        ))
    })
}

fn unknown(what: &str) -> Error {
    Problem::new(
        Kind::AccountDoesNotExist,
        format!("{what}: create one at the directory's newAccount."),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_are_single_plain_mail_addresses() {
        assert!(check_contacts(&["mailto:a@example.com".to_owned()]).is_ok());
        for (contact, kind) in [
            ("tel:+123", Kind::UnsupportedContact),
            ("not a url", Kind::UnsupportedContact),
            ("mailto:", Kind::InvalidContact),
            ("mailto:a@b,c@d", Kind::InvalidContact),
            ("mailto:a@b?subject=x", Kind::InvalidContact),
            ("mailto:ä@b", Kind::InvalidContact),
        ] {
            let refused = check_contacts(&[contact.to_owned()]).unwrap_err();
            assert_eq!(refused.kind, kind, "{contact}");
        }
    }
}
