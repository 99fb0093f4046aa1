//! The command line of `step-ca store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with the records as a whole.
#[derive(Debug, Subcommand)]
pub(crate) enum Store {
    /// Print how many records there are and how much room they take
    Stats {
        /// Store or backup [default: the store of the configuration]
        #[arg(value_name = "file")]
        file: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Where the store is.
        #[command(flatten)]
        place: Place,
    },
    /// Look for damage and contradictions
    Check {
        /// Store or backup [default: the store of the configuration]
        #[arg(value_name = "file")]
        file: Option<PathBuf>,
        /// Where the store is.
        #[command(flatten)]
        place: Place,
    },
    /// Copy the store to a new file while the server goes on
    Backup {
        /// File to write
        #[arg(value_name = "file")]
        to: PathBuf,
        /// Where the store is.
        #[command(flatten)]
        place: Place,
    },
    /// Copy a backup to where the store belongs
    Restore {
        /// Backup to read
        #[arg(value_name = "file")]
        from: PathBuf,
        /// Where the store is.
        #[command(flatten)]
        place: Place,
    },
    /// Print all records as lines of JSON
    Export {
        /// Store or backup [default: the store of the configuration]
        #[arg(value_name = "file")]
        file: Option<PathBuf>,
        /// Where the store is.
        #[command(flatten)]
        place: Place,
    },
}

/// The flags that select a store.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Configuration file [default: $(step path)/config/ca.json]
    #[arg(long, value_name = "file")]
    pub(crate) ca_config: Option<PathBuf>,
    /// Context whose authority has the store
    #[arg(long, value_name = "name", env = "STEP_CA_CONTEXT")]
    pub(crate) context: Option<String>,
}
