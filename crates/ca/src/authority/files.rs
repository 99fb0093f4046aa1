//! The files of a new authority: where they lie, who may read them, what is in them.

use std::path::{Path, PathBuf};

use pki::jose::{jwe, private_jwk, published_jwk};
use pki::{Certificate, PrivateKey};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::config::CA_JSON;
use crate::config::edit::to_text;
use crate::tls::TlsOptions;

/// The answers and flags of `step ca init`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The step path, absolute.
    pub step_path: PathBuf,
    /// `--dns`: names and addresses of the server, at least one.
    pub dns_names: Vec<String>,
    /// `--address`: `host:port` or `:port`.
    pub address: String,
    /// `--with-ca-url`: the URL that clients use, if not the first name's.
    pub ca_url: Option<String>,
    /// Not `--no-db`.
    pub database: bool,
}

/// Where the files of an authority lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `certs/root_ca.crt`
    pub root: PathBuf,
    /// `secrets/root_ca_key`
    pub root_key: PathBuf,
    /// `certs/intermediate_ca.crt`
    pub intermediate: PathBuf,
    /// `secrets/intermediate_ca_key`
    pub intermediate_key: PathBuf,
    /// `config/ca.json`
    pub ca_json: PathBuf,
    /// `config/defaults.json`
    pub defaults_json: PathBuf,
    /// `db`
    pub database: PathBuf,
    /// `templates`
    pub templates: PathBuf,
    /// `run/step-ca.sock`, where operators' commands reach a running server
    pub socket: PathBuf,
}

impl Layout {
    /// The files below a step path.
    #[must_use]
    pub fn new(step_path: &Path) -> Self {
        let certs = step_path.join("certs");
        let secrets = step_path.join("secrets");
        let config = step_path.join("config");
        Self {
            root: certs.join("root_ca.crt"),
            root_key: secrets.join("root_ca_key"),
            intermediate: certs.join("intermediate_ca.crt"),
            intermediate_key: secrets.join("intermediate_ca_key"),
            ca_json: config.join(CA_JSON),
            defaults_json: config.join("defaults.json"),
            database: step_path.join("db"),
            templates: step_path.join("templates"),
            socket: step_path.join("run").join("step-ca.sock"),
        }
    }

    /// The files of the authority that this ca.json (an absolute path) belongs to: its step path is
    /// the folder above `config`, or the file's own folder where that has another name.
    #[must_use]
    pub fn around(ca_json: &Path) -> Self {
        Self::new(Self::step_path(ca_json))
    }

    /// The step path of the authority that this ca.json belongs to.
    #[must_use]
    pub fn step_path(ca_json: &Path) -> &Path {
        let folder = ca_json.parent().unwrap_or(ca_json);
        let above = folder
            .file_name()
            .filter(|name| *name == "config")
            .and_then(|_| folder.parent());
        above.unwrap_or(folder)
    }
}

/// What was made for the new authority.
pub struct NewAuthority<'a> {
    /// The root.
    pub root: &'a Certificate,
    /// Its private key as PEM; `None` where the root was brought along.
    pub root_key: Option<Zeroizing<String>>,
    /// The intermediate.
    pub intermediate: &'a Certificate,
    /// Its private key as PEM.
    pub intermediate_key: Zeroizing<String>,
    /// The provisioners, as ca.json lists them.
    pub provisioners: Vec<Value>,
}

/// A file or folder to make, in the order in which to make them.
pub struct Entry {
    /// Where.
    pub path: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// What.
    pub contents: Contents,
}

/// What is at a path.
pub enum Contents {
    /// A folder; one that exists stays as it is.
    Folder,
    /// A file; one that exists is overwritten only when the user agrees.
    File(Zeroizing<Vec<u8>>),
}

const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;
const PUBLIC_FILE: u32 = 0o644;

