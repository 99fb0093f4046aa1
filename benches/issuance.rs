//! `make bench`: what a certificate costs at 1, 16 and 64 clients, and the rates of other requests, on each server.
//!
//! Prints the tables of docs/performance.md and writes its picture: medians of rounds in which the servers take turns.
//! Words on the command line select tasks: `http-01 dns-01 tls-alpn-01 renewal directory nonce`. `BENCH_ROUNDS` (3) and
//! `BENCH_SECONDS` (8) shorten a run.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use acme::challenge::Method;
use benches::challenges::Challenges;
use benches::load::{self, Load};
use benches::peer::{Names, Network, Server};
use benches::report::{Report, Row, Sample, median};
use benches::worker::Task;
use benches::{Failure, picture, verification};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let challenges = Challenges::start().await?;
    let wanted: Vec<String> = env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_wanted =
        |task: Task| wanted.is_empty() || wanted.iter().any(|word| word == task.label());
    let mut bench = Bench {
        challenges,
        rounds: setting("BENCH_ROUNDS", 3)?,
        limit: Duration::from_secs(setting("BENCH_SECONDS", 8)?),
        rows: Vec::new(),
        verifications: Vec::new(),
    };
    if is_wanted(ISSUANCE) {
        for clients in CLIENTS {
            bench.measure(ISSUANCE, clients).await?;
        }
    }
    for task in OTHERS.into_iter().filter(|task| is_wanted(*task)) {
        bench.measure(task, 16).await?;
    }
    bench.finish()
}

struct Bench {
    challenges: Challenges,
    rounds: u32,
    limit: Duration,
    rows: Vec<Row>,
    /// Costs of a verification, in µs.
    verifications: Vec<f64>,
}

impl Bench {
    /// Lets the servers take turns with one load.
    async fn measure(&mut self, task: Task, clients: usize) -> Result<(), Failure> {
        let load = Load {
            task,
            clients,
            most: match task {
                Task::Certificate(_) => MOST,
                Task::Renewal | Task::Directory | Task::Nonce => usize::MAX,
            },
            limit: self.limit,
        };
        let mut servers = Server::present();
        servers.retain(|server| task != Task::Renewal || *server != Server::Pebble);
        let mut rows: Vec<Row> = servers
            .iter()
            .map(|server| Row {
                server: *server,
                task,
                clients,
                rounds: Vec::new(),
            })
            .collect();
        for round in 1..=self.rounds {
            for row in &mut rows {
                let name = row.server.name();
                let outcome = self.round(row.server, &load).await;
                let told = match outcome {
                    Ok(sample) => {
                        let told = format!("{:.0}/s, {:.3} normal ms", sample.rate, sample.normal);
                        row.rounds.push(sample);
                        told
                    }
                    Err(failure) => format!("failed: {failure}"),
                };
                say(&format!(
                    "{}, {clients} clients, round {round}, {name}: {told}",
                    task.label()
                ))?;
            }
        }
        self.rows.extend(rows);
        Ok(())
    }

    async fn round(&mut self, server: Server, load: &Load) -> Result<Sample, Failure> {
        let by_hosts = load.task == ISSUANCE || !matches!(load.task, Task::Certificate(_));
        let network = Network {
            ports: self.challenges.ports,
            names: if by_hosts { Names::Hosts } else { Names::Dns },
        };
        let peer = server.start(&network).await?;
        let before = verification::cost()?;
        let figures = load::run(&peer, &self.challenges, load).await?;
        let verification = (before + verification::cost()?) / 2;
        self.verifications.push(verification.as_secs_f64() * 1e6);
        Ok(Sample::new(&figures, verification))
    }

    fn finish(self) -> Result<(), Failure> {
        let (rounds, seconds) = (self.rounds, self.limit.as_secs());
        let (least, most) = self
            .verifications
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), one| {
                (one.min(least), one.max(most))
            });
        let report = Report(self.rows);
        let text = format!(
            "Medians of {rounds} rounds of at most {seconds} s, and {MOST} certificates at most. A P-256 verification cost {:.0} µs of CPU \
             ({least:.0} to {most:.0}).\n\n{}\n{}",
            median(self.verifications),
            report.certificates(ISSUANCE),
            report.rates(&OTHERS),
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("performance.md"), &text)?;
        fs::write(
            folder.join("performance.svg"),
            picture::draw(&report.panels(ISSUANCE), NOTE),
        )?;
        say(&format!(
            "\n{text}\ntarget/bench has this table as performance.md, and performance.svg"
        ))
    }
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> Result<T, T::Err> {
    env::var(name).map_or(Ok(default), |text| text.parse())
}

fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

const NOTE: &str =
    "Riser and step-ca commit to disk before they answer; Pebble keeps its records in memory.";
const ISSUANCE: Task = Task::Certificate(Method::Http01);
const OTHERS: [Task; 5] = [
    Task::Certificate(Method::Dns01),
    Task::Certificate(Method::TlsAlpn01),
    Task::Renewal,
    Task::Directory,
    Task::Nonce,
];
const CLIENTS: [usize; 3] = [1, 16, 64];
/// Certificates of one run, at the most.
const MOST: usize = 3000;
