//! The groups and contiguous arrays of an HDF5 file as h5py writes them for old readers, which is how Keras writes weights:
//! superblock 0, groups as symbol tables, headers of version 1 (HDF5 File Format Specification, version 1.1). Whatever else
//! the format has is refused by name. Attributes are not read.
//!
//! Every address, length and count in the file is doubted: nothing is read beyond its end, nothing is followed more often
//! than a file of its size can ask for, and nothing is copied before it is asked for.

use std::collections::BTreeMap;

/// An address that leads nowhere.
const NOWHERE: u64 = u64::MAX;
/// How deep groups may nest; Keras needs six.
const MAX_DEPTH: usize = 32;
/// How many groups, arrays, nodes and messages a file may lead to, those it leads to twice counted twice.
const MAX_VISITS: usize = 20_000;
/// The longest name in bytes.
const MAX_NAME: usize = 256;
/// The most axes that an array has here.
const MAX_RANK: usize = 8;
/// A float of 32 bits as IEEE 754 has it, little-endian: class and version, bits of the class, size, and the places of sign,
/// exponent and fraction.
const FLOAT: [u8; 20] = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];

/// Groups and arrays by name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tree<'a> {
    groups: BTreeMap<String, Tree<'a>>,
    arrays: BTreeMap<String, Found<'a>>,
}

/// An array where it is in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found<'a> {
    /// The length of each axis; none for a single number.
    pub(super) shape: Vec<usize>,
    kind: NumberKind,
    bytes: &'a [u8],
}

/// What the numbers of an array are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberKind {
    Float32,
    Int {
        signed: bool,
        size: usize,
    },
    /// Something that nothing here asks for.
    Other,
}

impl Found<'_> {
    /// The numbers, which are 32-bit floats.
    ///
    /// # Errors
    /// That they are something else.
    pub(super) fn floats(&self) -> Result<Vec<f32>, String> {
        if self.kind != NumberKind::Float32 {
            return Err("its numbers are not 32-bit floats".to_string());
        }
        let (numbers, _) = self.bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// The one whole number, which is not negative.
    ///
    /// # Errors
    /// That it is something else.
    pub(super) fn count(&self) -> Result<u64, String> {
        let NumberKind::Int { signed, size } = self.kind else { return Err("it is no whole number".to_string()) };
        if !self.shape.is_empty() {
            return Err("it is no single number".to_string());
        }
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(self.bytes);
        let value = u64::from_le_bytes(bytes);
        match signed && value >> (8 * size - 1) & 1 == 1 {
            true => Err("it is negative".to_string()),
            false => Ok(value),
        }
    }
}

impl<'a> Tree<'a> {
    /// Reads a file.
    ///
    /// # Errors
    /// Where and why it is not what Keras writes.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        let mut file = Hdf5Reader { bytes, visits: MAX_VISITS };
        let header = file.superblock()?;
        match file.object(header, "/", 0)? {
            FoundObject::Group(root) => Ok(root),
            FoundObject::Array(_) => Err("its root is an array".to_string()),
        }
    }

    /// The array at a path such as `layers/dense/vars/0`.
    pub(super) fn array(&self, path: &str) -> Option<&Found<'a>> {
        match path.split_once('/') {
            Some((group, rest)) => self.groups.get(group)?.array(rest),
            None => self.arrays.get(path),
        }
    }

    /// The group at a path.
    pub(super) fn group(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |group, name| group.groups.get(name))
    }

    /// How many arrays are in the group itself.
    pub(super) fn n_arrays(&self) -> usize {
        self.arrays.len()
    }

    /// The path of every array in it and below.
    pub(super) fn paths(&self) -> Vec<String> {
        let below = |(name, group): (&String, &Self)| {
            group.paths().into_iter().map(|path| format!("{name}/{path}")).collect::<Vec<_>>()
        };
        self.arrays.keys().cloned().chain(self.groups.iter().flat_map(below)).collect()
    }
}

