//! Floods of HTTP/2 frames (RFC 9113 §10.5): each is cheap for the client, and must be cheap for the
//! server. Other clients are still served.

use crate::conformance::subject::{Subject, subject};

/// One frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// What a connection begins with: the preface and empty SETTINGS.
fn hello() -> Vec<u8> {
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &[]),
    ]
    .concat()
}

/// The header block of GET /acme/acme/directory.
fn block(authority: &str) -> Vec<u8> {
    let literal = |name: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        [&[name, length], text.as_bytes()].concat()
    };
    [
        vec![0x82, 0x87],
        literal(0x04, "/acme/acme/directory"),
        literal(0x01, authority),
    ]
    .concat()
}

/// The code of the GOAWAY in these frames (RFC 9113 §6.8), if there is one.
fn goodbye(mut frames: &[u8]) -> Option<u32> {
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let (payload, after) = rest.split_at_checked(length)?;
        if *kind == GOAWAY {
            return Some(u32::from_be_bytes(payload.get(4..8)?.try_into().ok()?));
        }
        frames = after;
    }
    None
}

/// The server is there for others.
#[track_caller]
fn serves(subject: &Subject) {
    let answer = subject.client.get(&subject.directory()).unwrap();
    assert_eq!(answer.status, 200);
}

/// The connection ends with this code before all of `pieces` are written.
#[track_caller]
fn ends(pieces: impl Iterator<Item = Vec<u8>>, total: usize, codes: &[u32]) {
    let subject = subject();
    let pieces = std::iter::once(hello()).chain(pieces);
    let (written, answer) = subject
        .client
        .pour(&subject.authority, b"h2", pieces)
        .unwrap();
    let code = goodbye(&answer);
    assert!(
        code.is_some_and(|code| codes.contains(&code)),
        "{code:?} after {written} octets"
    );
    assert!(written < total, "the whole flood was taken in");
    serves(subject);
}

/// Requests that are taken back at once (CVE-2023-44487) end the connection.
#[test]
fn requests_that_are_reset_at_once_end_the_connection() {
    const STREAMS: u32 = 200_000;
    let block = block(&subject().authority);
    let open = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block);
    let one = open.len() + 13;
    let flood = (0..STREAMS).map(|number| {
        let stream = 2 * number + 1;
        let open = frame(HEADERS, END_HEADERS | END_STREAM, stream, &block);
        [open, frame(RST_STREAM, 0, stream, &CANCEL)].concat()
    });
    ends(flood, one * STREAMS as usize, &[ENHANCE_YOUR_CALM]);
}

/// A header block that never ends (CVE-2024-27316) is not collected.
#[test]
fn a_header_that_never_ends_ends_the_connection() {
    const FRAMES: usize = 20_000;
    let first = frame(HEADERS, END_STREAM, 1, &block(&subject().authority));
    let more = frame(
        CONTINUATION,
        0,
        1,
        &[&[0x00, 0x01, b'x', 0x7f, 0x81, 0x7e][..], &[b'y'; 16_000]].concat(),
    );
    let length = more.len();
    let flood = std::iter::once(first).chain(std::iter::repeat_n(more, FRAMES));
    ends(
        flood,
        length * FRAMES,
        &[ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR],
    );
}

/// Answers to frames that require one are not all kept in memory for a client that reads none
/// (CVE-2019-9512, CVE-2019-9515).
#[test]
fn frames_that_require_answers_do_not_delay_other_connections() {
    let subject = subject();
    for question in [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[])] {
        let flood = std::iter::repeat_n(question.repeat(1_000), 100);
        let pieces = std::iter::once(hello()).chain(flood);
        // Whether it ends the connection or answers each is the server's choice.
        let poured = subject.client.pour(&subject.authority, b"h2", pieces);
        assert!(poured.is_ok());
        serves(subject);
    }
}

/// What is no HTTP/2 at all ends the connection, and nothing else.
#[test]
fn invalid_data_after_the_preface_ends_the_connection() {
    for wrong in [
        frame(DATA, 0, 0, b"on no stream"),
        frame(HEADERS, END_HEADERS, 2, &[0x82]),
        frame(HEADERS, END_HEADERS, 1, &[0xff; 40]),
        frame(RST_STREAM, 0, 1, &CANCEL),
        frame(0x08, 0, 0, &[0; 4]),
        frame(SETTINGS, 0, 0, &[0; 5]),
    ] {
        let subject = subject();
        let pieces = std::iter::once(hello()).chain([wrong]);
        let (_, answer) = subject
            .client
            .pour(&subject.authority, b"h2", pieces)
            .unwrap();
        assert!(goodbye(&answer).is_some_and(|code| code != 0), "{answer:?}");
        serves(subject);
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const PROTOCOL_ERROR: u32 = 1;
const COMPRESSION_ERROR: u32 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;
