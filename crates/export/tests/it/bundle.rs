//! Bundles at a size at which every byte can be tried.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use attentive_bundle::{About, Bundle, BundleError, ExportModel, write_bundle};
use attentive_data::Examples;
use attentive_export::{ExportError, prune};
use attentive_train::{Precision, Predictor};

use crate::classifiers::{account, classifier, device, own};

fn write(predictor: &Predictor, precision: Precision, output: &Path) {
    let about = About::of_run(predictor, &account(), None).unwrap();
    let model = ExportModel::new(predictor, precision, &device()).unwrap();
    let verified = write_bundle(&model, about, None, &own(predictor), output, &device()).unwrap();
    assert!(verified.n >= 64 && verified.largest == 0.0, "{verified:?}");
}

#[test]
fn every_flip_and_every_cut_of_every_file_is_noticed() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("bundle");
    write(&classifier("[model]\nembedding = { dim = 2 }", 2), Precision::Int8, &path);
    let mut tried = 0;
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        let whole = fs::read(&file).unwrap();
        let mut damaged = || {
            let error = Bundle::open(&path).unwrap_err();
            assert!(
                matches!(&error, BundleError::Damaged { path, .. } if *path == file),
                "{}: {error}",
                file.display()
            );
            tried += 1;
        };
        // In place: a file system may wait for the disk when a file is replaced.
        let mut open = fs::File::options().write(true).open(&file).unwrap();
        let mut write = |at: usize, byte: u8| {
            open.seek(SeekFrom::Start(at as u64)).unwrap();
            open.write_all(&[byte]).unwrap();
        };
        for (i, byte) in whole.iter().enumerate() {
            write(i, byte ^ 1 << (i % 8));
            damaged();
            write(i, *byte);
        }
        write(whole.len(), 0);
        damaged();
        for length in (0..whole.len()).rev() {
            open.set_len(length as u64).unwrap();
            damaged();
        }
        fs::write(&file, whole).unwrap();
    }
    assert!(tried > 20_000, "{tried}");
    Bundle::open(&path).unwrap();
}

#[test]
fn every_kind_of_classifier_comes_back() {
    let folder = temp_dir::TempDir::new().unwrap();
    for (n, (config, n_labels)) in [
        ("[model]\nembedding = { dim = 4 }\nattention.multi_head = { n_heads = 2 }\npositions = \"rotary\"", 3),
        ("multi_label = true\n[features]\nword_ngrams = 2\nbuckets = 50\n[model]\nembedding = { dim = 4 }", 4),
        ("text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\nattention.bidirectional = {}", 2),
        ("text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\npair = \"compare\"", 3),
        ("text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\npair = \"join\"\npositions = \"learned\"", 2),
        ("[features.linear]\n[model]\nembedding = { dim = 4 }", 3),
        ("multi_label = true\n[features.linear]\nalone = true", 3),
        ("[tokenizer.char]\n[model]\nmax_length = 5\nwindows = { stride = 3 }\nembedding = { dim = 4 }\nhead = \"softmax\"", 2),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(n.to_string());
        let predictor = classifier(config, n_labels);
        write(&predictor, Precision::F32, &path);
        let bundle = Bundle::open(&path).unwrap();
        let again = bundle.predictor(&device()).unwrap();
        assert_eq!(again.weights().unwrap(), predictor.weights().unwrap());
        assert_eq!((again.labels(), again.config().model.clone()), (predictor.labels(), predictor.config().model.clone()));
        let texts = ["good film".to_string(), String::new()];
        let seconds = again.config().data.text.is_pair().then_some(&texts[..]);
        assert_eq!(again.predict(&texts, seconds).unwrap(), predictor.predict(&texts, seconds).unwrap());
    }
}

#[test]
fn every_weight_in_eight_bits_is_near_the_one_that_was_trained() {
    let folder = temp_dir::TempDir::new().unwrap();
    let predictor = classifier(
        "[features]\nword_ngrams = 2\nbuckets = 50\n[model]\nembedding = { dim = 4 }\nattention.transformer = { n_heads = 2 }\n\
         positions = \"learned\"\npooling = \"attention\"",
        3,
    );
    let path = folder.path().join("int8");
    write(&predictor, Precision::Int8, &path);
    let bundle = Bundle::open(&path).unwrap();
    let again = bundle.predictor(&device()).unwrap().weights().unwrap();
    let weights = predictor.weights().unwrap();
    assert_eq!(again.len(), weights.len());
    for (weight, again) in weights.iter().zip(&again) {
        assert_eq!((&weight.name, &weight.shape), (&again.name, &again.shape));
        let off = weight.values.iter().zip(&again.values).map(|(was, is)| (was - is).abs()).fold(0.0, f32::max);
        // Half of a step of 1 / 127 of the largest number that it has.
        let largest = weight.values.iter().map(|value| value.abs()).fold(0.0, f32::max);
        match weight.shape.len() {
            1 => assert_eq!(off, 0.0, "{}", weight.name),
            _ => assert!(off > 0.0 && off <= largest / 127.0 * 0.50002, "{}: {off} of {largest}", weight.name),
        }
    }
}

#[test]
fn a_pruned_classifier_says_the_same_of_the_texts_it_was_pruned_to() {
    for config in [
        "[model]\nembedding = { dim = 4 }\nattention.multi_head = { n_heads = 2 }",
        "[features]\nword_ngrams = 2\nbuckets = 50\n[model]\nmax_length = 3\nembedding = { dim = 4 }",
        "text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\nattention.bidirectional = {}",
        "text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\npair = \"join\"",
        "[tokenizer.char]\n[model]\nmasking = false\npadding = \"max_length\"\nembedding = { dim = 4 }",
    ] {
        let predictor = classifier(config, 3);
        let is_pair = predictor.config().data.text.is_pair();
        let texts = ["good film".to_string(), String::new(), "dull, zebra food and the rest".to_string()];
        let seconds = ["not a film".to_string(), "more".to_string(), String::new()];
        let mut examples = Examples::default();
        examples.texts = texts.iter().collect();
        examples.seconds = is_pair.then(|| seconds.iter().collect());
        let pruned = prune(&predictor, &[&examples], &device()).unwrap();
        assert!(pruned.kept < pruned.of && pruned.predictor.encoder().vocab_size() == pruned.kept, "{config}");
        assert_eq!(pruned.predictor.weights().unwrap()[0].shape, [pruned.kept, 4]);
        let predict = |predictor: &Predictor| -> Vec<(Vec<u32>, Vec<f32>)> {
            let predictions = predictor.predict(&texts, is_pair.then_some(&seconds[..])).unwrap();
            predictions.into_iter().map(|prediction| (prediction.ids, prediction.probabilities)).collect()
        };
        assert_eq!(predict(&pruned.predictor), predict(&predictor), "{config}");
    }
    let pieces = classifier("[tokenizer.bpe]\nvocab_size = 300\n[model]\nembedding = { dim = 4 }", 2);
    assert!(matches!(prune(&pieces, &[], &device()), Err(ExportError::Unprunable)));
}
