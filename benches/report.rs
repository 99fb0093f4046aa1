//! Medians of the rounds, as tables in Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use crate::disk::Disk;
use crate::load::Figures;
use crate::peer::Server;
use crate::picture::{Bar, Group, Panel};
use crate::verification::NORMAL;
use crate::worker::Task;

/// What one round measured of one server.
pub struct Sample {
    /// How often a second the task was done.
    pub rate: f64,
    /// Milliseconds of server CPU for each time.
    pub cpu: f64,
    /// The same where a P-256 verification costs [`NORMAL`].
    pub normal: f64,
    /// Milliseconds within which half of them were done.
    pub half: f64,
    /// Milliseconds within which 99 of 100 were done.
    pub nearly_all: f64,
    /// Resident memory in MiB.
    pub memory: f64,
    /// Bytes on disk for each time.
    pub grown: Option<Disk>,
}

impl Sample {
    /// The sample of a run during which a verification cost this much.
    #[must_use]
    pub fn new(figures: &Figures, verification: Duration) -> Self {
        let cpu = millis(figures.cpu_each());
        Self {
            rate: figures.count as f64 / figures.wall.as_secs_f64(),
            cpu,
            normal: cpu * NORMAL.as_secs_f64() / verification.as_secs_f64(),
            half: millis(figures.percentile(500)),
            nearly_all: millis(figures.percentile(990)),
            memory: figures.memory as f64,
            grown: figures.grown,
        }
    }
}

/// The rounds of one server under one load.
pub struct Row {
    /// The server.
    pub server: Server,
    /// What its clients did.
    pub task: Task,
    /// How many clients.
    pub clients: usize,
    /// One sample for each round that came to its end.
    pub rounds: Vec<Sample>,
}

impl Row {
    /// The median of its rounds.
    #[must_use]
    pub fn median(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        median(self.rounds.iter().map(value).collect())
    }
}

/// All rows, those that compare with each other side by side.
pub struct Report(pub Vec<Row>);

impl Report {
    /// What a certificate costs: speed, memory and disk, with each number of clients.
    #[must_use]
    pub fn certificates(&self, task: Task) -> String {
        let mut table = String::from(
            "| clients | server | certificates/s | CPU ms | normal ms | ratio | p50 ms | p99 ms | memory MiB | database B | log B | durable |\n\
             | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
        );
        for row in self.of(task) {
            let grown = |part: fn(Disk) -> u64| {
                let all = row.rounds.iter().filter_map(|sample| sample.grown);
                let all: Vec<f64> = all.map(|disk| part(disk) as f64).collect();
                if all.is_empty() {
                    "–".to_owned()
                } else {
                    format!("{:.0}", median(all))
                }
            };
            let _ = writeln!(
                table,
                "| {} | {} | {:.0} | {:.2} | {:.2} | {} | {:.1} | {:.1} | {:.0} | {} | {} | {} |",
                row.clients,
                row.server.name(),
                row.median(|sample| sample.rate),
                row.median(|sample| sample.cpu),
                row.median(|sample| sample.normal),
                self.ratio(row),
                row.median(|sample| sample.half),
                row.median(|sample| sample.nearly_all),
                row.median(|sample| sample.memory),
                grown(|disk| disk.database),
                grown(|disk| disk.log),
                row.server.durability(),
            );
        }
        table
    }

    /// How fast other things are.
    #[must_use]
    pub fn rates(&self, tasks: &[Task]) -> String {
        let mut table = String::from(
            "| what | clients | server | per s | CPU ms | normal ms | ratio |\n\
             | --- | ---: | --- | ---: | ---: | ---: | ---: |\n",
        );
        for row in tasks.iter().flat_map(|task| self.of(*task)) {
            let _ = writeln!(
                table,
                "| {} | {} | {} | {:.0} | {:.3} | {:.3} | {} |",
                row.task.label(),
                row.clients,
                row.server.name(),
                row.median(|sample| sample.rate),
                row.median(|sample| sample.cpu),
                row.median(|sample| sample.normal),
                self.ratio(row),
            );
        }
        table
    }

    /// Server CPU and speed by the number of clients.
    #[must_use]
    pub fn panels(&self, task: Task) -> Vec<Panel> {
        let panel = |title: &str, value: fn(&Sample) -> f64, digits: usize| {
            let mut groups: Vec<Group> = Vec::new();
            for row in self.of(task) {
                let label = match row.clients {
                    1 => "1 client".to_owned(),
                    many => format!("{many} clients"),
                };
                let bar = Bar {
                    label: row.server.name(),
                    value: row.median(value),
                };
                match groups.last_mut().filter(|group| group.label == label) {
                    Some(group) => group.bars.push(bar),
                    None => groups.push(Group {
                        label,
                        bars: vec![bar],
                    }),
                }
            }
            Panel {
                title: title.to_owned(),
                digits,
                groups,
            }
        };
        vec![
            panel(
                "Server CPU for one certificate, in normal milliseconds (less is better)",
                |s| s.normal,
                2,
            ),
            panel(
                "Certificates per second, on two cores that the clients use too (more is better)",
                |s| s.rate,
                0,
            ),
        ]
    }

    fn of(&self, task: Task) -> impl Iterator<Item = &Row> {
        let rows = self.0.iter();
        rows.filter(move |row| row.task == task && !row.rounds.is_empty())
    }

    /// CPU compared with smallstep's step-ca in the same rounds.
    fn ratio(&self, row: &Row) -> String {
        let mut others = self
            .of(row.task)
            .filter(|other| other.clients == row.clients);
        let real = others.find(|other| other.server == Server::StepCa);
        let Some(real) = real.filter(|real| real.rounds.len() == row.rounds.len()) else {
            return "–".to_owned();
        };
        let rounds = row.rounds.iter().zip(&real.rounds);
        format!(
            "{:.2}",
            median(rounds.map(|(one, real)| one.cpu / real.cpu).collect())
        )
    }
}

/// The median; 0 of nothing.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
