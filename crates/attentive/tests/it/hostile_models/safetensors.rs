//! `model.safetensors`, with its hash in the manifest.

use std::fmt::Write;

use super::{Case, Run, refused};

const FILE: &str = "model.safetensors";

/// A file of this header and these values.
fn file(header: impl AsRef<[u8]>, data: &[u8]) -> Vec<u8> {
    let header = header.as_ref();
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

/// The header and the values of the run's own file.
fn parts(run: &Run) -> (String, Vec<u8>) {
    let bytes = run.read(FILE);
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (String::from_utf8(bytes[8..8 + length].to_vec()).unwrap(), bytes[8 + length..].to_vec())
}

/// A whole file.
fn bytes(name: &str, bytes: Vec<u8>) -> Case {
    refused(format!("safetensors {name}"), FILE, move |run| run.replace(FILE, &bytes))
}

/// A file with this header before eight values.
fn header(name: &str, header: impl AsRef<[u8]>) -> Case {
    bytes(name, file(header, &[0; 32]))
}

/// The run's own file with another header, which must differ.
fn edited(name: &str, told: &'static str, change: fn(&str) -> String) -> Case {
    refused(format!("safetensors {name}"), told, move |run| {
        let (header, data) = parts(run);
        let changed = change(&header);
        assert_ne!(changed, header);
        run.replace(FILE, &file(changed, &data));
    })
}

/// The run's own file with another first value.
fn valued(value: f32) -> Case {
    refused(format!("safetensors with {value}"), FILE, move |run| {
        let (header, mut data) = parts(run);
        data[..4].copy_from_slice(&value.to_le_bytes());
        run.replace(FILE, &file(header, &data));
    })
}

pub(super) fn cases() -> Vec<Case> {
    let one = |shape: &str, offsets: &str| {
        format!("{{\"a\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}")
    };
    let two = |first: &str, second: &str| {
        format!(
            "{{\"a\":{{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":{first}}},\
             \"b\":{{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":{second}}}}}"
        )
    };
    let claim = |length: u64| [&length.to_le_bytes()[..], b"{}"].concat();
    let mut many = "{".to_owned();
    for n in 0..200_000 {
        write!(
            many,
            "{}\"{n}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
            if n > 0 { "," } else { "" }
        )
        .unwrap();
    }
    many.push('}');
    // What a reader does not object to, the model does: it has other weights.
    const WEIGHTS: &str = "weight";
    let mut cases = vec![
        bytes("that is empty", Vec::new()),
        bytes("of seven bytes", vec![0; 7]),
        bytes("of a length alone", vec![0; 8]),
        bytes("whose header has 2^64 - 1 bytes", claim(u64::MAX)),
        bytes("whose header has 2^63 bytes", claim(1 << 63)),
        bytes("whose header has 100 MB", claim(100_000_000)),
        bytes("whose header has 100 MB and a byte", claim(100_000_001)),
        bytes("whose header is a byte too long", claim(3)),
        bytes("that is a zip file", b"PK\x03\x04 and so on, as other formats have it".to_vec()),
        bytes("that is a pickle", b"\x80\x04\x95cposix\nsystem\nX\x02\0\0\0id\x85R.".to_vec()),
        header("without tensors behind values", "{}"),
        header("with a header that is null", "null"),
        header("with a header that is an array", "[]"),
        header("with a header behind a space", " {}"),
        header("with a header that is not UTF-8", b"{\"\xFF\":1}"),
        header("of nested arrays", format!("{{\"a\":{}", "[".repeat(100_000))),
        header("of nested objects", "{\"a\":".repeat(100_000)),
        header("with metadata that is a number", "{\"__metadata__\":{\"a\":1}}"),
        header("with a shape beyond 64 bits", one("[4294967296,4294967296,2]", "[0,32]")),
        header("with a shape that is negative", one("[-8]", "[0,32]")),
        header("with a shape that is a fraction", one("[8.0]", "[0,32]")),
        header("with a shape of other values", one("[9]", "[0,32]")),
        header("with offsets that are reversed", one("[8]", "[32,0]")),
        header("with offsets past the end", one("[16]", "[0,64]")),
        header("with offsets of 2^64 - 1", one("[8]", "[0,18446744073709551615]")),
        header("with offsets that are negative", one("[8]", "[-32,0]")),
        header("with one offset", one("[8]", "[32]")),
        header("with tensors over each other", two("[0,16]", "[8,24]")),
        header("with tensors in the same place", two("[0,16]", "[0,16]")),
        header("with a hole between tensors", two("[0,16]", "[20,36]")),
        header("that ends before its values", two("[0,8]", "[8,24]")),
        header("of unknown numbers", one("[8]", "[0,32]").replace("F32", "F99")),
        header("of eight-byte numbers", one("[4]", "[0,32]").replace("F32", "F64")),
        header("of two-byte numbers", one("[16]", "[0,32]").replace("F32", "BF16")),
        header("of integers", one("[8]", "[0,32]").replace("F32", "I32")),
        header("of truth values", one("[32]", "[0,32]").replace("F32", "BOOL")),
        header("of half bytes", one("[64]", "[0,32]").replace("F32", "F4")),
        refused("safetensors of 200,000 tensors", FILE, move |run| run.replace(FILE, &file(&many, &[]))),
        refused("safetensors of no tensor", WEIGHTS, |run| run.replace(FILE, &file("{}", &[]))),
        refused("safetensors with bytes behind the values", FILE, |run| {
            run.replace(FILE, &[run.read(FILE), vec![0; 4]].concat())
        }),
        refused("safetensors without its last value", FILE, |run| {
            run.replace(FILE, &run.read(FILE)[..run.read(FILE).len() - 4])
        }),
        edited("with a tensor twice", FILE, |header| header.replace("head.bias", "head.weight")),
        edited("with a tensor renamed", WEIGHTS, |header| header.replace("head.bias", "head.bios")),
        edited("with a name that is a path", WEIGHTS, |header| header.replace("head.bias", "../../evil")),
        edited("with a name that holds NUL", WEIGHTS, |header| header.replace("head.bias", "head\\u0000bias")),
        edited("with a name of a megabyte", WEIGHTS, |header| header.replace("head.bias", &"n".repeat(1_000_000))),
        edited("with a shape turned round", WEIGHTS, |header| header.replace("[8,1]", "[1,8]")),
        edited("with a shape of more axes", WEIGHTS, |header| header.replace("[8,1]", "[8,1,1,1,1,1,1,1,1]")),
        edited("with a shape of no axes", WEIGHTS, |header| header.replace("\"shape\":[1]", "\"shape\":[]")),
        edited("with a tensor more", WEIGHTS, |header| {
            header.replacen('{', "{\"more\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},", 1)
        }),
        edited("with a tensor of no values and any size", WEIGHTS, |header| {
            let tensor = "{\"more\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807],\"data_offsets\":[0,0]},";
            header.replacen('{', tensor, 1)
        }),
    ];
    cases.extend([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(valued));
    cases
}
