//! `step ca renew`.

mod daemon;
mod when;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow, bail};
use client::{Http, Identity, Trust, step};
use jiff::Timestamp;
use pki::{Certificate, PrivateKey};

use super::authority::Authority;
use crate::command::block_on;
use crate::context::Context;
use crate::{file, output, prompt};

const EXAMPLES: &str = "Examples:
  Renew a certificate in place:
    $ step ca renew example.crt example.key --force

  Renew only when less than 8 hours are left, and reload the web server then:
    $ step ca renew example.crt example.key --force --expires-in 8h --exec \"nginx -s reload\"

  Keep running and renew when it is time:
    $ step ca renew example.crt example.key --daemon --exec \"nginx -s reload\"";

/// Renew a certificate with the same names and the same key; the certificate authenticates the request
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Certificate to renew
    crt_file: PathBuf,
    /// Private key of the certificate
    key_file: PathBuf,
    /// File to save the new certificate in (default: overwrite the old one)
    #[arg(long, alias = "output-file", value_name = "file")]
    out: Option<PathBuf>,
    /// Renew only when less than this is left
    #[arg(long, value_name = "duration")]
    expires_in: Option<String>,
    /// Overwrite the certificate without asking
    #[arg(long, short)]
    force: bool,
    /// Command to run after each renewal
    #[arg(long, value_name = "command")]
    exec: Option<String>,
    /// Process to send a signal to after each renewal
    #[arg(long, value_name = "pid", conflicts_with = "pid_file")]
    pid: Option<u32>,
    /// File with the id of the process to send a signal to after each renewal
    #[arg(long, value_name = "file")]
    pid_file: Option<PathBuf>,
    /// Number of the signal; 1 is SIGHUP
    #[arg(long, value_name = "number", default_value_t = 1)]
    signal: u32,
    /// Keep running and renew when it is time
    #[arg(long)]
    daemon: bool,
    /// How often the daemon renews (default: when a third of the lifetime is left)
    #[arg(long, value_name = "duration")]
    renew_period: Option<String>,
    /// File with the password of the private key
    #[arg(long, value_name = "file")]
    password_file: Option<PathBuf>,
    /// Authenticate by mutual TLS; this is always so
    #[arg(long, hide = true)]
    mtls: bool,
    #[arg(long, hide = true)]
    offline: bool,
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Renews it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        if self.offline {
            bail!("'--offline' does not exist yet in this version of step");
        }
        if self.renew_period.is_some() && !self.daemon {
            bail!("flag '--renew-period' requires the '--daemon' flag");
        }
        let now = Timestamp::now();
        let renewal = Renewal::new(&self, context)?;
        let leaf = renewal.leaf()?;
        let expires_in = when::duration("expires-in", self.expires_in.as_deref())?;
        let period = when::duration("renew-period", self.renew_period.as_deref())?;
        if self.daemon {
            let schedule = when::Schedule::new(&leaf, expires_in, period)?;
            return daemon::run(&renewal, &schedule);
        }
        let left = leaf.not_after().duration_since(now);
        if let Some(expires_in) = expires_in
            && left > expires_in
        {
            output::say(&format!(
                "certificate not renewed: expires in {}",
                when::rounded(left)
            ));
            return Ok(ExitCode::SUCCESS);
        }
        prompt::may_overwrite(&[renewal.out()], self.force)?;
        block_on(renewal.once(context))?;
        output::say(&format!(
            "Your certificate has been saved in {}.",
            renewal.out().display()
        ));
        renewal.after()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A certificate to renew.
struct Renewal<'a> {
    args: &'a Args,
    context: &'a Context,
    url: String,
    key: PrivateKey,
}

impl<'a> Renewal<'a> {
    fn new(args: &'a Args, context: &'a Context) -> Result<Self> {
        let key = prompt::read_key(&args.key_file, args.password_file.as_deref())?;
        let renewal = Self {
            args,
            context,
            url: args.authority.url("step ca renew")?,
            key,
        };
        if renewal.leaf()?.public_key()? != renewal.key.public() {
            bail!(
                "the key {} does not belong to the certificate {}",
                args.key_file.display(),
                args.crt_file.display()
            );
        }
        Ok(renewal)
    }

    fn out(&self) -> &Path {
        self.args.out.as_ref().unwrap_or(&self.args.crt_file)
    }

    fn chain(&self) -> Result<Vec<Certificate>> {
        let path = &self.args.crt_file;
        Certificate::all_from_file(&file::read(path)?)
            .with_context(|| format!("error parsing {}", path.display()))
    }

    fn leaf(&self) -> Result<Certificate> {
        let first = self.chain()?.into_iter().next();
        first.ok_or_else(|| anyhow!("{} is empty", self.args.crt_file.display()))
    }

    /// Renews and replaces the file; returns the new certificate.
    async fn once(&self, context: &Context) -> Result<Certificate> {
        let chain = self.chain()?;
        let now = Timestamp::now();
        // A new certificate that cannot be saved would be issued and lost.
        file::check_writable(&[self.out()])?;
        if chain[0].not_after() <= now {
            bail!(
                "the certificate expired at {}: request a new one with 'step ca certificate'",
                chain[0].not_after()
            );
        }
        let identity = Identity {
            chain: chain.iter().map(|one| one.der().to_vec()).collect(),
            key: self.key.to_pkcs8_der(),
        };
        let roots = Trust::Roots(self.args.authority.roots(context)?);
        let client = step::Client::new(Http::new(&roots, Some(identity))?, &self.url);
        let renewed = client.renew(&chain[0]).await?;
        let text: String = renewed.iter().map(Certificate::to_pem).collect();
        file::write(self.out(), text.as_bytes(), file::PRIVATE)?;
        Ok(renewed[0].clone())
    }

    /// Sends the signal and runs the command.
    fn after(&self) -> Result<()> {
        let pid = match (&self.args.pid, &self.args.pid_file) {
            (Some(pid), _) => Some(*pid),
            (None, Some(path)) => {
                let text = file::read_text(path)?;
                let pid = text.trim().parse();
                Some(pid.with_context(|| format!("{} has no process id in it", path.display()))?)
            }
            (None, None) => None,
        };
        if let Some(pid) = pid {
            let signal = self.args.signal;
            run(&format!("kill -{signal} {pid}"))
                .with_context(|| format!("error sending signal {signal} to process {pid}"))?;
        }
        if let Some(words) = &self.args.exec {
            run(words).with_context(|| format!("error running '{words}'"))?;
        }
        Ok(())
    }
}

fn run(words: &str) -> Result<()> {
    let status = Command::new("sh").args(["-c", words]).status()?;
    if status.success() {
        return Ok(());
    }
    bail!("the command ended with {status}")
}