enum FoundObject<'a> {
    Group(Tree<'a>),
    Array(Found<'a>),
}

/// What the messages of an object's header say.
#[derive(Default)]
struct Messages<'a> {
    table: Option<[u64; 2]>,
    space: Option<Vec<usize>>,
    kind: Option<(NumberKind, usize)>,
    layout: Option<&'a [u8]>,
}

struct Hdf5Reader<'a> {
    bytes: &'a [u8],
    /// How many more objects, nodes and messages are followed.
    visits: usize,
}

impl<'a> Hdf5Reader<'a> {
    /// Some bytes of the file.
    fn at(&self, address: u64, length: u64) -> Result<&'a [u8], String> {
        let end = address.checked_add(length).filter(|&end| end <= self.bytes.len() as u64);
        match end {
            Some(end) => Ok(&self.bytes[address as usize..end as usize]),
            None => Err(format!("it points to {length} bytes at {address}, beyond its end")),
        }
    }

    fn visit(&mut self) -> Result<(), String> {
        self.visits = self.visits.checked_sub(1).ok_or("it leads to more objects than a file of weights has")?;
        Ok(())
    }

    /// The address of the root's header.
    fn superblock(&self) -> Result<u64, String> {
        if !self.bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
            return Err("it is no HDF5 file".to_string());
        }
        match self.bytes.get(8) {
            Some(0) => {}
            Some(version) => {
                return Err(format!(
                    "it is of the newer kind with superblock {version}, which `libver=\"latest\"` makes; Keras writes \
                     superblock 0"
                ));
            }
            None => return Err("it is cut off".to_string()),
        }
        let block = self.at(0, 96).map_err(|_| "it is cut off")?;
        if block[13..15] != [8, 8] {
            return Err("its addresses and lengths do not have 8 bytes each".to_string());
        }
        let (base, end) = (u64_at(block, 24), u64_at(block, 40));
        if base != 0 {
            return Err("its addresses do not begin at 0".to_string());
        }
        if end > self.bytes.len() as u64 {
            return Err(format!("it is cut off: {} of {end} bytes are there", self.bytes.len()));
        }
        Ok(u64_at(block, 64))
    }

    /// The object with the header at this address, whose path is `path`.
    fn object(&mut self, header: u64, path: &str, depth: usize) -> Result<FoundObject<'a>, String> {
        self.visit()?;
        if depth > MAX_DEPTH {
            return Err(format!("its groups nest more than {MAX_DEPTH} deep"));
        }
        let messages = self.messages(header).map_err(|reason| format!("`{path}`: {reason}"))?;
        match messages.table {
            Some([tree, heap]) => self.group(tree, heap, path, depth).map(FoundObject::Group),
            None => self.array(messages).map(FoundObject::Array).map_err(|reason| format!("`{path}`: {reason}")),
        }
    }

    fn messages(&mut self, header: u64) -> Result<Messages<'a>, String> {
        let start = self.at(header, 16)?;
        if start.starts_with(b"OHDR") || start[0] != 1 {
            return Err("its header is of a newer version of HDF5 than Keras writes".to_string());
        }
        let n = u16_at(start, 2);
        let mut open = vec![self.at(header.saturating_add(16), u64::from(u32_at(start, 8)))?];
        let (mut found, mut read) = (Messages::default(), 0);
        while let Some(mut block) = open.pop() {
            while block.len() >= 8 && read < n {
                self.visit()?;
                read += 1;
                let (kind, size, flags) = (u16_at(block, 0), usize::from(u16_at(block, 2)), block[4]);
                let body = block.get(8..8 + size).ok_or("a message of its header is cut off")?;
                block = &block[8 + size..];
                if kind == 0x10 {
                    let (address, length) = (number(body, 0)?, number(body, 8)?);
                    // What is left of this block comes after what it goes on with.
                    open.push(std::mem::replace(&mut block, self.at(address, length)?));
                } else {
                    found.take(kind, flags, body)?;
                }
            }
        }
        match read == n {
            true => Ok(found),
            false => Err("its header lacks messages".to_string()),
        }
    }

    fn array(&self, messages: Messages<'a>) -> Result<Found<'a>, String> {
        let Messages { space: Some(shape), kind: Some((kind, size)), layout: Some(layout), .. } = messages else {
            return Err("it is neither a group nor an array".to_string());
        };
        let n = shape.iter().try_fold(size, |n, &axis| n.checked_mul(axis)).ok_or("it says it is beyond any size")?;
        let bytes = match (layout.first(), layout.get(1)) {
            (Some(3), Some(0)) => {
                let length = layout.get(2..4).map_or(0, |length| usize::from(u16_at(length, 0)));
                layout.get(4..4 + length).ok_or("its layout is cut off")?
            }
            (Some(3), Some(1)) => {
                let (address, length) = (number(layout, 2)?, number(layout, 10)?);
                match address {
                    NOWHERE if n == 0 => &[],
                    NOWHERE => return Err("it was never written".to_string()),
                    address => self.at(address, length)?,
                }
            }
            (Some(3 | 4), Some(2)) => {
                return Err("it is stored in chunks, where Keras stores arrays as a whole".to_string());
            }
            (Some(3 | 4), Some(3)) => return Err("it is a virtual dataset, made of other files".to_string()),
            _ => return Err("its layout is of another version of HDF5 than Keras writes".to_string()),
        };
        if bytes.len() != n {
            return Err(format!("its shape says {n} bytes, and {} are stored", bytes.len()));
        }
        Ok(Found { shape, kind, bytes })
    }

    fn group(&mut self, tree: u64, heap: u64, path: &str, depth: usize) -> Result<Tree<'a>, String> {
        let told = |reason: String| format!("`{path}`: {reason}");
        let names = self.heap(heap).map_err(told)?;
        let mut symbols = Vec::new();
        self.nodes(tree, None, &mut symbols).map_err(told)?;
        let mut group = Tree::default();
        for symbol in symbols {
            let name = name(names, u64_at(symbol, 0)).map_err(told)?;
            let inner = if path == "/" { name.clone() } else { format!("{path}/{name}") };
            if u32_at(symbol, 16) == 2 {
                return Err(format!("`{inner}` is a link by name, which may lead anywhere"));
            }
            if group.groups.contains_key(&name) || group.arrays.contains_key(&name) {
                return Err(format!("`{inner}` is there twice"));
            }
            match self.object(u64_at(symbol, 8), &inner, depth + 1)? {
                FoundObject::Group(inner) => drop(group.groups.insert(name, inner)),
                FoundObject::Array(array) => drop(group.arrays.insert(name, array)),
            }
        }
        Ok(group)
    }

    /// The names of a group, one behind the other.
    fn heap(&self, address: u64) -> Result<&'a [u8], String> {
        let heap = self.at(address, 32)?;
        if !heap.starts_with(b"HEAP\0") {
            return Err("the names of the group are not where they should be".to_string());
        }
        self.at(u64_at(heap, 24), u64_at(heap, 8))
    }

    /// The symbols below a node of a group's tree, which must be one level below its parent.
    fn nodes(&mut self, address: u64, parent: Option<u8>, symbols: &mut Vec<&'a [u8]>) -> Result<(), String> {
        self.visit()?;
        let head = self.at(address, 24)?;
        if !head.starts_with(b"TREE\0") {
            return Err("the tree of the group is not where it should be".to_string());
        }
        let (level, n) = (head[5], u64::from(u16_at(head, 6)));
        if usize::from(level) > MAX_DEPTH || parent.is_some_and(|parent| parent.checked_sub(1) != Some(level)) {
            return Err("the tree of the group does not lead downwards".to_string());
        }
        // Keys and children take turns, beginning and ending with a key.
        let children = self.at(address.saturating_add(24), n * 16 + 8)?;
        for child in children[8..].chunks_exact(16).map(|pair| u64_at(pair, 0)) {
            match level {
                0 => self.symbols(child, symbols)?,
                _ => self.nodes(child, Some(level), symbols)?,
            }
        }
        Ok(())
    }

    fn symbols(&mut self, address: u64, symbols: &mut Vec<&'a [u8]>) -> Result<(), String> {
        let head = self.at(address, 8)?;
        if !head.starts_with(b"SNOD\x01") {
            return Err("the members of the group are not where they should be".to_string());
        }
        let n = u64::from(u16_at(head, 6));
        for symbol in self.at(address.saturating_add(8), n * 40)?.chunks_exact(40) {
            self.visit()?;
            symbols.push(symbol);
        }
        Ok(())
    }
}

