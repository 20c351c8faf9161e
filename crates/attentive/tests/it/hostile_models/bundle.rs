//! The files of a bundle that a run has not, or has otherwise: manifest, config, labels with thresholds, examples, and what is
//! no file in the place of one.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use super::{Case, refused};

const FILES: [&str; 7] = [
    "MANIFEST.json",
    "README.md",
    "config.toml",
    "examples.jsonl",
    "labels.json",
    "model.safetensors",
    "tokenizer.json",
];

/// A manifest with another value.
fn manifest(name: &str, change: fn(&mut Value)) -> Case {
    refused(format!("bundle with a manifest {name}"), "MANIFEST.json", move |bundle| {
        let mut manifest = bundle.manifest();
        change(&mut manifest);
        bundle.write_manifest(manifest.to_string().as_bytes());
    })
}

/// A manifest that is this text, before its hash.
fn text(name: &str, body: impl Into<Vec<u8>>) -> Case {
    let body = body.into();
    refused(format!("bundle with a manifest {name}"), "MANIFEST.json", move |bundle| bundle.write_manifest(&body))
}

/// A file that is these bytes, with the right hash.
fn file(file: &'static str, name: &str, told: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    let bytes = bytes.into();
    refused(format!("bundle with {file} {name}"), told, move |bundle| bundle.replace(file, &bytes))
}

/// The bundle's config with a text in place of another.
fn config(name: &str, from: &'static str, to: &'static str, codes: &[i32]) -> Case {
    refused(format!("bundle with a config {name}"), "", move |bundle| {
        let text = String::from_utf8(bundle.read("config.toml")).unwrap();
        assert!(text.contains(from), "{text}");
        bundle.replace("config.toml", text.replacen(from, to, 1).as_bytes());
    })
    .codes(codes, codes)
}

/// The bundle's labels with another value.
fn labels(name: &str, change: fn(&mut Value)) -> Case {
    refused(format!("bundle with labels {name}"), "labels.json", move |bundle| {
        let mut labels: Value = serde_json::from_slice(&bundle.read("labels.json")).unwrap();
        change(&mut labels);
        bundle.replace("labels.json", labels.to_string().as_bytes());
    })
}

/// Examples that only `verify` reads.
fn examples(name: &str, bytes: impl Into<Vec<u8>>) -> Case {
    file("examples.jsonl", name, "", bytes).codes(&[0], &[0])
}

/// Weights in 8 bits with these scales, which have this shape.
fn scaled(name: &str, told: &'static str, scales: &[f32], shape: &str) -> Case {
    let end = 4 + scales.len() * 4;
    let header = format!(
        "{{\"embedding.weight\":{{\"dtype\":\"I8\",\"shape\":[2,2],\"data_offsets\":[0,4]}},\
         \"embedding.weight.scale\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":[4,{end}]}}}}"
    );
    let scales: Vec<u8> = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[1, 2, 3, 4], &scales].concat();
    file("model.safetensors", name, told, bytes)
}

/// What makes a bomb of a tokenizer, and what is said of it.
type Bomb = (&'static str, fn(&mut Value), &'static str);

