//! A scriptable DNS server: what each name answers, and what was asked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

use hickory_server::proto::op::{Message, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, TXT};
use hickory_server::proto::rr::{RData, Record, RecordType};

/// What the server says about one name.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A and AAAA records.
    Addresses(Vec<IpAddr>),
    /// TXT records.
    Text(Vec<String>),
    /// The name does not exist (NXDOMAIN), as for every name that was never set.
    NoSuchName,
    /// SERVFAIL.
    Fails,
    /// No answer at all.
    Silence,
}

type Zone = Arc<Mutex<HashMap<String, Answer>>>;

/// The server; it answers until the process ends.
pub struct Dns {
    zone: Zone,
    asked: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Dns {
    /// Starts a server on this address, UDP and TCP.
    pub fn start(address: &str) -> Self {
        let socket = UdpSocket::bind(address).unwrap_or_else(|e| panic!("DNS on {address}: {e}"));
        let zone = Zone::default();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let dns = Self {
            address: socket.local_addr().expect("a bound socket has an address"),
            zone: Arc::clone(&zone),
            asked: Arc::clone(&asked),
        };
        let listener = TcpListener::bind(dns.address).expect("TCP beside UDP");
        let (zone_tcp, asked_tcp) = (Arc::clone(&zone), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (zone, asked) = (Arc::clone(&zone_tcp), Arc::clone(&asked_tcp));
                std::thread::spawn(move || serve_stream(stream, &zone, &asked));
            }
        });
        std::thread::spawn(move || serve(&socket, &zone, &asked));
        dns
    }

    /// From now on, this is what is said about `name`.
    pub fn set(&self, name: &str, answer: Answer) {
        let mut zone = self.zone.lock().expect("no test panics with the zone");
        zone.insert(name.to_lowercase(), answer);
    }

    /// `name` has these addresses.
    pub fn addresses(&self, name: &str, addresses: &[&str]) {
        let parsed = addresses
            .iter()
            .map(|a| a.parse().expect("an IP address"))
            .collect();
        self.set(name, Answer::Addresses(parsed));
    }

    /// The questions so far, as "name TYPE".
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics with it").clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(socket: &UdpSocket, zone: &Zone, asked: &Mutex<Vec<String>>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        if let Some(response) = answer(&buffer[..length], zone, asked) {
            let _ = socket.send_to(&response, from);
        }
    }
}

fn serve_stream(mut stream: TcpStream, zone: &Zone, asked: &Mutex<Vec<String>>) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut request).is_err() {
            return;
        }
        if let Some(response) = answer(&request, zone, asked) {
            let length = u16::try_from(response.len()).expect("a short answer");
            let _ = stream.write_all(&[&length.to_be_bytes(), response.as_slice()].concat());
        }
    }
}

/// The answer's bytes, or `None` for silence.
fn answer(request: &[u8], zone: &Zone, asked: &Mutex<Vec<String>>) -> Option<Vec<u8>> {
    let request = Message::from_vec(request).ok()?;
    let query = request.queries.first()?;
    let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
    if let Ok(mut asked) = asked.lock() {
        asked.push(format!("{name} {}", query.query_type()));
    }
    let scripted = zone
        .lock()
        .expect("no test panics with the zone")
        .get(&name)
        .cloned();
    respond(&request, scripted.unwrap_or(Answer::NoSuchName))
}

fn respond(request: &Message, answer: Answer) -> Option<Vec<u8>> {
    let query = request.queries.first()?.clone();
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata.recursion_desired = request.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    let data: Vec<RData> = match answer {
        Answer::Addresses(addresses) => addresses
            .into_iter()
            .filter_map(|address| match (address, query.query_type()) {
                (IpAddr::V4(v4), RecordType::A) => Some(RData::A(A(v4))),
                (IpAddr::V6(v6), RecordType::AAAA) => Some(RData::AAAA(AAAA(v6))),
                _ => None,
            })
            .collect(),
        Answer::Text(texts) if query.query_type() == RecordType::TXT => texts
            .into_iter()
            .map(|text| RData::TXT(TXT::new(vec![text])))
            .collect(),
        Answer::Text(_) => Vec::new(),
        Answer::NoSuchName => {
            response.metadata.response_code = ResponseCode::NXDomain;
            Vec::new()
        }
        Answer::Fails => {
            response.metadata.response_code = ResponseCode::ServFail;
            Vec::new()
        }
        Answer::Silence => return None,
    };
    for rdata in data {
        response.add_answer(Record::from_rdata(query.name().clone(), 1, rdata));
    }
    response.add_query(query);
    response.to_vec().ok()
}
