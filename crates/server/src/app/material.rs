//! The certificates and the key, from the files that ca.json names.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ca::IssuingChain;
use ca::config::Config;
use console::Term;
use keys::CertificateSigner;
use pki::Certificate;
use zeroize::Zeroizing;

use crate::service::AuthorityCertificates;

/// The certificates and the key of the authority.
pub(super) struct Material {
    /// The intermediate's key and certificate.
    pub(super) certificate_signer: CertificateSigner,
    /// What is handed out beside the leaves.
    pub(super) certificates: AuthorityCertificates,
}

impl Material {
    /// The certificates that verify clients.
    pub(super) fn authorities(&self) -> impl Iterator<Item = &Certificate> {
        let AuthorityCertificates {
            roots,
            intermediates,
            ..
        } = &self.certificates;
        roots.iter().chain(intermediates)
    }

    /// Reads the files. The password of an encrypted key comes from `password_file`, else from
    /// ca.json, else from the terminal.
    pub(super) fn load(config: &Config, password_file: Option<&Path>) -> anyhow::Result<Self> {
        let roots = all(&config.root)?;
        let federated = all(&config.federated_roots)?;
        let intermediates = read(&config.crt)?;
        let Some(issuer) = intermediates.first().cloned() else {
            bail!("{} has no certificate in it", config.crt.display());
        };
        let given = password_file.map(keys::password::read).transpose()?;
        let signer = keys::open(&config.key, |key| match (given, &config.password) {
            (Some(given), _) => Ok(given),
            (None, Some(kept)) => Ok(Zeroizing::new(kept.expose().as_bytes().to_vec())),
            (None, None) => ask(key),
        })?;
        let above = roots.iter().chain(&intermediates);
        let chain = IssuingChain::new(issuer.clone(), above)?;
        let certificate_signer = CertificateSigner::new(signer, issuer)?;
        Ok(Self {
            certificate_signer,
            certificates: AuthorityCertificates {
                roots,
                federated,
                intermediates,
                chain,
            },
        })
    }
}

fn all(files: &[PathBuf]) -> anyhow::Result<Vec<Certificate>> {
    let mut found = Vec::new();
    for file in files {
        found.extend(read(file)?);
    }
    Ok(found)
}

fn read(file: &Path) -> anyhow::Result<Vec<Certificate>> {
    let name = || format!("error reading {}", file.display());
    let text = std::fs::read(file).with_context(name)?;
    Certificate::all_from_file(&text).with_context(name)
}

/// Asks on the terminal, also where stdin and stderr are redirected.
fn ask(key: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let key = key.display();
    prompt(&format!("Please enter the password to decrypt {key}: ")).with_context(|| {
        format!(
            "error decrypting {key}: the key is encrypted and there is no terminal to ask for its \
             password: use --password-file"
        )
    })
}

/// What the user types after `question`; it is not shown.
fn prompt(question: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let reads = File::open("/dev/tty")?;
    let writes = OpenOptions::new().write(true).open("/dev/tty")?;
    let terminal = Term::read_write_pair(reads, writes);
    if !terminal.is_term() {
        bail!("/dev/tty is not a terminal");
    }
    terminal.write_str(question)?;
    Ok(Zeroizing::new(terminal.read_secure_line()?.into_bytes()))
}
