//! Edits the provisioners in `ca.json`, and waits until the running authority lists them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use ca::config::edit::EditError;
use ca::config::{Config, UnusedTable};
use client::{Http, Trust, step};
use serde_json::Value;

use crate::command::block_on;
use crate::command::ca::authority::Authority;
use crate::context::Context;
use crate::{file, output};

/// How long the running authority may take to list a change.
const DEADLINE: Duration = Duration::from_secs(2);

/// The flags that select the `ca.json` to edit.
#[derive(clap::Args)]
pub(crate) struct Target {
    /// Configuration to change (default: $(step path)/config/ca.json)
    #[arg(long, value_name = "file")]
    ca_config: Option<PathBuf>,
    #[command(flatten)]
    authority: Authority,
}

/// What the running authority's list shows once a change is live.
pub(crate) enum Expected<'a> {
    /// A provisioner of this name.
    Added(&'a str),
    /// Exactly this provisioner.
    Changed(Value),
    /// None of this name.
    Gone(&'a str),
}

impl Target {
    /// Edits the file's text, writes it by rename and waits until a running authority lists it.
    ///
    /// # Errors
    /// When the file cannot be read, edited or written, or the authority keeps its provisioners
    /// elsewhere.
    pub(crate) fn change(
        &self,
        context: &Context,
        expected: &Expected<'_>,
        edit: impl FnOnce(&str) -> Result<String, EditError>,
    ) -> Result<()> {
        let path = self.path(context);
        present(&path)?;
        let running = match block_on(self.running(context))? {
            Some(client) if !block_on(expected.is_hidden(&client))? => Some(client),
            Some(_) | None => None,
        };
        output::selected("CA Configuration", path.display());
        output::say("");
        let _lock = lock(&path)?;
        let text = file::read_text(&path)?;
        let changed = edit(&text).map_err(explain)?;
        check(&path, &changed, expected.unused_table())?;
        file::write(&path, changed.as_bytes(), file::SHARED)?;
        let is_live = match running {
            Some(client) => block_on(listed(&client, expected))?,
            None => false,
        };
        output::say(if is_live {
            "Success! Your `step-ca` config has been updated and is live: the running step-ca lists the change."
        } else {
            "Success! Your `step-ca` config has been updated. To pick up the new configuration SIGHUP (kill -1 <pid>) or restart the step-ca process."
        });
        Ok(())
    }

    /// The text of a provisioner as the file has it.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(crate) fn find(&self, context: &Context, name: &str) -> Result<Value> {
        let path = self.path(context);
        present(&path)?;
        let text = file::read_text(&path)?;
        ca::config::edit::find_provisioner(&text, name).map_err(explain)
    }

    fn path(&self, context: &Context) -> PathBuf {
        self.ca_config.clone().unwrap_or_else(|| context.ca_file())
    }

    /// The authority, if it runs and reads its provisioners from the file.
    async fn running(&self, context: &Context) -> Result<Option<step::Client>> {
        let Some(url) = self.authority.known_url() else {
            return Ok(None);
        };
        if !self.authority.has_root(context) {
            return Ok(None);
        }
        let roots = Trust::Roots(self.authority.roots(context)?);
        let client = step::Client::new(Http::new(&roots, None)?, &url);
        match client.has_admin_api().await {
            Ok(true) => bail!(
                "the authority at {url} keeps its provisioners behind its admin API, which this \
                 version of step does not speak yet"
            ),
            Ok(false) => Ok(Some(client)),
            Err(_) => Ok(None),
        }
    }
}

/// Reports a missing file, and where to run the command instead.
fn present(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    bail!(
        "open {}: no such file or directory\nprovisioners are changed in the authority's \
         configuration: run this command on its host, or name the file with '--ca-config'",
        path.display()
    )
}

/// Keeps two commands from editing at once: the second one waits.
fn lock(path: &Path) -> Result<File> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let folder =
        File::open(folder).map_err(|e| anyhow!("open {}: {}", path.display(), file::words(&e)))?;
    folder
        .lock()
        .map_err(|e| anyhow!("error locking {}: {}", path.display(), file::words(&e)))?;
    Ok(folder)
}

/// A configuration that the authority would refuse is not written.
fn check(path: &Path, text: &str, unused: UnusedTable) -> Result<()> {
    let riser = path.with_file_name("riser.toml");
    let riser = riser
        .exists()
        .then(|| file::read_text(&riser))
        .transpose()?;
    match Config::parse_with(text, riser.as_deref(), unused) {
        Ok(_) => Ok(()),
        Err(faults) => {
            let lines: Vec<String> = faults
                .iter()
                .map(|fault| format!("  {}: {}", fault.place, fault.what))
                .collect();
            bail!(
                "{} would become invalid and was not changed:\n{}",
                path.display(),
                lines.join("\n")
            )
        }
    }
}

impl Expected<'_> {
    /// What a table of riser.toml means that the change leaves without a provisioner: one that is removed takes its
    /// settings along, and one that is renamed must not lose them.
    const fn unused_table(&self) -> UnusedTable {
        match self {
            Self::Gone(_) => UnusedTable::Warning,
            Self::Added(_) | Self::Changed(_) => UnusedTable::Fault,
        }
    }

    /// Whether the list could not show the change because it differs from the file already.
    async fn is_hidden(&self, client: &step::Client) -> Result<bool> {
        let list = client.provisioners().await.unwrap_or_default();
        Ok(!matches!(self, Self::Changed(_)) && self.holds(&list))
    }

    fn holds(&self, list: &[Value]) -> bool {
        let has = |wanted: &str| {
            list.iter()
                .any(|one| one.get("name").and_then(Value::as_str) == Some(wanted))
        };
        match self {
            Self::Added(name) => has(name),
            Self::Changed(wanted) => list.contains(wanted),
            Self::Gone(name) => !has(name),
        }
    }
}

async fn listed(client: &step::Client, expected: &Expected<'_>) -> Result<bool> {
    let start = Instant::now();
    loop {
        let list = client.provisioners().await;
        if list.is_ok_and(|list| expected.holds(&list)) {
            return Ok(true);
        }
        if start.elapsed() > DEADLINE {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

fn explain(error: EditError) -> anyhow::Error {
    match error {
        EditError::Exists(_) => anyhow!("error storing provisioner: {error}"),
        EditError::NotFound(_) => anyhow!("error loading provisioner: {error}"),
        EditError::Malformed(_) => anyhow!(error),
    }
}
