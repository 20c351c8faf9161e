//! `state.json`, with its hash in the manifest.

use serde_json::{Value, json};

use super::{Case, refused};

const FILE: &str = "state.json";

/// A whole file.
fn text(name: &str, text: impl Into<Vec<u8>>) -> Case {
    let text = text.into();
    refused(format!("state {name}"), FILE, move |run| run.replace(FILE, &text))
}

/// The run's state with another value.
fn valued(name: &str, change: fn(&mut Value)) -> Case {
    refused(format!("state {name}"), FILE, move |run| run.state(change))
}

/// The same where nothing comes of it.
fn harmless(name: &str, change: fn(&mut Value)) -> Case {
    valued(name, change).codes(&[0, 65], &[0, 65])
}

/// The run's state with a text in place of another, so that it need not be JSON.
fn edited(name: &str, from: &'static str, to: &'static str) -> Case {
    refused(format!("state {name}"), FILE, move |run| {
        let state: Value = serde_json::from_slice(&run.read(FILE)).unwrap();
        let text = state.to_string();
        assert!(text.contains(from), "{text}");
        run.replace(FILE, text.replacen(from, to, 1).as_bytes());
    })
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        text("that is empty", ""),
        text("without keys", "{}"),
        text("that is null", "null"),
        text("that is an array", "[]"),
        text("of nested arrays", "[".repeat(100_000)),
        text("that is not UTF-8", b"{\"step\":\"\xFF\"}"),
        text("of 8 MB of spaces", vec![b' '; 8 << 20]),
        edited("with a negative step", "\"step\":6", "\"step\":-6"),
        edited("with a fractional step", "\"step\":6", "\"step\":6.5"),
        edited("with a step beyond 64 bits", "\"step\":6", "\"step\":18446744073709551616"),
        edited("with a step in quotes", "\"step\":6", "\"step\":\"6\""),
        edited("with a step twice", "\"step\":6", "\"step\":6,\"step\":6"),
        edited("with an epoch that is null", "\"epoch\":1", "\"epoch\":null"),
        edited("with a loss beyond f64", "\"loss\":0.0", "\"loss\":1e999"),
        edited("with a loss that is NaN", "\"loss\":0.0", "\"loss\":NaN"),
        edited("with a loss that is null", "\"loss\":0.0", "\"loss\":null"),
        valued("with examples that are negative", |state| state["running"]["examples"] = json!(-1)),
        valued("with thresholds that are a number", |state| state["thresholds"] = json!(0.5)),
        valued("with a threshold that is null", |state| state["thresholds"] = json!([null])),
        valued("with a best step that is negative", |state| state["selection"]["best"][0]["step"] = json!(-6)),
        valued("with a best that is an object", |state| state["selection"]["best"] = json!({})),
        valued("with a plateau that is an array", |state| state["plateau"] = json!([])),
        valued("with an unknown key", |state| state["run"] = json!("rm -rf /")),
        valued("that stopped early with 1", |state| state["stopped_early"] = json!(1)),
    ];
    for key in [
        "step",
        "epoch",
        "step_in_epoch",
        "running",
        "selection",
        "thresholds",
        "plateau",
        "trouble",
        "changes",
        "metrics_bytes",
        "metrics_sha256",
    ] {
        cases.push(refused(format!("state without {key}"), FILE, move |run| {
            run.state(|state| {
                state.as_object_mut().unwrap().shift_remove(key);
            });
        }));
    }
    // The best checkpoint is another, which is not there: neither the newest nor any other is taken in its place.
    let nowhere = refused("state whose best step is not there", "step-0000000005", |run| {
        run.state(|state| state["selection"]["best"][0]["step"] = json!(5));
    });
    cases.push(nowhere.codes(&[65], &[0, 65]));
    cases
}

/// States that JSON allows and no run can be in.
pub(super) fn impossible() -> Vec<Case> {
    let mut cases = vec![
        valued("of another step than the manifest", |state| state["step"] = json!(7)),
        harmless("beyond its epochs", |state| state["epoch"] = json!(u64::MAX)),
        valued("beyond its epoch", |state| state["step_in_epoch"] = json!(1000)),
        harmless("with more right than examples", |state| {
            state["running"] = json!({ "loss": 0.0, "correct": 9, "examples": 1 })
        }),
        harmless("with a negative loss", |state| state["running"]["loss"] = json!(-1e300)),
        valued("with a threshold above 1", |state| state["thresholds"] = json!([1e30])),
        valued("with a threshold beyond f32", |state| state["thresholds"] = json!([1e39])),
        valued("with more thresholds than labels", |state| state["thresholds"] = json!(vec![0.5; 1000])),
        valued("with a best step to come", |state| state["selection"]["best"][0]["step"] = json!(u64::MAX)),
        harmless("with 100,000 best steps", |state| {
            let best = state["selection"]["best"][0].clone();
            state["selection"]["best"] = json!(vec![best; 100_000]);
        })
        .codes(&[65], &[0, 65]),
        valued("with a plateau that raises the rate", |state| state["plateau"]["scale"] = json!(1e300)),
        valued("with a plateau that turns the rate round", |state| state["plateau"]["scale"] = json!(-1.0)),
        harmless("with a log of an exbibyte", |state| state["metrics_bytes"] = json!(1u64 << 60)),
        harmless("with a log of 2^64 - 1 bytes", |state| state["metrics_bytes"] = json!(u64::MAX)),
    ];
    // A log that is not the one of the checkpoint is set aside.
    let longer = refused("state with a log longer than the file", "metrics.jsonl", |run| {
        let length = std::fs::metadata(run.file("metrics.jsonl")).unwrap().len();
        run.state(|state| state["metrics_bytes"] = json!(length + 1));
    });
    cases.push(longer.codes(&[0], &[0, 65]));
    cases
}
