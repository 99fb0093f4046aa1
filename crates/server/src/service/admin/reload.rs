//! Reads the configuration again for an operator, and reports the result.

use ca::api::admin::{self, Reload, ReloadRequest};
use jiff::Timestamp;
use serde_json::{Map, json};
use store::Event;
use store::port::AuditLog as _;

use super::{Admin, Error, Operator};
use crate::live::{Reloaded, Removal};

impl Admin {
    /// Brings into force what the configuration files say.
    ///
    /// # Errors
    /// [`Error::BadRequest`] with every fault; then the previous configuration stays in force.
    pub(crate) async fn reload(
        &self,
        request: ReloadRequest,
        operator: &Operator,
    ) -> Result<admin::Reloaded, Error> {
        let live = &self.live;
        let removal = match request.accept_removal {
            true => Removal::Accepted,
            false => Removal::Refused,
        };
        let reloaded = live.reload(removal).await;
        let outcome = match reloaded {
            Some(Reloaded::Same) => "same",
            Some(Reloaded::Changed) => "changed",
            None => "refused",
        };
        let mut detail = Map::from_iter([("outcome".to_owned(), json!(outcome))]);
        if request.accept_removal {
            detail.insert("accept_removal".to_owned(), json!(true));
        }
        let entry = operator.entry(Event::ConfigurationReloaded, Timestamp::now(), detail);
        self.store.record(entry).await?;
        let in_force = |status| {
            Ok(admin::Reloaded {
                status,
                warnings: live.notes(),
            })
        };
        match reloaded {
            Some(Reloaded::Same) => in_force(Reload::Same),
            Some(Reloaded::Changed) => in_force(Reload::Changed),
            None => {
                let fault = live.fault().unwrap_or_default();
                Err(Error::BadRequest(format!(
                    "the configuration is not valid; the previous one stays in force:\n{fault}"
                )))
            }
        }
    }
}
