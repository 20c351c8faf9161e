//! `optimizer.bpk`, with its hash in the manifest: Burn's container, whose metadata is CBOR. Only `resume` reads it.

use super::{Case, Run, refused};

const FILE: &str = "optimizer.bpk";
/// What is told where a file can be read and holds other moments.
const MOMENT: &str = "the optimizer's `";

/// CBOR as far as the metadata needs it, and as it should not be.
#[derive(Clone)]
enum Cbor {
    Number(u64),
    Text(&'static str),
    Long(String),
    Array(Vec<Cbor>),
    Map(Vec<(Cbor, Cbor)>),
    Raw(Vec<u8>),
}
use Cbor::{Array, Long, Map, Number, Raw, Text};

/// The first bytes of a value: its kind and a number.
fn head(kind: u8, number: u64) -> Vec<u8> {
    let kind = kind << 5;
    match number {
        0..24 => vec![kind | number as u8],
        24..0x100 => vec![kind | 24, number as u8],
        0x100..0x1_0000 => [&[kind | 25][..], &(number as u16).to_be_bytes()].concat(),
        0x1_0000..0x1_0000_0000 => [&[kind | 26][..], &(number as u32).to_be_bytes()].concat(),
        _ => [&[kind | 27][..], &number.to_be_bytes()].concat(),
    }
}

impl Cbor {
    fn bytes(&self) -> Vec<u8> {
        let text = |text: &str| [&head(3, text.len() as u64), text.as_bytes()].concat();
        match self {
            Number(number) => head(0, *number),
            Text(word) => text(word),
            Long(word) => text(word),
            Array(items) => items.iter().fold(head(4, items.len() as u64), |all, item| [all, item.bytes()].concat()),
            Map(items) => {
                let mut all = head(5, items.len() as u64);
                items.iter().for_each(|(key, value)| all.extend([key.bytes(), value.bytes()].concat()));
                all
            }
            Raw(bytes) => bytes.clone(),
        }
    }
}

/// A tensor's entry.
fn tensor(dtype: Cbor, shape: &[u64], start: u64, end: u64) -> Cbor {
    Map(vec![
        (Text("dtype"), dtype),
        (Text("shape"), Array(shape.iter().map(|&size| Number(size)).collect())),
        (Text("data_offsets"), Array(vec![Number(start), Number(end)])),
    ])
}

fn f32s(shape: &[u64], start: u64, end: u64) -> Cbor {
    tensor(Text("F32"), shape, start, end)
}

/// A file with this metadata before so many bytes of values.
fn pack(metadata: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = b"NRUB\x01\x00".to_vec();
    bytes.extend_from_slice(&(metadata.len() as u32).to_le_bytes());
    bytes.extend_from_slice(metadata);
    bytes.resize(bytes.len().next_multiple_of(256), 0);
    bytes.extend_from_slice(data);
    bytes
}

fn bytes(name: &str, bytes: Vec<u8>) -> Case {
    refused(format!("burnpack {name}"), FILE, move |run| run.replace(FILE, &bytes)).only_resume()
}

/// A file with this metadata before 4,096 bytes.
fn metadata(name: &str, metadata: impl Into<Vec<u8>>) -> Case {
    bytes(name, pack(&metadata.into(), &[0; 4096]))
}

fn tensors(name: &str, all: Vec<(Cbor, Cbor)>) -> Case {
    metadata(name, Map(vec![(Text("tensors"), Map(all))]).bytes())
}

fn one(name: &str, entry: Cbor) -> Case {
    tensors(name, vec![(Text("a"), entry)])
}

/// A file that the container allows, with tensors that are no moments of the run.
fn others(name: &str, all: Vec<(Cbor, Cbor)>) -> Case {
    Case { told: MOMENT, ..tensors(name, all) }
}

fn other(name: &str, entry: Cbor) -> Case {
    others(name, vec![(Text("a"), entry)])
}

/// The moments of the run's optimizer, as a file: the second of each weight under this name, the very first of this value.
fn moments(run: &Run, second: &str, value: f32) -> Vec<u8> {
    let tokenizer: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.file("tokenizer.json")).unwrap()).unwrap();
    let embedding = tokenizer["model"]["vocab"].as_object().unwrap().len() as u64 * 8;
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (weight, size) in [("embedding.weight", embedding), ("head.bias", 1), ("head.weight", 8)] {
        for moment in ["momentum", second] {
            let start = data.len() as u64;
            data.resize(data.len() + size as usize * 4, 0);
            let name = Long(format!("{weight}.{moment}"));
            entries.push((name, f32s(&[size], start, data.len() as u64)));
            data.resize(data.len().next_multiple_of(256), 0);
        }
    }
    data[..4].copy_from_slice(&value.to_le_bytes());
    pack(&Map(vec![(Text("tensors"), Map(entries))]).bytes(), &data)
}

/// A file made from the run's own moments.
fn own(name: &str, told: &'static str, file: impl Fn(&Run) -> Vec<u8> + Send + Sync + 'static) -> Case {
    refused(format!("burnpack {name}"), told, move |run| run.replace(FILE, &file(run))).only_resume()
}

