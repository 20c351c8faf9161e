//! `data.validation`, `data.test` and `data.fold` as the config writes them: a path, or what to cut off the training
//! examples and how. Cuts nothing.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::files::Files;

/// Where a split comes from: `"path"`, `{ fraction = 0.1 }` or `{ fraction = 0.1, by = "hash" }`.
#[derive(Debug, Clone, PartialEq)]
pub enum SplitSource {
    /// Files or a folder of its own.
    Files(Files),
    /// A share of the training examples.
    Cut(Cut),
}

/// The table form of [`SplitSource`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The share of all examples of the training file, above 0 and below 1.
    pub fraction: f64,
    /// What decides about an example.
    #[serde(default, skip_serializing_if = "CutBy::is_label")]
    pub by: CutBy,
}

impl Cut {
    /// A share that is stratified by label.
    pub fn by_label(fraction: f64) -> Self {
        Self { fraction, by: CutBy::Label }
    }
}

/// What decides to which part of a file an example belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CutBy {
    /// Every label gives its share, at random by the seed. Another seed, or one more example, makes another cut.
    #[default]
    Label,
    /// The text alone, whatever the seed: equal texts are never parted, and an example keeps its split when the file
    /// grows or its order changes. The share is met only nearly. An example's place is the first eight bytes of the
    /// SHA-256 of its text without the white space around it (of a pair, both texts with a zero byte between them; with
    /// `data.group`, the group's name), read as a fraction of one; the test split is what lies below its fraction,
    /// the validation split what lies above one less its own.
    Hash,
}

impl CutBy {
    pub(crate) fn is_label(&self) -> bool {
        *self == Self::Label
    }
}

/// One part of a cross-validation: `{ index = 1, of = 5 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Which of the parts is held out, counted from 1.
    #[schemars(range(min = 1))]
    pub index: u32,
    /// Into how many parts of nearly the same size the training examples are divided, at least 2; 5 and 10 are usual.
    #[schemars(range(min = 2))]
    pub of: u32,
    /// What decides to which part an example belongs. Default: "label".
    #[serde(default, skip_serializing_if = "CutBy::is_label")]
    pub by: CutBy,
}

impl Serialize for SplitSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Files(files) => files.serialize(serializer),
            Self::Cut(cut) => cut.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SplitSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SourceVisitor;

        impl<'de> Visitor<'de> for SourceVisitor {
            type Value = SplitSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, an array of paths, or `{ fraction = 0.1 }`")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<SplitSource, E> {
                Ok(SplitSource::Files(Files::from(path)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<SplitSource, A::Error> {
                Files::deserialize(SeqAccessDeserializer::new(sequence)).map(SplitSource::Files)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SplitSource, A::Error> {
                Cut::deserialize(MapAccessDeserializer::new(map)).map(SplitSource::Cut)
            }
        }

        deserializer.deserialize_any(SourceVisitor)
    }
}

impl JsonSchema for SplitSource {
    fn schema_name() -> Cow<'static, str> {
        "SplitSource".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let by = generator.subschema_for::<CutBy>();
        json_schema!({
            "description": "A file or folder, or the share of `train` to cut off.",
            "oneOf": [
                { "type": "string", "description": "A file, pattern or folder of its own." },
                { "type": "array", "description": "Several files of its own.", "items": { "type": "string" }, "minItems": 1 },
                {
                    "type": "object",
                    "description": "A share of the training examples.",
                    "properties": {
                        "fraction": {
                            "type": "number",
                            "description": "The share of all examples of the training file, above 0 and below 1.",
                            "exclusiveMinimum": 0,
                            "exclusiveMaximum": 1
                        },
                        "by": {
                            "allOf": [by],
                            "description": "What decides about an example. Default: \"label\".",
                            "default": "label"
                        }
                    },
                    "required": ["fraction"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_written_as_it_is_read() {
        for (json, source) in [
            ("\"a.csv\"", SplitSource::Files("a.csv".into())),
            ("[\"a.csv\",\"b.csv\"]", SplitSource::Files(vec!["a.csv".into(), "b.csv".into()].into())),
            ("{\"fraction\":0.1}", SplitSource::Cut(Cut::by_label(0.1))),
            ("{\"fraction\":0.1,\"by\":\"hash\"}", SplitSource::Cut(Cut { fraction: 0.1, by: CutBy::Hash })),
        ] {
            assert_eq!(serde_json::from_str::<SplitSource>(json).unwrap(), source);
            assert_eq!(serde_json::to_string(&source).unwrap(), json);
        }
        let fold = Fold { index: 2, of: 5, by: CutBy::Label };
        assert_eq!(serde_json::to_string(&fold).unwrap(), "{\"index\":2,\"of\":5}");
        assert_eq!(serde_json::from_str::<Fold>("{\"of\":5,\"index\":2,\"by\":\"label\"}").unwrap(), fold);
    }
}
