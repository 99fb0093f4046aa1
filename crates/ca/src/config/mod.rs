//! The configuration as data: ca.json, in the dialect that existing installations have, and
//! riser.toml. Reading the files, watching them and swapping are the shell's.

mod authority;
mod change;
mod database;
pub mod edit;
mod idle;
mod issuance;
mod issuer;
mod key_uri;
mod offers;
mod policy;
mod provisioner;
#[cfg(test)]
mod reference;
mod restriction;
pub(crate) mod riser;
pub(crate) mod section;
mod tls;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

pub use crate::tls::{TlsOptions, TlsVersion};
pub use authority::Authority;
pub use change::Change;
pub use database::{Database, DatabaseKind, ForeignMarker};
pub use key_uri::{KeyUri, UnsupportedKeyUri};
pub use restriction::{Restriction, removed};
pub use riser::{
    AttestationSettings, Chains, Limits, ProvisionerSettings, RateLimits, Retention, Riser, Server,
    TermsChanged, UnknownReplaces, Validation, Zone, fits, resolver,
};
pub use section::{Fault, Warning};

use crate::admission::server_name;
use crate::profile::Offer;
use section::{Log, Section, Unknown, is_blank};

/// The name of the configuration file that other programs know.
pub const CA_JSON: &str = "ca.json";
/// The name of the configuration file that is ours alone; it lies beside ca.json.
pub const RISER_TOML: &str = "riser.toml";

/// A consistent configuration.
#[derive(Clone, PartialEq)]
pub struct Config {
    /// `root`: certificate files of the roots.
    pub root: Vec<PathBuf>,
    /// `federatedRoots`: further certificates that `/federation` shows.
    pub federated_roots: Vec<PathBuf>,
    /// `crt`: the intermediate's certificate file.
    pub crt: PathBuf,
    /// `key`: the intermediate's private key, a [`KeyUri`].
    pub key: String,
    /// `address`: where to listen, `host:port`.
    pub address: String,
    /// `insecureAddress`: where to serve plain HTTP.
    pub insecure_address: Option<String>,
    /// `dnsNames`: names and addresses of the server.
    pub dns_names: Vec<String>,
    /// `logger.format`
    pub logger_format: LogFormat,
    /// `logger.traceHeader`: a further header to take a request's id from.
    pub trace_header: Option<String>,
    /// `db`; without one there is no ACME.
    pub db: Option<Database>,
    /// `authority`
    pub authority: Authority,
    /// `tls`
    pub tls: TlsOptions,
    /// `commonName` of the server's own certificate.
    pub common_name: String,
    /// `password` of the intermediate's key.
    pub password: Option<Secret>,
    /// riser.toml
    pub riser: Riser,
    /// The profiles of each provisioner, the default first: see [`Config::offers`].
    pub(crate) offers: BTreeMap<String, Vec<Offer>>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Words and `key=value`.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
    /// The common log format of web servers.
    Common,
}

/// A password from the file: it is never shown, and wiped when dropped.
#[derive(Clone, PartialEq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The password itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

const DEFAULT_COMMON_NAME: &str = "Step Online CA";
const DEFAULT_DNS_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What a table `[provisioner.<name>]` of riser.toml means whose provisioner ca.json does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusedTable {
    /// A fault: whoever wrote the table may have misspelt the name, and its policy would be ignored.
    Fault,
    /// A warning: another program has removed the provisioner, and does not know riser.toml.
    Warning,
}

impl Config {
    /// Reads the text of ca.json and, if the file exists, of riser.toml. A table for a provisioner that ca.json does
    /// not have is a fault.
    ///
    /// # Errors
    /// Every fault of both files, each with its place, in the order of reading.
    pub fn parse(
        ca_json: &str,
        riser_toml: Option<&str>,
    ) -> Result<(Self, Vec<Warning>), Vec<Fault>> {
        Self::parse_with(ca_json, riser_toml, UnusedTable::Fault)
    }

