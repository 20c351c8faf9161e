//! The layers of the models as nodes of a graph: linear layers, norms, masks, softmax, positions and pooling. They compute
//! what the modules of `attentive_model` compute, in inference.

use std::collections::{BTreeMap, BTreeSet};

use attentive_model::{Pooling, Weight};

use super::protobuf::{Attribute, Graph};

/// What is added to the score of a hidden key.
const HIDDEN: f32 = -1e9;
/// What a layer norm adds to the variance.
const EPSILON: f32 = 1e-5;

/// A graph and the weights that its nodes take.
pub(super) struct Builder<'a> {
    pub(super) graph: Graph,
    pub(super) weights: BTreeMap<&'a str, &'a Weight>,
    /// Those that the graph holds already: both texts of a pair pass through the same.
    pub(super) held: BTreeSet<String>,
}

/// The tokens of a text on their way through the graph.
#[derive(Debug, Clone)]
pub(super) struct TextNodes {
    /// `[batch, length, width]`.
    pub(super) tokens: String,
    /// `[batch, length]`, 1 where a token is real; none where padding counts as tokens.
    pub(super) mask: Option<String>,
}

impl Builder<'_> {
    /// A weight of the model, which the file then holds.
    pub(super) fn weight(&mut self, name: &str) -> String {
        let shape = self.weights.get(name).map_or(Vec::new(), |weight| weight.shape.clone());
        self.shaped_weight(name, &shape)
    }

    /// The same as a matrix or vector of another shape.
    pub(super) fn shaped_weight(&mut self, name: &str, shape: &[usize]) -> String {
        let weight = self.weights.get(name).expect("a model holds the weights that its config describes");
        if self.held.insert(name.to_string()) {
            self.graph.floats(name, shape, &weight.values);
        }
        name.to_string()
    }

    pub(super) fn node(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.graph.node(operator, inputs)
    }

    /// x·W + b.
    pub(super) fn linear(&mut self, name: &str, x: &str) -> String {
        let (weight, bias) = (self.weight(&format!("{name}.weight")), self.weight(&format!("{name}.bias")));
        let product = self.node("MatMul", &[x, &weight]);
        self.node("Add", &[&product, &bias])
    }

    pub(super) fn layer_norm(&mut self, name: &str, x: &str) -> String {
        let (gamma, beta) = (self.weight(&format!("{name}.gamma")), self.weight(&format!("{name}.beta")));
        let options = [("axis", Attribute::Int(-1)), ("epsilon", Attribute::Float(EPSILON))];
        self.graph.node_with("LayerNormalization", &[x, &gamma, &beta], &options)
    }

    pub(super) fn scaled(&mut self, x: &str, factor: f32) -> String {
        let factor = self.graph.float(factor);
        self.node("Mul", &[x, &factor])
    }

    /// Adds an axis of size 1 at each of these places.
    pub(super) fn unsqueezed(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.graph.ints(axes);
        self.node("Unsqueeze", &[x, &axes])
    }

    /// The sum over an axis, which goes away unless `keep`.
    pub(super) fn sum(&mut self, x: &str, axis: i64, keep: bool) -> String {
        let axes = self.graph.ints(&[axis]);
        self.graph.node_with("ReduceSum", &[x, &axes], &[("keepdims", Attribute::Int(keep.into()))])
    }

    pub(super) fn transposed(&mut self, x: &str, order: &[i64]) -> String {
        self.graph.node_with("Transpose", &[x], &[("perm", Attribute::Ints(order))])
    }

    pub(super) fn joined(&mut self, parts: &[&str], axis: i64) -> String {
        match parts {
            [only] => (*only).to_string(),
            _ => self.graph.node_with("Concat", parts, &[("axis", Attribute::Int(axis))]),
        }
    }

    /// softmax over the last axis of scores `[batch, …, queries, keys]`, of which hidden keys get nothing; `axes` are those
    /// between the batch and the keys.
    pub(super) fn softmax(&mut self, scores: &str, mask: Option<&str>, axes: &[i64]) -> String {
        let scores = match mask {
            None => scores.to_string(),
            Some(mask) => {
                let one = self.graph.float(1.0);
                let padding = self.node("Sub", &[&one, mask]);
                let hidden = self.scaled(&padding, HIDDEN);
                let hidden = self.unsqueezed(&hidden, axes);
                self.node("Add", &[scores, &hidden])
            }
        };
        self.graph.node_with("Softmax", &[&scores], &[("axis", Attribute::Int(-1))])
    }

    /// Tokens with zeros at padding.
    pub(super) fn zero_padding(&mut self, text: &TextNodes) -> String {
        match &text.mask {
            None => text.tokens.clone(),
            Some(mask) => {
                let mask = self.unsqueezed(mask, &[2]);
                self.node("Mul", &[&text.tokens, &mask])
            }
        }
    }

    /// The first rows of a table `[max_length, width]`, as many as the tokens `[batch, length, …]` of `like`.
    pub(super) fn first_rows(&mut self, table: &str, like: &str) -> String {
        let shape = self.node("Shape", &[like]);
        let (zero, one, two) = (self.graph.ints(&[0]), self.graph.ints(&[1]), self.graph.ints(&[2]));
        let length = self.node("Slice", &[&shape, &one, &two, &zero]);
        self.node("Slice", &[table, &zero, &length, &zero])
    }

    /// Every second number of the last axis, beginning with `first`; the axis has `width` numbers.
    pub(super) fn every_second(&mut self, x: &str, first: i64, width: usize) -> String {
        let (start, end) = (self.graph.ints(&[first]), self.graph.ints(&[width as i64]));
        let (axis, step) = (self.graph.ints(&[-1]), self.graph.ints(&[2]));
        self.node("Slice", &[x, &start, &end, &axis, &step])
    }

    /// One vector `[batch, width]` of each text.
    pub(super) fn pooled(&mut self, text: &TextNodes, pooling: Pooling) -> String {
        match pooling {
            Pooling::Mean => self.mean(text),
            Pooling::Max => self.max(text),
            Pooling::First => {
                let tokens = self.zero_padding(text);
                let first = self.graph.ints(&[0]);
                let first = self.graph.node_with("Gather", &[&tokens, &first], &[("axis", Attribute::Int(1))]);
                self.squeezed(&first, 1)
            }
            Pooling::Attention => {
                let width = self.weights.get("pooling.query").map_or(0, |query| query.values.len());
                let query = self.shaped_weight("pooling.query", &[width, 1]);
                let scores = self.node("MatMul", &[&text.tokens, &query]);
                let scores = self.transposed(&scores, &[0, 2, 1]);
                let weights = self.softmax(&scores, text.mask.as_deref(), &[1]);
                let tokens = self.zero_padding(text);
                let pooled = self.node("MatMul", &[&weights, &tokens]);
                self.squeezed(&pooled, 1)
            }
        }
    }

    pub(super) fn squeezed(&mut self, x: &str, axis: i64) -> String {
        let axes = self.graph.ints(&[axis]);
        self.node("Squeeze", &[x, &axes])
    }

    /// The mean over the real tokens; zeros where there is none.
    pub(super) fn mean(&mut self, text: &TextNodes) -> String {
        match &text.mask {
            None => {
                let options = [("axes", Attribute::Ints(&[1])), ("keepdims", Attribute::Int(0))];
                self.graph.node_with("ReduceMean", &[&text.tokens], &options)
            }
            Some(mask) => {
                let (count, one) = (self.sum(mask, 1, true), self.graph.float(1.0));
                let count = self.node("Max", &[&count, &one]);
                let tokens = self.zero_padding(text);
                let sum = self.sum(&tokens, 1, false);
                self.node("Div", &[&sum, &count])
            }
        }
    }

    fn max(&mut self, text: &TextNodes) -> String {
        let options = [("axes", Attribute::Ints(&[1])), ("keepdims", Attribute::Int(0))];
        let Some(mask) = &text.mask else {
            return self.graph.node_with("ReduceMax", &[&text.tokens], &options);
        };
        let (half, least, zero) = (self.graph.float(0.5), self.graph.float(f32::MIN), self.graph.float(0.0));
        let real = self.node("Greater", &[mask, &half]);
        let real = self.unsqueezed(&real, &[2]);
        let tokens = self.node("Where", &[&real, &text.tokens, &least]);
        let largest = self.graph.node_with("ReduceMax", &[&tokens], &options);
        let count = self.sum(mask, 1, true);
        let any = self.node("Greater", &[&count, &half]);
        self.node("Where", &[&any, &largest, &zero])
    }
}
