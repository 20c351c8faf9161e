//! Models that Keras trained and saved (`scripts/keras_fixtures.py`), damaged in every byte, and files that nothing writes.

use std::fs;
use std::path::{Path, PathBuf};

use attentive_data::{Labels, UNWATCHED};
use attentive_model::Sizes;
use attentive_train::{AdamConfig, Config, Imported, OptimizerConfig, Parts, Predictor};
use serde_json::{Value, json};
use temp_dir::TempDir;

use super::hdf5::{Array, Group};
use super::hdf5_read::Tree;
use super::import::{KerasModel, order_of};
use super::zip::archive;
use super::zip_read::Archive;
use crate::error::ExportError;

fn fixture(name: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("tests/data/keras").join(name)
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn floats(list: &Value) -> Vec<f32> {
    list.as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect()
}

/// A model, the config that it makes, and what is trained, for a tokenizer with so many tokens and so many labels.
fn read(path: &Path, n_tokens: usize, n_labels: usize) -> Result<(KerasModel, Config, Imported), ExportError> {
    taken(KerasModel::open(path)?, n_tokens, n_labels)
}

fn taken(
    mut model: KerasModel,
    n_tokens: usize,
    n_labels: usize,
) -> Result<(KerasModel, Config, Imported), ExportError> {
    let mut config = Config::default();
    // Of weights alone, the config says what the model is.
    config.model.embedding.dim = 4;
    let attention = json!({ "dot": { "use_scale": true, "score_mode": "concat" } });
    config.model.attention = serde_json::from_value(attention).unwrap();
    model.configure(&mut config);
    let order: Vec<usize> = (0..n_labels).collect();
    let trained = model.trained(&config, &Sizes::of_labels(n_tokens, n_labels), &order)?;
    Ok((model, config, trained))
}

/// The weights and the state of Adam against what Keras says they are.
fn assert_same(trained: &Imported, expected: &Value) {
    for (weight, values) in trained.weights.iter().zip(expected["weights"].as_array().unwrap()) {
        assert_eq!(weight.values, floats(values)[..weight.values.len()], "{}", weight.name);
    }
    let optimizer = expected["optimizer"].as_array().unwrap();
    let state = trained.optimizer.as_ref().unwrap();
    assert_eq!(state.updates as f64, optimizer[0][0].as_f64().unwrap());
    let moments = trained.weights.iter().flat_map(|weight| ["momentum", "velocity"].map(|moment| (weight, moment)));
    for ((weight, moment), values) in moments.zip(&optimizer[2..]) {
        let name = format!("{}.{moment}", weight.name);
        assert_eq!(state.moments[&name], floats(values)[..weight.values.len()], "{name}");
    }
}

#[test]
fn the_reference_model_comes_with_its_adam() {
    let (model, config, trained) = read(&fixture("reference.keras"), 12, 2).unwrap();
    let expected = &expected()["reference"];
    let names: Vec<&str> = trained.weights.iter().map(|weight| weight.name.as_str()).collect();
    assert_eq!(names, ["embedding.weight", "attention.scale", "attention.concat_weight", "head.weight", "head.bias"]);
    assert_same(&trained, expected);
    assert_eq!(trained.optimizer.unwrap().updates, 6);
    let model_config = serde_json::to_value(&config.model).unwrap();
    assert_eq!(model_config["attention"]["dot"], json!({ "use_scale": true, "score_mode": "concat", "dropout": 0.25 }));
    assert_eq!((&model_config["masking"], &model_config["max_length"]), (&json!(true), &json!(5)));
    let adam = AdamConfig { learning_rate: 0.01, beta_2: 0.99, ..AdamConfig::default() };
    assert_eq!(config.train.optimizer, OptimizerConfig::Adam(adam));
    // One rate is for both places here, and it drops at one alone.
    assert_eq!(config.model.dropout, 0.0);
    assert!(model.left_out()[0].contains("`dropout`: dropout of 0.5"), "{:?}", model.left_out());
    assert!(!model.has_tokenizer());
    assert_eq!(model.told().len(), 1);
}

#[test]
fn weights_alone_are_those_of_the_model() {
    let expected = &expected()["reference"];
    let mut model = KerasModel::open(&fixture("reference.weights.h5")).unwrap();
    let mut config = Config::default();
    config.model.embedding.dim = 4;
    let sizes = Sizes::of_labels(12, 2);
    let refused = model.trained(&config, &sizes, &[0, 1]).unwrap_err().to_string();
    assert!(refused.contains("it has 5 weights, and the model of the config has 3"), "{refused}");
    let attention = json!({ "dot": { "use_scale": true, "score_mode": "concat" } });
    config.model.attention = serde_json::from_value(attention).unwrap();
    assert_same(&model.trained(&config, &sizes, &[0, 1]).unwrap(), expected);
    // Rows without a token are left out, tokens without a row refused.
    let fewer = model.trained(&config, &Sizes::of_labels(9, 2), &[0, 1]).unwrap();
    assert_same(&fewer, expected);
    assert!(fewer.unused.iter().any(|part| part.contains("the last 3 of 12 rows")), "{:?}", fewer.unused);
    let refused = model.trained(&config, &Sizes::of_labels(13, 2), &[0, 1]).unwrap_err();
    assert!(matches!(refused, ExportError::FewRows { rows: 12, tokens: 13, .. }), "{refused}");
}

#[test]
fn a_model_of_texts_says_what_keras_says() {
    let expected = &expected()["text"];
    let mut model = KerasModel::open(&fixture("text.keras")).unwrap();
    let encoder = model.take_tokenizer().unwrap();
    let vocabulary = expected["vocabulary"].as_array().unwrap();
    for (id, token) in (0..).zip(vocabulary) {
        assert_eq!(encoder.token(id).as_deref(), token.as_str());
    }
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    let mut config = Config::default();
    model.configure(&mut config);
    assert_eq!((config.model.max_length, config.model.masking), (4, false));
    let encoded = encoder.encode(&texts.iter().collect(), 4, UNWATCHED).unwrap();
    for (i, ids) in expected["ids"].as_array().unwrap().iter().enumerate() {
        let mut own = encoded.ids(i).to_vec();
        own.resize(4, 0);
        assert_eq!(json!(own), *ids, "{}", texts[i]);
    }
    let labels = Labels::from_names(["a", "b", "c"]);
    let sizes = Sizes::of_labels(encoder.vocab_size(), 3);
    let trained = model.trained(&config, &sizes, &[0, 1, 2]).unwrap();
    assert_same(&trained, expected);
    let device = attentive_backend::open("flex").unwrap().device;
    let Imported { weights, .. } = trained;
    let parts = Parts { config, labels, encoder, weights, ngrams: None, thresholds: Vec::new(), step: 0 };
    let predictor = Predictor::new(parts, &device).unwrap();
    let found = predictor.predict(&texts, None).unwrap();
    for (prediction, row) in found.iter().zip(expected["probabilities"].as_array().unwrap()) {
        for (own, keras) in prediction.probabilities.iter().zip(floats(row)) {
            assert!((own - keras).abs() < 1e-6, "{own} is not {keras}");
        }
    }
}

#[test]
fn classes_in_another_order_change_places() {
    let labels = Labels::from_names(["a", "b", "c"]);
    let classes = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(order_of(&labels, &classes(&["c", "a", "b"])).unwrap(), [1, 2, 0]);
    for wrong in [&["a", "b"][..], &["a", "b", "d"], &["a", "b", "c", "c"]] {
        assert!(matches!(order_of(&labels, &classes(wrong)), Err(ExportError::Classes { .. })));
    }
    let trained = |name: &str, n_tokens, n_labels, order: &[usize]| {
        let mut model = KerasModel::open(&fixture(name)).unwrap();
        let mut config = Config::default();
        model.configure(&mut config);
        model.trained(&config, &Sizes::of_labels(n_tokens, n_labels), order).unwrap()
    };
    let (plain, turned) = (trained("text.keras", 13, 3, &[0, 1, 2]), trained("text.keras", 13, 3, &[1, 2, 0]));
    let bias = |trained: &Imported| trained.weights.last().unwrap().values.clone();
    assert_eq!(bias(&turned), [bias(&plain)[1], bias(&plain)[2], bias(&plain)[0]]);
    let (plain, turned) = (trained("reference.keras", 12, 2, &[0, 1]), trained("reference.keras", 12, 2, &[1, 0]));
    assert_eq!(bias(&turned), [-bias(&plain)[0]]);
    let moment = |trained: &Imported, name: &str| trained.optimizer.as_ref().unwrap().moments[name][0];
    assert_eq!(moment(&turned, "head.bias.momentum"), -moment(&plain, "head.bias.momentum"));
    assert_eq!(moment(&turned, "head.bias.velocity"), moment(&plain, "head.bias.velocity"));
}

#[test]
fn what_keras_does_not_write_is_refused_by_name() {
    for entry in fs::read_dir(fixture("foreign")).unwrap() {
        let path = entry.unwrap().path();
        let word = path.file_stem().unwrap().to_str().unwrap().replace('-', " ");
        let told = match KerasModel::open(&path) {
            Err(error) => error.to_string(),
            // Only when the numbers are asked for does it matter what they are.
            Ok(_) => read(&path, 2, 2).unwrap_err().to_string(),
        };
        let at = told.split_once("cannot be imported: ").unwrap_or_else(|| panic!("{word}: {told}")).1;
        assert!(at.contains(&word) || (word == "newer kind" && at.contains("newer")), "{word}: {told}");
    }
}

/// What is read of a file, or why not.
fn outcome(bytes: Vec<u8>, n_tokens: usize, n_labels: usize) -> Result<String, String> {
    let model = KerasModel::of(Path::new("damaged"), bytes);
    let (model, config, trained) =
        model.and_then(|model| taken(model, n_tokens, n_labels)).map_err(|error| error.to_string())?;
    Ok(format!("{:?} {config:?} {:?} {:?}", model.told(), trained.weights, trained.optimizer))
}

#[test]
fn every_truncation_is_noticed_and_no_flipped_bit_is_believed() {
    for (name, n_tokens, n_labels) in
        [("reference.keras", 12, 2), ("text.keras", 13, 3), ("reference.weights.h5", 12, 2)]
    {
        let bytes = fs::read(fixture(name)).unwrap();
        let whole = outcome(bytes.clone(), n_tokens, n_labels);
        assert!(whole.is_ok());
        for length in 0..bytes.len() {
            // An archive has its directory at the end, and HDF5 says at its beginning how long it is.
            let is_refused = match name.ends_with("h5") {
                true => Tree::read(&bytes[..length]).is_err(),
                false => Archive::read(&bytes[..length]).is_err(),
            };
            assert!(is_refused, "{name}, {length}");
        }
        for i in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[i] ^= 1 << (i % 8);
            let found = outcome(flipped, n_tokens, n_labels);
            // Weights alone have no checksum: there it is enough that nothing breaks.
            let is_noticed = found.is_err() || found == whole || name.ends_with("h5");
            assert!(is_noticed, "{name}: bit {} of byte {i} changes what is read", i % 8);
        }
    }
}

