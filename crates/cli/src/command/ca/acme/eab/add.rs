//! `step ca acme eab add`.

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
use crate::command::ca::bootstrap::pretty;
use crate::command::ca::certificate::times::moment;
use crate::context::Context;
use crate::output;

const EXAMPLES: &str = "Examples:
  A key with which one account can be made; the lines to paste into each client come with it:
    $ step ca acme eab add acme

  One for the web team: ten accounts, made within a month, for its own names and network only:
    $ step ca acme eab add acme web --accounts 10 --expires 720h \\
        --allow-dns '*.web.example.com' --allow-ip 10.7.0.0/16

  In a script:
    $ step ca acme eab add acme web --format json | jq -r '.id, .hmacKey'";

/// Hands out an external account key: who has it can make an account of the provisioner.
///
/// The HMAC key is printed once and never again. Whether accounts need a key is said by the provisioner
/// (`step ca provisioner update acme --require-eab`); a binding that is sent is checked in any case.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The ACME provisioner's name.
    provisioner: String,
    /// What the key is called, to find it again.
    reference: Option<String>,
    /// How many accounts it may bind.
    #[arg(long, value_name = "number", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 1)]
    accounts: u32,
    /// From when on it binds no more accounts: a time (RFC 3339) or a duration from now, such as 720h.
    /// Accounts that are bound by then go on.
    #[arg(long, value_name = "time|duration", allow_hyphen_values = true)]
    expires: Option<String>,
    /// Prints the key as text with lines to paste, or as JSON.
    #[arg(long, value_name = "format", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The profile that its accounts get, among those that the provisioner offers; no other then.
    #[arg(long, value_name = "name")]
    profile: Option<String>,
    #[command(flatten)]
    rules: Rules,
    #[command(flatten)]
    socket: AdminSocket,
    #[command(flatten)]
    credentials: Credentials,
}

/// Which names the accounts of the key may order; each flag several times for several. The policies of
/// provisioner and authority hold beside it.
#[derive(clap::Args)]
#[group(id = "rules")]
struct Rules {
    /// A name that may be ordered, or *.example.com for those one label below; no others then.
    #[arg(long, value_name = "name")]
    allow_dns: Vec<String>,
    /// A name that may not be ordered.
    #[arg(long, value_name = "name")]
    deny_dns: Vec<String>,
    /// A network or address that may be ordered; no others then.
    #[arg(long, value_name = "network")]
    allow_ip: Vec<String>,
    /// A network or address that may not be ordered.
    #[arg(long, value_name = "network")]
    deny_ip: Vec<String>,
    /// Lets an allowed *.example.com stand for the wildcard name itself, too.
    #[arg(long)]
    allow_wildcards: bool,
}

impl Args {
    /// Hands it out.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let asked = NewKey {
            reference: self.reference.clone().unwrap_or_default(),
            policy: self.rules.lists(),
            profile: self.profile.clone(),
            accounts: Some(self.accounts),
            expires_at: moment("expires", self.expires.as_deref(), Timestamp::now())?,
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
        output::say("The HMAC key is not shown again; a lost key is replaced by another.");
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

/// Head and row as the original prints them.
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
