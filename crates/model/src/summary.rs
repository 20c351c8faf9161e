//! A model layer by layer, as Keras' `model.summary()` shows it: output shapes and parameter counts.

use crate::classifier::Classifier;
use crate::config::{AttentionConfig, ModelConfig, Padding, Positions};

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
    /// What the model is made of; `config` is the one it was built from.
    pub fn summary(&self, config: &ModelConfig) -> Summary {
        let shapes = self.weight_shapes();
        let count = |prefix: &str| -> usize {
            shapes
                .iter()
                .filter(|(name, _)| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
                .map(|(_, shape)| shape.iter().product::<usize>())
                .sum()
        };
        let dim = config.embedding.dim;
        let length = (config.padding == Padding::MaxLength).then_some(config.max_length);
        let tokens = |width: usize| vec![None, length, Some(width)];
        let mut layers = Vec::new();
        let mut layer = |name: &str, kind: String, output: Vec<Option<usize>>| {
            layers.push(LayerSummary { name: name.to_string(), kind, output, parameters: count(name) });
        };

        layer("embedding", "Embedding".to_string(), tokens(dim));
        match config.positions {
            Positions::None => {}
            Positions::Learned => layer("positions", "Learned positions".to_string(), tokens(dim)),
            Positions::Sinusoidal => layer("positions", "Sinusoidal positions".to_string(), tokens(dim)),
        }
        match &config.attention {
            AttentionConfig::None(_) => {}
            AttentionConfig::Dot(_) => layer("attention", "Dot-product attention".to_string(), tokens(dim)),
            AttentionConfig::ScaledDot(_) => {
                layer("attention", "Scaled dot-product attention".to_string(), tokens(config.pooled_dim()));
            }
            AttentionConfig::Transformer(transformer) => {
                for block in 0..transformer.n_layers {
                    layer(
                        &format!("attention.layers.{block}"),
                        format!("Encoder block ({} heads)", transformer.n_heads),
                        tokens(dim),
                    );
                }
                layer("attention.norm", "Layer norm".to_string(), tokens(dim));
            }
        }
        layer("pooling", "Mean pooling".to_string(), vec![None, Some(config.pooled_dim())]);
        let outputs = match self.n_labels() {
            2 => ("Sigmoid head", 1),
            n => ("Softmax head", n),
        };
        layer("head", outputs.0.to_string(), vec![None, Some(outputs.1)]);

        let parameters = layers.iter().map(|layer| layer.parameters).sum();
        Summary { layers, parameters }
    }
}