#[test]
fn no_number_in_a_file_is_trusted() {
    let bytes = fs::read(fixture("reference.weights.h5")).unwrap();
    let length = bytes.len() as u64;
    for at in (0..bytes.len() - 8).step_by(4) {
        for value in [0, 1, length - 1, length, 1 << 31, 1 << 63, u64::MAX - 7, u64::MAX] {
            let mut changed = bytes.clone();
            changed[at..at + 8].copy_from_slice(&value.to_le_bytes());
            let _ = Tree::read(&changed).map(|tree| tree.paths().len());
        }
    }
}

/// A file of two groups and two arrays.
fn small() -> Vec<u8> {
    let mut root = Group::default();
    root.put("layers/embedding/vars/0", Array::floats(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    root.put("optimizer/vars/0", Array::int(7));
    root.to_bytes()
}

/// Writes a number over all bytes at the first place of a mark, so many bytes behind it.
fn patched(mark: &[u8], behind: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = small();
    let at = bytes.windows(mark.len()).position(|window| window == mark).unwrap() + behind;
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn addresses_and_counts_are_doubted() {
    let whole = small();
    let tree = Tree::read(&whole).unwrap();
    assert_eq!(tree.paths(), ["layers/embedding/vars/0", "optimizer/vars/0"]);
    assert_eq!(tree.array("optimizer/vars/0").unwrap().count(), Ok(7));
    assert_eq!(tree.array("layers/embedding/vars/0").unwrap().floats().unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let root = whole[64..72].to_vec();
    let node = whole.windows(4).position(|window| window == b"TREE").unwrap() as u64;
    let huge = u64::MAX.to_le_bytes();
    for (bytes, told) in [
        // The first member of the first group is the root.
        (patched(b"SNOD", 16, &root), "nest more than"),
        // A node that is its own child.
        (
            {
                let mut bytes = patched(b"TREE", 5, &[1]);
                bytes[node as usize + 32..node as usize + 40].copy_from_slice(&node.to_le_bytes());
                bytes
            },
            "does not lead downwards",
        ),
        (patched(b"SNOD", 6, &[0xFF, 0xFF]), "beyond its end"),
        (patched(b"TREE", 6, &[0xFF, 0xFF]), "beyond its end"),
        (patched(b"HEAP", 8, &huge), "beyond its end"),
        (patched(b"HEAP", 24, &huge), "beyond its end"),
        (patched(b"SNOD", 8, &huge), "a name lies beyond"),
        (patched(b"SNOD", 24, &2u32.to_le_bytes()), "a link by name"),
        // The first axis of the array: 2 to 2^62, so that its size is beyond any.
        (patched(&[1, 2, 0, 0, 0, 0, 0, 0, 2], 8, &(1u64 << 62).to_le_bytes()), "beyond any size"),
        (patched(&[1, 2, 0, 0, 0, 0, 0, 0, 2], 8, &(1u64 << 40).to_le_bytes()), "bytes are stored"),
        (patched(&[1, 2, 0, 0, 0, 0, 0, 0, 2], 1, &[255]), "it has 255 axes"),
    ] {
        let error = Tree::read(&bytes).unwrap_err();
        assert!(error.contains(told) || told == "bytes are stored" && error.contains("are stored"), "{told}: {error}");
    }
    let mut cut = whole.clone();
    cut.pop();
    assert!(Tree::read(&cut).unwrap_err().contains("cut off"));
}

/// Members that all lead to the same group, level by level: without a limit, the file would be walked 4¹⁰ times.
#[test]
fn a_file_is_not_walked_more_often_than_it_is_large() {
    let mut root = Group::default();
    for level in 0..10 {
        for member in 0..4 {
            root.put(&format!("{}m{member}/x", "m0/".repeat(level)), Array::int(1));
        }
    }
    let mut bytes = root.to_bytes();
    // The groups are written from the innermost: each node's members get the header of its first.
    let nodes: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"SNOD")).collect();
    for node in nodes {
        let n = usize::from(u16::from_le_bytes([bytes[node + 6], bytes[node + 7]]));
        let first = bytes[node + 16..node + 24].to_vec();
        for member in 1..n.min(4) {
            bytes[node + 8 + 40 * member + 8..][..8].copy_from_slice(&first);
        }
    }
    let error = Tree::read(&bytes).unwrap_err();
    assert!(error.contains("leads to more objects"), "{error}");
}

#[test]
fn archives_that_lead_elsewhere_are_refused() {
    let made = |name: &str| archive(&[("a", b"content"), (name, b"more")]).unwrap();
    for name in ["../a", "b/../../a", "/a", "C:a", "b\\a", "", "b\0"] {
        assert!(Archive::read(&made(name)).unwrap_err().contains("leads out of the archive"), "{name}");
    }
    assert!(Archive::read(&made("a")).unwrap_err().contains("twice"));
    let whole = made("b");
    assert_eq!(Archive::read(&whole).unwrap().get("b").unwrap(), Some(&b"more"[..]));
    let entry = whole.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    let with = |offset: usize, value: &[u8]| {
        let mut bytes = whole.clone();
        bytes[entry + offset..entry + offset + value.len()].copy_from_slice(value);
        bytes
    };
    for (bytes, told) in [
        (with(10, &[8, 0]), "compressed"),
        (with(8, &[1, 0]), "encrypted"),
        (with(24, &[0xFF; 4]), "compressed"),
        // As large packed as unpacked, and larger than the archive.
        (with(20, &[0xF0, 0xFF, 0xFF, 0xFF, 0xF0, 0xFF, 0xFF, 0xFF]), "does not hold"),
        (with(42, &[0xFF; 4]), "damaged"),
        (with(28, &[0xFF, 0xFF]), "damaged"),
    ] {
        let error = Archive::read(&bytes).unwrap_err();
        assert!(error.contains(told), "{told}: {error}");
    }
    let mut flipped = whole;
    flipped[31] ^= 1;
    assert!(Archive::read(&flipped).unwrap().get("a").unwrap_err().contains("checksum"));
}

/// The fixture with another `config.json`, and what is said of it.
fn told_of(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let bytes = fs::read(fixture(name)).unwrap();
    let members = Archive::read(&bytes).unwrap();
    let mut config: Value = serde_json::from_slice(members.get("config.json").unwrap().unwrap()).unwrap();
    change(&mut config);
    let config = config.to_string();
    let names: Vec<&str> = members.names().collect();
    let content =
        |name: &str| if name == "config.json" { config.as_bytes() } else { members.get(name).unwrap().unwrap() };
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, content(name))).collect();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("changed.keras");
    fs::write(&path, archive(&files).unwrap()).unwrap();
    KerasModel::open(&path).map_or_else(|error| error.to_string(), |model| model.told().join("; "))
}

