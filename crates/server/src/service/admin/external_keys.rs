//! External account keys (RFC 8555 §7.3.4): created, listed and removed by an operator.

use acme::eab::MacKey;
use ca::api::admin::eab::{Key, Keys, NewKey, Removed};
use ca::config::Config;
use ca::external_key::{self, ExternalKey, Limits, Rules, UseMade};
use ca::policy::Policy;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Map, json};
use store::port::ExternalKeys as _;
use store::{AuditEntry, Ending, Event};

use super::{Admin, Error, Operator};
use crate::service::{acme_provisioner, profiles};

impl Admin {
    /// Makes a key for accounts of this provisioner. The secret is in the answer, and is not shown again.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for rules that cannot be read or allow nothing, or a profile that is not offered, [`Error::Conflict`] for
    /// a reference that another key has.
    pub(crate) async fn add_external_key(
        &self,
        config: &Config,
        operator: &Operator,
        provisioner: &str,
        asked: NewKey,
    ) -> Result<Key, Error> {
        acme_provisioner(config, provisioner)?;
        check_offered(config, provisioner, asked.profile.as_deref())?;
        let now = Timestamp::now();
        let key = new_key(provisioner, asked, now)?;
        let secret = new_secret();
        let shown = Key {
            hmac_key: secret.to_text().to_string(),
            ..Key::show(&key)
        };
        let entry = entry(operator, &key, Event::ExternalKeyCreated, now);
        match self.store.create_external_key(key, secret, entry).await {
            Ok(()) => Ok(shown),
            Err(store::Error::Conflict(_)) => Err(Error::Conflict(format!(
                "provisioner {provisioner} has a key called '{}' already: remove that one first, or \
                 call this one something else",
                shown.reference
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// A page of the keys of this provisioner.
    ///
    /// # Errors
    /// When there is no such provisioner, or the store cannot be read.
    pub(crate) async fn external_keys(
        &self,
        config: &Config,
        provisioner: &str,
        after: &str,
        limit: u32,
    ) -> Result<Keys, Error> {
        acme_provisioner(config, provisioner)?;
        let found = self.store.external_keys(provisioner, after, limit).await?;
        let is_last = u32::try_from(found.len()).is_ok_and(|count| count < limit);
        let last = found.last().map(|key| key.id.clone());
        Ok(Keys {
            eaks: found.iter().map(Key::show).collect(),
            next_cursor: last.filter(|_| !is_last).unwrap_or_default(),
        })
    }

    /// The key of this provisioner that is called so; none is an empty list.
    ///
    /// # Errors
    /// When there is no such provisioner, or the store cannot be read.
    pub(crate) async fn external_key_called(
        &self,
        config: &Config,
        provisioner: &str,
        reference: &str,
    ) -> Result<Keys, Error> {
        acme_provisioner(config, provisioner)?;
        let found = self
            .store
            .external_key_called(provisioner, reference)
            .await?;
        Ok(Keys {
            eaks: found.iter().map(Key::show).collect(),
            next_cursor: String::new(),
        })
    }

    /// Takes a key back: it binds no more accounts, and those that it has bound order no more.
    ///
    /// # Errors
    /// When there is no such provisioner or key.
    pub(crate) async fn remove_external_key(
        &self,
        config: &Config,
        operator: &Operator,
        provisioner: &str,
        id: &str,
    ) -> Result<Removed, Error> {
        acme_provisioner(config, provisioner)?;
        let unknown = || {
            Error::NotFound(format!(
                "provisioner {provisioner} has no external account key with the id '{id}': see `step \
                 ca acme eab list {provisioner}`"
            ))
        };
        let found = self.store.external_key(provisioner, id).await?;
        let key = found.ok_or_else(unknown)?;
        let ending = Ending {
            why: external_key::removed(id),
            entry: entry(operator, &key, Event::ExternalKeyRemoved, Timestamp::now()),
        };
        match self
            .store
            .remove_external_key(provisioner, id, ending)
            .await
        {
            Ok(orders) => Ok(Removed {
                status: "ok".to_owned(),
                orders,
            }),
            Err(store::Error::NotFound) => Err(unknown()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Refuses a key for a profile that its provisioner does not offer: no order could use it.
fn check_offered(config: &Config, provisioner: &str, asked: Option<&str>) -> Result<(), Error> {
    let Some(asked) = asked.filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let offered = profiles(config, provisioner);
    if offered.contains_key(asked) {
        return Ok(());
    }
    let names: Vec<_> = offered.into_keys().collect();
    let instead = match names.as_slice() {
        [] => "it offers none: name some as its 'profiles' in riser.toml".to_owned(),
        names => format!("it offers {}", names.join(", ")),
    };
    Err(Error::BadRequest(format!(
        "provisioner {provisioner} offers no profile {asked:?}; {instead}"
    )))
}

fn new_key(provisioner: &str, asked: NewKey, now: Timestamp) -> Result<ExternalKey, Error> {
    let bad = |what: String| Err(Error::BadRequest(what));
    let policy = match Policy::new(&asked.policy) {
        Ok(policy) => policy,
        Err(wrong) => return bad(wrong.to_string()),
    };
    let accounts = asked.accounts.unwrap_or(1);
    if accounts == 0 {
        return bad("a key that may bind no account is of no use: allow one at least".to_owned());
    }
    if let Some(end) = asked.expires_at.filter(|end| *end <= now) {
        return bad(format!(
            "the key would end at {end:.0}, which is past: give a time that is yet to come"
        ));
    }
    let reference = asked.reference;
    if reference.chars().count() > LONGEST || reference.contains(char::is_control) {
        return bad(format!(
            "a reference has at most {LONGEST} characters, and no control characters"
        ));
    }
    Ok(ExternalKey {
        id: HEXLOWER.encode(&keys::random::<ID>()),
        provisioner: provisioner.to_owned(),
        reference,
        rules: Rules {
            policy,
            profile: asked.profile.filter(|profile| !profile.is_empty()),
        },
        limits: Limits {
            accounts,
            expires_at: asked.expires_at,
        },
        use_made: UseMade::default(),
        created_at: now,
    })
}

/// A secret whose text does not begin with a dash: command lines would take it for a flag.
fn new_secret() -> MacKey {
    loop {
        let secret = MacKey::new(keys::random::<SECRET>().to_vec());
        if !secret.to_text().starts_with('-') {
            return secret;
        }
    }
}

fn entry(operator: &Operator, key: &ExternalKey, event: Event, at: Timestamp) -> AuditEntry {
    let detail = Map::from_iter([
        ("external_key".to_owned(), json!(key.id)),
        ("reference".to_owned(), json!(key.reference)),
    ]);
    AuditEntry {
        provisioner: Some(key.provisioner.clone()),
        ..operator.entry(event, at, detail)
    }
}

/// Octets of a secret.
const SECRET: usize = 32;
/// Octets of an id.
const ID: usize = 16;
/// Characters of a reference.
const LONGEST: usize = 255;
