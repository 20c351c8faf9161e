//! The names and shapes of the weights that a config describes, without building the model: what a file of weights can be
//! held against before anything is allocated for it.

use crate::classifier::Sizes;
use crate::config::{AttentionConfig, ModelConfig, Norm, Pooling, Positions, ScoreMode};

/// Names with shapes, collected below a prefix.
struct Shapes(Vec<(String, Vec<usize>)>);

impl Shapes {
    fn add(&mut self, name: impl Into<String>, shape: &[usize]) {
        self.0.push((name.into(), shape.to_vec()));
    }

    fn linear(&mut self, name: &str, d_input: usize, d_output: usize) {
        self.add(format!("{name}.weight"), &[d_input, d_output]);
        self.add(format!("{name}.bias"), &[d_output]);
    }

    fn norm(&mut self, name: &str, dim: usize) {
        self.add(format!("{name}.gamma"), &[dim]);
        self.add(format!("{name}.beta"), &[dim]);
    }

    fn multi_head(&mut self, name: &str, dim: usize) {
        for part in ["query", "key", "value", "output"] {
            self.linear(&format!("{name}.{part}"), dim, dim);
        }
    }
}

impl ModelConfig {
    /// The name and shape of every weight of the model that [`ModelConfig::init`] builds for these sizes.
    pub fn weight_shapes(&self, sizes: &Sizes) -> Vec<(String, Vec<usize>)> {
        let dim = self.embedding.dim;
        let mut shapes = Shapes(Vec::new());
        shapes.add("embedding.weight", &[sizes.vocab_size, dim]);
        if self.positions == Positions::Learned {
            shapes.add("positions.weight", &[self.max_length, dim]);
        }
        self.attention_shapes(&mut shapes);
        if self.pooling == Pooling::Attention {
            shapes.add("pooling.query", &[self.attended_dim()]);
        }
        if let Some(buckets) = sizes.buckets {
            shapes.add("ngrams.weight", &[buckets, dim]);
        }
        shapes.linear("head", self.text_dim(sizes.buckets.is_some()), sizes.head.outputs(sizes.n_labels));
        shapes.0
    }

    fn attention_shapes(&self, shapes: &mut Shapes) {
        let dim = self.embedding.dim;
        match &self.attention {
            AttentionConfig::None(_) => {}
            AttentionConfig::Dot(dot) => {
                if dot.use_scale {
                    shapes.add("attention.scale", &[1]);
                }
                if dot.score_mode == ScoreMode::Concat {
                    shapes.add("attention.concat_weight", &[1]);
                }
            }
            AttentionConfig::ScaledDot(scaled) => {
                for part in ["query", "key", "value"] {
                    shapes.linear(&format!("attention.{part}"), dim, scaled.dim.unwrap_or(dim));
                }
            }
            AttentionConfig::Additive(additive) => {
                let inner = additive.dim.unwrap_or(dim);
                shapes.linear("attention.query", dim, inner);
                shapes.linear("attention.key", dim, inner);
                shapes.add("attention.additive_weight", &[inner]);
            }
            AttentionConfig::MultiHead(_) => shapes.multi_head("attention", dim),
            AttentionConfig::Transformer(transformer) => {
                for layer in 0..transformer.n_layers {
                    let layer = format!("attention.layers.{layer}");
                    shapes.norm(&format!("{layer}.attention_norm"), dim);
                    shapes.multi_head(&format!("{layer}.attention"), dim);
                    shapes.norm(&format!("{layer}.feed_forward_norm"), dim);
                    shapes.linear(&format!("{layer}.inner"), dim, transformer.d_feed_forward);
                    shapes.linear(&format!("{layer}.outer"), transformer.d_feed_forward, dim);
                }
                if transformer.norm == Norm::Pre {
                    shapes.norm("attention.norm", dim);
                }
            }
            AttentionConfig::Bidirectional(bidirectional) => {
                shapes.linear("attention.compare", 4 * dim, bidirectional.d_compare.unwrap_or(dim));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        AdditiveConfig, BidirectionalConfig, DotConfig, EmbeddingConfig, MultiHeadConfig, NoneConfig, ScaledDotConfig,
        TransformerConfig,
    };
    use crate::init::Initializer;

    #[test]
    fn they_are_those_of_the_model() {
        let device = attentive_backend::Backend::Flex.open().unwrap().device;
        let dot = DotConfig { use_scale: true, score_mode: ScoreMode::Concat, dropout: 0.0 };
        let post = TransformerConfig { norm: Norm::Post, n_layers: 1, ..Default::default() };
        for attention in [
            AttentionConfig::None(NoneConfig {}),
            AttentionConfig::default(),
            AttentionConfig::Dot(dot),
            AttentionConfig::ScaledDot(ScaledDotConfig { dim: Some(6), dropout: 0.0 }),
            AttentionConfig::Additive(AdditiveConfig { dim: Some(6), dropout: 0.0 }),
            AttentionConfig::MultiHead(MultiHeadConfig::default()),
            AttentionConfig::Transformer(TransformerConfig::default()),
            AttentionConfig::Transformer(post),
            AttentionConfig::Bidirectional(BidirectionalConfig { d_compare: Some(6), dropout: 0.0 }),
        ] {
            for (positions, pooling, buckets, n_labels) in
                [(Positions::Learned, Pooling::Attention, Some(5), 2), (Positions::Sinusoidal, Pooling::Max, None, 3)]
            {
                let config = ModelConfig {
                    max_length: 9,
                    embedding: EmbeddingConfig { dim: 8, ..Default::default() },
                    positions,
                    pooling,
                    attention: attention.clone(),
                    ..Default::default()
                };
                let sizes = Sizes { buckets, ..Sizes::of_labels(7, n_labels) };
                let mut built = config.init(&sizes, &mut Initializer::new(0, &device)).weight_shapes();
                let mut described = config.weight_shapes(&sizes);
                built.sort();
                described.sort();
                assert_eq!(described, built);
            }
        }
    }
}