pub(super) fn cases() -> Vec<Case> {
    let header = |size: u32| [b"NRUB\x01\x00", &size.to_le_bytes()[..]].concat();
    let nested = |open: u8| [head(5, 1), Text("tensors").bytes(), vec![open; 100_000]].concat();
    let numbered = |n: u64, entry: &Cbor| (0..n).map(|n| (Long(format!("t{n}")), entry.clone())).collect::<Vec<_>>();
    vec![
        bytes("that is empty", Vec::new()),
        bytes("of nine bytes", header(0)[..9].to_vec()),
        bytes("of a header alone", header(0)),
        bytes("that claims 2^32 - 1 bytes", header(u32::MAX)),
        bytes("that claims 100 MiB in ten bytes", header(100 << 20)),
        bytes("that claims 100 MiB and a byte", header((100 << 20) + 1)),
        bytes("of another kind", b"BURN\x01\x00\x00\x00\x00\x00".to_vec()),
        bytes("of a version to come", [b"NRUB\xFF\xFF", &[1, 0, 0, 0, 0xA0][..]].concat()),
        own("cut in its metadata", FILE, |run| run.read(FILE)[..100].to_vec()),
        own("cut in its values", FILE, |run| run.read(FILE)[..1000].to_vec()),
        metadata("with metadata that is a number", [0x01]),
        metadata("with metadata that is null", [0xF6]),
        metadata("with metadata that is undefined", [0xF7]),
        metadata("with metadata that breaks off", [0xBF]),
        metadata("with metadata that only ends", [0xFF]),
        metadata("without tensors", head(5, 0)),
        metadata("of nested arrays", nested(0x81)),
        metadata("of nested open arrays", nested(0x9F)),
        metadata("of nested tags", nested(0xC1)),
        metadata("of nested maps", [head(5, 1), Text("tensors").bytes(), [0xA1, 0x61, b'a'].repeat(50_000)].concat()),
        metadata("with a map of 2^64 - 1 entries", [head(5, 1), Text("tensors").bytes(), head(5, u64::MAX)].concat()),
        metadata("with a text of 2^63 bytes", [head(5, 1), head(3, 1 << 63)].concat()),
        metadata("with a text that is not UTF-8", [head(5, 1), vec![0x62, 0xFF, 0xFE]].concat()),
        metadata("with a big number as a key", [head(5, 1), vec![0xC2, 0x5B], vec![0xFF; 8]].concat()),
        one(
            "with a shape of 2^63 sizes",
            Map(vec![(Text("dtype"), Text("F32")), (Text("shape"), Raw(head(4, 1 << 63)))]),
        ),
        one("with a shape beyond 64 bits", f32s(&[1 << 32, 1 << 32, 2], 0, 4096)),
        one("with sizes whose bytes are beyond 64 bits", f32s(&[1 << 62], 0, 0)),
        one("with offsets that are reversed", f32s(&[4], 32, 16)),
        one("with offsets past the end", f32s(&[2048], 0, 8192)),
        one("with offsets of 2^64 - 1", f32s(&[4], u64::MAX - 15, u64::MAX)),
        one("with a tensor of 11 GB", f32s(&[11 << 28], 0, 11 << 30)),
        one("with fewer bytes than its shape", f32s(&[8], 0, 16)),
        one(
            "with negative offsets",
            Map(vec![
                (Text("dtype"), Text("F32")),
                (Text("shape"), Array(vec![Number(4)])),
                (Text("data_offsets"), Array(vec![Raw(head(1, 15)), Number(0)])),
            ]),
        ),
        other(
            "with three offsets",
            Map(vec![
                (Text("dtype"), Text("F32")),
                (Text("shape"), Array(vec![Number(4)])),
                (Text("data_offsets"), Array(vec![Number(0), Number(16), Number(32)])),
            ]),
        ),
        one("of eight-byte numbers", tensor(Text("F64"), &[4], 0, 32)),
        one("of integers", tensor(Text("I32"), &[4], 0, 16)),
        one("of unknown numbers", tensor(Text("F99"), &[4], 0, 16)),
        one("of numbers that are a number", tensor(Number(7), &[4], 0, 16)),
        other("of no axes", f32s(&[], 0, 4)),
        other("of nine axes", f32s(&[1; 9], 0, 4)),
        other("of a million axes", f32s(&[1; 1_000_000], 0, 4)),
        other("of no values and any size", f32s(&[0, u64::MAX], 0, 0)),
        others("with a tensor twice", vec![(Text("a"), f32s(&[4], 0, 16)), (Text("a"), f32s(&[4], 16, 32))]),
        tensors(
            "with tensors over each other",
            vec![(Text("a"), f32s(&[1024], 0, 4096)), (Text("b"), f32s(&[1024], 0, 4096))],
        ),
        tensors("of 1,000 tensors in the same place", numbered(1000, &f32s(&[1024], 0, 4096))),
        tensors("of 100,001 tensors", numbered(100_001, &f32s(&[0], 0, 0))),
        others("with a name of a megabyte", vec![(Long("n".repeat(1_000_000)), f32s(&[4], 0, 16))]),
        others("with a name that is a path", vec![(Text("../../../evil"), f32s(&[4], 0, 16))]),
        others("with a name that holds NUL", vec![(Text("head\0bias"), f32s(&[4], 0, 16))]),
        tensors("with a name that is a number", vec![(Number(1), f32s(&[4], 0, 16))]),
        own("with moments that are NaN", FILE, |run| moments(run, "velocity", f32::NAN)),
        own("with moments that are infinite", FILE, |run| moments(run, "velocity", f32::INFINITY)),
        own("of other moments", MOMENT, |run| moments(run, "sum", 0.0)),
        own("of no moments", MOMENT, |_| pack(&Map(vec![(Text("tensors"), Map(vec![]))]).bytes(), &[])),
        // What is written here can be read.
        own("of zeros", "", |run| moments(run, "velocity", 0.0)).codes(&[0], &[0]),
    ]
}
