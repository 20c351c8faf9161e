//! A model without its numbers: its layers, and the names and shapes of its weights. They follow from the config, so that a
//! file of weights can be held against them before anything is allocated for it.

/// A layer as a summary shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LayerOutline {
    /// Its name; the names of its weights begin with it.
    pub name: String,
    /// What kind of layer it is, with its options.
    pub kind: String,
    /// The width of a vector behind it.
    pub width: usize,
}

impl LayerOutline {
    pub(crate) fn new(name: impl Into<String>, kind: impl Into<String>, width: usize) -> Self {
        Self { name: name.into(), kind: kind.into(), width }
    }
}

/// The names and shapes of weights.
#[derive(Debug, Default)]
pub(crate) struct WeightShapes {
    /// The path of fields to the layer whose weights are added, with a dot behind each.
    path: String,
    pub(crate) found: Vec<(String, Vec<usize>)>,
}

impl WeightShapes {
    /// A weight of the layer.
    pub(crate) fn add(&mut self, name: &str, shape: &[usize]) {
        self.found.push((format!("{}{name}", self.path), shape.to_vec()));
    }

    /// A table of vectors below the layer.
    pub(crate) fn table(&mut self, name: &str, rows: usize, dim: usize) {
        self.add(&format!("{name}.weight"), &[rows, dim]);
    }

    /// A linear layer below it.
    pub(crate) fn linear(&mut self, name: &str, d_input: usize, d_output: usize) {
        self.table(name, d_input, d_output);
        self.add(&format!("{name}.bias"), &[d_output]);
    }

    /// A layer norm below it.
    pub(crate) fn layer_norm(&mut self, name: &str, dim: usize) {
        self.add(&format!("{name}.gamma"), &[dim]);
        self.add(&format!("{name}.beta"), &[dim]);
    }

    /// The weights of the layer `name` below it.
    pub(crate) fn within(&mut self, name: &str, add: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(name);
        self.path.push('.');
        add(self);
        self.path.truncate(length);
    }
}
