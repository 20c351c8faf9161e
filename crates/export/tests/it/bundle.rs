//! Bundles at a size at which every byte can be tried.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use attentive_backend::Backend;
use attentive_export::{Bundle, ExportError, write_bundle};
use attentive_train::Predictor;

use crate::classifiers::{account, classifier, device, own};

fn write(predictor: &Predictor, output: &Path) {
    let verified =
        write_bundle(predictor, &account(), None, &own(predictor), output, &Backend::names(), &device()).unwrap();
    assert!(verified.n >= 64 && verified.largest == 0.0, "{verified:?}");
}

#[test]
fn every_flip_and_every_cut_of_every_file_is_noticed() {
    let folder = temp_dir::TempDir::new().unwrap();
    let path = folder.path().join("bundle");
    write(&classifier("[model]\nembedding = { dim = 2 }", 2), &path);
    let mut tried = 0;
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        let whole = fs::read(&file).unwrap();
        let mut damaged = || {
            let error = Bundle::open(&path, &Backend::names()).unwrap_err();
            assert!(
                matches!(&error, ExportError::Damaged { path, .. } if *path == file),
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
    Bundle::open(&path, &Backend::names()).unwrap();
}

#[test]
fn every_kind_of_classifier_comes_back() {
    let folder = temp_dir::TempDir::new().unwrap();
    for (n, (config, n_labels)) in [
        ("[model]\nembedding = { dim = 4 }\nattention.multi_head = { n_heads = 2 }\npositions = \"rotary\"", 3),
        ("multi_label = true\n[features]\nword_ngrams = 2\nbuckets = 50\n[model]\nembedding = { dim = 4 }", 4),
        ("text = [\"a\", \"b\"]\n[model]\nembedding = { dim = 4 }\nattention.bidirectional = {}", 2),
        ("[tokenizer.char]\n[model]\nmax_length = 5\nwindows = { stride = 3 }\nembedding = { dim = 4 }\nhead = \"softmax\"", 2),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(n.to_string());
        let predictor = classifier(config, n_labels);
        write(&predictor, &path);
        let bundle = Bundle::open(&path, &Backend::names()).unwrap();
        let again = bundle.predictor(&device()).unwrap();
        assert_eq!(again.model().weights().unwrap(), predictor.model().weights().unwrap());
        assert_eq!((again.labels(), again.config().model.clone()), (predictor.labels(), predictor.config().model.clone()));
    }
}
