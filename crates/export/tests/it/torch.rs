//! That Python's side of an export knows what a config can name. `scripts/check_exports.py` holds what it computes to this
//! crate's probabilities.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use attentive_train::Config;

/// The mechanisms that a config can name.
fn mechanisms() -> BTreeSet<String> {
    let schema = Config::schema();
    let variants = schema["$defs"]["AttentionConfig"]["oneOf"].as_array().unwrap();
    variants.iter().map(|variant| variant["required"][0].as_str().unwrap().to_string()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_mechanism_has_a_class_in_python() {
    let module = read("src/torch/model_torch.py");
    let (_, table) = module.split_once("\nMECHANISMS = {\n").unwrap();
    let (table, _) = table.split_once("\n}\n").unwrap();
    let names = table.lines().map(|line| line.split('"').nth(1).unwrap().to_string());
    assert_eq!(names.collect::<BTreeSet<_>>(), mechanisms());
}

#[test]
fn every_mechanism_is_compared_in_python() {
    let script = read("../../scripts/check_exports.py");
    let (_, models) = script.split_once("\nMODELS = [\n").unwrap();
    for name in mechanisms() {
        assert!(models.contains(&format!("attention.{name} = {{")), "no model of `MODELS` has `attention.{name}`");
    }
}
