//! PEM (RFC 7468) with RFC 1421 headers, read leniently and written strictly.

use data_encoding::BASE64;

use crate::error::Error;

/// One PEM block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The label after `BEGIN`, such as `CERTIFICATE`.
    pub label: String,
    /// RFC 1421 headers in order, such as `Proc-Type`.
    pub headers: Vec<(String, String)>,
    /// The decoded bytes.
    pub der: Vec<u8>,
}

impl Block {
    /// The value of an RFC 1421 header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads every block of a text: a byte order mark, CRLF, blank lines, and text around the blocks are
/// passed over.
///
/// # Errors
/// [`Error::Pem`] when a block does not end, ends with another label, or is not base64.
pub fn parse(text: &[u8]) -> Result<Vec<Block>, Error> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) = boundary(line, "-----BEGIN ") else {
            continue;
        };
        let mut body = Vec::new();
        loop {
            let line = lines.next().ok_or(Error::Pem("a block has no end"))?;
            if let Some(end) = boundary(line, "-----END ") {
                if end != label {
                    return Err(Error::Pem(
                        "a block ends with another label than it begins with",
                    ));
                }
                break;
            }
            if boundary(line, "-----BEGIN ").is_some() {
                return Err(Error::Pem("a block begins inside another"));
            }
            body.push(line);
        }
        blocks.push(block(label, &body)?);
    }
    Ok(blocks)
}

/// Writes a block without headers: 64 columns, LF, a newline at the end.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut out = String::with_capacity(body.len() + body.len() / 64 + 2 * label.len() + 40);
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

fn boundary<'a>(line: &'a [u8], prefix: &str) -> Option<&'a str> {
    let inner = line
        .strip_prefix(prefix.as_bytes())?
        .strip_suffix(b"-----")?;
    std::str::from_utf8(inner).ok()
}

fn block(label: &str, lines: &[&[u8]]) -> Result<Block, Error> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut body = Vec::new();
    let mut raw = lines.iter().peekable();
    while let Some(line) = raw.next_if(|line| line.contains(&b':')) {
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    for line in raw {
        body.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
    }
    let der = BASE64
        .decode(&body)
        .map_err(|_| Error::Pem("a block is not base64"))?;
    Ok(Block {
        label: label.to_owned(),
        headers,
        der,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let der: Vec<u8> = (0..=200).collect();
        let text = encode("CERTIFICATE", &der);
        assert!(text.lines().all(|line| line.len() <= 64));
        assert!(text.ends_with("-----END CERTIFICATE-----\n"));
        let blocks = parse(text.as_bytes()).unwrap();
        assert_eq!(
            blocks,
            [Block {
                label: "CERTIFICATE".into(),
                headers: vec![],
                der
            }]
        );
    }

    #[test]
    fn marks_line_ends_headers_and_surrounding_text_are_ignored() {
        let text = "\u{feff}subject=x\r\n-----BEGIN A B-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: X,00\r\n\r\nAQI=\r\n-----END A B-----\r\nafter\n-----BEGIN C-----\nAQ==\n-----END C-----";
        let blocks = parse(text.as_bytes()).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].header("DEK-Info"), Some("X,00"));
        assert_eq!(
            (blocks[0].der.as_slice(), blocks[1].der.as_slice()),
            (&[1, 2][..], &[1][..])
        );
        assert_eq!(parse(b"no block").unwrap(), []);
    }

    #[test]
    fn broken_blocks_are_refused() {
        for text in [
            "-----BEGIN A-----\nAQ==\n",
            "-----BEGIN A-----\nAQ==\n-----END B-----\n",
            "-----BEGIN A-----\nAQ=\n-----END A-----\n",
            "-----BEGIN A-----\n-----BEGIN A-----\n-----END A-----\n",
        ] {
            assert!(
                matches!(parse(text.as_bytes()), Err(Error::Pem(_))),
                "{text}"
            );
        }
    }
}
