//! `step ca acme eab add`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use ca::api::admin::eab::{Key, NewKey};
use ca::policy::{Lists, Names};
use jiff::Timestamp;

use super::super::Format;
use super::lines::Lines;
use super::path;
use crate::command::block_on;
use crate::command::ca::admin_socket::{AdminSocket, Credentials};
use crate::command::ca::certificate::times::moment;
use crate::context::Context;
use crate::file;
use crate::json::pretty;
use crate::output;

const EXAMPLES: &str = "Examples:
  Create a key with which one account can be created, with the lines to paste into each client:
    $ step ca acme eab add acme

  Create one for ten accounts within a month, limited to some names and a network:
    $ step ca acme eab add acme web --accounts 10 --expires 720h \\
        --allow-dns '*.web.example.com' --allow-ip 10.7.0.0/16

  Take over one that clients have from another CA:
    $ step ca acme eab add acme --id kid-1 --hmac-key-file kid-1.txt

  Create one in a script:
    $ step ca acme eab add acme web --format json | jq -r '.id, .hmacKey'";

/// Create an external account key: a client that has it can create an account of the provisioner
///
/// The HMAC key is printed once and cannot be shown again. The provisioner decides whether accounts require
/// a key (`step ca provisioner update acme --require-eab`); a binding that a client sends is always checked.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the ACME provisioner
    provisioner: String,
    /// Name by which to find the key again
    reference: Option<String>,
    /// Maximum number of accounts that the key can bind
    #[arg(long, value_name = "number", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    accounts: u32,
    /// When the key stops binding accounts: a time (RFC 3339) or a duration from now, such as 720h (default:
    /// never); bound accounts keep working
    #[arg(long, value_name = "time|duration", allow_hyphen_values = true)]
    expires: Option<String>,
    /// Output format: text with lines to paste, or JSON
    #[arg(long, value_name = "format", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Id of a key that clients have from another CA
    #[arg(long, value_name = "id", requires = "hmac_key_file")]
    id: Option<String>,
    /// File with the HMAC key of that id, in base64url
    #[arg(long, value_name = "file", requires = "id")]
    hmac_key_file: Option<PathBuf>,
    /// The only profile for its accounts, one that the provisioner offers
    #[arg(long, value_name = "name")]
    profile: Option<String>,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    socket: AdminSocket,
    #[command(flatten)]
    credentials: Credentials,
}

/// Which names the accounts of the key may order. The policies of the provisioner and the authority apply,
/// too.
#[derive(clap::Args)]
#[group(id = "rules")]
struct Rules {
    /// Allow only this DNS name, or with *.example.com the names one label below (repeatable)
    #[arg(long, value_name = "name")]
    allow_dns: Vec<String>,
    /// Deny this DNS name (repeatable)
    #[arg(long, value_name = "name")]
    deny_dns: Vec<String>,
    /// Allow only this network or address (repeatable)
    #[arg(long, value_name = "network")]
    allow_ip: Vec<String>,
    /// Deny this network or address (repeatable)
    #[arg(long, value_name = "network")]
    deny_ip: Vec<String>,
    /// Let an allowed *.example.com include the wildcard name itself
    #[arg(long)]
    allow_wildcards: bool,
}

impl Args {
    /// Creates it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let asked = NewKey {
            reference: self.reference.clone().unwrap_or_default(),
            policy: self.rules.lists(),
            profile: self.profile.clone(),
            accounts: Some(self.accounts),
            expires_at: moment("expires", self.expires.as_deref(), Timestamp::now())?,
            id: self.id.clone(),
            hmac_key: self
                .hmac_key_file
                .as_deref()
                .map(file::read_text)
                .transpose()?,
        };
        let admin = self.socket.open(context)?;
        let path = path(&self.provisioner);
        let key: Key = block_on(async { Ok(admin.post("adding the key", &path, &asked).await?) })?;
        if self.format == Format::Json {
            let text = String::from_utf8(pretty(&key, b"   ")?)?;
            output::data(&format!("{text}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        output::data(&table(&key))?;
        let root = context.root();
        let root = root.exists().then_some(root.as_path());
        output::data(&Lines::new(&key, root)?.text())?;
        output::say("The HMAC key is not shown again; if you lose it, create another key.");
        Ok(ExitCode::SUCCESS)
    }
}

impl Rules {
    fn lists(&self) -> Lists {
        let names = |dns: &[String], ip: &[String]| Names {
            dns: dns.to_vec(),
            ip: ip.to_vec(),
            ..Names::default()
        };
        Lists {
            allow: names(&self.allow_dns, &self.allow_ip),
            deny: names(&self.deny_dns, &self.deny_ip),
            allow_wildcards: self.allow_wildcards.then_some(true),
        }
    }
}

/// Header and row as smallstep's `step` prints them.
fn table(key: &Key) -> String {
    let row = |id: &str, provisioner: &str, secret: &str, reference: &str| {
        let row = format!("{id:<36}{provisioner:<28}{secret:<48}{reference}");
        format!("{}\n", row.trim_end())
    };
    let head = row(
        "Key ID",
        "Provisioner",
        "Key (base64, raw url encoded)",
        "Reference",
    );
    head + &row(&key.id, &key.provisioner, &key.hmac_key, &key.reference)
}
