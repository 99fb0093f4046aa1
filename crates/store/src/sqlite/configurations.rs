//! The configuration that was in force last: one row.

use rusqlite::OptionalExtension;

use super::Store;
use super::column::Json;
use crate::error::Error;
use crate::port;
use crate::record::AcceptedConfiguration;

impl port::Configurations for Store {
    async fn accepted_configuration(&self) -> Result<Option<AcceptedConfiguration>, Error> {
        self.read(|connection| {
            let found = connection
                .prepare_cached(
                    "SELECT ca_json, riser_toml, restrictions FROM configuration WHERE id = 1",
                )?
                .query_row([], |row| {
                    Ok(AcceptedConfiguration {
                        ca_json: row.get(0)?,
                        riser_toml: row.get(1)?,
                        restrictions: row.get::<_, Json<_>>(2)?.0,
                    })
                })
                .optional()?;
            Ok(found)
        })
        .await
    }

    async fn accept_configuration(&self, accepted: AcceptedConfiguration) -> Result<(), Error> {
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO configuration (id, ca_json, riser_toml, restrictions)
                     VALUES (1, ?1, ?2, ?3)
                     ON CONFLICT (id) DO UPDATE SET ca_json = excluded.ca_json,
                         riser_toml = excluded.riser_toml, restrictions = excluded.restrictions",
                )?
                .execute((
                    &accepted.ca_json,
                    &accepted.riser_toml,
                    Json(&accepted.restrictions),
                ))?;
            Ok(())
        })
        .await
    }
}
