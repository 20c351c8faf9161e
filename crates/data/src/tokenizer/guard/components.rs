//! The components of a tokenizer by their types, and the steps that its normalizers and pre-tokenizers are.

use serde_json::{Map, Value};

use crate::tokenizer::patterns::cost;

/// How deep sequences of components may nest.
const MAX_DEPTH: usize = 8;
/// How many normalizers and pre-tokenizers a file may have, and how many components of another kind: each reads the text.
pub(super) const MAX_STEPS: usize = 32;

/// A sort of components of a tokenizer.
pub(super) struct Components {
    /// Where a file has them.
    key: &'static str,
    /// What messages call one.
    name: &'static str,
    /// Where one holds others.
    list: &'static str,
    /// The types that are accepted, with spaces between them.
    types: &'static str,
}

/// `Precompiled` is missing on purpose: a damaged character map makes the library panic on some texts.
pub(super) const NORMALIZERS: Components = Components {
    key: "normalizer",
    name: "normalizer",
    list: "normalizers",
    types: "Bert BertNormalizer Strip StripAccents NFC NFD NFKC NFKD Sequence Lowercase Nmt Replace Prepend \
            ByteLevel",
};
pub(super) const PRE_TOKENIZERS: Components = Components {
    key: "pre_tokenizer",
    name: "pre-tokenizer",
    list: "pretokenizers",
    types: "BertPreTokenizer ByteLevel Delimiter CharDelimiterSplit Metaspace Whitespace Sequence Split \
            Punctuation WhitespaceSplit Digits UnicodeScripts FixedLength",
};
pub(super) const POST_PROCESSORS: Components = Components {
    key: "post_processor",
    name: "post-processor",
    list: "processors",
    types: "BertProcessing RobertaProcessing ByteLevel TemplateProcessing Sequence",
};
pub(super) const DECODERS: Components = Components {
    key: "decoder",
    name: "decoder",
    list: "decoders",
    types: "BPEDecoder ByteLevel WordPiece Metaspace CTC Sequence Replace Fuse Strip ByteFallback",
};
/// The type of what holds other components.
pub(super) const SEQUENCE: &str = "Sequence";

/// A normalizer or a pre-tokenizer.
#[derive(Debug, Clone)]
pub(crate) struct TokenizerStep {
    /// The value of its `type`.
    pub(crate) kind: String,
    /// All of it.
    pub(crate) json: Value,
    /// What its pattern may read in vain; see `Cost::runs` in `patterns`.
    pub(crate) runs: Vec<String>,
}

impl TokenizerStep {
    /// The step that a component is.
    pub(super) fn of(kind: &str, component: &Map<String, Value>) -> Result<Self, String> {
        // A sequence holds others, which are steps of their own.
        let json = if kind == SEQUENCE { Value::Null } else { Value::Object(component.clone()) };
        Ok(Self {
            kind: kind.to_owned(),
            json,
            runs: pattern(component).map(cost).transpose()?.unwrap_or_default().runs,
        })
    }
}

/// The pattern of a component that has one.
pub(super) fn pattern(component: &Map<String, Value>) -> Option<&str> {
    component.get("pattern")?.get("Regex")?.as_str()
}

/// Looks at one component, given its type.
type Visit<'a> = dyn FnMut(&str, &Map<String, Value>) -> Result<(), String> + 'a;

impl Components {
    /// Visits those of a file, also those inside others, refusing types that are not accepted.
    pub(super) fn each(&self, file: &Map<String, Value>, visit: &mut Visit<'_>) -> Result<(), String> {
        self.walk(file.get(self.key), &mut 0, 0, visit)
    }

    fn walk(
        &self,
        component: Option<&Value>,
        count: &mut usize,
        depth: usize,
        visit: &mut Visit<'_>,
    ) -> Result<(), String> {
        let Self { name, list, types, .. } = self;
        let component = match component {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Object(component)) => component,
            Some(_) => return Err(format!("its {name} is not an object")),
        };
        let kind = component.get("type").and_then(Value::as_str).ok_or_else(|| format!("its {name} has no `type`"))?;
        if !types.split(' ').any(|accepted| accepted == kind) {
            return Err(format!("{name}s of type `{kind}` are not supported"));
        }
        if depth > MAX_DEPTH {
            return Err(format!("its {name}s nest more than {MAX_DEPTH} deep"));
        }
        *count += 1;
        if *count > MAX_STEPS {
            return Err(format!("it has more than {MAX_STEPS} {name}s"));
        }
        if let Some(pattern) = pattern(component) {
            cost(pattern)?;
        }
        visit(kind, component)?;
        let Some(inner) = component.get(*list) else { return Ok(()) };
        let inner = inner.as_array().ok_or_else(|| format!("`{list}` is not an array"))?;
        if inner.len() > MAX_STEPS {
            return Err(format!("`{list}` holds more than {MAX_STEPS} components"));
        }
        for component in inner {
            if component.is_null() {
                return Err(format!("`{list}` holds a null"));
            }
            self.walk(Some(component), count, depth + 1, visit)?;
        }
        Ok(())
    }
}
