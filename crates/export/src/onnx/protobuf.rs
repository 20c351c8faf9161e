//! As much of ONNX' protobuf as a graph of tensors takes: numbers, strings and messages in the order in which they are put.
//! The numbers of the fields are those of `onnx.proto3`.

/// The version of the operators; that of the file goes with it.
pub(super) const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// Kinds of values, as the format numbers them.
const FLOAT: i64 = 1;
const INT64: i64 = 7;

/// A message that grows.
#[derive(Debug, Default, Clone)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(&mut self, field: u64, value: i64) {
        self.varint(field << 3);
        self.varint(value as u64);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

/// An option of an operator.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attribute<'a> {
    Int(i64),
    Ints(&'a [i64]),
    Float(f32),
}

/// A size of an input or output.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// Whatever the caller has, by name.
    Any(&'static str),
    /// Always the same.
    Fixed(usize),
}

/// A graph that grows node by node.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Message,
    initializers: Message,
    inputs: Message,
    outputs: Message,
    /// How many values were named.
    n_named: usize,
}

impl Graph {
    /// An input of whole numbers.
    pub(super) fn input(&mut self, name: &str, sizes: &[Size]) -> String {
        self.inputs.message(11, &value(name, INT64, sizes));
        name.to_string()
    }

    /// An input of numbers.
    pub(super) fn numbers(&mut self, name: &str, sizes: &[Size]) -> String {
        self.inputs.message(11, &value(name, FLOAT, sizes));
        name.to_string()
    }

    /// An output of numbers.
    pub(super) fn output(&mut self, name: &str, sizes: &[Size]) {
        self.outputs.message(12, &value(name, FLOAT, sizes));
    }

    /// Numbers that the file holds under a name.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(name, FLOAT, shape, &bytes)
    }

    /// One number.
    pub(super) fn float(&mut self, value: f32) -> String {
        let name = self.name("number");
        self.floats(&name, &[], &[value])
    }

    /// A list of whole numbers.
    pub(super) fn ints(&mut self, values: &[i64]) -> String {
        let name = self.name("list");
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensor(&name, INT64, &[values.len()], &bytes)
    }

    fn tensor(&mut self, name: &str, kind: i64, shape: &[usize], bytes: &[u8]) -> String {
        let mut tensor = Message::default();
        shape.iter().for_each(|&size| tensor.int(1, size as i64));
        tensor.int(2, kind);
        tensor.text(8, name);
        tensor.bytes(9, bytes);
        self.initializers.message(5, &tensor);
        name.to_string()
    }

    /// What an operator makes of its inputs.
    pub(super) fn node(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.node_with(operator, inputs, &[])
    }

    /// The same with options.
    pub(super) fn node_with(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let output = self.name(&operator.to_lowercase());
        self.node_to(operator, inputs, &output, attributes);
        output
    }

    /// The same under a name of its own.
    pub(super) fn node_to(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute)]) {
        let mut node = Message::default();
        inputs.iter().for_each(|input| node.text(1, input));
        node.text(2, output);
        node.text(3, output);
        node.text(4, operator);
        for (name, attribute) in attributes {
            let mut message = Message::default();
            message.text(1, name);
            let kind = match attribute {
                Attribute::Float(value) => {
                    message.float(2, *value);
                    1
                }
                Attribute::Int(value) => {
                    message.int(3, *value);
                    2
                }
                Attribute::Ints(values) => {
                    values.iter().for_each(|&value| message.int(8, value));
                    7
                }
            };
            message.int(20, kind);
            node.message(5, &message);
        }
        self.nodes.message(1, &node);
    }

    fn name(&mut self, kind: &str) -> String {
        self.n_named += 1;
        format!("{kind}_{}", self.n_named)
    }

    /// The file, with what there is to know beside the graph.
    pub(super) fn file(self, name: &str, metadata: &[(&str, String)]) -> Vec<u8> {
        let mut graph = self.nodes;
        graph.text(2, name);
        for part in [self.initializers, self.inputs, self.outputs] {
            graph.0.extend(part.0);
        }
        let mut model = Message::default();
        model.int(1, IR_VERSION);
        model.text(2, "attentive");
        model.text(3, env!("CARGO_PKG_VERSION"));
        model.message(7, &graph);
        let mut opset = Message::default();
        opset.text(1, "");
        opset.int(2, OPSET);
        model.message(8, &opset);
        for (key, value) in metadata {
            let mut entry = Message::default();
            entry.text(1, key);
            entry.text(2, value);
            model.message(14, &entry);
        }
        model.0
    }
}

/// The description of an input or output.
fn value(name: &str, kind: i64, sizes: &[Size]) -> Message {
    let mut shape = Message::default();
    for size in sizes {
        let mut dimension = Message::default();
        match size {
            Size::Any(name) => dimension.text(2, name),
            Size::Fixed(n) => dimension.int(1, *n as i64),
        }
        shape.message(1, &dimension);
    }
    let mut tensor = Message::default();
    tensor.int(1, kind);
    tensor.message(2, &shape);
    let (mut kind, mut value) = (Message::default(), Message::default());
    kind.message(1, &tensor);
    value.text(1, name);
    value.message(2, &kind);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_by_hand() {
        let mut message = Message::default();
        // The examples of the protobuf documentation: field 1 is 150, field 2 is "testing", field 3 is the first message.
        message.int(1, 150);
        assert_eq!(message.0, [0x08, 0x96, 0x01]);
        let mut other = Message::default();
        other.text(2, "testing");
        assert_eq!(other.0, [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67]);
        let mut outer = Message::default();
        outer.message(3, &message);
        assert_eq!(outer.0, [0x1A, 0x03, 0x08, 0x96, 0x01]);
        // A negative number takes ten bytes.
        let mut negative = Message::default();
        negative.int(1, -1);
        assert_eq!(negative.0, [&[0x08][..], &[0xFF; 9], &[0x01]].concat());
    }
}