    /// As [`Config::parse`], and says what a table for a provisioner that ca.json does not have means.
    ///
    /// # Errors
    /// Every fault of both files, each with its place, in the order of reading.
    pub fn parse_with(
        ca_json: &str,
        riser_toml: Option<&str>,
        unused: UnusedTable,
    ) -> Result<(Self, Vec<Warning>), Vec<Fault>> {
        let log = Log::new(CA_JSON);
        let config = object(ca_json, &log).map(|map| read(&map, &log));
        let riser_log = Log::new(RISER_TOML);
        let names: Vec<&str> = config.iter().flat_map(|c| c.authority.names()).collect();
        let provisioners = riser::Provisioners {
            names: &names,
            unused,
        };
        let riser = riser_toml.map(|text| riser::read(text, provisioners, &riser_log));
        let riser = riser.unwrap_or_default();
        let offers = config
            .as_ref()
            .map(|config| offers::fit(&riser, &config.authority, &riser_log))
            .unwrap_or_default();
        let (mut faults, mut warnings) = log.into_parts();
        let (more_faults, more_warnings) = riser_log.into_parts();
        faults.extend(more_faults);
        warnings.extend(more_warnings);
        match config {
            Some(config) if faults.is_empty() => {
                let config = Self {
                    riser,
                    offers,
                    ..config
                };
                let faults = config.unnamed();
                if !faults.is_empty() {
                    return Err(faults);
                }
                warnings.extend(config.nameless());
                warnings.extend(config.idle());
                Ok((config, warnings))
            }
            _ => Err(faults),
        }
    }

    /// Reads `db` of a ca.json alone, for whoever needs the records and not the authority.
    ///
    /// # Errors
    /// Every fault of the JSON text and of `db`.
    pub fn database(ca_json: &str) -> Result<Option<Database>, Vec<Fault>> {
        let log = Log::new(CA_JSON);
        let database = object(ca_json, &log).and_then(|map| {
            let mut top = Section::new(&map, "", &log);
            top.section("db").and_then(database::read)
        });
        match log.into_parts() {
            (faults, _) if faults.is_empty() => Ok(database),
            (faults, _) => Err(faults),
        }
    }

    /// The port of `address`.
    #[must_use]
    pub fn port(&self) -> u16 {
        split_address(&self.address).map_or(0, |(_, port)| port)
    }

    /// The host of `address`, without brackets; empty for every address of the machine.
    #[must_use]
    pub fn host(&self) -> &str {
        split_address(&self.address).map_or("", |(host, _)| host)
    }
}

/// The JSON text as an object.
fn object(text: &str, log: &Log) -> Option<Map<String, Value>> {
    let text = text.trim_start_matches('\u{feff}');
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => Some(map),
        Ok(other) => {
            log.fault(
                "",
                format!("must be an object, not {}", section::kind(&other)),
            );
            None
        }
        Err(error) => {
            let place = format!("line {} column {}", error.line(), error.column());
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text);
            log.fault(place, format!("is not JSON: {what}"));
            None
        }
    }
}

fn read(map: &Map<String, Value>, log: &Log) -> Config {
    let mut top = Section::new(map, "", log);
    let (logger_format, trace_header) = top.section("logger").map(logger).unwrap_or_default();
    let dns_names = dns_names(&mut top);
    let authority = match top.section("authority") {
        Some(section) => authority::read(section),
        None => {
            top.fault("authority", "is missing");
            Authority::default()
        }
    };
    let config = Config {
        root: roots(&mut top),
        federated_roots: top
            .strings("federatedRoots")
            .into_iter()
            .map(PathBuf::from)
            .collect(),
        crt: PathBuf::from(top.required("crt")),
        key: key(&mut top),
        address: address(&mut top),
        insecure_address: top.text("insecureAddress"),
        dns_names,
        logger_format,
        trace_header,
        db: top.section("db").and_then(database::read),
        authority,
        tls: top.section("tls").map(tls::read).unwrap_or_default(),
        common_name: top
            .text("commonName")
            .unwrap_or_else(|| DEFAULT_COMMON_NAME.to_owned()),
        password: top.text("password").map(Zeroizing::new).map(Secret),
        riser: Riser::default(),
        offers: BTreeMap::new(),
    };
    no_acme_without_a_store(&config, log);
    not_ours(&mut top);
    top.finish(Unknown::Warn);
    config
}

