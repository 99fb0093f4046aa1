//! Creates the keys and certificates of a new authority, shows the progress, and encrypts the keys.

use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use ca::authority::{self, NewAuthority};
use jiff::Timestamp;
use keys::CertificateSigner;
use keys::authority::{create_intermediate, create_root};
use pki::{Certificate, PrivateKey};
use serde_json::Value;
use zeroize::Zeroizing;

use super::answers::Answers;
use crate::command::ca::provisioner::jwk_provisioner;
use crate::{file, output, prompt};

/// Rounds of PBKDF2 that encrypt the authority's keys.
const ROUNDS: u32 = 600_000;

/// The new authority with its keys encrypted, before anything is written.
pub(crate) struct Created {
    root: Certificate,
    root_key: Option<Zeroizing<String>>,
    intermediate: Certificate,
    intermediate_key: Zeroizing<String>,
    provisioners: Vec<Value>,
}

/// Opens an existing root for signing: its certificate, and its key, whose password comes from a
/// file or the terminal.
///
/// # Errors
/// When one cannot be read, the certificate may not issue others, or the two do not match.
pub(crate) fn open_root(
    root: &Path,
    key: &Path,
    password_file: Option<&Path>,
) -> Result<CertificateSigner> {
    let certificate = Certificate::from_pem(&file::read(root)?)
        .with_context(|| format!("error parsing {}", root.display()))?;
    if !certificate.is_ca() {
        bail!("{} is not the certificate of an authority", root.display());
    }
    let uri = key
        .to_str()
        .ok_or_else(|| anyhow!("{} is not a UTF-8 path", key.display()))?;
    let signer = keys::open(uri, |key| prompt::key_password(key, password_file))?;
    if certificate.public_key()? != signer.public_key() {
        bail!(
            "the key {} does not belong to {}",
            key.display(),
            root.display()
        );
    }
    Ok(CertificateSigner::new(signer, certificate)?)
}

/// Creates keys and certificates; the slow encryptions run side by side.
///
/// # Errors
/// When the name cannot stand in a certificate, or a key fails.
pub(crate) fn create(answers: &Answers, with_acme: bool) -> Result<Created> {
    let now = Timestamp::now();
    let password = &answers.password;
    let mut new_root = None;
    let signer;
    let root_signer = match &answers.existing_root {
        Some(existing) => existing,
        None => {
            output::print("Generating root certificate... ");
            let root = new_root.insert(create_root(&answers.name, now)?);
            signer = root.signer()?;
            output::say("done!");
            &signer
        }
    };
    output::print("Generating intermediate certificate... ");
    let intermediate = create_intermediate(&answers.name, now, root_signer)?;
    let (root_key, intermediate_key, provisioner) = thread::scope(|scope| {
        let root_key = scope.spawn(|| {
            let made = new_root.as_ref();
            made.map(|root| encrypted(&root.key, password)).transpose()
        });
        let intermediate_key = scope.spawn(|| encrypted(&intermediate.key, password));
        let provisioner = match answers.provisioner.as_str() {
            "" => Ok(None),
            name => jwk_provisioner(name, &answers.provisioner_password).map(Some),
        };
        let lost = |_| anyhow!("a thread ended before its key was encrypted");
        let root_key = root_key.join().map_err(lost)??;
        let intermediate_key = intermediate_key.join().map_err(lost)??;
        anyhow::Ok((root_key, intermediate_key, provisioner?))
    })?;
    output::say("done!");
    let mut provisioners: Vec<Value> = provisioner.into_iter().collect();
    if with_acme {
        provisioners.push(authority::acme_provisioner(&answers.provisioner));
    }
    Ok(Created {
        root: root_signer.issuer().clone(),
        root_key,
        intermediate: intermediate.certificate,
        intermediate_key,
        provisioners,
    })
}

impl Created {
    /// What its files are made of.
    pub(crate) fn contents(&self) -> NewAuthority<'_> {
        NewAuthority {
            root: &self.root,
            root_key: self.root_key.clone(),
            intermediate: &self.intermediate,
            intermediate_key: self.intermediate_key.clone(),
            provisioners: self.provisioners.clone(),
        }
    }

    /// The root certificate.
    pub(crate) fn root(&self) -> &Certificate {
        &self.root
    }
}

fn encrypted(key: &PrivateKey, password: &[u8]) -> Result<Zeroizing<String>> {
    Ok(key.to_encrypted_pem(password, &keys::random(), &keys::random(), ROUNDS)?)
}
