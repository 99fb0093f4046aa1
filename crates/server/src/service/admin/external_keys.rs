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
    /// Makes a key for accounts of this provisioner, or takes over one that clients have. The secret is in the
    /// answer, and is not shown again.
    ///
    /// # Errors
    /// [`Error::BadRequest`] for rules that cannot be read or allow nothing, a profile that is not offered, or an
    /// id or secret that cannot be used, [`Error::Conflict`] for an id or a reference that another key has.
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
        let secret = secret(&asked)?;
        let key = new_key(provisioner, asked, now)?;
        let shown = Key {
            hmac_key: secret.to_text().to_string(),
            ..Key::show(&key)
        };
        let entry = entry(operator, &key, Event::ExternalKeyCreated, now);
        match self.store.create_external_key(key, secret, entry).await {
            Ok(()) => Ok(shown),
            Err(store::Error::Conflict(_)) => Err(self.taken(provisioner, &shown).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Why a key cannot be recorded: another one has its reference or its id.
    async fn taken(&self, provisioner: &str, key: &Key) -> Result<Error, Error> {
        let reference = &key.reference;
        let called = self
            .store
            .external_key_called(provisioner, reference)
            .await?;
        Ok(Error::Conflict(if called.is_some() {
            format!(
                "provisioner {provisioner} has a key called '{reference}' already: remove that one first, or \
                 call this one something else"
            )
        } else {
            format!(
                "the id '{}' is that of another key, or was that of one that is removed and whose accounts or \
                 permits are still on record: give the key another id",
                key.id
            )
        }))
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
        id: match asked.id {
            Some(id) => id,
            None => HEXLOWER.encode(&keys::random::<ID>()),
        },
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

/// The secret that clients have with the requested id, or a new one.
fn secret(asked: &NewKey) -> Result<MacKey, Error> {
    let bad = |what: String| Err(Error::BadRequest(what));
    let (id, text) = match (&asked.id, &asked.hmac_key) {
        (None, None) => return Ok(new_secret()),
        (Some(id), Some(text)) => (id, text),
        _ => {
            let what = "the id of a key and its HMAC key belong together: give both or neither";
            return bad(what.to_owned());
        }
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(1..=LONGEST).contains(&id.len()) || id.starts_with(['-', '.']) || !id.bytes().all(is_plain)
    {
        return bad(format!(
            "the id '{id}' of the key has other characters than letters, digits, '-', '_' and '.', begins with \
             '-' or '.', or is empty or longer than {LONGEST}"
        ));
    }
    match MacKey::from_text(text) {
        Some(key) if key.octets().len() >= SECRET => Ok(key),
        Some(key) => bad(format!(
            "the HMAC key has {} octets, fewer than the {SECRET} that HS256 requires (RFC 7518 §3.2): issue a \
             new key to the client",
            key.octets().len()
        )),
        None => bad("the HMAC key is not base64url".to_owned()),
    }
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

/// Octets of a secret, and the fewest of one that clients have already.
const SECRET: usize = 32;
/// Octets of an id.
const ID: usize = 16;
/// Characters of a reference, or of an id.
const LONGEST: usize = 255;
