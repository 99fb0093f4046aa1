//! Attestation objects (WebAuthn §6.5.4) without authenticator data: a map in CBOR (RFC 8949) with a
//! format and a statement.

use std::collections::HashSet;

use minicbor::Decoder;
use minicbor::data::Type;

use crate::problem::quote;

/// The most certificates of a statement.
const MOST_CERTIFICATES: usize = 8;
/// The most members of a map.
const MOST_MEMBERS: usize = 32;

/// An attestation object.
pub(super) struct Object<'a> {
    pub(super) format: &'a str,
    pub(super) statement: Statement<'a>,
}

/// The members of statements of every format.
#[derive(Default)]
pub(super) struct Statement<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) algorithm: Option<i64>,
    pub(super) x5c: Option<Vec<&'a [u8]>>,
    pub(super) signature: Option<&'a [u8]>,
    pub(super) certified: Option<&'a [u8]>,
    pub(super) public_area: Option<&'a [u8]>,
}

impl<'a> Object<'a> {
    /// Reads the whole of these octets.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, String> {
        let mut decoder = Decoder::new(octets);
        let (mut format, mut statement) = (None, None);
        members(&mut decoder, |name, value| {
            match name {
                "fmt" => format = Some(value.str().map_err(words)?),
                "attStmt" => statement = Some(Statement::read(value)?),
                _ => value.skip().map_err(words)?,
            }
            Ok(())
        })?;
        if decoder.position() != octets.len() {
            return Err("octets follow its end".to_owned());
        }
        Ok(Self {
            format: format.ok_or("it has no fmt")?,
            statement: statement.ok_or("it has no attStmt")?,
        })
    }
}

impl<'a> Statement<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Self, String> {
        let mut out = Self::default();
        members(decoder, |name, value| {
            match name {
                "ver" => out.version = Some(value.str().map_err(words)?),
                "alg" => out.algorithm = Some(value.i64().map_err(words)?),
                "x5c" => out.x5c = Some(list(value)?),
                "sig" => out.signature = Some(value.bytes().map_err(words)?),
                "certInfo" => out.certified = Some(value.bytes().map_err(words)?),
                "pubArea" => out.public_area = Some(value.bytes().map_err(words)?),
                _ => value.skip().map_err(words)?,
            }
            Ok(())
        })?;
        Ok(out)
    }
}

/// Reads a map whose names are text, each once.
fn members<'a>(
    decoder: &mut Decoder<'a>,
    mut read: impl FnMut(&'a str, &mut Decoder<'a>) -> Result<(), String>,
) -> Result<(), String> {
    let mut left = decoder.map().map_err(words)?;
    let mut names = HashSet::new();
    loop {
        match &mut left {
            Some(0) => return Ok(()),
            Some(count) => *count -= 1,
            None if decoder.datatype().map_err(words)? == Type::Break => {
                return decoder.skip().map_err(words);
            }
            None => {}
        }
        let name = decoder.str().map_err(words)?;
        if !names.insert(name) {
            return Err(format!("its member {} is repeated", quote(name)));
        }
        if names.len() > MOST_MEMBERS {
            return Err("it has too many members".to_owned());
        }
        read(name, decoder)?;
    }
}

/// Reads a list of byte strings.
fn list<'a>(decoder: &mut Decoder<'a>) -> Result<Vec<&'a [u8]>, String> {
    let all: Result<Vec<&minicbor::bytes::ByteSlice>, _> = decoder
        .array_iter()
        .map_err(words)?
        .take(MOST_CERTIFICATES + 1)
        .collect();
    let all = all.map_err(words)?;
    if all.len() > MOST_CERTIFICATES {
        return Err("x5c has more than eight certificates".to_owned());
    }
    Ok(all.into_iter().map(|one| &**one).collect())
}

/// The octets of a byte string that is all of these octets.
pub(super) fn byte_string(octets: &[u8]) -> Option<&[u8]> {
    let mut decoder = Decoder::new(octets);
    let inside = decoder.bytes().ok()?;
    (decoder.position() == octets.len()).then_some(inside)
}

fn words(error: minicbor::decode::Error) -> String {
    format!("it is not well-formed CBOR: {error}")
}
