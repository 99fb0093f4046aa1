//! More clients than there is room for.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{BRIEF, ask, ends, place, plain};
use crate::listen::Limits;

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_while_all_others_are_busy() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let place = place(limits).await;
    let mut first = place.connect().await;
    let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    first.write_all(request).await.unwrap();
    place.asked.notified().await;
    let second = place.connect();
    tokio::pin!(second);
    assert!(timeout(BRIEF, second.as_mut()).await.is_err());
    place.answer_now.notify_one();
    let answer = ask(&mut second.await, "/who").await.unwrap();
    assert!(answer.contains("200 OK"));
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
}

#[tokio::test]
async fn at_the_limit_the_connection_that_is_idle_for_longest_is_closed() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let place = place(limits).await;
    let mut first = place.connect().await;
    assert!(ask(&mut first, "/who").await.is_ok());
    // A handshake that is not completed counts as well.
    let unfinished = TcpStream::connect(place.address).await.unwrap();
    let mut third = place.connect().await;
    assert!(ask(&mut third, "/who").await.is_ok());
    assert!(ends(first).await);
    let mut fourth = place.connect().await;
    assert!(ask(&mut fourth, "/who").await.is_ok());
    assert!(ends(unfinished).await);
}

#[tokio::test]
async fn unfinished_bodies_take_no_more_memory_than_they_may_and_the_oldest_goes() {
    let limits = Limits {
        unfinished_bodies: 5000,
        ..Limits::default()
    };
    let plain = plain(limits).await;
    let head = b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n";
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = plain.connect().await;
        stream.write_all(head).await.unwrap();
        stream.write_all(&[b'x'; 3000]).await.unwrap();
        streams.push(stream);
    }
    let mut answer = vec![0; 1024];
    let n = streams[0].read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..n]);
    assert!(answer.contains("waits for too many bodies"), "{answer}");
    streams[1].write_all(&[b'x'; 1000]).await.unwrap();
    let mut answer = vec![0; 1024];
    let n = streams[1].read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..n]);
    assert!(answer.contains("4000 octets"), "{answer}");
}
