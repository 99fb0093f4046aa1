//! Opens the store that ca.json names, and looks whether another program's
//! records lie there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ca::config::{Config, Database, ForeignMarker};
use store::{Options, Store};

use super::Plan;

/// The store, and whether certificates that it does not know may be renewed.
pub(super) fn open(config: &Config, plan: &Plan) -> anyhow::Result<(Store, bool)> {
    let Some(database) = config.db.as_ref().filter(|_| !plan.ephemeral) else {
        if !plan.ephemeral {
            tracing::warn!("no database is configured: ACME provisioners are disabled");
        }
        return Ok((Store::ephemeral()?, true));
    };
    let file = database.file();
    let store = Store::open(&file, Options::default())?;
    if database.is_mapped() {
        tracing::info!(
            event = "store",
            "db {} is kept by this program as {}; files of other programs there are left alone",
            database.data_source.display(),
            file.display()
        );
    }
    let renews_unknown = answered(database, &file, plan.fresh_store)?;
    Ok((store, renews_unknown))
}

/// Whether the operator has said what becomes of another program's records, or
/// there are none. The answer is remembered beside our store.
fn answered(database: &Database, file: &Path, fresh_store: bool) -> anyhow::Result<bool> {
    let note = note(file);
    if note.exists() || !database.foreign_markers().iter().any(is_there) {
        return Ok(true);
    }
    if fresh_store {
        fs::File::create(&note).with_context(|| format!("error writing {}", note.display()))?;
        return Ok(true);
    }
    tracing::warn!(
        event = "store",
        outcome = "foreign",
        "{} holds records of another program, which do not come along: ACME accounts and orders \
         (clients register again by themselves), revocations (revoked certificates would become \
         renewable) and used tokens. Certificates that this store does not know are not renewed \
         until the authority is started once with --fresh-store",
        database.data_source.display()
    );
    Ok(false)
}

fn note(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".fresh");
    PathBuf::from(name)
}

fn is_there(marker: &ForeignMarker) -> bool {
    match marker {
        ForeignMarker::File(path) => path.is_file(),
        ForeignMarker::Extension { folder, extension } => {
            fs::read_dir(folder).is_ok_and(|entries| {
                entries.flatten().any(|entry| {
                    entry
                        .path()
                        .extension()
                        .is_some_and(|found| found == *extension)
                })
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use ca::config::DatabaseKind;

    use super::*;

    #[test]
    fn a_foreign_store_keeps_the_door_closed_until_the_operator_answers_once() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database {
            kind: DatabaseKind::Badger,
            data_source: dir.path().to_owned(),
        };
        let file = database.file();
        assert!(answered(&database, &file, false).unwrap());
        fs::File::create(dir.path().join("000001.vlog")).unwrap();
        assert!(!answered(&database, &file, false).unwrap());
        assert!(answered(&database, &file, true).unwrap());
        assert!(answered(&database, &file, false).unwrap());
    }
}
