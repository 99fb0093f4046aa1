//! Builds the authority, serves it, and stops it in order.
//!
//! Errors in the configuration, certificates, key, password, port or store are found before a connection is
//! accepted.

mod admin_socket;
mod announce;
mod descriptors;
mod material;
mod memory;
mod pidfile;
mod signals;
mod socket;
mod store;
mod welcome;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::store::port::Configurations as _;
use ::store::{AcceptedConfiguration, Store};
use anyhow::{Context as _, ensure};
use ca::config::Config;
use pki::Certificate;
use sd_notify::NotifyState;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::material::Material;
use self::pidfile::Pidfile;
use self::signals::{SignalAction, Signals};
use self::socket::Listening;
pub(crate) use self::welcome::Welcome;
use crate::listen::{Limits, Listener, ServerCertificate, Tls};
use crate::live::{self, Files, Live};
pub(crate) use crate::live::{Overrides, Removal};
use crate::log::Announcer;
use crate::probe::{self, Prober};
use crate::service::{Parts, Services};
use crate::{http, jobs, log};

/// How long requests, and then validations, may take when the server stops.
const GRACE: Duration = Duration::from_secs(60);
/// How long they may take when nothing can be recorded any more.
const FAILED_GRACE: Duration = Duration::from_secs(2);

/// How an authority is served.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// The context whose configuration it is.
    pub(crate) context: Option<String>,
    /// The file with the password of the intermediate key.
    pub(crate) password_file: Option<PathBuf>,
    /// Settings that take precedence over the files.
    pub(crate) overrides: Overrides,
    /// Whether names are resolved without the machine's search list.
    pub(crate) strict_fqdn: bool,
    /// Names that resolve to loopback without DNS.
    pub(crate) loopback_names: Vec<String>,
    /// The file for the process id.
    pub(crate) pidfile: Option<PathBuf>,
    /// Whether the operator accepts that another program's records are not imported.
    pub(crate) fresh_store: bool,
    /// Whether the operator accepts that files or restrictions that were in force are gone.
    pub(crate) removal: Removal,
    /// Whether the records are lost when the process ends.
    pub(crate) ephemeral: bool,
    /// Whether only the essential lines are printed at start.
    pub(crate) quiet: bool,
    /// What to print for a developer once the authority serves.
    pub(crate) welcome: Option<Welcome>,
}

/// Why the authority is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration file does not exist.
    #[error("{} does not exist", .0.display())]
    NoConfiguration(PathBuf),
    /// Any other error, with its causes.
    #[error("{0:#}")]
    Fatal(#[from] anyhow::Error),
}

/// Serves until a signal stops it.
///
/// # Errors
/// [`Failure`]; then nothing is left running.
pub(crate) fn serve(plan: &Plan) -> Result<(), Failure> {
    let announcer = if plan.quiet {
        Announcer::quiet()
    } else {
        Announcer::full()
    };
    let (live, warnings) =
        match Live::open(Files::beside(plan.config.clone()), plan.overrides.clone()) {
            Ok(opened) => opened,
            Err(live::Error::Missing(file)) => return Err(Failure::NoConfiguration(file)),
            Err(error) => return Err(Failure::Fatal(error.into())),
        };
    let config = live.config();
    log::start(config.logger_format);
    memory::protect();
    for warning in warnings {
        tracing::warn!(event = "configuration", "{warning}");
    }
    announcer.line("Building new tls configuration");
    let material = Material::load(&config, plan.password_file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, |n| n.get().max(2)))
        .max_blocking_threads(32)
        .enable_all()
        .build()
        .context("error starting the runtime")?;
    let served = runtime.block_on(run(plan, Arc::new(live), material, &announcer));
    // Nothing acknowledged depends on what still runs now.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(served?)
}

async fn run(
    plan: &Plan,
    live: Arc<Live>,
    material: Material,
    announcer: &Announcer,
) -> anyhow::Result<()> {
    let config = live.config();
    let https_socket = socket::bind(&config.address)?;
    let (store, renews_unknown) = store::open(&config, plan)?;
    let last = judge_configuration(plan, &live, &store).await?;
    let config = live.config();
    let admin_socket = admin_socket::bind(&plan.config)?;
    let prober = Prober::new(&options(plan, &config));
    let roots = material.certificates.roots.iter();
    let fingerprints: Vec<_> = roots.map(Certificate::fingerprint).collect();
    let server_certificate = ServerCertificate::default();
    let tls = Tls::new(
        server_certificate.clone(),
        material.authorities(),
        &config.tls,
    )
    .context("error preparing TLS")?;
    let services = Services::new(Parts {
        store: store.clone(),
        certificate_signer: material.certificate_signer,
        live: Arc::clone(&live),
        prober: prober.clone(),
        certificates: material.certificates,
        renews_unknown,
    });
    let span = jobs::server_certificate::renew(&services.issuer, &config, &server_certificate)
        .await
        .context("error issuing the server's own certificate")?;
    let mut signals = Signals::listen()?;
    let _pidfile = plan.pidfile.as_deref().map(Pidfile::write).transpose()?;
    let Listening { listener, address } = socket::listen(https_socket, &config.address)?;
    let router = http::router(services.clone(), &http::STEP_CA);
    let limits = limits(&config);
    let admin = admin_socket.map(|socket| {
        let router = http::operator_router(services.clone(), &http::STEP_CA);
        Listener::admin(socket, router, limits)
    });
    let https = Listener::https(listener, tls, router, limits);
    announce::start(announcer, plan, &config, &fingerprints, &address);
    notify_systemd(&[NotifyState::Ready]);
    let jobs = start_jobs(&services, &store, server_certificate, &live, span);
    let record = tokio::spawn(jobs::configuration::keep(store.clone(), live.clone(), last));
    if let Err(error) = services.validator.resume(&live.config()).await {
        tracing::error!(%error, "unfinished validations cannot be resumed");
    }
    let failed = tokio::select! {
        () = attend(plan, &live, &prober, &mut signals, announcer) => false,
        () = store.failed() => true,
    };
    notify_systemd(&[NotifyState::Stopping]);
    announcer.detail("shutting down ...");
    let grace = if failed { FAILED_GRACE } else { Duration::MAX };
    let stopping = stop(Listeners { https, admin }, &services, &mut signals);
    drop(timeout(grace, stopping).await);
    jobs.iter().chain([&record]).for_each(JoinHandle::abort);
    store.close().await;
    ensure!(!failed, STORE_FAILED);
    Ok(())
}

