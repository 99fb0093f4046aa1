//! `make bench`: what one certificate costs, at 1, 16 and 64 clients, on each server.

use std::io::{self, Write};
use std::time::Duration;

use benches::load::{self, Failure};
use benches::peer::Peer;
use benches::responder::Responder;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let responder = Responder::default();
    let port = responder.start().await?;
    say("server    clients  certificates      per s  CPU ms each     p50 ms     p99 ms    MiB")?;
    for clients in CLIENTS {
        let mut peers = vec![Peer::ours(port).await?];
        peers.extend(Peer::real(port).await?);
        peers.extend(Peer::pebble(port).await?);
        for peer in peers {
            measure(&peer, &responder, clients).await?;
        }
    }
    Ok(())
}

async fn measure(peer: &Peer, responder: &Responder, clients: usize) -> Result<(), Failure> {
    let figures = match load::run(peer, responder, clients, MOST, LIMIT).await {
        Ok(figures) => figures,
        Err(failure) => return say(&format!("{:<9} {clients:>7}  failed: {failure}", peer.name)),
    };
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    say(&format!(
        "{:<9} {clients:>7} {:>13} {:>10.0} {:>12.2} {:>10.1} {:>10.1} {:>6}",
        peer.name,
        figures.certificates,
        f64::from(u32::try_from(figures.certificates)?) / figures.wall.as_secs_f64(),
        millis(figures.cpu_each()),
        millis(figures.percentile(500)),
        millis(figures.percentile(990)),
        peer.memory()?,
    ))
}

fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

const CLIENTS: [usize; 3] = [1, 16, 64];
/// Certificates of one run, at the most.
const MOST: usize = 4000;
/// No new order is placed after this long.
const LIMIT: Duration = Duration::from_secs(10);
