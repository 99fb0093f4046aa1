//! `step ca certificate`.

mod acme;
mod key;
mod later;
mod names;
mod provisioner;
mod standalone;
pub(crate) mod times;
mod webroot;

use std::path::PathBuf;
use std::process::ExitCode;

use self::acme::{AcmeServer, ExternalKey};
use ::acme::eab::MacKey;
use anyhow::{Result, bail};
use client::{Http, Trust, step};
use pki::Certificate;

use super::authority::Authority;
use crate::command::{block_on, system_roots};
use crate::context::Context;
use crate::{file, output, prompt};

const EXAMPLES: &str = "Examples:
  Request a certificate and answer the challenge on port 80:
    $ step ca certificate --provisioner acme example.com example.crt example.key

  Let a running web server answer the challenge:
    $ step ca certificate --webroot /var/www/html example.com example.crt example.key

  Request one for several names and an address, with an RSA key, for an hour:
    $ step ca certificate example.com example.crt example.key --san www.example.com \\
        --san 10.0.0.7 --kty RSA --size 3072 --not-after 1h

  Request one from another ACME server:
    $ step ca certificate example.com example.crt example.key \\
        --acme https://ca.example/acme/acme/directory";

/// Request a certificate over ACME for names and addresses of this machine
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name or address; becomes the common name of the certificate
    subject: String,
    /// File to save the certificate and its chain in
    crt_file: PathBuf,
    /// File to save the private key in
    key_file: PathBuf,
    /// Name or address to certify besides the subject (repeatable)
    #[arg(long = "san", value_name = "name")]
    sans: Vec<String>,
    /// Provisioner to use
    #[arg(long, alias = "issuer", value_name = "name")]
    provisioner: Option<String>,
    /// Directory URL of another ACME server to use instead of a provisioner
    #[arg(long, value_name = "url")]
    acme: Option<String>,
    /// Profile of the certificate, one that the server's directory offers
    #[arg(long, value_name = "name")]
    acme_profile: Option<String>,
    /// Answer the challenge with a built-in web server; this is the default
    #[arg(long, conflicts_with = "webroot")]
    standalone: bool,
    /// Answer the challenge with files in this folder of a running web server
    #[arg(long, value_name = "folder")]
    webroot: Option<PathBuf>,
    /// Address on which the built-in web server listens
    #[arg(long, value_name = "address", default_value = ":80")]
    http_listen: String,
    /// E-mail address for messages from the authority (repeatable)
    #[arg(long = "contact", value_name = "email")]
    contacts: Vec<String>,
    /// Id of an external account key, if the server requires one
    #[arg(long, value_name = "id", requires = "eab_hmac_key")]
    eab_kid: Option<String>,
    /// HMAC key of that id, in base64url; STEP_EAB_HMAC_KEY keeps it out of the process list
    #[arg(long, value_name = "key", requires = "eab_kid")]
    eab_hmac_key: Option<String>,
    /// Overwrite files without asking
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
    /// Requests it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        self.later.refuse()?;
        let names = names::Names::read(&self.subject, &self.sans)?;
        let kind = self.key.kind()?;
        let times = self.times.read(jiff::Timestamp::now())?;
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
            let server = self.server(context).await?;
            acme::obtain(server, &asked, &self.answering()).await
        };
        let chain = block_on(async {
            tokio::select! {
                chain = obtained => chain,
                // Dropping the order removes the files in the web server's folder.
                _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            }
        })?;
        self.keep(&chain, &key)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The external account key of the flags.
    fn external(&self) -> Result<Option<ExternalKey>> {
        let (Some(kid), Some(key)) = (&self.eab_kid, &self.eab_hmac_key) else {
            return Ok(None);
        };
        match MacKey::from_text(key) {
            Some(mac) => Ok(Some(ExternalKey {
                kid: kid.clone(),
                mac,
            })),
            None => bail!(
                "the value of flag '--eab-hmac-key' is not base64url: check that it is complete"
            ),
        }
    }

    /// The ACME server to use, and a connection that trusts it.
    async fn server(&self, context: &Context) -> Result<AcmeServer> {
        if let Some(directory) = &self.acme {
            let mut roots = if self.authority.has_root(context) {
                self.authority.roots(context)?
            } else {
                Vec::new()
            };
            roots.extend(system_roots());
            return Ok(AcmeServer {
                http: Http::new(&Trust::Roots(roots), None)?,
                directory: super::authority::complete(directory),
            });
        }
        let url = self.authority.url("step ca certificate")?;
        let client = step::Client::new(self.authority.http(context)?, &url);
        let list = client.provisioners().await?;
        let name = provisioner::choose(&list, self.provisioner.as_deref())?;
        Ok(AcmeServer {
            http: client.into_http(),
            directory: format!("{url}/acme/{}/directory", client::segment(&name)),
        })
    }

    fn answering(&self) -> acme::Answering<'_> {
        match &self.webroot {
            Some(folder) => acme::Answering::Webroot(folder),
            None => acme::Answering::Standalone(&self.http_listen),
        }
    }

    /// Saves both. The key goes first: a certificate without its key is of no use.
    fn keep(&self, chain: &[Certificate], key: &pki::PrivateKey) -> Result<()> {
        let text: String = chain.iter().map(Certificate::to_pem).collect();
        file::write(&self.key_file, key.to_pem().as_bytes(), file::PRIVATE)?;
        file::write(&self.crt_file, text.as_bytes(), file::PRIVATE)?;
        output::selected("Certificate", self.crt_file.display());
        output::selected("Private Key", self.key_file.display());
        Ok(())
    }
}

fn contact_urls(contacts: &[String]) -> Vec<String> {
    let url = |contact: &String| match contact.contains(':') {
        true => contact.clone(),
        false => format!("mailto:{contact}"),
    };
    contacts.iter().map(url).collect()
}
