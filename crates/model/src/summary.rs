//! A model layer by layer, as Keras' `model.summary()` shows it: output shapes and parameter counts.

use crate::classifier::{Classifier, Sizes};
use crate::config::{Head, ModelConfig, Padding, Pair, Pooling, WindowPool};
use crate::outline::LayerOutline;

/// One layer of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// The layer's name; the names of its weights begin with it.
    pub name: String,
    /// What kind of layer it is, with its options.
    pub kind: String,
    /// The shape of its output; `None` where a size depends on the batch.
    pub output: Vec<Option<usize>>,
    /// How many numbers it trains.
    pub parameters: usize,
}

/// A model layer by layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// From the input to the head.
    pub layers: Vec<LayerSummary>,
    /// The sum over the layers.
    pub parameters: usize,
}

impl Classifier {
    /// What the model is made of; `config` and `sizes` are those it was built from.
    pub fn summary(&self, config: &ModelConfig, sizes: &Sizes) -> Summary {
        let shapes = self.weight_shapes();
        let count = |prefix: &str| -> usize {
            shapes
                .iter()
                .filter(|(name, _)| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
                .map(|(_, shape)| shape.iter().product::<usize>())
                .sum()
        };
        let length = (config.padding == Padding::MaxLength).then(|| config.longest_row());
        let width = config.encoder().options().width();
        let mut layers = Vec::new();
        let mut layer = |name: &str, kind: String, output: Vec<Option<usize>>| {
            layers.push(LayerSummary { name: name.to_string(), kind, output, parameters: count(name) });
        };

        for LayerOutline { name, kind, width } in config.encoder().options().layers() {
            layer(&name, kind, vec![None, length, Some(width)]);
        }
        let pooling = match config.pooling {
            Pooling::Mean => "Mean pooling",
            Pooling::Max => "Max pooling",
            Pooling::First => "First token",
            Pooling::Attention => "Attention pooling",
        };
        let of_texts = config.vectors_of_texts() * width;
        if config.pair == Some(Pair::Compare) {
            layer("pooling", pooling.to_string(), vec![None, Some(2 * width)]);
            layer("pair", "Both texts, |u − v| and u∘v".to_string(), vec![None, Some(of_texts)]);
        } else {
            layer("pooling", pooling.to_string(), vec![None, Some(of_texts)]);
        }
        if sizes.buckets.is_some() {
            layer("ngrams", "Mean of n-gram vectors, beside it".to_string(), vec![None, Some(config.embedding.dim)]);
        }
        let head = match sizes.head {
            Head::Sigmoid => "Sigmoid head",
            Head::Softmax => "Softmax head",
            Head::MultiLabel => "Sigmoid head, one for each label",
        };
        layer("head", head.to_string(), vec![None, Some(self.outputs())]);
        if let Some(windows) = &config.windows {
            let pool = match windows.pool {
                WindowPool::Mean => "Mean",
                WindowPool::Max => "Largest",
            };
            layer("windows", format!("{pool} of a text's windows"), vec![None, Some(self.outputs())]);
        }

        let parameters = layers.iter().map(|layer| layer.parameters).sum();
        Summary { layers, parameters }
    }
}
