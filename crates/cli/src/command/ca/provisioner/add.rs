//! `step ca provisioner add`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use ca::config::edit;
use pki::jose::jwe;
use serde_json::Value;
use zeroize::Zeroizing;

use super::file::{Expected, Target};
use super::options::{self, Options};
use crate::context::Context;
use crate::file;
use crate::prompt::Terminal;

const EXAMPLES: &str = "Examples:
  Add an ACME provisioner; a running step-ca uses it at once:
    $ step ca provisioner add acme --type ACME

  Add one for certificates of an hour, with http-01 as the only challenge:
    $ step ca provisioner add short --type ACME --x509-default-dur 1h --challenge http-01

  Add a key that signs tokens:
    $ step ca provisioner add you@example.com --create";

/// Rounds of PBKDF2 that encrypt the provisioner's key.
const ROUNDS: u32 = 600_000;

/// Add a provisioner to the configuration of the authority
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Name of the provisioner
    name: String,
    /// Type of the provisioner; only ACME and JWK can be added yet
    #[arg(long = "type", value_name = "type", default_value = "JWK")]
    kind: String,
    /// JWK: create the key pair
    #[arg(long)]
    create: bool,
    /// JWK: file with the password that encrypts the private key
    #[arg(long, value_name = "file")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    target: Target,
}

impl Args {
    /// Adds it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let provisioner = match options::kind(&self.kind)? {
            "ACME" => self.options.new_acme()?.to_provisioner(&self.name),
            "JWK" => self.jwk()?,
            other => bail!("provisioners of type {other} cannot be added yet: use ACME or JWK"),
        };
        let name = self.name.clone();
        self.target
            .change(context, &Expected::Added(&name), |text| {
                edit::add_provisioner(text, provisioner)
            })?;
        Ok(ExitCode::SUCCESS)
    }

    fn jwk(&self) -> Result<Value> {
        if !self.create {
            bail!("'step ca provisioner add --type JWK' requires the '--create' flag");
        }
        let password = match &self.password_file {
            Some(path) => file::read_password(path)?,
            None => ask_password()?,
        };
        let mut provisioner = jwk_provisioner(&self.name, &password)?;
        if let Value::Object(object) = &mut provisioner {
            edit::apply_claims(object, &self.options.claims()?);
        }
        Ok(provisioner)
    }
}

/// A JWK provisioner with a new key, its private half encrypted with `password`.
pub(crate) fn jwk_provisioner(name: &str, password: &[u8]) -> Result<Value> {
    let key = keys::generate(pki::KeyKind::EcP256)?;
    let random = jwe::Pbes2Random {
        salt: keys::random(),
        cek: keys::random(),
        iv: keys::random(),
    };
    Ok(ca::authority::jwk_provisioner(
        name, &key, password, &random, ROUNDS,
    )?)
}

fn ask_password() -> Result<Zeroizing<Vec<u8>>> {
    let terminal = Terminal::open()?;
    let password = terminal.secret(
        "Please enter a password to encrypt the provisioner private key? [leave empty and we'll generate one]",
    )?;
    if !password.is_empty() {
        return Ok(Zeroizing::new(password.as_bytes().to_vec()));
    }
    let made = keys::password::generate();
    terminal.show(&format!("Password: {}", made.as_str()))?;
    Ok(Zeroizing::new(made.as_bytes().to_vec()))
}
