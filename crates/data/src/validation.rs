//! `data.validation` as the config writes it: a path, or the share of the training examples to cut off. Cuts nothing.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::files_config::Files;

/// Where the validation split comes from: `"path"` or `{ fraction = 0.1 }`.
#[derive(Debug, Clone, PartialEq)]
pub enum Validation {
    /// Files or a folder of its own.
    Path(Files),
    /// This share of the training examples, above 0 and below 1.
    Fraction(f64),
}

/// The table form of [`Validation`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FractionTable {
    fraction: f64,
}

impl Serialize for Validation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Path(path) => path.serialize(serializer),
            Self::Fraction(fraction) => FractionTable { fraction: *fraction }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValidationVisitor;

        impl<'de> Visitor<'de> for ValidationVisitor {
            type Value = Validation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, an array of paths, or `{ fraction = 0.1 }`")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<Validation, E> {
                Ok(Validation::Path(Files::from(path)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Validation, A::Error> {
                Files::deserialize(SeqAccessDeserializer::new(sequence)).map(Validation::Path)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Validation, A::Error> {
                let table = FractionTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Validation::Fraction(table.fraction))
            }
        }

        deserializer.deserialize_any(ValidationVisitor)
    }
}

impl JsonSchema for Validation {
    fn schema_name() -> Cow<'static, str> {
        "Validation".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A file or folder, or the share of `train` to cut off.",
            "oneOf": [
                { "type": "string", "description": "A file, pattern or folder of its own." },
                { "type": "array", "description": "Several files of its own.", "items": { "type": "string" }, "minItems": 1 },
                {
                    "type": "object",
                    "description": "A share of the training examples, stratified by label and drawn from the seed.",
                    "properties": {
                        "fraction": {
                            "type": "number",
                            "description": "The share of the training examples, above 0 and below 1.",
                            "exclusiveMinimum": 0,
                            "exclusiveMaximum": 1
                        }
                    },
                    "required": ["fraction"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
