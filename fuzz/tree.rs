//! DER as a tree with nodes that can be dropped, duplicated, retagged and replaced. The lengths above
//! them are corrected, so that a change deep inside is still DER and passes the first parser.

use crate::targets::der::split;

/// One element.
#[derive(Clone)]
pub(crate) struct Node {
    tag: u8,
    /// The number of unused bits, if a BIT STRING contains DER.
    prefix: Vec<u8>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Octets(Vec<u8>),
    Nodes(Vec<Node>),
}

/// A change of a node.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Drop,
    Double,
    Many(u16),
    Tag(u8),
    Content(Vec<u8>),
    Wrap(u8),
    Exchange(Vec<u8>),
}

/// The elements of these octets; none if they are not entirely DER.
pub(crate) fn read(mut octets: &[u8]) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while !octets.is_empty() {
        let (tag, content, rest) = split(octets)?;
        nodes.push(Node::new(tag, content));
        octets = rest;
    }
    Some(nodes)
}

/// The octets of these elements.
pub(crate) fn write(nodes: &[Node]) -> Vec<u8> {
    nodes.iter().flat_map(Node::octets).collect()
}

/// The number of nodes at all levels.
pub(crate) fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(node.children())).sum()
}

/// The octets of the node at this position, in depth-first order.
pub(crate) fn at(nodes: &[Node], mut place: usize) -> Option<Vec<u8>> {
    for node in nodes {
        if place == 0 {
            return Some(node.octets());
        }
        let below = count(node.children());
        if place <= below {
            return at(node.children(), place - 1);
        }
        place -= below + 1;
    }
    None
}

/// Edits the node at this position.
pub(crate) fn edit(nodes: &mut Vec<Node>, mut place: usize, change: &Edit) {
    for index in 0..nodes.len() {
        if place == 0 {
            return apply(nodes, index, change);
        }
        let below = count(nodes[index].children());
        if place <= below {
            if let Content::Nodes(children) = &mut nodes[index].content {
                edit(children, place - 1, change);
            }
            return;
        }
        place -= below + 1;
    }
}

fn apply(nodes: &mut Vec<Node>, index: usize, change: &Edit) {
    match change {
        Edit::Drop => drop(nodes.remove(index)),
        Edit::Double => nodes.insert(index, nodes[index].clone()),
        Edit::Many(times) => {
            let copies = vec![nodes[index].clone(); usize::from(*times)];
            nodes.splice(index..index, copies);
        }
        Edit::Tag(tag) => nodes[index].tag = *tag,
        Edit::Content(octets) => nodes[index].content = Content::Octets(octets.clone()),
        Edit::Wrap(tag) => {
            let inner = nodes[index].clone();
            nodes[index] = Node {
                tag: *tag,
                prefix: Vec::new(),
                content: Content::Nodes(vec![inner]),
            };
        }
        Edit::Exchange(octets) => {
            nodes.splice(index..=index, read(octets).unwrap_or_default());
        }
    }
}

impl Node {
    fn new(tag: u8, content: &[u8]) -> Self {
        let (prefix, inside) = match (tag, content) {
            (0x03, [0, inside @ ..]) => (vec![0], inside),
            _ => (Vec::new(), content),
        };
        let nests = tag & 0x20 != 0 || matches!(tag, 0x03 | 0x04);
        let nodes = read(inside).filter(|nodes| nests && !nodes.is_empty());
        Self {
            tag,
            content: match &nodes {
                Some(nodes) => Content::Nodes(nodes.clone()),
                None => Content::Octets(content.to_vec()),
            },
            prefix: if nodes.is_some() { prefix } else { Vec::new() },
        }
    }

    fn children(&self) -> &[Self] {
        match &self.content {
            Content::Nodes(nodes) => nodes,
            Content::Octets(_) => &[],
        }
    }

    fn octets(&self) -> Vec<u8> {
        let mut content = self.prefix.clone();
        match &self.content {
            Content::Octets(octets) => content.extend(octets),
            Content::Nodes(nodes) => content.extend(write(nodes)),
        }
        element(self.tag, &content)
    }
}

/// One element, with its length in the shortest form.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = u32::try_from(content.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    let zeros = length.iter().take_while(|octet| **octet == 0).count();
    match content.len() {
        0..0x80 => out.push(length[3]),
        _ => {
            out.push(0x84 - zeros as u8);
            out.extend(&length[zeros..]);
        }
    }
    out.extend(content);
    out
}
