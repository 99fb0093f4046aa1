//! `step ca certificate`.

mod acme;
mod key;
mod later;
mod names;
mod provisioner;
mod standalone;
pub(crate) mod times;
mod webroot;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::acme::eab::MacKey;
use anyhow::{Result, bail};
use client::{Http, Trust, step};
use pki::Certificate;

use super::authority::Authority;
use crate::command::{block_on, system_roots};
use crate::context::Context;
use crate::{file, output, prompt};

const EXAMPLES: &str = "Examples:
  Get a certificate, answering the challenge on port 80:
    $ step ca certificate --provisioner acme example.com example.crt example.key

  Let the web server that runs already answer it:
    $ step ca certificate --webroot /var/www/html example.com example.crt example.key

  For several names and an address, with an RSA key, for an hour:
    $ step ca certificate example.com example.crt example.key --san www.example.com \\
        --san 10.0.0.7 --kty RSA --size 3072 --not-after 1h

  From any ACME server:
    $ step ca certificate example.com example.crt example.key \\
        --acme https://ca.example/acme/acme/directory";

/// Gets a certificate for a name or address, proving over ACME that it is ours.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The name or address; it becomes the certificate's common name.
    subject: String,
    /// Where the certificate and its chain go.
    crt_file: PathBuf,
    /// Where the private key goes.
    key_file: PathBuf,
    /// A name or address to certify; several times for several. Without it, the subject.
    #[arg(long = "san", value_name = "name")]
    sans: Vec<String>,
    /// The provisioner to ask.
    #[arg(long, alias = "issuer", value_name = "name")]
    provisioner: Option<String>,
    /// The directory of an ACME server to ask instead of a provisioner.
    #[arg(long, value_name = "url")]
    acme: Option<String>,
    /// The kind of certificate, among the profiles that the server's directory offers.
    #[arg(long, value_name = "name")]
    acme_profile: Option<String>,
    /// Answers the challenge with a small web server of our own; this is the default.
    #[arg(long, conflicts_with = "webroot")]
    standalone: bool,
    /// Answers the challenge through the web server that serves this folder.
    #[arg(long, value_name = "folder")]
    webroot: Option<PathBuf>,
    /// Where our own web server listens.
    #[arg(long, value_name = "address", default_value = ":80")]
    http_listen: String,
    /// An address that the authority may write to; several times for several.
    #[arg(long = "contact", value_name = "email")]
    contacts: Vec<String>,
    /// The id of an external account key, where the server asks for one.
    #[arg(long, value_name = "id", requires = "eab_hmac_key")]
    eab_kid: Option<String>,
    /// The external account key itself, in base64url; STEP_EAB_HMAC_KEY keeps it out of sight.
    #[arg(long, value_name = "key", requires = "eab_kid")]
    eab_hmac_key: Option<String>,
    /// Overwrites files unasked.
    #[arg(long, short)]
    force: bool,
    #[command(flatten)]
    later: later::Flags,
    #[command(flatten)]
    key: key::Flags,
    #[command(flatten)]
    times: times::Flags,
    #[command(flatten)]
    authority: Authority,
}

impl Args {
    /// Gets it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        self.later.refuse()?;
        let names = names::Names::read(&self.subject, &self.sans)?;
        let kind = self.key.kind()?;
        let times = self.times.read(jiff::Timestamp::now())?;
        for path in [&self.crt_file, &self.key_file] {
            needs_folder(path)?;
        }
        prompt::may_overwrite(&[&self.crt_file, &self.key_file], self.force)?;
        let key = keys::generate(kind)?;
        let asked = acme::Asked {
            names: &names,
            key: &key,
            times: &times,
            profile: self.acme_profile.as_deref(),
            contacts: contact_urls(&self.contacts),
            external: self.external()?,
        };
        let obtained = async {
            let (http, directory) = self.server(context).await?;
            acme::obtain(http, &directory, &asked, &self.answering()).await
        };
        let chain = block_on(async {
            tokio::select! {
                chain = obtained => chain,
                // What was put into a web server's folder is taken away on the way out.
                _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            }
        })?;
        self.keep(&chain, &key)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The ACME server to ask, and a connection that trusts it.
    fn external(&self) -> Result<Option<(String, MacKey)>> {
        let (Some(kid), Some(key)) = (&self.eab_kid, &self.eab_hmac_key) else {
            return Ok(None);
        };
        match MacKey::from_text(key) {
            Some(key) => Ok(Some((kid.clone(), key))),
            None => bail!("the value of flag '--eab-hmac-key' is not base64url: copy it whole"),
        }
    }

    async fn server(&self, context: &Context) -> Result<(Http, String)> {
        if let Some(directory) = &self.acme {
            let mut roots = if self.authority.has_root(context) {
                self.authority.roots(context)?
            } else {
                Vec::new()
            };
            roots.extend(system_roots());
            return Ok((
                Http::new(&Trust::Roots(roots), None)?,
                super::authority::complete(directory),
            ));
        }
        let url = self.authority.url("step ca certificate")?;
        let client = step::Client::new(self.authority.http(context)?, &url);
        let list = client.provisioners().await?;
        let name = provisioner::choose(&list, self.provisioner.as_deref())?;
        let directory = format!("{url}/acme/{}/directory", client::segment(&name));
        Ok((client.into_http(), directory))
    }

    fn answering(&self) -> acme::Answering<'_> {
        match &self.webroot {
            Some(folder) => acme::Answering::Webroot(folder),
            None => acme::Answering::Standalone(&self.http_listen),
        }
    }

    /// The key goes first: a certificate without its key is of no use.
    fn keep(&self, chain: &[Certificate], key: &pki::PrivateKey) -> Result<()> {
        let text: String = chain.iter().map(Certificate::to_pem).collect();
        file::write(&self.key_file, key.to_pem().as_bytes(), file::PRIVATE)?;
        file::write(&self.crt_file, text.as_bytes(), file::PRIVATE)?;
        output::selected("Certificate", self.crt_file.display());
        output::selected("Private Key", self.key_file.display());
        Ok(())
    }
}

/// A missing folder is told before the order, not after it.
fn needs_folder(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            bail!(
                "open {}: the folder {} does not exist",
                path.display(),
                folder.display()
            )
        }
        _ => Ok(()),
    }
}

fn contact_urls(contacts: &[String]) -> Vec<String> {
    let url = |contact: &String| match contact.contains(':') {
        true => contact.clone(),
        false => format!("mailto:{contact}"),
    };
    contacts.iter().map(url).collect()
}