const STORE_FAILED: &str = "the store has failed, and nothing can be recorded: the log has the reason; start the \
                            server again";

/// Judges the files by what was in force when the server ran last, and stores what is in force now. Returns what the
/// store has.
async fn judge_configuration(
    plan: &Plan,
    live: &Live,
    store: &Store,
) -> anyhow::Result<Option<AcceptedConfiguration>> {
    let last = store.accepted_configuration().await?;
    live.judge_start(last.as_ref(), plan.removal).await?;
    let now = live.accepted().borrow().clone();
    let is_stored = last == now || jobs::configuration::save(store, now.as_ref()).await;
    Ok(if is_stored { now } else { last })
}

fn start_jobs(
    services: &Services,
    store: &Store,
    server_certificate: ServerCertificate,
    live: &Arc<Live>,
    span: jobs::server_certificate::Span,
) -> [JoinHandle<()>; 3] {
    let watched = Arc::clone(live);
    [
        tokio::spawn(jobs::server_certificate::keep(
            services.clone(),
            server_certificate,
            Arc::clone(live),
            span,
        )),
        tokio::spawn(jobs::sweep::keep(store.clone(), Arc::clone(live))),
        tokio::spawn(async move { watched.watch().await }),
    ]
}

/// Handles signals and changes of the configuration until a signal to stop.
async fn attend(
    plan: &Plan,
    live: &Live,
    prober: &Prober,
    signals: &mut Signals,
    announcer: &Announcer,
) {
    let mut changes = live.changes();
    loop {
        tokio::select! {
            action = signals.next() => match action {
                SignalAction::Stop => return,
                SignalAction::Reload => tokio::select! {
                    () = reload(live, announcer) => {}
                    () = signals.stop() => return,
                },
            },
            Ok(()) = changes.changed() => prober.follow(&options(plan, &live.config())),
        }
    }
}

async fn reload(live: &Live, announcer: &Announcer) {
    announcer.detail("reloading ...");
    let clock = NotifyState::monotonic_usec_now();
    let states: Vec<_> = std::iter::once(NotifyState::Reloading)
        .chain(clock)
        .collect();
    notify_systemd(&states);
    live.reload(Removal::Refused).await;
    notify_systemd(&[NotifyState::Ready]);
}

/// What the authority listens on.
struct Listeners {
    https: Listener,
    /// Absent where the admin socket could not be opened.
    admin: Option<Listener>,
}

/// Waits for the requests, then for the validations in flight. A second signal ends the wait.
async fn stop(listeners: Listeners, services: &Services, signals: &mut Signals) {
    let end = async {
        if let Some(admin) = listeners.admin {
            admin.close(GRACE).await;
        }
        if !listeners.https.close(GRACE).await {
            tracing::warn!("some connections did not end within {GRACE:?} and were closed");
        }
        if timeout(GRACE, services.drain()).await.is_err() {
            tracing::warn!(
                "some validations did not end within {GRACE:?}; the next start resumes them"
            );
        }
    };
    tokio::select! {
        () = end => {}
        () = signals.stop() => tracing::warn!("second signal: not waiting for requests in flight"),
    }
}

fn notify_systemd(states: &[NotifyState<'_>]) {
    // Without systemd nothing listens.
    drop(sd_notify::notify(states));
}

/// The options of the prober.
fn options(plan: &Plan, config: &Config) -> probe::Options {
    let validation = &config.riser.validation;
    probe::Options {
        resolvers: validation.resolvers.clone(),
        zones: validation.zones.iter().map(zone).collect(),
        authoritative: validation.authoritative,
        strict_fqdn: plan.strict_fqdn,
        rules: probe::Rules {
            allow: validation.allow.clone(),
            deny: validation.deny.clone(),
        },
        loopback_names: plan.loopback_names.clone(),
        ..probe::Options::default()
    }
}

fn zone(zone: &ca::config::Zone) -> probe::Zone {
    probe::Zone {
        name: zone.name.clone(),
        resolvers: zone.resolvers.clone(),
    }
}

fn limits(config: &Config) -> Limits {
    let limits = &config.riser.limits;
    let duration = |d: jiff::SignedDuration| d.unsigned_abs();
    Limits {
        connections: descriptors::room_for(limits.connections),
        handshake: duration(limits.handshake),
        header: duration(limits.header),
        body: duration(limits.body),
        idle: duration(limits.idle),
        ..Limits::default()
    }
}