impl<'a> Messages<'a> {
    fn take(&mut self, kind: u16, flags: u8, body: &'a [u8]) -> Result<(), String> {
        // Bit 1: what follows says where in the file the message is.
        if flags & 2 != 0 && matches!(kind, 1 | 3 | 8 | 0x11) {
            return Err("its header shares parts with others".to_string());
        }
        match kind {
            0x01 => self.space = Some(space(body)?),
            0x03 => self.kind = Some(kind_of(body)?),
            0x08 => self.layout = Some(body),
            0x11 => self.table = Some([number(body, 0)?, number(body, 8)?]),
            0x06 => {
                let kind = if body.get(1).is_some_and(|flags| flags & 8 != 0) { body.get(2) } else { None };
                return Err(match kind {
                    Some(64) => "it links to another file".to_string(),
                    Some(1) => "it holds a link by name, which may lead anywhere".to_string(),
                    _ => "it is a group of the newer kind".to_string(),
                });
            }
            0x02 => {
                return Err(
                    "it is a group of the newer kind, as links to other files and kept orders make it".to_string()
                );
            }
            0x07 => return Err("its numbers are in another file".to_string()),
            0x0B => return Err("it is compressed or filtered, where Keras stores arrays as they are".to_string()),
            _ => {}
        }
        Ok(())
    }
}

