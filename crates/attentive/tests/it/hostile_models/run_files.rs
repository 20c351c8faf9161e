//! The files beside the checkpoints: labels, tokenizer, config, log and report, and the names of the checkpoints themselves.

use std::fs;

use serde_json::{Value, json};

use super::{Case, refused};

/// A file of the run that `predict` reads; the checkpoint is made to say that it was trained with it. `resume` makes the
/// file anew from the data, and finds that the checkpoint is from another.
fn read_by_predict(file: &'static str, what: &'static str, name: &str, bytes: impl Into<Vec<u8>>) -> Case {
    let bytes = bytes.into();
    refused(format!("{file} {name}"), what.trim_end_matches('s'), move |run| {
        fs::write(run.file(file), &bytes).unwrap();
        run.made_from(what, &bytes);
    })
    .codes(&[65], &[65])
}

/// A config in place of the run's.
fn config(
    name: &str,
    told: &'static str,
    codes: &[i32],
    change: impl Fn(String) -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    refused(format!("config.toml {name}"), told, move |run| {
        let path = run.file("config.toml");
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    })
    .codes(codes, codes)
}

fn tokenizer(name: &str, change: fn(&mut Value)) -> Case {
    refused(format!("tokenizer.json {name}"), "tokenizer", move |run| {
        let mut file: Value = serde_json::from_slice(&fs::read(run.file("tokenizer.json")).unwrap()).unwrap();
        change(&mut file);
        let bytes = file.to_string();
        fs::write(run.file("tokenizer.json"), &bytes).unwrap();
        run.made_from("tokenizer", bytes.as_bytes());
    })
    .codes(&[65], &[65])
}

/// Makes the run a finished one with this report.
fn report(name: &str, told: &'static str, codes: &[i32], bytes: impl Into<Vec<u8>>) -> Case {
    let bytes = bytes.into();
    refused(format!("report.json {name}"), told, move |run| {
        run.state(|state| state["stopped_early"] = json!(true));
        fs::write(run.file("report.json"), &bytes).unwrap();
    })
    .codes(&[0], codes)
}

