//! The `db` of ca.json: where records live, and which files of another program's store would
//! lie beside ours. Looking for those files is the shell's work.

use std::path::{Path, PathBuf};

use super::section::{Section, Unknown};

/// The file of our store inside a folder.
const FILE: &str = "riser.sqlite3";

/// Which program's notation `db.type` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// `sqlite`: ours.
    Sqlite,
    /// `badger`, `badgerv1`, `badgerv2`: a folder.
    Badger,
    /// `bbolt`: a file.
    Bbolt,
}

/// Where records live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// What `type` says.
    pub kind: DatabaseKind,
    /// `dataSource` as written.
    pub data_source: PathBuf,
}

/// A file that shows that another program has records here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignMarker {
    /// This file exists.
    File(PathBuf),
    /// A file in this folder has this extension.
    Extension {
        /// The folder to list.
        folder: PathBuf,
        /// Without the dot.
        extension: &'static str,
    },
}

impl Database {
    /// The file of our store.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        match self.kind {
            DatabaseKind::Sqlite | DatabaseKind::Badger => self.data_source.join(FILE),
            DatabaseKind::Bbolt => {
                let mut name = self.data_source.clone().into_os_string();
                name.push(format!(".{FILE}"));
                PathBuf::from(name)
            }
        }
    }

    /// The folder that our store's file lies in.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let file = self.file();
        file.parent().map_or_else(PathBuf::new, Path::to_path_buf)
    }

    /// `true` when the configuration names another program's store and ours takes its place,
    /// which is said aloud at start.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.kind != DatabaseKind::Sqlite
    }

    /// Signs of another program's records; any one of them is enough.
    #[must_use]
    pub fn foreign_markers(&self) -> Vec<ForeignMarker> {
        match self.kind {
            DatabaseKind::Sqlite => Vec::new(),
            DatabaseKind::Badger => {
                let folder = |extension| ForeignMarker::Extension {
                    folder: self.data_source.clone(),
                    extension,
                };
                vec![
                    ForeignMarker::File(self.data_source.join("MANIFEST")),
                    ForeignMarker::File(self.data_source.join("KEYREGISTRY")),
                    folder("vlog"),
                    folder("sst"),
                ]
            }
            DatabaseKind::Bbolt => vec![ForeignMarker::File(self.data_source.clone())],
        }
    }
}

/// Reads the `db` section.
pub(super) fn read(mut section: Section<'_>) -> Option<Database> {
    let kind = section.required("type");
    let data_source = PathBuf::from(section.required("dataSource"));
    section.skip(&["valueDir", "database", "badgerFileLoadingMode"]);
    let kind = match kind.to_ascii_lowercase().as_str() {
        "sqlite" => Some(DatabaseKind::Sqlite),
        "badger" | "badgerv1" | "badgerv2" => Some(DatabaseKind::Badger),
        "bbolt" => Some(DatabaseKind::Bbolt),
        "" => None,
        "mysql" | "postgresql" => {
            section.fault(
                "type",
                format!(
                    "{kind:?} is not supported yet; use \"sqlite\" with a folder as dataSource"
                ),
            );
            None
        }
        _ => {
            section.fault(
                "type",
                format!("{kind:?} is not a store; use \"sqlite\" with a folder as dataSource"),
            );
            None
        }
    };
    section.finish(Unknown::Warn);
    Some(Database {
        kind: kind?,
        data_source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(kind: DatabaseKind) -> Database {
        Database {
            kind,
            data_source: PathBuf::from("/home/step/.step/db"),
        }
    }

    #[test]
    fn our_store_lies_inside_the_folder_or_beside_the_file() {
        for (kind, file) in [
            (DatabaseKind::Sqlite, "/home/step/.step/db/riser.sqlite3"),
            (DatabaseKind::Badger, "/home/step/.step/db/riser.sqlite3"),
            (DatabaseKind::Bbolt, "/home/step/.step/db.riser.sqlite3"),
        ] {
            assert_eq!(database(kind).file(), Path::new(file));
        }
        assert_eq!(
            database(DatabaseKind::Bbolt).folder(),
            Path::new("/home/step/.step")
        );
    }

    #[test]
    fn only_a_store_of_another_program_leaves_marks() {
        assert!(database(DatabaseKind::Sqlite).foreign_markers().is_empty());
        assert_eq!(
            database(DatabaseKind::Bbolt).foreign_markers(),
            [ForeignMarker::File(PathBuf::from("/home/step/.step/db"))]
        );
        assert!(
            database(DatabaseKind::Badger)
                .foreign_markers()
                .contains(&ForeignMarker::File(PathBuf::from(
                    "/home/step/.step/db/MANIFEST"
                )))
        );
    }
}
