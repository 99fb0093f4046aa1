//! DER, written and read by hand, so that tests can build invalid requests.

/// SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// SET.
pub const SET: u8 = 0x31;
/// OCTET STRING.
pub const OCTETS: u8 = 0x04;
/// UTF8String.
pub const UTF8: u8 = 0x0c;

/// One element.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 128 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let octets: Vec<u8> = octets.into_iter().skip_while(|b| *b == 0).collect();
        out.push(0x80 | octets.len() as u8);
        out.extend(octets);
    }
    out.extend(content);
    out
}

/// A SEQUENCE of these elements.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// An OBJECT IDENTIFIER from its dotted form.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().unwrap()).collect();
    let mut content = Vec::new();
    let first = arcs[0] * 40 + arcs[1];
    for arc in std::iter::once(first).chain(arcs[2..].iter().copied()) {
        let mut groups = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            groups.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        content.extend(groups.into_iter().rev());
    }
    element(0x06, &content)
}

/// A BIT STRING of whole octets.
pub fn bits(octets: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], octets].concat())
}

/// A non-negative INTEGER from its big-endian octets.
pub fn integer(octets: &[u8]) -> Vec<u8> {
    let zeros = octets.iter().take_while(|b| **b == 0).count();
    let mut digits = octets[zeros..].to_vec();
    if digits.first().is_none_or(|first| first & 0x80 != 0) {
        digits.insert(0, 0);
    }
    element(0x02, &digits)
}

/// An ECDSA signature (two numbers of equal length) as X.509 has it.
pub fn ecdsa(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    sequence(&[&integer(r), &integer(s)])
}

/// The elements in some content, as tag and content.
pub fn elements(mut from: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let [tag, length, rest @ ..] = from {
        let octets = if length & 0x80 == 0 { 0 } else { length & 0x7f };
        let (long, rest) = rest.split_at(usize::from(octets));
        let length = match octets {
            0 => usize::from(*length),
            _ => long.iter().fold(0, |sum, b| sum << 8 | usize::from(*b)),
        };
        let (content, rest) = rest.split_at(length);
        found.push((*tag, content));
        from = rest;
    }
    found
}

/// The fields of a certificate's TBSCertificate, without the version.
pub fn certificate(der: &[u8]) -> Vec<(u8, &[u8])> {
    let outer = elements(der)[0].1;
    let tbs = elements(outer)[0].1;
    elements(tbs).split_off(1)
}
