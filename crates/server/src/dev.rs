//! `step-ca dev`: creates and serves an authority for development, without questions. Its keys
//! are not encrypted.

mod folder;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use ca::authority::{self, Contents, Entry, Layout, NewAuthority};
use ca::config::RateLimits;
use jiff::Timestamp;
use serde_json::Value;

use crate::app::{self, Failure, Overrides, Plan, Welcome};
use crate::flags::Dev;
use folder::Folder;

/// The default folder of the authority.
const FOLDER: &str = ".step-ca-dev";
/// The name in the authority's certificates.
const NAME: &str = "Development";
/// The names and addresses of the server.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Creates the authority if it does not exist yet, and serves it.
///
/// # Errors
/// [`Failure`], as for any authority.
pub(crate) fn run(flags: Dev) -> Result<(), Failure> {
    let folder = if flags.ephemeral {
        Folder::temporary(&std::env::temp_dir())?
    } else {
        let chosen = flags.dir.as_deref();
        Folder::kept(chosen.unwrap_or_else(|| Path::new(FOLDER)))?
    };
    let address = flags.address.map(|address| address.to_string());
    let layout = Layout::new(&folder.path);
    let is_new = !layout.ca_json.exists();
    if is_new {
        create(&folder.path, address.as_deref().unwrap_or(ADDRESS))?;
    } else if let Some(address) = &address {
        relocate(&layout, address)?;
    }
    let plan = Plan {
        config: layout.ca_json,
        overrides: Overrides {
            http_port: Some(flags.http_port),
            tls_port: Some(flags.tls_port),
            resolvers: flags.resolver.unwrap_or_default().0,
            rate_limits: Some(RateLimits::off()),
        },
        loopback_names: flags.names.iter().map(|n| n.to_ascii_lowercase()).collect(),
        ephemeral: flags.ephemeral,
        welcome: Some(Welcome {
            folder: folder.path.clone(),
            root: layout.root,
            http_port: flags.http_port,
            name: example(&flags.names),
            kept: !flags.ephemeral,
        }),
        ..Plan::default()
    };
    app::serve(&plan)
}

/// The default address of a new authority.
const ADDRESS: &str = "127.0.0.1:9000";

/// Creates keys, certificates and files.
fn create(folder: &Path, address: &str) -> anyhow::Result<()> {
    let authority = keys::authority::create(NAME, Timestamp::now())?;
    let plan = authority::Plan {
        step_path: folder.to_owned(),
        dns_names: NAMES.map(str::to_owned).to_vec(),
        address: free(address)?,
        ca_url: None,
        database: true,
    };
    let new = NewAuthority {
        root: &authority.root,
        root_key: Some(authority.root_key.to_pem()),
        intermediate: &authority.intermediate,
        intermediate_key: authority.intermediate_key.to_pem(),
        provisioners: vec![authority::acme_provisioner("")],
    };
    for entry in authority::entries(&plan, new) {
        let name = entry.path.display().to_string();
        write(&entry).with_context(|| format!("error writing {name}"))?;
    }
    Ok(())
}

/// The address, with a free port instead of 0, since the files name the port before the authority listens.
fn free(address: &str) -> anyhow::Result<String> {
    if !address.ends_with(":0") {
        return Ok(address.to_owned());
    }
    let listener = std::net::TcpListener::bind(address)
        .with_context(|| format!("error listening on {address}"))?;
    Ok(listener.local_addr()?.to_string())
}

fn write(entry: &Entry) -> std::io::Result<()> {
    match &entry.contents {
        Contents::Folder => DirBuilder::new()
            .recursive(true)
            .mode(entry.mode)
            .create(&entry.path),
        Contents::File(contents) => {
            // What a run that was interrupted left: removed, since a link would be followed.
            match fs::remove_file(&entry.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(entry.mode)
                .open(&entry.path)?
                .write_all(contents)
        }
    }
}

/// Changes the address of an existing authority.
fn relocate(layout: &Layout, address: &str) -> anyhow::Result<()> {
    let address = free(address)?;
    let port = address.rsplit_once(':').map_or("", |(_, port)| port);
    let url = format!("https://{}:{port}", NAMES[0]);
    replace(&layout.ca_json, "address", &address)?;
    replace(&layout.defaults_json, "ca-url", &url)
}

fn replace(file: &Path, key: &str, value: &str) -> anyhow::Result<()> {
    let failed = || format!("error rewriting {}", file.display());
    let text = fs::read(file).with_context(failed)?;
    let mut json: Value = serde_json::from_slice(&text).with_context(failed)?;
    if json.get(key).and_then(Value::as_str) == Some(value) {
        return Ok(());
    }
    if let Value::Object(map) = &mut json {
        map.insert(key.to_owned(), Value::String(value.to_owned()));
    }
    let aside = file.with_extension("new");
    let mut out = fs::File::create(&aside).with_context(failed)?;
    serde_json::to_writer_pretty(&mut out, &json).with_context(failed)?;
    fs::rename(&aside, file).with_context(failed)
}

/// The name in the commands to paste.
fn example(patterns: &[String]) -> String {
    match patterns.first().map(|p| p.strip_prefix("*.").ok_or(p)) {
        Some(Ok(parent)) => format!("app.{parent}"),
        Some(Err(name)) => name.clone(),
        None => "localhost".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use ca::config::Config;

    use super::*;

    #[test]
    fn the_files_of_a_new_authority_are_a_configuration_with_acme() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("kept");
        create(&folder, "127.0.0.1:0").unwrap();
        let layout = Layout::new(&folder);
        let text = fs::read_to_string(&layout.ca_json).unwrap();
        let (config, _) = Config::parse(&text, None).ok().unwrap();
        assert_ne!(config.port(), 0);
        assert!(config.authority.acme("acme").is_some());
        let mode = fs::metadata(&layout.intermediate_key)
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        assert!(!keys::file::is_encrypted(&layout.intermediate_key).unwrap());
        let elsewhere = dir.path().join("elsewhere");
        fs::remove_file(&layout.intermediate_key).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &layout.intermediate_key).unwrap();
        create(&folder, "127.0.0.1:0").unwrap();
        assert!(!elsewhere.exists(), "a key was written through a link");
        relocate(&layout, "127.0.0.1:9999").unwrap();
        let text = fs::read_to_string(&layout.ca_json).unwrap();
        assert_eq!(Config::parse(&text, None).ok().unwrap().0.port(), 9999);
    }

    #[test]
    fn the_example_fits_the_pattern() {
        assert_eq!(example(&["*.test".to_owned()]), "app.test");
        assert_eq!(example(&["my.host".to_owned()]), "my.host");
        assert_eq!(example(&[]), "localhost");
    }
}