/// Tokenizers that take more time or memory than there is for a long line. Their names are those of directories.
pub(super) fn bombs() -> Vec<Bomb> {
    vec![
        (
            "rescans",
            |tokenizer| {
                tokenizer["pre_tokenizer"] = json!({ "type": "Split", "pattern": { "Regex": "[a-z]*!|[a-z]" },
                    "behavior": "Isolated", "invert": false });
            },
            "a pattern of the tokenizer would read a run of 1000000 bytes again",
        ),
        (
            "growth",
            |tokenizer| {
                tokenizer["normalizer"] =
                    json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "b".repeat(120) });
                tokenizer["pre_tokenizer"] = json!({ "type": "ByteLevel", "add_prefix_space": false,
                    "trim_offsets": true, "use_regex": false });
            },
            "normalized, it has 120000000 bytes that cannot be cut",
        ),
        (
            "nested",
            |tokenizer| {
                let pieces = (1..=1000).map(|n| json!(["a".repeat(n), -1.0]));
                let vocab: Vec<Value> = std::iter::once(json!(["<unk>", 0.0])).chain(pieces).collect();
                tokenizer["pre_tokenizer"] = Value::Null;
                tokenizer["model"] = json!({ "type": "Unigram", "unk_id": 0, "vocab": vocab });
            },
            "tokenizer.json",
        ),
        (
            "patterns",
            |tokenizer| {
                let split = json!({ "type": "Split", "pattern": { "Regex": "[a-z]" }, "behavior": "Isolated",
                    "invert": false });
                tokenizer["pre_tokenizer"] = json!({ "type": "Sequence", "pretokenizers": vec![split; 200] });
            },
            "tokenizer.json",
        ),
        (
            "normalizers",
            |tokenizer| {
                tokenizer["normalizer"] =
                    json!({ "type": "Sequence", "normalizers": vec![json!({ "type": "NFKD" }); 200] });
            },
            "tokenizer.json",
        ),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        scaled("in 8 bits with a scale of NaN", "one of its scales is NaN", &[1.0, f32::NAN], "[2,1]"),
        scaled("in 8 bits with a scale below zero", "one of its scales is -1", &[1.0, -1.0], "[2,1]"),
        scaled("in 8 bits with an endless scale", "one of its scales is inf", &[1.0, f32::INFINITY], "[2,1]"),
        scaled("in 8 bits with a scale too few", "its scales have the shape [1]", &[1.0], "[1]"),
        scaled("in 8 bits with a scale too many", "its scales have the shape [3, 1]", &[1.0; 3], "[3,1]"),
        scaled("in 8 bits with scales without end", "model.safetensors", &[1.0], "[4294967296,4294967296]"),
        scaled("in 8 bits with values beyond f32", "holds inf", &[1.0, f32::MAX], "[2,1]"),
        scaled("in 8 bits of another model", "weight", &[1.0, 1.0], "[2,1]"),
        manifest("of a layout to come", |manifest| manifest["schema"] = json!(999)),
        manifest("with a negative layout", |manifest| manifest["schema"] = json!(-1)),
        manifest("with an unknown key", |manifest| manifest["run"] = json!("rm -rf /")),
        manifest("without an origin", |manifest| drop(manifest.as_object_mut().unwrap().shift_remove("about"))),
        manifest("with an origin that is a text", |manifest| manifest["about"] = json!("me")),
        manifest("with an accuracy that is a text", |manifest| {
            manifest["about"]["measured"] = json!({ "test": { "accuracy": "all" } });
        }),
        manifest("with the data of an unknown split", |manifest| manifest["about"]["data"] = json!({ "evil": {} })),
        manifest("whose files are an array", |manifest| manifest["files"] = json!([])),
        manifest("without files", |manifest| manifest["files"] = json!({})),
        manifest("with a file more", |manifest| {
            manifest["files"]["run.sh"] = manifest["files"]["README.md"].clone();
        }),
        manifest("with a file that is a path", |manifest| {
            manifest["files"]["../test.csv"] = manifest["files"]["README.md"].clone();
        }),
        manifest("with a path in place of a file", |manifest| {
            let entry = manifest["files"].as_object_mut().unwrap().shift_remove("README.md").unwrap();
            manifest["files"]["/etc/passwd"] = entry;
        }),
        manifest("with a negative size", |manifest| manifest["files"]["config.toml"]["bytes"] = json!(-1)),
        manifest("with a hash that is null", |manifest| manifest["files"]["config.toml"]["sha256"] = Value::Null),
        manifest("with an entry of other keys", |manifest| manifest["files"]["config.toml"]["url"] = json!("http://x")),
        text("without keys", "{}"),
        text("that is null", "null"),
        text("of nested arrays", "[".repeat(100_000)),
        text("of nested objects", "{\"files\":".repeat(100_000)),
        text("that is not UTF-8", b"{\"schema\":1,\"\xFF\":1}"),
        text("of 17 MB", vec![b' '; 17 << 20]),
    ];
    cases.push(refused("bundle with a size of 2^63", "README.md", |bundle| {
        let mut manifest = bundle.manifest();
        manifest["files"]["README.md"]["bytes"] = json!(1u64 << 63);
        bundle.write_manifest(manifest.to_string().as_bytes());
    }));
    cases.extend([
        file("config.toml", "that is empty", "config.toml", "").codes(&[2], &[2]),
        file("config.toml", "that is not UTF-8", "config.toml", b"# \xFF").codes(&[2], &[2]),
        file("config.toml", "of 2 MB", "config.toml", vec![b'#'; 2 << 20]).codes(&[2], &[2]),
        file("config.toml", "of nested arrays", "config.toml", format!("data = {}", "[".repeat(100_000)))
            .codes(&[2], &[2]),
        config("with an unknown key", "seed = 7", "seed = 7\nevil = 1", &[2]),
        config("with 2^40 dimensions", "dim = 8", "dim = 1099511627776", &[2]),
        // These could be a config, but not of these weights, and nothing is allocated for others.
        config("with other dimensions", "dim = 8", "dim = 8192", &[65]),
        config(
            "of a model of a terabyte",
            "[model.attention.dot]\nuse_scale = false\nscore_mode = \"dot\"\ndropout = 0.0",
            "[model.attention.transformer]\nn_layers = 64\nn_heads = 1\nd_feed_forward = 65536",
            &[65],
        ),
        config("of positions without end", "positions = \"none\"", "positions = \"learned\"", &[65]),
        labels("with another head", |labels| labels["head"] = json!("softmax")),
        labels("with an unknown head", |labels| labels["head"] = json!("magic")),
        labels("with a threshold above 1", |labels| labels["labels"][1]["threshold"] = json!(1e30)),
        labels("with a threshold beyond f32", |labels| labels["labels"][1]["threshold"] = json!(1e39)),
        labels("with a threshold that is null", |labels| labels["labels"][1]["threshold"] = Value::Null),
        labels("with a threshold too many", |labels| labels["labels"][0]["threshold"] = json!(0.5)),
        labels("with a name twice", |labels| labels["labels"][0]["name"] = labels["labels"][1]["name"].clone()),
        labels("with an empty name", |labels| labels["labels"][0]["name"] = json!("")),
        labels("with three labels", |labels| {
            let entry = labels["labels"][0].clone();
            labels["labels"].as_array_mut().unwrap().push(entry);
        }),
        labels("with 100,000 labels", |labels| {
            labels["labels"] = (0..100_000).map(|n| json!({ "name": n.to_string() })).collect();
        }),
        labels("with an unknown key", |labels| labels["run"] = json!("rm -rf /")),
        examples("that are empty", ""),
        examples("that are not UTF-8", b"\xFF\n"),
        examples("of nested arrays", "[".repeat(100_000)),
        examples("without probabilities", "{\"kind\":\"\",\"text\":\"\",\"labels\":[],\"probabilities\":[]}\n"),
        examples(
            "with a probability of NaN",
            "{\"kind\":\"\",\"text\":\"\",\"labels\":[],\"probabilities\":[NaN,0]}\n",
        ),
        examples("with other probabilities", "{\"kind\":\"\",\"text\":\"\",\"labels\":[],\"probabilities\":[7,7]}\n"),
    ]);
    for name in FILES {
        for kind in
            ["a folder", "a pipe", "a link to /dev/zero", "a link to itself", "a link out of the bundle", "nothing"]
        {
            cases.push(refused(format!("bundle with {kind} for {name}"), name, move |bundle| {
                let path = bundle.file(name);
                fs::remove_file(&path).unwrap();
                match kind {
                    "a folder" => fs::create_dir(path).unwrap(),
                    "a pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
                    "a link to /dev/zero" => symlink("/dev/zero", path).unwrap(),
                    "a link to itself" => symlink(name, path).unwrap(),
                    "a link out of the bundle" => symlink("../test.csv", path).unwrap(),
                    _ => {}
                }
            }));
        }
    }
    cases
}
