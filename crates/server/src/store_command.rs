//! `step-ca store`: what operators do with the records as a whole. It reads the store's file itself, beside the running
//! server or without one, and never writes to it.

mod bar;
mod figures;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use ca::config::Config;
use jiff::Timestamp;
use store::{FileError, StoreFile};

use self::bar::Bar;
use crate::flags::{Place, Store};
use crate::log;
use crate::steppath::StepPath;

/// Does what `verb` says. Errors are reported on stderr, and end with exit code 1.
pub(crate) fn run(verb: &Store) -> ExitCode {
    match attempt(verb) {
        Ok(code) => code,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn attempt(verb: &Store) -> anyhow::Result<ExitCode> {
    let bar = Bar::new();
    let mut watch = |progress| bar.show(progress);
    match verb {
        Store::Stats { file, json, place } => {
            let file = open(file.as_deref(), place)?;
            let stats = file.stats(Timestamp::now(), &mut watch)?;
            bar.end();
            let text = match json {
                true => figures::json(&file, &stats)?,
                false => figures::text(&file, &stats),
            };
            log::data(&text)?;
        }
        Store::Check { file, place } => {
            let file = open(file.as_deref(), place)?;
            let found = file.check(&mut watch)?;
            bar.end();
            return verdict(&file, &found);
        }
        Store::Backup { to, place } => {
            let copied = open(None, place)?.back_up(to, &mut watch)?;
            bar.end();
            log::say(&format!(
                "{} has all records: {}, {} certificates. It was read back and checked.",
                copied.path.display(),
                figures::size(copied.bytes),
                figures::grouped(copied.certificates),
            ));
        }
        Store::Restore { from, place } => {
            let copied = store::restore(from, &store_of(place)?, &mut watch)?;
            bar.end();
            log::say(&format!(
                "{} is restored, with {} certificates. What was issued or revoked after the backup is not in it.",
                copied.path.display(),
                figures::grouped(copied.certificates),
            ));
        }
        Store::Export { file, place } => {
            let file = open(file.as_deref(), place)?;
            let lines = file.export(log::Data, &mut watch)?;
            bar.end();
            log::say(&format!("{} records", figures::grouped(lines)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reports a check: 1 where something is wrong.
fn verdict(file: &StoreFile, found: &[String]) -> anyhow::Result<ExitCode> {
    let path = file.path().display();
    if found.is_empty() {
        log::say(&format!("{path} is intact."));
        if file.schema() != StoreFile::current_schema() {
            log::say(&format!(
                "It has schema {} of an earlier release, so only its structure was checked.",
                file.schema()
            ));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let lines: String = found.iter().map(|what| format!("{what}\n")).collect();
    log::data(&lines)?;
    log::say(&format!(
        "{path} is damaged. If a server uses it as its store: stop the server, move the file away, and restore a backup \
         with 'step ca store restore'."
    ));
    Ok(ExitCode::FAILURE)
}

fn open(file: Option<&Path>, place: &Place) -> anyhow::Result<StoreFile> {
    let path = match file {
        Some(file) => file.to_owned(),
        None => store_of(place)?,
    };
    Ok(StoreFile::open(&path)?)
}

/// The file that ca.json names as the store.
fn store_of(place: &Place) -> anyhow::Result<PathBuf> {
    let ca_json = match &place.ca_config {
        Some(file) => file.clone(),
        None => StepPath::of_environment(place.context.as_deref())?
            .folder
            .join("config/ca.json"),
    };
    let text = fs::read_to_string(&ca_json)
        .with_context(|| format!("error reading {}", ca_json.display()))?;
    let database = match Config::database(&text) {
        Ok(database) => database,
        Err(faults) => {
            let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
            bail!("{}", lines.join("\n"));
        }
    };
    match database {
        Some(database) => Ok(database.file()),
        None => bail!(
            "{} has no db: this authority keeps no records",
            ca_json.display()
        ),
    }
}

/// Whether the reader of the export has had enough, such as `head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| match cause.downcast_ref() {
        Some(FileError::Output(error)) => is_pipe(error),
        Some(_) => false,
        None => cause.downcast_ref().is_some_and(is_pipe),
    })
}
