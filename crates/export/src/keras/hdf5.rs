//! HDF5 files of groups and contiguous arrays, as h5py writes them for old readers: superblock 0, groups as symbol tables,
//! headers of version 1 (HDF5 File Format Specification, version 1.1). Writes only.
//!
//! A group has one node of symbols: its size is that of the widest group, which the superblock tells, so that nothing is ever
//! split.

use std::collections::BTreeMap;

/// An address that leads nowhere.
const NOWHERE: u64 = u64::MAX;
/// How many nodes of symbols the tree of a group has room for, halved.
const TREE_K: u16 = 16;
/// The size of a symbol.
const SYMBOL: usize = 40;

/// Groups and arrays by name.
#[derive(Debug, Default)]
pub(super) struct Group {
    groups: BTreeMap<String, Group>,
    arrays: BTreeMap<String, Array>,
}

/// Numbers of 32 bits.
#[derive(Debug)]
pub(super) struct Array {
    shape: Vec<u64>,
    is_float: bool,
    bytes: Vec<u8>,
}

impl Array {
    pub(super) fn floats(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { shape: shape.iter().map(|&size| size as u64).collect(), is_float: true, bytes }
    }

    pub(super) fn int(value: i32) -> Self {
        Self { shape: Vec::new(), is_float: false, bytes: value.to_le_bytes().to_vec() }
    }
}

impl Group {
    /// Puts an array at a path such as `layers/dense/vars/0`.
    pub(super) fn put(&mut self, path: &str, array: Array) {
        match path.split_once('/') {
            Some((group, rest)) => self.groups.entry(group.to_string()).or_default().put(rest, array),
            None => drop(self.arrays.insert(path.to_string(), array)),
        }
    }

    /// The file.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Half of the symbols that a node has room for.
        let leaf_k = self.widest().div_ceil(2).max(4);
        let mut file = Hdf5Writer { bytes: vec![0; 96], leaf_k };
        let root = file.group(self);
        let end = file.bytes.len() as u64;
        let mut superblock = b"\x89HDF\r\n\x1a\n".to_vec();
        superblock.extend([0, 0, 0, 0, 0, 8, 8, 0]); // versions; offsets and lengths of 8 bytes
        superblock.extend([leaf_k as u16, TREE_K].map(u16::to_le_bytes).concat());
        superblock.extend([0; 4]);
        superblock.extend([0, NOWHERE, end, NOWHERE].map(u64::to_le_bytes).concat());
        superblock.extend(root.symbol(0));
        file.bytes[..96].copy_from_slice(&superblock);
        file.bytes
    }

    fn widest(&self) -> usize {
        let own = self.groups.len() + self.arrays.len();
        self.groups.values().map(Self::widest).fold(own, usize::max)
    }
}

/// Where an object is.
struct WrittenObject {
    header: u64,
    /// The tree and the heap of a group.
    table: Option<[u64; 2]>,
}

impl WrittenObject {
    /// Its entry in the group above, where its name is at `name` in the heap.
    fn symbol(&self, name: u64) -> Vec<u8> {
        let [tree, heap] = self.table.unwrap_or_default();
        let cached = u32::from(self.table.is_some());
        let mut symbol = [name, self.header].map(u64::to_le_bytes).concat();
        symbol.extend([cached, 0].map(u32::to_le_bytes).concat());
        symbol.extend([tree, heap].map(u64::to_le_bytes).concat());
        symbol
    }
}

struct Hdf5Writer {
    bytes: Vec<u8>,
    leaf_k: usize,
}

impl Hdf5Writer {
    /// Appends bytes at a multiple of 8 and says where.
    fn append(&mut self, bytes: &[u8]) -> u64 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        let address = self.bytes.len() as u64;
        self.bytes.extend(bytes);
        address
    }

    fn group(&mut self, group: &Group) -> WrittenObject {
        let arrays = group.arrays.iter().map(|(name, array)| (name, self.array(array)));
        let mut members: BTreeMap<&String, WrittenObject> = arrays.collect();
        for (name, group) in &group.groups {
            let object = self.group(group);
            members.insert(name, object);
        }
        // The heap begins with the empty name.
        let (mut names, mut symbols, mut last) = (vec![0; 8], Vec::new(), 0);
        for (name, object) in &members {
            last = names.len() as u64;
            symbols.extend(object.symbol(last));
            names.extend(name.as_bytes());
            names.resize((names.len() + 1).next_multiple_of(8), 0);
        }
        let mut node = b"SNOD\x01\x00".to_vec();
        node.extend((members.len() as u16).to_le_bytes());
        symbols.resize(2 * self.leaf_k * SYMBOL, 0);
        node.extend(symbols);
        let node = self.append(&node);

        let mut tree = b"TREE\x00\x00\x01\x00".to_vec(); // a group's, of one node
        tree.extend([NOWHERE, NOWHERE, 0, node, last].map(u64::to_le_bytes).concat());
        tree.resize(24 + (4 * usize::from(TREE_K) + 1) * 8, 0);
        let tree = self.append(&tree);

        let names = { (self.append(&names), names.len() as u64) };
        let mut heap = b"HEAP\x00\x00\x00\x00".to_vec();
        heap.extend([names.1, 1, names.0].map(u64::to_le_bytes).concat()); // 1: nothing in it is free
        let heap = self.append(&heap);
        let header = self.header(&[(0x11, [tree, heap].map(u64::to_le_bytes).concat())]);
        WrittenObject { header, table: Some([tree, heap]) }
    }

    fn array(&mut self, array: &Array) -> WrittenObject {
        let data = self.append(&array.bytes);
        let mut space = vec![1, array.shape.len() as u8, 0, 0, 0, 0, 0, 0];
        array.shape.iter().for_each(|size| space.extend(size.to_le_bytes()));
        let kind = match array.is_float {
            // IEEE 754: the sign at bit 31, 8 bits of exponent at 23 with the bias 127, 23 bits of fraction at 0.
            true => vec![0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0],
            false => vec![0x10, 0x08, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0], // signed
        };
        let mut layout = vec![3, 1];
        layout.extend([data, array.bytes.len() as u64].map(u64::to_le_bytes).concat());
        let fill = vec![2, 2, 2, 0]; // none is defined
        WrittenObject { header: self.header(&[(1, space), (3, kind), (5, fill), (8, layout)]), table: None }
    }

    /// An object of these messages.
    fn header(&mut self, messages: &[(u16, Vec<u8>)]) -> u64 {
        let mut body = Vec::new();
        for (kind, message) in messages {
            let size = message.len().next_multiple_of(8);
            body.extend([*kind, size as u16].map(u16::to_le_bytes).concat());
            body.extend([0; 4]);
            body.extend(message);
            body.resize(body.len() + size - message.len(), 0);
        }
        let mut header = vec![1, 0];
        header.extend((messages.len() as u16).to_le_bytes());
        header.extend([1, body.len() as u32, 0].map(u32::to_le_bytes).concat()); // one reference; padding
        header.extend(body);
        self.append(&header)
    }
}