/// The shape that a dataspace tells.
fn space(body: &[u8]) -> Result<Vec<usize>, String> {
    let (rank, start) = match body {
        [1, rank, ..] => (*rank, 8),
        [2, rank, _, 0 | 1, ..] => (*rank, 4),
        _ => return Err("its dataspace is of another version of HDF5 than Keras writes".to_string()),
    };
    if usize::from(rank) > MAX_RANK {
        return Err(format!("it has {rank} axes"));
    }
    (0..usize::from(rank))
        .map(|axis| {
            usize::try_from(number(body, start + 8 * axis)?).map_err(|_| "it says it is beyond any size".to_string())
        })
        .collect()
}

/// What a datatype makes of the bytes of an array, and how many a number has.
fn kind_of(body: &[u8]) -> Result<(NumberKind, usize), String> {
    let head = body.get(..8).ok_or("its datatype is cut off")?;
    let size = u32_at(head, 4) as usize;
    let kind = match (head[0] & 0x0F, size) {
        _ if body.starts_with(&FLOAT) => NumberKind::Float32,
        // Bit 0 of the class: the bytes begin with the most significant one; bit 3: there is a sign.
        (0, 1 | 2 | 4 | 8) if head[1] & 1 == 0 => NumberKind::Int { signed: head[1] & 8 != 0, size },
        _ => NumberKind::Other,
    };
    Ok((kind, size))
}

/// The name at an offset of a heap.
fn name(names: &[u8], offset: u64) -> Result<String, String> {
    let rest =
        usize::try_from(offset).ok().and_then(|offset| names.get(offset..)).ok_or("a name lies beyond the others")?;
    let length = rest.iter().take(MAX_NAME + 1).position(|&byte| byte == 0).ok_or("a name has no end")?;
    let name = std::str::from_utf8(&rest[..length]).map_err(|_| "a name is not UTF-8")?;
    match name.is_empty() || name.contains('/') {
        true => Err("a name is empty or holds a `/`".to_string()),
        false => Ok(name.to_string()),
    }
}

/// A number of 8 bytes in what may be too short for it.
fn number(bytes: &[u8], offset: usize) -> Result<u64, String> {
    match bytes.get(offset..offset + 8) {
        Some(bytes) => Ok(u64_at(bytes, 0)),
        None => Err("a message of its header is too short".to_string()),
    }
}

/// The following are for bytes whose length is known.
fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("8 bytes"))
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("4 bytes"))
}

fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(bytes[offset..offset + 2].try_into().expect("2 bytes"))
}
