//! That Python's side of an export knows what a config can name. `scripts/check_exports.py` holds what it computes to this
//! crate's probabilities.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use attentive_export::write_torch;
use attentive_linear::{FeatureSettings, Features};
use attentive_train::{Config, Precision, ngram_characters};
use serde_json::Value;

use crate::classifiers::{classifier, device, own};

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

#[test]
fn a_linear_part_is_compared_in_python_beside_the_network_and_alone_with_every_head() {
    let script = read("../../scripts/check_exports.py");
    let (_, models) = script.split_once("\nMODELS = [\n").unwrap();
    for data in ["two labels", "three labels", "several labels", "Chinese"] {
        for part in ["[features.linear]\\nalone = true", "[features.linear]\\n"] {
            let of_data = |line: &&str| line.contains(&format!("(\"{data}\",")) && line.contains(part);
            assert!(models.lines().any(|line| of_data(&line)), "no model of `MODELS` has {data} and {part}");
        }
    }
}

#[test]
fn an_export_holds_what_its_parts_need() {
    let folder = temp_dir::TempDir::new().unwrap();
    let of_network = ["config.json", "examples.jsonl", "model.safetensors", "model_torch.py", "tokenizer.json"];
    let of_linear = ["characters.json", "model_ngrams.py", "ngrams.json"];
    for (config, names) in [
        ("[model]\nembedding = { dim = 4 }", of_network.to_vec()),
        ("[features.linear]\n[model]\nembedding = { dim = 4 }", [&of_network[..], &of_linear].concat()),
        ("[features.linear]\nalone = true", [&of_network[..4], &of_linear].concat()),
    ] {
        for precision in [Precision::F32, Precision::F16, Precision::Int8] {
            let path = folder.path().join("torch");
            let predictor = classifier(config, 3);
            let rounded = write_torch(&predictor, &own(&predictor), precision, &path, &device()).unwrap();
            assert!(rounded.moved < 0.02 && (precision != Precision::F32 || rounded.moved == 0.0), "{rounded:?}");
            let found = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            assert_eq!(found.collect::<BTreeSet<_>>(), names.iter().map(|name| name.to_string()).collect());
            fs::remove_dir_all(&path).unwrap();
        }
    }
}

/// Texts in which a wrong kind or a wrong lower case of any character cuts other n-grams: those of real ones, and of each
/// character at which a table changes between letters of every script.
fn telling_texts() -> Vec<String> {
    let tables: Value = serde_json::from_slice(&ngram_characters()).unwrap();
    let edges = tables["kinds"].as_array().unwrap().iter().filter_map(|kind| kind[0].as_u64());
    let edges = edges.flat_map(|first| [first.saturating_sub(1), first]).filter_map(|code| char::from_u32(code as u32));
    let with_lower = tables["lower"].as_object().unwrap().keys().filter_map(|key| key.chars().next());
    let around = |c: char| format!("{c}x{c}YZ\t{c}{c}ก{c}ข 好{c}吃 {c}");
    let real = [
        "",
        " \t\n\u{a0}\u{3000} ",
        "I can't stop_it, 42 times!\nAgain\r\nand again",
        "Straße GROSS İstanbul ΣΊΣΥΦΟΣ ǅ",
        "这部电影真好看，(我还想)再看 wifi 一遍。",
        "とても面白かったです。ｶﾀｶﾅも。々〆",
        "หนังดีมาก (ไทย) 123 ครับ",
        "यह हिन्दी की फ़िल्म है। क़लम",
        "한국어 영화 العربية كان רע",
        "😀👩\u{200d}👩\u{200d}👧 cafe\u{301} e\u{301}",
        "no\u{1c}space \u{85}space\u{0}",
    ];
    real.into_iter().map(str::to_string).chain(edges.chain(with_lower).map(around)).collect()
}

#[test]
fn python_finds_the_same_n_grams_in_every_text() {
    let texts = telling_texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let all =
        FeatureSettings { words: 3, characters: 4, ideographs: 2, min_df: 1, max_characters: 0, sublinear_tf: true };
    for settings in [
        FeatureSettings { words: 0, sublinear_tf: false, ..all.clone() },
        FeatureSettings { characters: 0, ..all.clone() },
        all,
    ] {
        let features = Features::fit(&texts, &settings, &|| false).unwrap();
        let folder = temp_dir::TempDir::new().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("ngrams.json", &serde_json::to_vec(features.parts()).unwrap());
        write("characters.json", &ngram_characters());
        write("model_ngrams.py", read("src/torch/model_ngrams.py").as_bytes());
        write("texts.json", &serde_json::to_vec(&texts).unwrap());
        let script = "import json; from model_ngrams import Ngrams; ngrams = Ngrams.load('.'); \
                      print(json.dumps([ngrams.row(text) for text in json.load(open('texts.json', encoding='utf-8'))]))";
        let python = match Command::new("python3").args(["-c", script]).current_dir(folder.path()).output() {
            Err(error) if error.kind() == ErrorKind::NotFound => return eprintln!("skipped: there is no python3 here"),
            output => output.unwrap(),
        };
        assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
        let found: Vec<(Vec<u32>, Vec<f64>)> = serde_json::from_slice(&python.stdout).unwrap();
        let rows = features.rows(&texts, &|| false).unwrap();
        assert_eq!(found.len(), rows.len());
        for (index, (ids, values)) in found.iter().enumerate() {
            let (expected, weighs) = rows.row(index);
            assert_eq!(ids, expected, "{:?}", texts[index]);
            let near = |(value, &weighs): (&f64, &f32)| (value - f64::from(weighs)).abs() < 1e-6;
            assert!(values.iter().zip(weighs).all(near), "{:?}: {values:?}, not {weighs:?}", texts[index]);
        }
    }
}
