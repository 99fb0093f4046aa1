//! Permits: an operator gives names to an account or an external account key, lists what was given,
//! and takes it back.

use acme::permit::{Holder, Pattern, Record};
use ca::api::admin::permit::{NewPermits, Permit};
use ca::config::Config;
use jiff::Timestamp;
use serde_json::Map;
use store::port::Permits as _;
use store::{Ending, Event, NewPermit};
use uuid::Uuid;

use super::{Admin, Error, Operator};
use crate::service::acme_provisioner;

impl Admin {
    /// Gives names, all of them or none.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for what is no name or account; [`Error::NotFound`] if the provisioner
    /// or the account is not there.
    pub(crate) async fn add_permits(
        &self,
        config: &Config,
        operator: &Operator,
        provisioner: &str,
        asked: &NewPermits,
    ) -> Result<Vec<Permit>, Error> {
        let acme = acme_provisioner(config, provisioner)?;
        let now = Timestamp::now();
        if asked.expires_at.is_some_and(|end| end <= now) {
            return Err(bad(
                "the permits would have ended already: name a time that is to come",
            ));
        }
        if asked.names.is_empty() {
            return Err(bad("no names are given: name at least one"));
        }
        let holder = holder(asked)?;
        let record = |pattern| Record {
            id: Uuid::now_v7(),
            holder: holder.clone(),
            provisioner: acme.name().to_owned(),
            pattern,
            expires: asked.expires_at,
            by: operator.name(),
            at: now,
        };
        let records: Vec<_> = patterns(&asked.names)?.into_iter().map(record).collect();
        let entry = operator.entry(Event::PermitAdded, now, Map::new());
        let new = records
            .iter()
            .map(|it| NewPermit::new(it.clone(), entry.clone()));
        match self.store.add_permits(new.collect()).await {
            Ok(()) => Ok(records.iter().map(show).collect()),
            Err(store::Error::NotFound) => Err(Error::NotFound(format!(
                "provisioner {provisioner} has no such account or key, or it has ended; an account's URL \
                 is in its client's files and in this server's log"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// What was given at a provisioner, oldest first.
    ///
    /// # Errors
    /// When there is no such provisioner, or the store cannot be read.
    pub(crate) async fn permits(
        &self,
        config: &Config,
        provisioner: &str,
    ) -> Result<Vec<Permit>, Error> {
        acme_provisioner(config, provisioner)?;
        let found = self.store.permits(provisioner).await?;
        Ok(found.iter().map(show).collect())
    }

    /// Removes a permit, and ends the unfinished orders that rest on it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none with this id.
    pub(crate) async fn remove_permit(
        &self,
        operator: &Operator,
        provisioner: &str,
        id: &str,
    ) -> Result<Permit, Error> {
        let unknown = || {
            Error::NotFound(format!(
                "provisioner {provisioner} has no permit with the id '{id}': see `step ca acme \
                 authorize list {provisioner}`"
            ))
        };
        let number = Uuid::try_parse(id).map_err(|_| unknown())?;
        let found = self.store.permit(provisioner, number).await?;
        let record = found.ok_or_else(unknown)?;
        let entry = operator.entry(Event::PermitRemoved, Timestamp::now(), Map::new());
        let ending = Ending::of_permit(&record, entry);
        match self.store.remove_permit(provisioner, number, ending).await {
            Ok(record) => Ok(show(&record)),
            Err(store::Error::NotFound) => Err(unknown()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The names as patterns; the error lists all that are not valid.
fn patterns(names: &[String]) -> Result<Vec<Pattern>, Error> {
    let (mut patterns, mut wrong) = (Vec::new(), Vec::new());
    for name in names {
        match Pattern::parse(name) {
            Ok(pattern) => patterns.push(pattern),
            Err(problem) => wrong.push(problem.detail),
        }
    }
    if wrong.is_empty() {
        return Ok(patterns);
    }
    Err(Error::BadRequest(wrong.join("\n")))
}

fn holder(asked: &NewPermits) -> Result<Holder, Error> {
    match (asked.account.as_str(), asked.external_key.as_str()) {
        ("", "") => Err(bad("for whom? Name an account or an external account key")),
        ("", key) => Ok(Holder::ExternalKey(key.to_owned())),
        (text, "") => account(text).map(Holder::Account),
        (_, _) => Err(bad(
            "an account and an external account key: name one of them",
        )),
    }
}

/// The account of a URL's last part, or of an id alone.
fn account(text: &str) -> Result<Uuid, Error> {
    let id = text.trim_end_matches('/').rsplit('/').next();
    let id = id.and_then(|id| Uuid::try_parse(id).ok());
    id.ok_or_else(|| {
        bad(&format!(
            "{text:?} is neither the URL of an account nor its id"
        ))
    })
}

fn show(record: &Record) -> Permit {
    let (account, external_key) = match &record.holder {
        Holder::Account(id) => (id.simple().to_string(), String::new()),
        Holder::ExternalKey(key) => (String::new(), key.clone()),
    };
    Permit {
        id: record.id.simple().to_string(),
        provisioner: record.provisioner.clone(),
        account,
        external_key,
        name: record.pattern.to_string(),
        by: record.by.clone(),
        created_at: record.at,
        expires_at: record.expires,
    }
}

fn bad(what: &str) -> Error {
    Error::BadRequest(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_by_its_url_or_its_id() {
        let id = "0193a7c05f7b7d1c9d3b1d2e3f405162";
        for text in [
            id,
            "https://ca:9000/acme/acme/account/0193a7c05f7b7d1c9d3b1d2e3f405162",
        ] {
            assert_eq!(account(text).unwrap(), id.parse::<Uuid>().unwrap());
        }
        for text in ["", "me", "https://ca:9000/acme/acme/account/x"] {
            assert!(account(text).is_err(), "{text}");
        }
    }
}
