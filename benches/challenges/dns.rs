//! A DNS server with one address for every name and the TXT records of dns-01 challenges.

use std::io;
use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::Pages;

/// Listens on loopback, with UDP and TCP on one port; gives back the port.
///
/// # Errors
/// When no port can be bound.
pub(super) async fn serve(pages: Pages) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let socket = UdpSocket::bind(address).await?;
    let datagrams = pages.clone();
    tokio::spawn(async move {
        let mut query = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            if let Some(answer) = answer(&datagrams, &query[..length]) {
                // Who does not get it asks again.
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_stream(pages.clone(), stream));
        }
    });
    Ok(address.port())
}

async fn serve_stream(pages: Pages, mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut query = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut query).await?;
        let Some(answer) = answer(&pages, &query) else {
            return Ok(());
        };
        let length = u16::try_from(answer.len()).unwrap_or_default();
        let framed = [&length.to_be_bytes(), answer.as_slice()].concat();
        stream.write_all(&framed).await?;
    }
}

/// The answer to a query with one question; nothing for what is not one.
fn answer(pages: &Pages, query: &[u8]) -> Option<Vec<u8>> {
    let (mut at, mut labels) = (HEADER, Vec::new());
    while *query.get(at)? != 0 {
        let end = at + 1 + usize::from(query[at]);
        let label = String::from_utf8_lossy(query.get(at + 1..end)?);
        labels.push(label.to_ascii_lowercase());
        at = end;
    }
    let end = at + 5;
    let kind = u16::from_be_bytes(query.get(at + 1..at + 3)?.try_into().ok()?);
    let data = match kind {
        A => Some(Ipv4Addr::LOCALHOST.octets().to_vec()),
        TXT => pages.text(&labels.join(".")).and_then(character_string),
        _ => None,
    };
    let mut answer = query.get(..2)?.to_vec();
    // A response, authoritative, with recursion: one question, and an answer or none.
    answer.extend([0x85, 0x80, 0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0]);
    answer.extend(query.get(HEADER..end)?);
    if let Some(data) = data {
        // The name of the question, class IN, TTL 0.
        answer.extend([0xc0, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 0]);
        answer.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

/// RFC 1035 §3.3.
fn character_string(text: String) -> Option<Vec<u8>> {
    let length = u8::try_from(text.len()).ok()?;
    Some([&[length], text.as_bytes()].concat())
}

const HEADER: usize = 12;
const A: u16 = 1;
const TXT: u16 = 16;
