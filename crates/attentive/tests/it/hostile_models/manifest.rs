//! `MANIFEST.json`, each with the right hash in its last line.

use serde_json::{Value, json};

use super::{Case, Run, refused};

const MANIFEST: &str = "MANIFEST.json";

/// A manifest that is this text.
fn text(name: &str, body: impl AsRef<[u8]>) -> Case {
    let body = body.as_ref().to_vec();
    refused(format!("manifest {name}"), MANIFEST, move |run| run.write_manifest(&body))
}

/// The run's manifest with a change, written as text so that numbers and keys need not be sound.
fn edited(name: &str, change: fn(String, &Value) -> String) -> Case {
    refused(format!("manifest {name}"), MANIFEST, move |run| {
        let manifest = run.manifest();
        run.write_manifest(change(manifest.to_string(), &manifest).as_bytes());
    })
}

/// The run's manifest with a value of another kind or size.
fn valued(name: &str, change: fn(&mut Value)) -> Case {
    refused(format!("manifest {name}"), MANIFEST, move |run| {
        let mut manifest = run.manifest();
        change(&mut manifest);
        run.write_manifest(manifest.to_string().as_bytes());
    })
}

/// The manifest as a file, without a hash that fits.
fn raw(name: &str, change: fn(Vec<u8>) -> Vec<u8>) -> Case {
    refused(format!("manifest {name}"), MANIFEST, move |run: &Run| {
        std::fs::write(run.checkpoint().join(MANIFEST), change(run.read(MANIFEST))).unwrap();
    })
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        text("that is empty", ""),
        text("without keys", "{}"),
        text("that is null", "null"),
        text("that is an array", "[]"),
        text("that is a number", "1e400"),
        text("of nested arrays", "[".repeat(100_000)),
        text("of nested objects", "{\"files\":".repeat(100_000)),
        text("that is not UTF-8", b"{\"schema\":3,\"step\":6,\"\xFF\":1}"),
        text("that is UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
        text("of NUL characters", vec![0; 4096]),
        text("with a lone surrogate", "{\"schema\":3,\"\\ud800\":1}"),
        edited("behind a byte order mark", |text, _| format!("\u{FEFF}{text}")),
        edited("twice", |text, _| format!("{text}{text}")),
        edited("with a comment", |text, _| format!("{text} // trust me")),
        edited("with a key twice", |text, _| text.replacen("{", "{\"step\":6,", 1)),
        edited("with a huge schema", |text, _| text.replace("\"schema\":", "\"schema\":18446744073709551616")),
        edited("with a negative step", |text, _| text.replace("\"step\":6", "\"step\":-6")),
        edited("with a fractional step", |text, _| text.replace("\"step\":6", "\"step\":6.0")),
        edited("with a step beyond 64 bits", |text, _| text.replace("\"step\":6", "\"step\":18446744073709551616")),
        edited("with sizes beyond f64", |text, _| text.replace("\"bytes\":", "\"bytes\":1e309,\"x\":")),
        valued("of a schema to come", |manifest| manifest["schema"] = json!(999)),
        valued("with a schema in quotes", |manifest| manifest["schema"] = json!("2")),
        valued("with an unknown key", |manifest| manifest["run"] = json!("rm -rf /")),
        valued("with an origin that is none", |manifest| manifest["origin"] = json!([])),
        valued("with an origin of nothing", |manifest| manifest["origin"] = json!({})),
        valued("with an origin without data", |manifest| {
            manifest["origin"].as_object_mut().unwrap().shift_remove("data");
        }),
        valued("with the data of an unknown split", |manifest| manifest["origin"]["data"]["evil"] = json!("")),
        valued("whose files are an array", |manifest| manifest["files"] = json!([])),
        valued("with a negative size", |manifest| manifest["files"]["model.safetensors"]["bytes"] = json!(-1)),
        valued("with a hash that is null", |manifest| manifest["files"]["model.safetensors"]["sha256"] = Value::Null),
        valued("with an entry of other keys", |manifest| manifest["files"]["state.json"]["url"] = json!("http://x")),
        raw("without its last line", |bytes| bytes[..bytes.len() - 65].to_vec()),
        raw("with a hash in capitals", |bytes| {
            let hash = bytes.len() - 65;
            [&bytes[..hash], bytes[hash..].to_ascii_uppercase().as_slice()].concat()
        }),
        raw("with two line ends", |bytes| [bytes, b"\n".to_vec()].concat()),
        raw("of one byte", |_| vec![b'\n']),
    ];
    // What the manifest says of a file is told with that file.
    for (file, told) in
        [("model.safetensors", "model.safetensors"), ("optimizer.bpk", "optimizer.bpk"), ("state.json", "state.json")]
    {
        cases.push(refused(format!("manifest without {file}"), told, move |run| {
            let mut manifest = run.manifest();
            manifest["files"].as_object_mut().unwrap().shift_remove(file);
            run.write_manifest(manifest.to_string().as_bytes());
        }));
        for (name, bytes) in [("no", 0), ("2^63", 1 << 63), ("2^64 - 1", u64::MAX)] {
            cases.push(refused(format!("manifest that gives {file} {name} bytes"), told, move |run| {
                let mut manifest = run.manifest();
                manifest["files"][file]["bytes"] = json!(bytes);
                run.write_manifest(manifest.to_string().as_bytes());
            }));
        }
    }
    // Names of other files lead nowhere: they are not opened.
    for name in ["../../../evil", "/etc/passwd", "C:\\evil", "", "a\0b", "model.safetensors/../../../evil"] {
        let case = refused(format!("manifest that names {name:?}"), MANIFEST, move |run| {
            let mut manifest = run.manifest();
            manifest["files"][name] = json!({ "bytes": 4, "sha256": "0".repeat(64) });
            run.write_manifest(manifest.to_string().as_bytes());
        });
        cases.push(case.codes(&[0, 65], &[0, 65]));
    }
    let many = refused("manifest of 100,000 files", MANIFEST, |run| {
        let mut manifest = run.manifest();
        let files = manifest["files"].as_object_mut().unwrap();
        files.extend((0..100_000).map(|n| (format!("f{n}"), json!({ "bytes": n, "sha256": "" }))));
        run.write_manifest(manifest.to_string().as_bytes());
    });
    cases.push(many.codes(&[0, 65], &[0, 65]));
    cases
}