fn no_acme_without_a_store(config: &Config, log: &Log) {
    let provisioners = &config.authority.provisioners;
    if config.db.is_none() && provisioners.iter().any(|p| p.as_acme().is_some()) {
        log.warn(
            "db",
            "is missing: ACME provisioners are disabled without a store",
        );
    }
}

/// `root` is a path or a list of paths.
fn roots(top: &mut Section<'_>) -> Vec<PathBuf> {
    if !matches!(top.value("root"), Some(Value::Array(_))) {
        return vec![PathBuf::from(top.required("root"))];
    }
    let roots = top.strings("root");
    if roots.iter().any(String::is_empty) {
        top.fault("root", "has an empty path");
    }
    if roots.is_empty() {
        top.fault("root", "is missing or empty");
    }
    roots.into_iter().map(PathBuf::from).collect()
}

fn key(top: &mut Section<'_>) -> String {
    let key = top.required("key");
    if let Err(unsupported) = KeyUri::parse(&key) {
        top.fault("key", unsupported.to_string());
    }
    key
}

/// The names of the server's own certificate: it is made of them at each renewal.
fn dns_names(top: &mut Section<'_>) -> Vec<String> {
    let names = top.strings("dnsNames");
    for (n, name) in names.iter().enumerate() {
        if let Err(why) = server_name(name) {
            let what = format!(
                "{name:?} is not a name of a server: {why}; write it like \"ca.example.com\" or \"10.0.0.1\", \
                 without scheme and port"
            );
            top.fault(&format!("dnsNames[{n}]"), what);
        }
    }
    if names.is_empty() {
        return DEFAULT_DNS_NAMES.map(str::to_owned).to_vec();
    }
    names
}

fn address(top: &mut Section<'_>) -> String {
    let address = top.required("address");
    if !address.is_empty() && split_address(&address).is_none() {
        top.fault(
            "address",
            format!("{address:?} has no port; write it like \"127.0.0.1:9000\" or \":9000\""),
        );
    }
    address
}

fn split_address(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    if bare.is_none() && host.contains(':') {
        return None;
    }
    Some((bare.unwrap_or(host), port.parse().ok()?))
}

fn logger(mut section: Section<'_>) -> (LogFormat, Option<String>) {
    let format = match section.text("format").as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some("common") => LogFormat::Common,
        Some(other) => {
            section.fault(
                "format",
                format!("{other:?} is not a format; use text, json or common"),
            );
            LogFormat::Text
        }
    };
    let header = section.text("traceHeader");
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if let Some(header) = header
        .as_deref()
        .filter(|header| !header.chars().all(is_token))
    {
        let what = format!("has no effect: {header:?} is not the name of an HTTP header");
        section.warn("traceHeader", what);
    }
    section.finish(Unknown::Warn);
    (format, header)
}

/// Settings that only other programs read. What the server cannot do is an error where ignoring it
/// would mislead, and a warning elsewhere.
fn not_ours(top: &mut Section<'_>) {
    if top.value("ssh").is_some_and(|value| !is_blank(value)) {
        top.fault(
            "ssh",
            "SSH certificates are not supported; remove this section",
        );
    }
    if let Some(mut kms) = top.section("kms") {
        if let Some(kind) = kms.text("type").filter(|kind| kind != "softkms") {
            kms.fault(
                "type",
                format!("{kind:?} is not supported yet; use key files"),
            );
        }
        if let Some(uri) = kms.text("uri").filter(|uri| !uri.starts_with("softkms:")) {
            kms.fault(
                "uri",
                format!("{uri:?} is not supported yet; use key files"),
            );
        }
    }
    if let Some(mut crl) = top.section("crl")
        && crl.bool("enabled") == Some(true)
    {
        crl.warn("enabled", "certificate revocation lists are not served yet");
    }
    for (key, what) in [
        ("metricsAddress", "metrics are not served yet"),
        (
            "insecureAddress",
            "plain HTTP is not served yet; remove it or ignore this warning",
        ),
        ("monitoring", "has no effect"),
    ] {
        if top.value(key).is_some_and(|value| !is_blank(value)) {
            top.warn(key, what);
        }
    }
    top.skip(&["templates"]);
}

#[cfg(test)]
mod tests;