/// The layer of a class in a fixture's config.
fn layer<'a>(config: &'a mut Value, class: &str) -> &'a mut Value {
    let layers = config["config"]["layers"].as_array_mut().unwrap();
    layers.iter_mut().find(|layer| layer["class_name"] == class).unwrap()
}

#[test]
fn code_and_parts_without_an_equal_are_refused() {
    let reference = |class: &'static str, key: &'static str, value: Value| {
        told_of("reference.keras", |config| layer(config, class)[key] = value)
    };
    let option = |name: &str, class: &'static str, key: &'static str, value: Value| {
        told_of(name, |config| layer(config, class)["config"][key] = value)
    };
    for (found, told) in [
        (reference("Dropout", "class_name", json!("Lambda")), "no code that comes with a model is run"),
        (reference("Dropout", "registered_name", json!("mine>Dropout")), "a class of its own (`mine>Dropout`)"),
        (reference("Dropout", "module", json!("os")), "a class of its own (`os`)"),
        (reference("Dropout", "class_name", json!("LSTM")), "`LSTM` layer `dropout`, where a `Dense` layer would be"),
        (
            told_of("reference.keras", |config| layer(config, "NotEqual")["inbound_nodes"][0]["args"][1] = json!(1)),
            "the operation `NotEqual`",
        ),
        (told_of("reference.keras", |config| config["registered_name"] = json!("mine>Model")), "the model itself"),
        (
            told_of("reference.keras", |config| {
                config["class_name"] = json!("Mine");
                config["registered_name"] = Value::Null;
            }),
            "a model of the class `Mine`",
        ),
        (told_of("reference.keras", |config| config["config"]["layers"] = json!(7)), "it has no list of layers"),
        (
            told_of("reference.keras", |config| {
                layer(config, "Attention")["inbound_nodes"][0]["kwargs"] = json!({ "use_causal_mask": true });
            }),
            "called with `{\"use_causal_mask\":true}`",
        ),
        (
            told_of("reference.keras", |config| {
                let node = &mut layer(config, "Dense")["inbound_nodes"][0]["args"][0]["config"];
                node["keras_history"][0] = json!("attention");
            }),
            "where the layers branch or meet",
        ),
        (option("reference.keras", "Dense", "activation", json!("tanh")), "with `activation=\"tanh\"`"),
        (option("reference.keras", "Dense", "use_bias", json!(false)), "no bias"),
        (option("reference.keras", "Embedding", "input_dim", json!(-3)), "its `input_dim` is no size"),
        (option("reference.keras", "Embedding", "trainable", json!(false)), "not trainable"),
        (option("reference.keras", "Embedding", "quantization_config", json!({})), "`quantization_config`"),
        (option("text.keras", "TextVectorization", "standardize", json!({ "class_name": "f" })), "a Python function"),
        (option("text.keras", "TextVectorization", "split", json!("character")), "`split=\"character\"`"),
        (option("text.keras", "TextVectorization", "ngrams", json!([2])), "`ngrams=[2]`"),
        (option("text.keras", "TextVectorization", "vocabulary", json!("/etc/passwd")), "`vocabulary=\"/etc/passwd\"`"),
        (option("text.keras", "TextVectorization", "vocabulary_size", json!(3)), "`vocabulary_size` is 3"),
    ] {
        assert!(found.contains(told), "{told}: {found}");
    }
    let nested = told_of("reference.keras", |config| {
        for _ in 0..200 {
            *config = json!([config]);
        }
    });
    assert!(nested.contains("config.json"), "{nested}");
}
