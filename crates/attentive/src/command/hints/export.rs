//! What a person can do about an export or import that failed, or a bundle that cannot be used.

use std::io;

use attentive_bundle::BundleError;
use attentive_export::ExportError;
use attentive_train::StagingError;

use super::train::of_train;

pub(crate) fn of_export(error: &ExportError) -> Option<String> {
    match error {
        ExportError::Train(error) => of_train(error),
        ExportError::Bundle(error) => of_bundle(error),
        ExportError::Output(error) => of_output(error),
        ExportError::Read { source, .. } => of_read(source),
        ExportError::TooLarge { .. } => Some(
            "export it with `--format safetensors` or `bundle`, or train it with a smaller `vocab_size`, \
             `features.buckets`, `embedding.dim` or `features.linear.max_features`"
                .to_string(),
        ),
        ExportError::Unsupported { .. } => Some(
            "choose `--format onnx`, `safetensors` or `bundle`; Keras takes `attention.none` and `attention.dot` without \
             positions, windows and all of `[features]`, with mean pooling, or with max pooling and `masking = false`"
                .to_string(),
        ),
        ExportError::Rerun { .. } => Some(
            "this is a fault of attentive: please report it with the config; the other formats do not depend on this one"
                .to_string(),
        ),
        ExportError::Unprunable => Some(
            "leave out `--prune-vocabulary`: the pieces of a subword tokenizer are made of each other; `--dtype int8` makes \
             a quarter of any table"
                .to_string(),
        ),
        ExportError::Unreadable { .. } => Some(
            "if the file is whole, load it with Keras 3 and save it again, by `model.save(\"model.keras\")`".to_string(),
        ),
        ExportError::NoEqual { .. } => Some(
            "what can be imported is `Embedding`, `Attention()([e, e])` or none, `GlobalAveragePooling1D` and one `Dense`, \
             with dropout and `TextVectorization` or without: docs/export.md has it all"
                .to_string(),
        ),
        ExportError::NoTokenizer { .. } => Some(
            "name its tokenizer by `--tokenizer`: a tokenizer.json, such as that of the run it was exported from, or a .txt \
             with one token a line, as `TextVectorization.get_vocabulary()` gives them"
                .to_string(),
        ),
        ExportError::TwoTokenizers { .. } => Some("leave `--tokenizer` out".to_string()),
        ExportError::NoData { .. } => Some(
            "name a config with its data by `--config`; `attentive init DATA` writes one for a file of labelled texts"
                .to_string(),
        ),
        ExportError::FewRows { .. } => Some("name the tokenizer that the model was trained with by `--tokenizer`".to_string()),
        ExportError::Outputs { is_softmax, outputs, .. } => Some(match (is_softmax, outputs) {
            (false, 2..) => "set `data.multi_label = true` if a text may have several labels".to_string(),
            _ => "one sigmoid is for two labels, a softmax for as many as it has units: name the data that the model was \
                  trained on"
                .to_string(),
        }),
        ExportError::Classes { .. } => {
            Some("name every label once with `--classes`, in the order of the numbers that its class has in Keras".to_string())
        }
        ExportError::Encode { reason, .. } => of_encoding(reason),
    }
}

pub(crate) fn of_bundle(error: &BundleError) -> Option<String> {
    match error {
        BundleError::Train(error) => of_train(error),
        BundleError::Output(error) => of_output(error),
        BundleError::Read { source, .. } => of_read(source),
        BundleError::Damaged { .. } => Some("get the bundle again, or export it anew from its run".to_string()),
        BundleError::Differs { .. } => Some(
            "try another backend with `--backend`; if all differ, the bundle needs the version of attentive that made it, \
             which its `MANIFEST.json` names"
                .to_string(),
        ),
        BundleError::Encode { reason, .. } => of_encoding(reason),
        _ => None,
    }
}
fn of_output(error: &StagingError) -> Option<String> {
    match error {
        StagingError::Exists { .. } => Some("remove it, or choose another place with `--output`".to_string()),
        StagingError::Place { .. } => {
            Some("name a new file or directory, in a directory that is there, with `--output`".to_string())
        }
        StagingError::Io { source, .. } => of_io(source),
    }
}

fn of_read(source: &io::Error) -> Option<String> {
    match source.kind() {
        io::ErrorKind::NotFound => {
            Some("look after the path, which is relative to the directory the command runs in".to_string())
        }
        _ => of_io(source),
    }
}

fn of_encoding(reason: &str) -> Option<String> {
    reason.ends_with("inf").then(|| "numbers of that kind do not reach so far: choose `--dtype bf16`".to_string())
}

/// What the user can do about what the system said of a file of an export; whatever was written of it is gone again.
fn of_io(source: &io::Error) -> Option<String> {
    use io::ErrorKind::{
        FileTooLarge, InvalidFilename, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
        StorageFull,
    };
    let hint = match source.kind() {
        StorageFull | QuotaExceeded => "free some space and run the command again",
        FileTooLarge => "raise the limit on the size of a file (`ulimit -f`) and run the command again",
        NotFound => "make the directory that it should be in first",
        NotADirectory => "a file stands where a directory should be",
        InvalidFilename => "choose a shorter name",
        PermissionDenied | ReadOnlyFilesystem => "choose a place that can be written to",
        _ => return None,
    };
    Some(hint.to_string())
}
