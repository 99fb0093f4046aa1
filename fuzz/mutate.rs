//! Nearly valid inputs: a seed of the corpus with a few changes.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::tree::{self, Edit};

/// One input; printed as a Rust byte string.
#[derive(Clone)]
pub(crate) struct Input(pub(crate) Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A change of some octets.
#[derive(Clone, Debug)]
enum Change {
    /// One bit is flipped.
    Flip(Index, u8),
    /// These octets are inserted.
    Insert(Index, Vec<u8>),
    /// These octets replace as many others.
    Overwrite(Index, Vec<u8>),
    /// This many octets are removed.
    Cut(Index, usize),
    /// The rest is removed.
    End(Index),
    /// This many octets are copied from one place to another.
    Copy(Index, usize, Index),
    /// This many octets of another seed are inserted.
    Borrow(Index, Index, usize, Index),
    /// A node of DER is edited.
    Node(Index, Edit),
    /// A node of DER replaces another, which may be of another seed.
    Transplant(Index, Index, Index),
}

/// Seeds with up to six changes.
pub(crate) fn inputs(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    let nearly_valid = (any::<Index>(), vec(change(), 0..=6)).prop_map(move |(seed, changes)| {
        let first = seed.get(&seeds).clone();
        Input(
            changes
                .iter()
                .fold(first, |octets, change| change.apply(octets, &seeds)),
        )
    });
    let anything = vec(any::<u8>(), 0..200).prop_map(Input);
    prop_oneof![15 => nearly_valid, 1 => anything]
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    let few = || {
        prop_oneof![
            vec(any::<u8>(), 1..6),
            select(WORDS).prop_map(<[u8]>::to_vec)
        ]
    };
    let edit = prop_oneof![
        Just(Edit::Drop),
        Just(Edit::Double),
        (2..600_u16).prop_map(Edit::Many),
        any::<u8>().prop_map(Edit::Tag),
        vec(any::<u8>(), 0..40).prop_map(Edit::Content),
        select(&[0x30_u8, 0x31, 0xa0, 0x04][..]).prop_map(Edit::Wrap),
    ];
    prop_oneof![
        2 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        2 => (place(), few()).prop_map(|(at, octets)| Change::Insert(at, octets)),
        2 => (place(), few()).prop_map(|(at, octets)| Change::Overwrite(at, octets)),
        1 => (place(), 1..20_usize).prop_map(|(at, count)| Change::Cut(at, count)),
        1 => place().prop_map(Change::End),
        1 => (place(), 1..60_usize, place())
            .prop_map(|(from, count, to)| Change::Copy(from, count, to)),
        1 => (place(), place(), 1..60_usize, place())
            .prop_map(|(seed, from, count, to)| Change::Borrow(seed, from, count, to)),
        4 => (place(), edit).prop_map(|(node, edit)| Change::Node(node, edit)),
        2 => (place(), place(), place())
            .prop_map(|(seed, from, to)| Change::Transplant(seed, from, to)),
    ]
}

impl Change {
    fn apply(&self, mut octets: Vec<u8>, seeds: &[Vec<u8>]) -> Vec<u8> {
        let place = |index: &Index, length: usize| index.index(length + 1);
        let length = octets.len();
        match self {
            Self::Flip(at, bit) => {
                if let Some(octet) = octets.get_mut(place(at, length)) {
                    *octet ^= 1 << bit;
                }
            }
            Self::Insert(at, new) => {
                let at = place(at, length);
                octets.splice(at..at, new.iter().copied());
            }
            Self::Overwrite(at, new) => {
                let at = place(at, length);
                octets.splice(at..length.min(at + new.len()), new.iter().copied());
            }
            Self::Cut(at, count) => {
                let at = place(at, length);
                octets.drain(at..length.min(at + count));
            }
            Self::End(at) => octets.truncate(place(at, length)),
            Self::Copy(from, count, to) => {
                let from = place(from, length);
                let part = octets[from..length.min(from + count)].to_vec();
                let to = place(to, length);
                octets.splice(to..to, part);
            }
            Self::Borrow(seed, from, count, to) => {
                let seed = seed.get(seeds);
                let from = place(from, seed.len());
                let part = &seed[from..seed.len().min(from + count)];
                let to = place(to, length);
                octets.splice(to..to, part.iter().copied());
            }
            Self::Node(node, edit) => return edited(octets, node, edit),
            Self::Transplant(seed, from, to) => {
                let part = tree::read(seed.get::<Vec<u8>>(seeds)).filter(|nodes| !nodes.is_empty());
                let part = part.and_then(|nodes| tree::at(&nodes, from.index(tree::count(&nodes))));
                return edited(octets, to, &Edit::Exchange(part.unwrap_or_default()));
            }
        }
        octets
    }
}

fn edited(octets: Vec<u8>, node: &Index, edit: &Edit) -> Vec<u8> {
    let Some(mut nodes) = tree::read(&octets).filter(|nodes| !nodes.is_empty()) else {
        return octets;
    };
    let place = node.index(tree::count(&nodes));
    tree::edit(&mut nodes, place, edit);
    tree::write(&nodes)
}

/// Tokens with a meaning to one of the parsers.
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\x80",
    b"\x30\x80",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x1f\x81\x01",
    b"\xff\xfe",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"{",
    b"[",
    b"\"",
    b",",
    b":",
    b"1e400",
    b"-0.0",
    b"1.0e-7",
    b"18446744073709551616",
    b"\\u0000",
    b"\\ud800",
    b"\"alg\":\"none\",",
    b"\"kid\":\"x\",",
    b"\"nonce\":\"\",",
    b"\"jwk\":{},",
    b"\"crit\":[],",
    b"\"b64\":false,",
    b"\"header\":{},",
    b"=",
    b"==",
    b"+",
    b"/",
    b"..",
    b".",
    b"*",
    b"*.",
    b"_",
    b"-",
    b"xn--",
    b"xn--a",
    b"0x7f",
    b"127.1",
    b"::ffff:",
    b"%25eth0",
    b"%2e",
    "\u{ff0e}".as_bytes(),
    "\u{df}".as_bytes(),
    "\u{212a}".as_bytes(),
    b"\r\n",
    b" ",
    b"\t",
    b"@",
    b"//",
    b"\\",
    b"://",
    b"http:",
    b"https://",
    b":80",
    b":65536",
    b"?",
    b"#",
    b"[::1]",
    b"-----BEGIN ",
    b"-----END ",
    b"-----",
    b"Proc-Type: 4,ENCRYPTED\n",
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:60+14:00",
];
