//! One question to one DNS server: over UDP, and over TCP where the answer is
//! truncated. Nothing is cached, repeated or followed here.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::probe::words_of;

/// The longest UDP answer to ask for; longer ones are fragmented on many networks.
const UDP_PAYLOAD: u16 = 1232;

/// The longest UDP answer that is read; a longer one is asked for again over TCP.
const BUFFER: usize = 4096;

/// A question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) name: &'a Name,
    pub(super) kind: RecordType,
    /// Whether recursion is desired.
    pub(super) recursive: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Nothing came in time.
    Silence,
    /// Any other failure, in words.
    Failed(String),
}

impl Question<'_> {
    /// Asks a server, within this time.
    pub(super) async fn ask(
        &self,
        server: SocketAddr,
        within: Duration,
    ) -> Result<Message, Unanswered> {
        let answer = timeout(within, self.exchange(server)).await;
        answer.unwrap_or(Err(Unanswered::Silence))
    }

    async fn exchange(&self, server: SocketAddr) -> Result<Message, Unanswered> {
        let mut query = self.message();
        let mut answer = over_udp(server, &query).await?;
        let code = answer.metadata.response_code;
        // Old servers do not support extensions (RFC 6891 §7).
        if code == ResponseCode::FormErr || code == ResponseCode::NotImp {
            query.edns = None;
            answer = over_udp(server, &query).await?;
        }
        if answer.metadata.truncation {
            answer = over_tcp(server, &query).await.map_err(|error| {
                let words = words_of(&error);
                Unanswered::Failed(format!("an answer too long for UDP, and over TCP: {words}"))
            })?;
        }
        Ok(answer)
    }

    fn message(&self) -> Message {
        let mut message = Message::query();
        message.metadata.recursion_desired = self.recursive;
        message.add_query(Query::query(self.name.clone(), self.kind));
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD);
        message.set_edns(edns);
        message
    }
}

async fn over_udp(server: SocketAddr, query: &Message) -> Result<Message, Unanswered> {
    let octets = query.to_vec().map_err(|e| failed(&e))?;
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let io_failed = |error: io::Error| Unanswered::Failed(words_of(&error));
    // Connected, so that the system drops datagrams from others, and reports a closed port.
    let socket = UdpSocket::bind((any, 0)).await.map_err(io_failed)?;
    socket.connect(server).await.map_err(io_failed)?;
    socket.send(&octets).await.map_err(io_failed)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(io_failed)?;
        if length == BUFFER && buffer.starts_with(&query.metadata.id.to_be_bytes()) {
            // Longer than was asked for: the rest is lost.
            let mut cut = query.clone();
            cut.metadata.truncation = true;
            return Ok(cut);
        }
        if let Ok(answer) = Message::from_vec(&buffer[..length])
            && answers(&answer, query)
        {
            return Ok(answer);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &Message) -> io::Result<Message> {
    let octets = query.to_vec().map_err(io::Error::other)?;
    let length = u16::try_from(octets.len()).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(server).await?;
    stream
        .write_all(&[&length.to_be_bytes(), octets.as_slice()].concat())
        .await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    let answer = Message::from_vec(&answer).map_err(io::Error::other)?;
    if answers(&answer, query) {
        Ok(answer)
    } else {
        Err(io::Error::other("an answer to another question"))
    }
}

/// Whether this is an answer to that query; a server that could not parse it may omit the
/// question.
fn answers(answer: &Message, query: &Message) -> bool {
    let code = answer.metadata.response_code;
    let repeats = answer.queries == query.queries
        || (answer.queries.is_empty() && code != ResponseCode::NoError);
    answer.metadata.id == query.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && repeats
}

fn failed(error: &impl std::fmt::Display) -> Unanswered {
    Unanswered::Failed(error.to_string())
}
