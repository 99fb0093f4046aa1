//! The program `step-ca`: from its command line to its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::app::{self, Failure, Overrides, Plan, Removal};
use crate::dev;
use crate::flags::{self, Command, Parsed, Serve};
use crate::log;
use crate::steppath::StepPath;
use crate::store_command;

/// Does what the command line `arguments` asks for, the program's name first. Errors are reported on stderr and
/// in the exit code: 1 for a wrong command line or where there is no authority, 2 where it cannot be served.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let flags = match flags::parse(arguments) {
        Parsed::Run(flags) => flags,
        Parsed::Exit(code) => return ExitCode::from(code),
    };
    let served = match flags.command {
        Some(Command::Version) => return version(),
        Some(Command::Store(verb)) => return store_command::run(&verb),
        Some(Command::Dev(flags)) => dev::run(flags),
        Some(Command::Export { .. } | Command::Onboard { .. }) | None => serve(flags.serve),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::NoConfiguration(path)) => {
            let words = format!(
                "There is no certificate authority at {}.\n\
                 Create one with `step ca init`, or try one with `step-ca dev --ephemeral`.\n\
                 If it is elsewhere, name it: `step-ca /path/to/ca.json`.\n",
                path.display()
            );
            drop(log::data(&words));
            ExitCode::from(1)
        }
        Err(Failure::Fatal(error)) => {
            log::failure(&error);
            ExitCode::from(2)
        }
    }
}

fn serve(flags: Serve) -> Result<(), Failure> {
    let removal = match flags.accept_removal {
        true => Removal::Accepted,
        false => Removal::Refused,
    };
    let (config, context) = match flags.config {
        Some(config) => (config, None),
        None => {
            let found =
                StepPath::of_environment(flags.context.as_deref()).map_err(anyhow::Error::from)?;
            (found.folder.join("config/ca.json"), found.context)
        }
    };
    app::serve(&Plan {
        config,
        context,
        password_file: flags.password_file,
        overrides: Overrides {
            http_port: flags.acme_http_port,
            tls_port: flags.acme_tls_port,
            resolvers: flags.resolver.unwrap_or_default().0,
            rate_limits: None,
        },
        strict_fqdn: flags.acme_strict_fqdn,
        pidfile: flags.pidfile,
        fresh_store: flags.fresh_store,
        removal,
        quiet: flags.quiet,
        ..Plan::default()
    })
}

fn version() -> ExitCode {
    let line = format!("step-ca {}\n", env!("CARGO_PKG_VERSION"));
    match log::data(&line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
