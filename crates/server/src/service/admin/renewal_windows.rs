//! Renewal windows of the operator's: set for one certificate or for all of a kind, shown, cleared. They count
//! from the next time that a client asks.

use acme::renewal::Window;
use ca::api::admin::{RenewalScope, RenewalSetting, RenewalWindows};
use ca::config::Config;
use jiff::Timestamp;
use pki::Serial;
use serde_json::{Map, Value, json};
use store::port::{Certificates as _, RenewalWindows as _};
use store::{Event, RenewalWindow};

use super::{Admin, Error, Operator};
use crate::service::acme_provisioner;

impl Admin {
    /// Sets a window.
    ///
    /// # Errors
    /// When it is empty, its certificate or provisioner unknown, or its explanation no web address.
    pub(crate) async fn set_renewal_window(
        &self,
        config: &Config,
        operator: &Operator,
        asked: RenewalSetting,
    ) -> Result<(), Error> {
        let now = Timestamp::now();
        let RenewalSetting {
            scope,
            start,
            end,
            explanation_url,
        } = &asked;
        if start >= end {
            return Err(Error::BadRequest(format!(
                "the end of the window {end:.0} is not after its start {start:.0}: give a later end"
            )));
        }
        let is_web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if !explanation_url.as_ref().is_none_or(is_web) {
            return Err(Error::BadRequest(
                "the explanation's address has to begin with https:// or http://, as in https://example.com/why".to_owned(),
            ));
        }
        let window = RenewalWindow {
            scope: self.scope(config, scope, now).await?,
            window: Window {
                start: *start,
                end: *end,
            },
            explanation: explanation_url.clone(),
        };
        let entry = operator.entry(Event::RenewalWindowSet, now, fields(&asked));
        Ok(self.store.set_renewal_window(window, entry).await?)
    }

    /// Clears the windows of one certificate, or all those that are for many; how many there were.
    ///
    /// # Errors
    /// When the serial number is none, or the store fails.
    pub(crate) async fn clear_renewal_windows(
        &self,
        operator: &Operator,
        serial: Option<&str>,
    ) -> Result<usize, Error> {
        let detail = Map::from_iter([("serial".to_owned(), json!(serial))]);
        let entry = operator.entry(Event::RenewalWindowsCleared, Timestamp::now(), detail);
        let serial = serial.map(parse).transpose()?;
        Ok(self.store.clear_renewal_windows(serial, entry).await?)
    }

    /// The windows that have been set, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) async fn renewal_windows(&self) -> Result<RenewalWindows, Error> {
        let all = self.store.renewal_windows(SHOWN).await?;
        let windows = all.into_iter().map(|set| RenewalSetting {
            scope: match set.scope {
                store::RenewalScope::Serial(serial) => RenewalScope {
                    serial: Some(serial.to_string()),
                    ..RenewalScope::default()
                },
                store::RenewalScope::IssuedBefore {
                    before,
                    provisioner,
                } => RenewalScope {
                    serial: None,
                    issued_before: Some(before),
                    provisioner,
                },
            },
            start: set.window.start,
            end: set.window.end,
            explanation_url: set.explanation,
        });
        Ok(RenewalWindows {
            windows: windows.collect(),
        })
    }

    async fn scope(
        &self,
        config: &Config,
        scope: &RenewalScope,
        now: Timestamp,
    ) -> Result<store::RenewalScope, Error> {
        match scope {
            RenewalScope {
                serial: Some(serial),
                issued_before: None,
                provisioner: None,
            } => {
                let serial = parse(serial)?;
                match self.store.certificate_by_serial(&serial).await? {
                    Some(_) => Ok(store::RenewalScope::Serial(serial)),
                    None => Err(Error::NotFound(format!(
                        "this CA has no record of a certificate with serial number {serial}"
                    ))),
                }
            }
            RenewalScope {
                serial: Some(_), ..
            } => Err(Error::BadRequest(
                "a serial number says which certificate is meant: leave provisioner and time out"
                    .to_owned(),
            )),
            RenewalScope {
                serial: None,
                issued_before: None,
                provisioner: None,
            } => Err(Error::BadRequest(
                "name a serial number, a provisioner or a time of issuance".to_owned(),
            )),
            RenewalScope {
                serial: None,
                issued_before,
                provisioner,
            } => {
                if let Some(name) = provisioner {
                    acme_provisioner(config, name)?;
                }
                // What is issued from here on is new, and must not be renewed for old reasons.
                Ok(store::RenewalScope::IssuedBefore {
                    before: issued_before.unwrap_or(now).min(now),
                    provisioner: provisioner.clone(),
                })
            }
        }
    }
}

fn parse(serial: &str) -> Result<Serial, Error> {
    serial.parse().map_err(|_| {
        let shown: String = serial.chars().take(60).collect();
        Error::BadRequest(format!(
            "{shown:?} is not a serial number: give it in decimal, as `step certificate inspect` does"
        ))
    })
}

/// What the audit log keeps of a setting.
fn fields(asked: &RenewalSetting) -> Map<String, Value> {
    match serde_json::to_value(asked) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// Windows in one answer.
const SHOWN: u32 = 1000;
