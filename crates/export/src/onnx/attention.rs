//! The attention mechanisms as nodes of a graph, one function each, named as in `attentive_model`.

use std::f32::consts::FRAC_1_SQRT_2;

use attentive_model::{
    Activation, AttentionConfig, DotConfig, EmbeddingEncoderConfig, Norm, Positions, ScoreMode, TransformerConfig,
    rotations,
};

use super::layers::{Builder, TextNodes};

/// Whether queries and keys are turned, for texts of at most so many tokens.
#[derive(Debug, Clone, Copy)]
struct Rotary {
    is_on: bool,
    longest_row: usize,
}

/// Applies a mechanism to each text.
fn each(texts: &[TextNodes], mut attend: impl FnMut(&TextNodes) -> String) -> Vec<TextNodes> {
    texts.iter().map(|text| TextNodes { tokens: attend(text), mask: text.mask.clone() }).collect()
}

impl Builder<'_> {
    /// What the mechanism makes of one text, or of two that form a pair.
    pub(super) fn attended(&mut self, config: EmbeddingEncoderConfig, texts: &[TextNodes]) -> Vec<TextNodes> {
        let dim = config.table.dim;
        let rotary = Rotary { is_on: config.positions == Positions::Rotary, longest_row: config.longest_row };
        match config.attention {
            AttentionConfig::None(_) => texts.to_vec(),
            AttentionConfig::Dot(dot) => each(texts, |text| self.dot(dot, text)),
            AttentionConfig::ScaledDot(scaled) => {
                each(texts, |text| self.scaled_dot(scaled.dim.unwrap_or(dim), rotary, text))
            }
            AttentionConfig::Additive(additive) => each(texts, |text| self.additive(additive.dim.unwrap_or(dim), text)),
            AttentionConfig::MultiHead(multi) => {
                each(texts, |text| self.multi_head("attention", dim, multi.n_heads, rotary, text))
            }
            AttentionConfig::Transformer(transformer) => {
                each(texts, |text| self.transformer(transformer, dim, rotary, text))
            }
            AttentionConfig::Bidirectional(_) => self.bidirectional(texts, dim),
        }
    }

    fn dot(&mut self, config: &DotConfig, text: &TextNodes) -> String {
        let x = &text.tokens;
        let scale = config.use_scale.then(|| self.weight("attention.scale"));
        let scaled = |builder: &mut Self, x: String| match &scale {
            Some(scale) => builder.node("Mul", &[&x, scale]),
            None => x,
        };
        let scores = match config.score_mode {
            ScoreMode::Dot => {
                let keys = self.transposed(x, &[0, 2, 1]);
                let scores = self.node("MatMul", &[x, &keys]);
                scaled(self, scores)
            }
            ScoreMode::Concat => {
                let (queries, keys) = (self.unsqueezed(x, &[2]), self.unsqueezed(x, &[1]));
                let sums = self.node("Add", &[&queries, &keys]);
                let sums = scaled(self, sums);
                let bent = self.node("Tanh", &[&sums]);
                let (sum, weight) = (self.sum(&bent, 3, false), self.weight("attention.concat_weight"));
                self.node("Mul", &[&sum, &weight])
            }
        };
        let weights = self.softmax(&scores, text.mask.as_deref(), &[1]);
        self.node("MatMul", &[&weights, x])
    }

    fn scaled_dot(&mut self, width: usize, rotary: Rotary, text: &TextNodes) -> String {
        let [query, key, value] =
            ["query", "key", "value"].map(|part| self.linear(&format!("attention.{part}"), &text.tokens));
        let (query, key) = (self.turned(&query, width, rotary, 1), self.turned(&key, width, rotary, 1));
        let keys = self.transposed(&key, &[0, 2, 1]);
        let scores = self.node("MatMul", &[&query, &keys]);
        let scores = self.scaled(&scores, 1.0 / (width as f32).sqrt());
        let weights = self.softmax(&scores, text.mask.as_deref(), &[1]);
        self.node("MatMul", &[&weights, &value])
    }

    fn additive(&mut self, inner: usize, text: &TextNodes) -> String {
        let (query, key) = (self.linear("attention.query", &text.tokens), self.linear("attention.key", &text.tokens));
        let (queries, keys) = (self.unsqueezed(&query, &[2]), self.unsqueezed(&key, &[1]));
        let sums = self.node("Add", &[&queries, &keys]);
        let bent = self.node("Tanh", &[&sums]);
        let weight = self.shaped_weight("attention.additive_weight", &[inner]);
        let bent = self.node("Mul", &[&bent, &weight]);
        let scores = self.sum(&bent, 3, false);
        let weights = self.softmax(&scores, text.mask.as_deref(), &[1]);
        self.node("MatMul", &[&weights, &text.tokens])
    }

    /// Multi-head attention of the layer `name`, over tokens of `dim` numbers.
    fn multi_head(&mut self, name: &str, dim: usize, n_heads: usize, rotary: Rotary, text: &TextNodes) -> String {
        let d_head = dim / n_heads;
        let split = self.graph.ints(&[0, 0, n_heads as i64, d_head as i64]);
        let [query, key, value] = ["query", "key", "value"].map(|part| {
            let linear = self.linear(&format!("{name}.{part}"), &text.tokens);
            let heads = self.node("Reshape", &[&linear, &split]);
            self.transposed(&heads, &[0, 2, 1, 3]) // [batch, heads, length, d_head]
        });
        let (query, key) = (self.turned(&query, d_head, rotary, 2), self.turned(&key, d_head, rotary, 2));
        let keys = self.transposed(&key, &[0, 1, 3, 2]);
        let scores = self.node("MatMul", &[&query, &keys]);
        let scores = self.scaled(&scores, 1.0 / (d_head as f32).sqrt());
        let weights = self.softmax(&scores, text.mask.as_deref(), &[1, 2]);
        let context = self.node("MatMul", &[&weights, &value]);
        let context = self.transposed(&context, &[0, 2, 1, 3]);
        let joined = self.graph.ints(&[0, 0, dim as i64]);
        let context = self.node("Reshape", &[&context, &joined]);
        self.linear(&format!("{name}.output"), &context)
    }

    fn transformer(&mut self, config: &TransformerConfig, dim: usize, rotary: Rotary, text: &TextNodes) -> String {
        let mut x = text.tokens.clone();
        for layer in 0..config.n_layers {
            let name = format!("attention.layers.{layer}");
            let (attention_norm, feed_forward_norm) =
                (format!("{name}.attention_norm"), format!("{name}.feed_forward_norm"));
            let attend = |builder: &mut Self, tokens: String| {
                let text = TextNodes { tokens, mask: text.mask.clone() };
                builder.multi_head(&format!("{name}.attention"), dim, config.n_heads, rotary, &text)
            };
            x = match config.norm {
                Norm::Pre => {
                    let normed = self.layer_norm(&attention_norm, &x);
                    let attended = attend(self, normed);
                    let x = self.node("Add", &[&x, &attended]);
                    let normed = self.layer_norm(&feed_forward_norm, &x);
                    let fed = self.feed_forward(&name, config.activation, &normed);
                    self.node("Add", &[&x, &fed])
                }
                Norm::Post => {
                    let attended = attend(self, x.clone());
                    let sum = self.node("Add", &[&x, &attended]);
                    let x = self.layer_norm(&attention_norm, &sum);
                    let fed = self.feed_forward(&name, config.activation, &x);
                    let sum = self.node("Add", &[&x, &fed]);
                    self.layer_norm(&feed_forward_norm, &sum)
                }
            };
        }
        if config.norm == Norm::Pre { self.layer_norm("attention.norm", &x) } else { x }
    }

    fn feed_forward(&mut self, name: &str, activation: Activation, x: &str) -> String {
        let inner = self.linear(&format!("{name}.inner"), x);
        let bent = match activation {
            Activation::Relu => self.node("Relu", &[&inner]),
            Activation::Gelu => {
                let scaled = self.scaled(&inner, FRAC_1_SQRT_2);
                let (erf, one) = (self.node("Erf", &[&scaled]), self.graph.float(1.0));
                let phi = self.node("Add", &[&erf, &one]);
                let phi = self.scaled(&phi, 0.5);
                self.node("Mul", &[&inner, &phi])
            }
        };
        self.linear(&format!("{name}.outer"), &bent)
    }

    fn bidirectional(&mut self, texts: &[TextNodes], dim: usize) -> Vec<TextNodes> {
        match texts {
            [first, second] => [(first, second), (second, first)]
                .map(|(own, other)| TextNodes { tokens: self.compared(own, other, dim), mask: own.mask.clone() })
                .into(),
            _ => texts.to_vec(),
        }
    }

    /// The comparisons of each token of `own` with what it found in `other`.
    fn compared(&mut self, own: &TextNodes, other: &TextNodes, dim: usize) -> String {
        let h = &own.tokens;
        let keys = self.transposed(&other.tokens, &[0, 2, 1]);
        let scores = self.node("MatMul", &[h, &keys]);
        let scores = self.scaled(&scores, 1.0 / (dim as f32).sqrt());
        let attention = self.softmax(&scores, other.mask.as_deref(), &[1]);
        let values = self.zero_padding(other);
        let found = self.node("MatMul", &[&attention, &values]);
        let (difference, product) = (self.node("Sub", &[h, &found]), self.node("Mul", &[h, &found]));
        let joined = self.joined(&[h, &found, &difference, &product], 2);
        let linear = self.linear("attention.compare", &joined);
        self.node("Relu", &[&linear])
    }

    /// Queries or keys `[batch, …, length, width]`, turned if `rotary` is on; `heads` is 2 where there is an axis of heads.
    /// The numbers come out in another order, the same for queries as for keys, which their product does not notice.
    fn turned(&mut self, x: &str, width: usize, rotary: Rotary, heads: usize) -> String {
        if !rotary.is_on {
            return x.to_string();
        }
        let half = width / 2;
        let mut table = |name: &str, values: &[f32]| -> String {
            let name = format!("{name}_of_{x}");
            let table = self.graph.floats(&name, &[rotary.longest_row, half], values);
            if heads == 1 {
                return self.first_rows(&table, x);
            }
            // The length is behind the heads here.
            let like = self.transposed(x, &[0, 2, 1, 3]);
            self.first_rows(&table, &like)
        };
        let [cos, sin] = rotations(rotary.longest_row, width);
        let (cos, sin) = (table("cosines", &cos), table("sines", &sin));
        let (a, b) = (self.every_second(x, 0, width), self.every_second(x, 1, width));
        let [a_cos, b_sin, a_sin, b_cos] =
            [(&a, &cos), (&b, &sin), (&a, &sin), (&b, &cos)].map(|(x, angle)| self.node("Mul", &[x, angle]));
        let (turned_a, turned_b) = (self.node("Sub", &[&a_cos, &b_sin]), self.node("Add", &[&a_sin, &b_cos]));
        self.joined(&[&turned_a, &turned_b], -1)
    }
}
