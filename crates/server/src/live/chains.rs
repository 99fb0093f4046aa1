//! The files of `[chains] alternates`, read and checked with each configuration.

use std::path::Path;

use ca::authority::Layout;
use ca::config::{Config, Fault, RISER_TOML, fits};
use pki::Certificate;

/// Reads the chains that the configuration names; relative names are below the step path. Each has to fit the
/// issuer, which is the first certificate of ca.json's `crt`.
///
/// # Errors
/// A line for each fault.
pub(super) fn load(ca_json: &Path, config: &mut Config) -> Result<(), Vec<String>> {
    let chains = &mut config.riser.chains;
    if chains.alternates.is_empty() {
        return Ok(());
    }
    let base = Layout::step_path(ca_json);
    let issuer = read(&config.crt);
    let mut faults = Vec::new();
    for (n, file) in chains.alternates.iter().enumerate() {
        let issuer = issuer.as_ref().map_err(Clone::clone);
        let chain = issuer.and_then(|issuer| {
            let above = read(&base.join(file))?;
            let issuer = issuer.first().ok_or("crt has no certificate")?;
            fits(issuer, &above).map_err(|why| format!("{}: {why}", file.display()))?;
            Ok(above)
        });
        match chain {
            Ok(above) => chains.above.push(above),
            Err(what) => {
                let fault = Fault {
                    file: RISER_TOML,
                    place: format!("chains.alternates[{n}]"),
                    what,
                };
                faults.push(fault.to_string());
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(faults)
}

fn read(file: &Path) -> Result<Vec<Certificate>, String> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|why| format!("cannot read {name}: {why}"))?;
    Certificate::all_from_file(&text).map_err(|why| format!("cannot read {name}: {why}"))
}
