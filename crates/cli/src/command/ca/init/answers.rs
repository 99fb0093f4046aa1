//! The settings of the new authority: from flags, and from questions for the missing ones.

use std::cell::OnceCell;

use anyhow::{Result, anyhow, bail};
use keys::CertificateSigner;
use zeroize::Zeroizing;

use super::Args;
use super::create::open_root;
use crate::file;
use crate::prompt::Terminal;

/// The settings of a new authority.
pub(crate) struct Answers {
    /// The authority's name.
    pub(crate) name: String,
    /// Names and addresses of the server.
    pub(crate) dns: Vec<String>,
    /// The address on which it listens.
    pub(crate) address: String,
    /// The first provisioner's name.
    pub(crate) provisioner: String,
    /// The password that encrypts the keys.
    pub(crate) password: Zeroizing<Vec<u8>>,
    /// The password that encrypts the provisioner's key.
    pub(crate) provisioner_password: Zeroizing<Vec<u8>>,
    /// The existing root to use instead of a new one.
    pub(crate) existing_root: Option<CertificateSigner>,
}

impl Args {
    /// Asks for the settings that the flags leave open.
    ///
    /// # Errors
    /// When there is no terminal to ask on, or a value is invalid.
    pub(super) fn answers(&self) -> Result<Answers> {
        let terminal = Lazy::default();
        let existing_root = self.existing_root()?;
        self.deployment(&terminal)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => terminal
                .open("name")?
                .line("Name of the new authority", None)?,
        };
        if name.trim().is_empty() {
            bail!("the name of the authority is empty: give one with '--name'");
        }
        let (dns, address, provisioner) = if self.pki {
            (
                vec!["localhost".to_owned()],
                ":443".to_owned(),
                String::new(),
            )
        } else {
            (
                self.names(&terminal)?,
                self.address(&terminal)?,
                self.first_provisioner(&terminal)?,
            )
        };
        let password = self.password(&terminal)?;
        let provisioner_password = match &self.provisioner_password_file {
            Some(path) => file::read_password(path)?,
            None => password.clone(),
        };
        Ok(Answers {
            name,
            dns,
            address,
            provisioner,
            password,
            provisioner_password,
            existing_root,
        })
    }

    fn deployment(&self, terminal: &Lazy) -> Result<()> {
        let is_complete = self.name.is_some()
            && !self.dns.is_empty()
            && self.address.is_some()
            && self.provisioner.is_some()
            && self.password_file.is_some();
        let chosen = match self.deployment_type.as_deref() {
            Some(given) => given.to_lowercase(),
            None if is_complete || self.pki => "standalone".to_owned(),
            None => {
                let options = ["Standalone", "Linked", "Hosted"].map(str::to_owned);
                let question = "Deployment type (Standalone: this machine runs the authority and keeps its keys)";
                let at = terminal
                    .open("deployment-type")?
                    .choose(question, &options)?;
                options[at].to_lowercase()
            }
        };
        match chosen.as_str() {
            "standalone" => Ok(()),
            "linked" | "hosted" => bail!(
                "the deployment type '{chosen}' belongs to a commercial service; choose 'standalone'"
            ),
            other => bail!(
                "invalid value '{other}' for flag '--deployment-type'; options are standalone, linked, hosted"
            ),
        }
    }

    fn names(&self, terminal: &Lazy) -> Result<Vec<String>> {
        if !self.dns.is_empty() {
            return server_names(self.dns.iter().map(String::as_str));
        }
        let question = "DNS names and IP addresses of the server, comma-separated";
        let terminal = terminal.open("dns")?;
        terminal.until(question, "localhost", |line| server_names(line.split(',')))
    }

    fn address(&self, terminal: &Lazy) -> Result<String> {
        if let Some(address) = &self.address {
            return listening(address);
        }
        let question = "Address to listen on, host:port or :port";
        let terminal = terminal.open("address")?;
        terminal.until(question, "127.0.0.1:9000", listening)
    }

    fn first_provisioner(&self, terminal: &Lazy) -> Result<String> {
        let name = match &self.provisioner {
            Some(name) => name.clone(),
            None => terminal
                .open("provisioner")?
                .line("Name of the first provisioner", Some("admin"))?,
        };
        if name.trim().is_empty() {
            bail!("the name of the first provisioner is empty: give one with '--provisioner'");
        }
        Ok(name)
    }

    fn password(&self, terminal: &Lazy) -> Result<Zeroizing<Vec<u8>>> {
        if let Some(path) = &self.password_file {
            let password = file::read_password(path)?;
            if password.is_empty() {
                bail!("the password file {} is empty", path.display());
            }
            return Ok(password);
        }
        let terminal = terminal.open("password-file")?;
        let question =
            "Password for the keys and the first provisioner (leave empty to generate one)";
        let typed = terminal.secret(question)?;
        if !typed.is_empty() {
            return Ok(Zeroizing::new(typed.as_bytes().to_vec()));
        }
        let made = keys::password::generate();
        terminal.show(&format!("Password: {}", made.as_str()))?;
        terminal.show("It is shown only once: save it where the server can read it.")?;
        Ok(Zeroizing::new(made.as_bytes().to_vec()))
    }

    fn existing_root(&self) -> Result<Option<CertificateSigner>> {
        match (&self.root, &self.key) {
            (Some(root), Some(key)) => {
                open_root(root, key, self.key_password_file.as_deref()).map(Some)
            }
            (Some(_), None) => bail!("flag '--root' requires the '--key' flag"),
            (None, Some(_)) => bail!("flag '--key' requires the '--root' flag"),
            (None, None) => Ok(None),
        }
    }
}

/// The server's names, each once; none may be a wildcard.
fn server_names<'a>(given: impl Iterator<Item = &'a str>) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in given.map(str::trim) {
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if bare.is_empty() || names.iter().any(|known| known == bare) {
            continue;
        }
        match acme::Identifier::guess(bare) {
            Ok(found) if !found.is_wildcard() => names.push(bare.to_owned()),
            Ok(_) => {
                bail!(
                    "invalid value '{name}' for flag '--dns': the name of a server cannot be a wildcard"
                )
            }
            Err(problem) => bail!(
                "invalid value '{name}' for flag '--dns': {}",
                problem.detail
            ),
        }
    }
    if names.is_empty() {
        bail!("the server requires at least one DNS name or IP address: give it with '--dns'");
    }
    Ok(names)
}

/// An address with a port.
fn listening(address: &str) -> Result<String> {
    let port = address.rsplit_once(':').map(|(_, port)| port);
    if port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        return Ok(address.to_owned());
    }
    bail!(
        "invalid value '{address}' for flag '--address': give host:port or :port, such as 127.0.0.1:9000"
    )
}

/// The terminal, opened with the first question.
#[derive(Default)]
struct Lazy(OnceCell<Terminal>);

impl Lazy {
    /// The terminal; when there is none, the error names the `flag` that answers the question.
    fn open(&self, flag: &str) -> Result<&Terminal> {
        if let Some(open) = self.0.get() {
            return Ok(open);
        }
        let terminal = Terminal::open()
            .map_err(|error| anyhow!("{error}\nthere is no terminal to ask on: give '--{flag}'"))?;
        Ok(self.0.get_or_init(|| terminal))
    }
}
