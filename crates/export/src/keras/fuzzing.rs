//! A door for the fuzz target of `fuzz/`, which is there only when it is built: files that Keras might have saved.

use std::path::Path;

use attentive_model::Sizes;
use attentive_train::Config;

use super::hdf5::{Array, Group};
use super::import::KerasModel;
use super::zip::archive;

/// What of a file the bytes are.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// All of it.
    File,
    /// The `config.json` in an archive with sound weights.
    Config,
    /// The vocabulary of a sound model of texts.
    Vocabulary,
}

/// The model of a sound `TextVectorization`.
const TEXTS: &str = r#"{"class_name":"Sequential","module":"keras","registered_name":"Sequential","config":{"layers":[
    {"class_name":"TextVectorization","module":"keras.layers","config":{"standardize":"lower_and_strip_punctuation",
    "split":"whitespace","output_mode":"int"}},{"class_name":"Embedding","module":"keras.layers","config":{"input_dim":12,
    "output_dim":4}},{"class_name":"GlobalAveragePooling1D","module":"keras.layers","config":{}},{"class_name":"Dense",
    "module":"keras.layers","config":{"units":1,"activation":"sigmoid"}}]}}"#;

/// Reads a model and takes from it what a run begins with: how many numbers its weights and moments have.
///
/// # Errors
/// Why it is refused.
pub fn keras(part: Part, bytes: &[u8]) -> Result<usize, String> {
    let metadata = ("metadata.json", &b"{\"keras_version\":\"3.15.1\"}"[..]);
    let weights = weights();
    let weights = ("model.weights.h5", weights.as_slice());
    let file = match part {
        Part::File => Ok(bytes.to_vec()),
        Part::Config => archive(&[metadata, ("config.json", bytes), weights]),
        Part::Vocabulary => {
            let vocabulary = ("assets/layers/text_vectorization/vocabulary.txt", bytes);
            archive(&[metadata, ("config.json", TEXTS.as_bytes()), weights, vocabulary])
        }
    };
    let told = |error: crate::ExportError| error.to_string();
    let mut model = KerasModel::of(Path::new("fuzzed"), file.map_err(told)?).map_err(told)?;
    let mut config = Config::default();
    config.model.embedding.dim = 4;
    model.configure(&mut config);
    let n_tokens = model.take_tokenizer().map_or(12, |encoder| encoder.vocab_size());
    let trained = model.trained(&config, &Sizes::of_labels(n_tokens, 2), &[1, 0]).map_err(told)?;
    let moments = trained.optimizer.map_or(0, |state| state.moments.values().map(Vec::len).sum());
    let numbers = trained.weights.iter().map(|weight| {
        assert_eq!(weight.values.len(), weight.shape.iter().product::<usize>());
        weight.values.len()
    });
    Ok(numbers.sum::<usize>() + moments)
}

/// A file of the weights of the reference model.
fn weights() -> Vec<u8> {
    let mut file = Group::default();
    for (path, shape) in
        [("layers/embedding/vars/0", &[12, 4][..]), ("layers/dense/vars/0", &[4, 1]), ("layers/dense/vars/1", &[1])]
    {
        file.put(path, Array::floats(shape, &vec![0.5; shape.iter().product()]));
    }
    file.to_bytes()
}
