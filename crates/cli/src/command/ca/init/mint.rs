//! Making the keys and certificates of a new authority.

use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use ca::authority::{self, NewAuthority};
use jiff::Timestamp;
use keys::{CertificateSigner, FileSigner, Signer};
use pki::{Certificate, KeyKind, PrivateKey, Serial};
use serde_json::Value;
use zeroize::Zeroizing;

use super::answers::Answers;
use crate::command::ca::provisioner::jwk_provisioner;
use crate::{file, output, prompt};

/// How slow passwords of CA keys are made, in rounds of PBKDF2.
const ROUNDS: u32 = 600_000;

/// A root certificate that was brought along, with its key.
pub(crate) struct Existing {
    certificate: Certificate,
    key: PrivateKey,
}

/// The new authority, before anything is written.
pub(crate) struct Made {
    root: Certificate,
    root_key: Option<Zeroizing<String>>,
    intermediate: Certificate,
    intermediate_key: Zeroizing<String>,
    provisioners: Vec<Value>,
}

impl Existing {
    /// Reads both files; the key's password comes from a file or the terminal.
    ///
    /// # Errors
    /// Where they cannot be read or do not belong together.
    pub(crate) fn read(root: &Path, key: &Path, password_file: Option<&Path>) -> Result<Self> {
        let certificate = Certificate::from_pem(&file::read(root)?)
            .with_context(|| format!("error parsing {}", root.display()))?;
        if !certificate.is_ca() {
            bail!("{} is not the certificate of an authority", root.display());
        }
        let key = prompt::read_key(key, password_file)?;
        if certificate.public_key()? != key.public() {
            bail!("the key does not belong to {}", root.display());
        }
        Ok(Self { certificate, key })
    }
}

/// Makes keys and certificates; the slow encryptions run side by side.
///
/// # Errors
/// Where the name cannot stand in a certificate, or the machine gives no random bytes.
pub(crate) fn mint(answers: &Answers, with_acme: bool) -> Result<Made> {
    let now = Timestamp::now();
    let password = &answers.password;
    let new_root;
    let (root, root_signer, root_key) = match &answers.existing {
        Some(existing) => {
            let certificate_signer =
                CertificateSigner::new(signer(&existing.key)?, existing.certificate.clone())?;
            (existing.certificate.clone(), certificate_signer, None)
        }
        None => {
            output::talk("Generating root certificate... ");
            new_root = keys::generate(KeyKind::EcP256)?;
            let unsigned = authority::root(&answers.name, new_root.public(), serial(), now)?;
            let certificate_signer = CertificateSigner::self_signed(signer(&new_root)?, unsigned)?;
            output::say("done!");
            (
                certificate_signer.issuer().clone(),
                certificate_signer,
                Some(&new_root),
            )
        }
    };
    output::talk("Generating intermediate certificate... ");
    let key = keys::generate(KeyKind::EcP256)?;
    let unsigned = authority::intermediate(&answers.name, key.public(), serial(), now, &root)?;
    let intermediate = root_signer.sign(unsigned)?;
    let (root_key, intermediate_key, provisioner) = thread::scope(|scope| {
        let root_key = scope.spawn(|| root_key.map(|key| locked(key, password)).transpose());
        let intermediate_key = scope.spawn(|| locked(&key, password));
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
    Ok(Made {
        root,
        root_key,
        intermediate,
        intermediate_key,
        provisioners,
    })
}

impl Made {
    /// As the files want it.
    pub(crate) fn minted(&self) -> NewAuthority<'_> {
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

fn locked(key: &PrivateKey, password: &[u8]) -> Result<Zeroizing<String>> {
    Ok(key.to_encrypted_pem(password, &keys::random(), &keys::random(), ROUNDS)?)
}

/// A signer with a copy of the key: the key itself goes into a file.
fn signer(key: &PrivateKey) -> Result<Box<dyn Signer>> {
    let copy = PrivateKey::from_pkcs8_der(&key.to_pkcs8_der())?;
    Ok(Box::new(FileSigner::from(copy)))
}

fn serial() -> Serial {
    Serial::from_random(keys::random())
}
