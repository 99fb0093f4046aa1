//! A scriptable DNS server: the answer for each name, and a record of queries.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hickory_server::proto::op::{Message, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA, CAA, CNAME, NS, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};

/// The answer for one name.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A and AAAA records.
    Addresses(Vec<IpAddr>),
    /// TXT records of one string each.
    Text(Vec<String>),
    /// TXT records, one for each line of this file, as hooks of clients write it; while it is not
    /// there, neither is the name.
    Lines(PathBuf),
    /// Records of any types, as a name that exists has them; an alias is for all types, and is not
    /// followed by this server.
    Records(Vec<RData>),
    /// As this, but over UDP all is cut.
    Cut(Box<Self>),
    /// The same as an authoritative server: RD is ignored, AA is set.
    Authoritative(Box<Self>),
    /// The name does not exist (NXDOMAIN), as for every name that was never set.
    NoSuchName,
    /// SERVFAIL.
    Fails,
    /// REFUSED.
    Refuses,
    /// No answer at all.
    Silence,
}

impl Answer {
    /// TXT records of these strings, one inner list a record.
    pub fn split_text(records: &[&[&str]]) -> Self {
        let record = |strings: &&[&str]| {
            let strings = strings.iter().map(|s| (*s).to_owned()).collect();
            RData::TXT(TXT::new(strings))
        };
        Self::Records(records.iter().map(record).collect())
    }

    /// Another name for `target` (CNAME).
    pub fn alias(target: &str) -> Self {
        Self::Records(vec![RData::CNAME(CNAME(name(target)))])
    }

    /// A zone's name servers (NS).
    pub fn name_servers(servers: &[&str]) -> Self {
        let record = |server: &&str| RData::NS(NS(name(server)));
        Self::Records(servers.iter().map(record).collect())
    }

    /// CAA records.
    pub fn caa(records: &[CaaRecord<'_>]) -> Self {
        let record = |record: &CaaRecord<'_>| {
            let mut caa = CAA::new_issue(record.critical, None, Vec::new());
            record.tag.clone_into(&mut caa.tag);
            caa.value = record.value.as_bytes().to_vec();
            RData::CAA(caa)
        };
        Self::Records(records.iter().map(record).collect())
    }
}

/// A CAA record (RFC 8659 §4.1).
#[derive(Clone, Copy, Debug)]
pub struct CaaRecord<'a> {
    critical: bool,
    tag: &'a str,
    value: &'a str,
}

impl<'a> CaaRecord<'a> {
    /// A record without flags.
    pub fn new(tag: &'a str, value: &'a str) -> Self {
        Self {
            critical: false,
            tag,
            value,
        }
    }

    /// A record with the critical flag.
    pub fn critical(tag: &'a str, value: &'a str) -> Self {
        Self {
            critical: true,
            tag,
            value,
        }
    }
}

fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).expect("a name");
    name.set_fqdn(true);
    name
}

type Zone = Arc<Mutex<HashMap<String, Answer>>>;
type Asked = Mutex<Vec<String>>;

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

    /// The questions so far, as "name TYPE", or "name TYPE over TCP".
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panics with it").clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(socket: &UdpSocket, zone: &Zone, asked: &Asked) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        if let Some(response) = answer(&buffer[..length], zone, asked, "") {
            let _ = socket.send_to(&response, from);
        }
    }
}

fn serve_stream(mut stream: TcpStream, zone: &Zone, asked: &Asked) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut request).is_err() {
            return;
        }
        if let Some(response) = answer(&request, zone, asked, " over TCP") {
            let length = u16::try_from(response.len()).expect("a short answer");
            let _ = stream.write_all(&[&length.to_be_bytes(), response.as_slice()].concat());
        }
    }
}

/// The answer's bytes, or `None` for silence.
fn answer(request: &[u8], zone: &Zone, asked: &Asked, way: &str) -> Option<Vec<u8>> {
    let request = Message::from_vec(request).ok()?;
    let query = request.queries.first()?;
    let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
    if let Ok(mut asked) = asked.lock() {
        asked.push(format!("{name} {}{way}", query.query_type()));
    }
    let scripted = zone
        .lock()
        .expect("no test panics with the zone")
        .get(&name)
        .cloned();
    respond(&request, scripted.unwrap_or(Answer::NoSuchName), way)
}

fn respond(request: &Message, mut answer: Answer, way: &str) -> Option<Vec<u8>> {
    let query = request.queries.first()?.clone();
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.metadata.recursion_desired = request.metadata.recursion_desired;
    response.metadata.recursion_available = true;
    loop {
        answer = match answer {
            Answer::Cut(_) if way.is_empty() => {
                response.metadata.truncation = true;
                break;
            }
            Answer::Authoritative(inner) => {
                response.metadata.authoritative = true;
                response.metadata.recursion_available = false;
                *inner
            }
            Answer::Cut(inner) => *inner,
            Answer::Silence => return None,
            plain => {
                let (code, data) = records(plain, query.query_type());
                response.metadata.response_code = code;
                for rdata in data {
                    response.add_answer(Record::from_rdata(query.name().clone(), 1, rdata));
                }
                break;
            }
        };
    }
    response.add_query(query);
    response.to_vec().ok()
}

/// The records of this type, with their response code.
fn records(answer: Answer, kind: RecordType) -> (ResponseCode, Vec<RData>) {
    let data: Vec<RData> = match answer {
        Answer::Addresses(addresses) => {
            let record = |address| match address {
                IpAddr::V4(v4) => RData::A(A(v4)),
                IpAddr::V6(v6) => RData::AAAA(AAAA(v6)),
            };
            addresses.into_iter().map(record).collect()
        }
        Answer::Text(texts) => {
            let record = |text| RData::TXT(TXT::new(vec![text]));
            texts.into_iter().map(record).collect()
        }
        Answer::Lines(file) => match std::fs::read_to_string(file) {
            Ok(text) => (text.lines())
                .map(|line| RData::TXT(TXT::new(vec![line.to_owned()])))
                .collect(),
            Err(_) => return (ResponseCode::NXDomain, Vec::new()),
        },
        Answer::Records(data) => data,
        Answer::Fails => return (ResponseCode::ServFail, Vec::new()),
        Answer::Refuses => return (ResponseCode::Refused, Vec::new()),
        _ => return (ResponseCode::NXDomain, Vec::new()),
    };
    let fits = |data: &RData| [kind, RecordType::CNAME].contains(&data.record_type());
    (
        ResponseCode::NoError,
        data.into_iter().filter(fits).collect(),
    )
}
