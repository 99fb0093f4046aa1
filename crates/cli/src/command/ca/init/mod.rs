//! `step ca init`.

mod answers;
mod create;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use ca::authority::{self, Contents, Entry, Layout, Plan};
use pki::Certificate;

use crate::context::Context;
use crate::place::{Naming, Place};
use crate::{file, output, prompt};

const EXAMPLES: &str = "Examples:
  Create an authority interactively:
    $ step ca init

  Create one without questions:
    $ step ca init --name Example --dns localhost --dns ca.example --address :9000 \\
        --provisioner admin --password-file password.txt --deployment-type standalone

  Create one with an ACME provisioner:
    $ step ca init --acme

  Create one beside others, as a context:
    $ step ca init --context lab

  Create one under an existing root:
    $ step ca init --root root_ca.crt --key root_ca_key";

/// Create a certificate authority: root and intermediate certificates, their keys, and the configuration
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Deployment type; only standalone is supported
    #[arg(long, value_name = "type")]
    deployment_type: Option<String>,
    /// Name of the authority, as in its certificates
    #[arg(long, value_name = "name")]
    name: Option<String>,
    /// DNS name or IP address of the server (repeatable, or comma-separated)
    #[arg(long, value_name = "name", value_delimiter = ',')]
    dns: Vec<String>,
    /// Address on which the server listens: host:port or :port
    #[arg(long, value_name = "address")]
    address: Option<String>,
    /// Name of the first provisioner
    #[arg(long, value_name = "name")]
    provisioner: Option<String>,
    /// File with the password that encrypts the keys
    #[arg(long, value_name = "file")]
    password_file: Option<PathBuf>,
    /// File with the password that encrypts the provisioner's key (default: the password of the keys)
    #[arg(long, value_name = "file")]
    provisioner_password_file: Option<PathBuf>,
    /// URL by which clients reach the server (default: the first DNS name and the port)
    #[arg(long, value_name = "url")]
    with_ca_url: Option<String>,
    /// Add an ACME provisioner
    #[arg(long, conflicts_with = "no_db")]
    acme: bool,
    /// Configure no database; ACME requires one
    #[arg(long)]
    no_db: bool,
    /// Create keys and certificates only, no configuration
    #[arg(long, conflicts_with = "no_db")]
    pki: bool,
    /// Existing root certificate to use instead of a new one
    #[arg(long, value_name = "file")]
    root: Option<PathBuf>,
    /// Private key of the existing root certificate
    #[arg(long, value_name = "file")]
    key: Option<PathBuf>,
    /// File with the password of that private key
    #[arg(long, value_name = "file")]
    key_password_file: Option<PathBuf>,
    /// Context to create for the authority (default: the first DNS name, if there are contexts)
    #[arg(long, value_name = "name")]
    context: Option<String>,
    #[arg(long, hide = true)]
    no_context: bool,
    #[command(flatten)]
    naming: Naming,
    #[command(flatten)]
    later: Later,
}

/// Flags of smallstep's `step` that do not exist here yet.
#[derive(clap::Args)]
struct Later {
    #[arg(long, hide = true)]
    ssh: bool,
    #[arg(long, hide = true)]
    helm: bool,
    #[arg(long, hide = true)]
    remote_management: bool,
    #[arg(long, hide = true, value_name = "subject")]
    admin_subject: Option<String>,
    #[arg(long, hide = true, value_name = "type")]
    ra: Option<String>,
    #[arg(long, hide = true, value_name = "type")]
    kms: Option<String>,
}

impl Later {
    fn refuse(&self) -> Result<()> {
        let given = [
            ("--ssh", self.ssh),
            ("--helm", self.helm),
            ("--remote-management", self.remote_management),
            ("--admin-subject", self.admin_subject.is_some()),
            ("--ra", self.ra.is_some()),
            ("--kms", self.kms.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => {
                bail!("'step ca init {flag}' does not exist yet in this version of step")
            }
            None => Ok(()),
        }
    }
}

impl Args {
    /// Creates it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        self.later.refuse()?;
        let answers = self.answers()?;
        let default = answers.dns.first().map_or("localhost", String::as_str);
        let place = context.place(&self.naming, default)?;
        let layout = Layout::new(&place.folder);
        let hint = "move the existing authority elsewhere, or set STEPPATH to another folder";
        prompt::ask_to_overwrite(&self.files(&layout), hint)?;
        let plan = Plan {
            step_path: place.folder.clone(),
            dns_names: answers.dns.clone(),
            address: answers.address.clone(),
            ca_url: self.with_ca_url.as_deref().map(super::authority::complete),
            database: !self.no_db,
        };
        output::say("");
        let created = create::create(&answers, self.acme)?;
        let entries = authority::entries(&plan, created.contents());
        for entry in entries {
            write(&entry, self.pki, &layout)?;
        }
        place.use_context()?;
        self.report(&layout, &place, created.root());
        Ok(ExitCode::SUCCESS)
    }

    /// The files that will be written.
    fn files<'a>(&self, layout: &'a Layout) -> Vec<&'a Path> {
        let mut files: Vec<&Path> = vec![&layout.root, &layout.intermediate];
        files.push(&layout.intermediate_key);
        if self.root.is_none() {
            files.push(&layout.root_key);
        }
        if !self.pki {
            files.extend([layout.ca_json.as_path(), &layout.defaults_json]);
        }
        files
    }

    fn report(&self, layout: &Layout, place: &Place, root: &Certificate) {
        output::say("");
        let line = |name: &str, path: &Path| output::selected(name, path.display());
        line("Root certificate", &layout.root);
        if self.root.is_none() {
            line("Root private key", &layout.root_key);
        }
        output::selected("Root fingerprint", root.fingerprint());
        line("Intermediate certificate", &layout.intermediate);
        line("Intermediate private key", &layout.intermediate_key);
        if !self.pki {
            if !self.no_db {
                line("Database folder", &layout.database);
            }
            line("Default configuration", &layout.defaults_json);
            if let Some(profile) = place.profile_defaults() {
                line("Default profile configuration", &profile);
            }
            line("Certificate Authority configuration", &layout.ca_json);
        }
        output::say("");
        output::say(
            "Your PKI is ready to go. To generate certificates for individual services see 'step help ca'.",
        );
    }
}

fn write(entry: &Entry, is_bare: bool, layout: &Layout) -> Result<()> {
    if is_bare && [&layout.ca_json, &layout.defaults_json, &layout.database].contains(&&entry.path)
    {
        return Ok(());
    }
    match &entry.contents {
        Contents::Folder => file::make_folder(&entry.path),
        Contents::File(content) if entry.mode == file::PRIVATE => {
            file::create(&entry.path, content, entry.mode)
        }
        Contents::File(content) => file::write(&entry.path, content, entry.mode),
    }
}