/// Every file and folder of the new authority, folders first.
#[must_use]
pub fn entries(plan: &Plan, authority: NewAuthority<'_>) -> Vec<Entry> {
    let layout = Layout::new(&plan.step_path);
    let mut entries = folders(plan, &layout);
    let mut file = |path: PathBuf, mode, contents: Zeroizing<Vec<u8>>| {
        entries.push(Entry {
            path,
            mode,
            contents: Contents::File(contents),
        });
    };
    let plain = |text: String| Zeroizing::new(text.into_bytes());
    let secret = |text: &Zeroizing<String>| Zeroizing::new(text.as_bytes().to_vec());
    let ca_json = plain(ca_json(plan, &authority.provisioners));
    let defaults = plain(defaults_json(plan, &authority.root.fingerprint()));
    file(layout.root, PRIVATE_FILE, plain(authority.root.to_pem()));
    if let Some(key) = &authority.root_key {
        file(layout.root_key, PRIVATE_FILE, secret(key));
    }
    let intermediate = plain(authority.intermediate.to_pem());
    file(layout.intermediate, PRIVATE_FILE, intermediate);
    let key = secret(&authority.intermediate_key);
    file(layout.intermediate_key, PRIVATE_FILE, key);
    file(layout.ca_json, PUBLIC_FILE, ca_json);
    file(layout.defaults_json, PUBLIC_FILE, defaults);
    entries
}

/// The text of ca.json.
#[must_use]
pub fn ca_json(plan: &Plan, provisioners: &[Value]) -> String {
    let layout = Layout::new(&plan.step_path);
    let mut config = Map::new();
    let mut put = |key: &str, value: Value| config.insert(key.to_owned(), value);
    put("root", text(&layout.root));
    put("federatedRoots", Value::Null);
    put("crt", text(&layout.intermediate));
    put("key", text(&layout.intermediate_key));
    put("address", json!(plan.address));
    put("insecureAddress", json!(""));
    put("dnsNames", json!(plan.dns_names));
    put("logger", json!({"format": "text"}));
    if plan.database {
        put(
            "db",
            json!({"type": "sqlite", "dataSource": text(&layout.database)}),
        );
    }
    put("authority", json!({"provisioners": provisioners}));
    put("tls", json!(TlsOptions::default()));
    to_text(&Value::Object(config))
}

/// The text of defaults.json.
#[must_use]
pub fn defaults_json(plan: &Plan, fingerprint: &str) -> String {
    let layout = Layout::new(&plan.step_path);
    to_text(&json!({
        "ca-url": plan.ca_url.clone().unwrap_or_else(|| ca_url(plan)),
        "ca-config": text(&layout.ca_json),
        "fingerprint": fingerprint,
        "root": text(&layout.root),
    }))
}

/// A JWK provisioner as ca.json lists it: the public key, and the private one encrypted with a
/// password.
///
/// # Errors
/// When the key cannot be encrypted.
pub fn jwk_provisioner(
    name: &str,
    key: &PrivateKey,
    password: &[u8],
    random: &jwe::Pbes2Random,
    iterations: u32,
) -> Result<Value, pki::Error> {
    let private = private_jwk(key)?;
    let encrypted = jwe::encrypt(private.as_bytes(), password, random, iterations)?;
    let public = published_jwk(key.public());
    Ok(json!({
        "type": "JWK",
        "name": name,
        "key": public,
        "encryptedKey": encrypted,
    }))
}

/// The ACME provisioner that `--acme` adds: `acme`, or `acme-1` where that is taken.
#[must_use]
pub fn acme_provisioner(jwk_name: &str) -> Value {
    let name = if jwk_name == "acme" { "acme-1" } else { "acme" };
    json!({"type": "ACME", "name": name})
}

fn folders(plan: &Plan, layout: &Layout) -> Vec<Entry> {
    let mut paths = vec![plan.step_path.clone()];
    for file in [&layout.ca_json, &layout.root, &layout.root_key] {
        paths.extend(file.parent().map(Path::to_path_buf));
    }
    paths.push(layout.templates.clone());
    if plan.database {
        paths.push(layout.database.clone());
    }
    paths
        .into_iter()
        .map(|path| Entry {
            path,
            mode: PRIVATE_FOLDER,
            contents: Contents::Folder,
        })
        .collect()
}

/// The first name and the address's port; 443 goes without saying.
fn ca_url(plan: &Plan) -> String {
    let name = plan.dns_names.first().map_or("localhost", String::as_str);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let host = if bare.contains(':') {
        format!("[{bare}]")
    } else {
        bare.to_owned()
    };
    match plan.address.rsplit_once(':') {
        Some((_, port)) if port != "443" && !port.is_empty() => format!("https://{host}:{port}"),
        _ => format!("https://{host}"),
    }
}

fn text(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}
