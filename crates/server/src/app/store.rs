//! Opens the store that ca.json names, and detects the records of another program there.

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
            "db {} is stored as {}; files of other programs there are not touched",
            database.data_source.display(),
            file.display()
        );
    }
    let renews_unknown = may_renew_unknown(database, &file, plan)?;
    Ok((store, renews_unknown))
}

/// Whether certificates that the store does not know may be renewed: where there are no records of another program,
/// or once the operator has accepted that they stay behind. A file beside the store remembers that.
fn may_renew_unknown(database: &Database, file: &Path, plan: &Plan) -> anyhow::Result<bool> {
    let note = note(file);
    if note.exists() || !database.foreign_markers().iter().any(is_there) {
        return Ok(true);
    }
    if plan.fresh_store {
        fs::File::create(&note).with_context(|| format!("error writing {}", note.display()))?;
        return Ok(true);
    }
    tracing::warn!(
        event = "store",
        outcome = "foreign",
        "{} holds records of another program, which are not imported: ACME accounts and orders \
         (clients register again by themselves), revocations and used tokens. Certificates that this \
         store does not know are not renewed, since they may have been revoked. To allow it, start \
         once with --fresh-store",
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
    fn beside_a_foreign_store_unknown_certificates_are_renewed_only_after_the_operator_confirms_once()
     {
        let dir = tempfile::tempdir().unwrap();
        let database = Database {
            kind: DatabaseKind::Badger,
            data_source: dir.path().to_owned(),
        };
        let file = database.file();
        let usual = Plan::default();
        let fresh = Plan {
            fresh_store: true,
            ..Plan::default()
        };
        assert!(may_renew_unknown(&database, &file, &usual).unwrap());
        fs::File::create(dir.path().join("000001.vlog")).unwrap();
        assert!(!may_renew_unknown(&database, &file, &usual).unwrap());
        assert!(may_renew_unknown(&database, &file, &fresh).unwrap());
        assert!(may_renew_unknown(&database, &file, &usual).unwrap());
    }
}