/// Labels and tokenizers that runs and bundles refuse alike.
pub(super) fn read_by_any() -> Vec<Case> {
    let mut cases = Vec::new();
    let labels = |name: &str, bytes: Vec<u8>| read_by_predict("labels.json", "labels", name, bytes);
    cases.extend([
        labels("that is empty", Vec::new()),
        labels("of no labels", b"[]".to_vec()),
        labels("that is an object", b"{\"good\":0}".to_vec()),
        labels("of numbers", b"[1, 2]".to_vec()),
        labels("with a label twice", b"[\"good\", \"good\"]".to_vec()),
        labels("with an empty label", b"[\"\", \"good\"]".to_vec()),
        labels("of nested arrays", vec![b'['; 100_000]),
        labels("that is not UTF-8", b"[\"\xFF\", \"good\"]".to_vec()),
        labels("of 17 MB", [&b"[\""[..], &vec![b'a'; 17 << 20], b"\"]"].concat()),
    ]);
    let plain = |name: &str, bytes: Vec<u8>| read_by_predict("tokenizer.json", "tokenizer", name, bytes);
    cases.extend([
        plain("that is empty", Vec::new()),
        plain("without keys", b"{}".to_vec()),
        plain("of nested arrays", vec![b'['; 100_000]),
        plain("of 65 MB", vec![b' '; 65 << 20]),
        tokenizer("with an id of 2^32 - 1", |file| file["model"]["vocab"]["great"] = json!(u32::MAX)),
        tokenizer("with a negative id", |file| file["model"]["vocab"]["great"] = json!(-1)),
        tokenizer("with an id twice", |file| file["model"]["vocab"]["great"] = json!(0)),
        tokenizer("with an unknown model", |file| file["model"]["type"] = json!("Magic")),
        tokenizer("with a character map", |file| {
            file["normalizer"] = json!({ "type": "Precompiled", "precompiled_charsmap": "AAAA" });
        }),
        tokenizer("with a pattern that never ends", |file| {
            file["pre_tokenizer"] = json!({
                "type": "Split", "pattern": { "Regex": "(a+)+(?!b)c" }, "behavior": "Removed", "invert": false,
            });
        }),
        tokenizer("with an added token of 2^32 - 1", |file| {
            file["added_tokens"] = json!([{ "id": u32::MAX, "content": "x", "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true }]);
        }),
        tokenizer("with a post-processor of huge ids", |file| {
            file["post_processor"] = json!({ "type": "BertProcessing", "sep": ["x", u32::MAX], "cls": ["y", 1] });
        }),
    ]);
    cases
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = read_by_any();
    cases.extend([
        config("that is empty", "config.toml", &[2], |_| Vec::new()),
        config("that is not UTF-8", "config.toml", &[2], |_| b"# \xFF".to_vec()),
        config("of 2 MB", "config.toml", &[2], |_| vec![b'#'; 2 << 20]),
        config("of nested arrays", "config.toml", &[2], |_| format!("data = {}", "[".repeat(100_000)).into_bytes()),
        config("with an unknown key", "config.toml", &[2], |text| format!("{text}\n[evil]\nx = 1\n").into_bytes()),
        config("with a backend that is not there", "evil", &[2, 65], |text| {
            text.replacen("backend = ", "backend = \"evil\" #", 1).into_bytes()
        }),
        config("with 2^40 dimensions", "config.toml", &[2], |text| {
            text.replacen("dim = 8", "dim = 1099511627776", 1).into_bytes()
        }),
        // The others could be a config, but not of these weights.
        config("with fewer dimensions", "", &[65], |text| text.replacen("dim = 8", "dim = 4", 1).into_bytes()),
        config("with another mechanism", "", &[65], |text| {
            text.replace("[model.attention.dot]", "[model.attention.scaled_dot]").into_bytes()
        })
        .codes(&[2, 65], &[2, 65]),
    ]);
    cases.extend([
        report("that is empty", "report.json", &[65, 66], ""),
        report("without keys", "report.json", &[65, 66], "{}"),
        report("of nested arrays", "report.json", &[65, 66], "[".repeat(100_000)),
        report("that is not UTF-8", "report.json", &[65, 66], b"{\"epoch\":\"\xFF\"}"),
        report("with a hash that ends inside a letter", "", &[0], format!(
            "{{\"epoch\":1,\"step\":6,\"epochs_trained\":1,\"stopped_early\":true,\"weights_sha256\":\"a{}\",\"splits\":{{}}}}",
            "é".repeat(20)
        )),
        report("with numbers at their ends", "report.json", &[0, 65, 66], format!(
            "{{\"epoch\":{0},\"step\":{0},\"epochs_trained\":{0},\"stopped_early\":true,\"weights_sha256\":\"\",\"splits\":{{}}}}",
            u64::MAX
        )),
    ]);
    cases.extend([
        refused("a file called checkpoints", "checkpoints", |run| {
            fs::remove_dir_all(run.file("checkpoints")).unwrap();
            fs::write(run.file("checkpoints"), "").unwrap();
        })
        .codes(&[65, 66, 74], &[65, 66, 74]),
        refused("no checkpoints", "", |run| fs::remove_dir_all(run.file("checkpoints")).unwrap()).codes(&[66], &[0]),
        refused("a file called like a later checkpoint", "step-0000000009", |run| {
            fs::write(run.file("checkpoints/step-0000000009"), "").unwrap();
        })
        .codes(&[65], &[0]),
        refused("a checkpoint whose name is beyond 64 bits", "", |run| {
            fs::create_dir(run.file("checkpoints/step-99999999999999999999")).unwrap();
        })
        .codes(&[0], &[0]),
        refused("a log that is not there", "metrics.jsonl", |run| fs::remove_file(run.file("metrics.jsonl")).unwrap())
            .codes(&[0], &[0, 65, 66]),
        refused("a log of bytes", "", |run| fs::write(run.file("metrics.jsonl"), vec![0xFF; 100_000]).unwrap())
            .codes(&[0], &[0]),
    ]);
    cases
}

/// Checkpoints under the name of another step, and under names that are not those of checkpoints.
pub(super) fn renamed() -> Vec<Case> {
    let named = |name: &'static str, resume: &[i32]| {
        let case = refused(format!("a checkpoint called {name}"), "", move |run| {
            fs::rename(run.checkpoint(), run.file("checkpoints").join(name)).unwrap();
        });
        case.codes(&[65, 66], resume)
    };
    vec![
        named("step-0000000007", &[65]),
        named("step-18446744073709551615", &[65]),
        // The run has none then, and begins anew.
        named("step-6", &[0]),
        named("step-+6", &[0]),
    ]
}
