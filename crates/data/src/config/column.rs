//! Which columns of a file are read: `data.text` and `data.label` as the config writes them. Does not look into files.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A column of a file: `"name"`, or a number counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// A name in the header, or a key of a JSON object.
    Name(String),
    /// A position, counted from 0.
    Number(usize),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl Serialize for Column {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => number.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor;

        impl Visitor<'_> for ColumnVisitor {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column name or a column number, counted from 0")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
                Ok(Column::Name(name.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Column, E> {
                usize::try_from(number)
                    .map(Column::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Column, E> {
                usize::try_from(number)
                    .map(Column::Number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
            }
        }

        deserializer.deserialize_any(ColumnVisitor)
    }
}

impl JsonSchema for Column {
    fn schema_name() -> Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A column name, or a column number counted from 0.",
            "oneOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }]
        })
    }
}

/// The columns that hold the text of an example: one, several that are joined, or two for a pair of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextColumns {
    /// `"text"` or `0`: each example is one text.
    One(Column),
    /// `["premise", "hypothesis"]` or `[1, 2]`: each example is a pair of texts.
    Two(Column, Column),
    /// `{ join = ["title", "body"], separator = " " }`: each example is one text made of several columns.
    Joined(JoinedColumns),
}

/// Columns whose texts become one: the table form of [`TextColumns`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinedColumns {
    /// The columns in the order in which their texts stand in the result.
    pub join: Vec<Column>,
    /// What stands between two texts; texts that are empty are left out with theirs.
    #[serde(default = "space")]
    pub separator: String,
}

fn space() -> String {
    " ".to_owned()
}

impl TextColumns {
    /// Whether each example is a pair of texts.
    pub fn is_pair(&self) -> bool {
        self.second().is_some()
    }

    /// The columns that make up the only text, or the first of a pair.
    pub(crate) fn first(&self) -> &[Column] {
        match self {
            Self::One(first) | Self::Two(first, _) => std::slice::from_ref(first),
            Self::Joined(joined) => &joined.join,
        }
    }

    /// What stands between the texts of joined columns.
    pub(crate) fn separator(&self) -> &str {
        match self {
            Self::Joined(joined) => &joined.separator,
            Self::One(_) | Self::Two(..) => "",
        }
    }

    /// The column of the second text of a pair.
    pub fn second(&self) -> Option<&Column> {
        match self {
            Self::One(_) | Self::Joined(_) => None,
            Self::Two(_, second) => Some(second),
        }
    }

    /// All columns in order.
    pub fn iter(&self) -> impl Iterator<Item = &Column> {
        self.first().iter().chain(self.second())
    }
}

impl Serialize for TextColumns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(column) => column.serialize(serializer),
            Self::Two(first, second) => [first, second].serialize(serializer),
            Self::Joined(joined) => joined.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TextColumns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextColumnsVisitor;

        impl<'de> Visitor<'de> for TextColumnsVisitor {
            type Value = TextColumns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a column name, a column number counted from 0, an array of two of them, or `{ join = [..] }`",
                )
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<TextColumns, E> {
                Column::deserialize(de::value::StrDeserializer::new(name)).map(TextColumns::One)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<TextColumns, E> {
                Column::deserialize(de::value::U64Deserializer::new(number)).map(TextColumns::One)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<TextColumns, E> {
                Column::deserialize(de::value::I64Deserializer::new(number)).map(TextColumns::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<TextColumns, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = sequence.next_element()? {
                    columns.push(column);
                }
                match <[Column; 2]>::try_from(columns) {
                    Ok([first, second]) => Ok(TextColumns::Two(first, second)),
                    Err(columns) => Err(de::Error::invalid_length(columns.len(), &"an array of two columns")),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextColumns, A::Error> {
                JoinedColumns::deserialize(de::value::MapAccessDeserializer::new(map)).map(TextColumns::Joined)
            }
        }

        deserializer.deserialize_any(TextColumnsVisitor)
    }
}

impl JsonSchema for TextColumns {
    fn schema_name() -> Cow<'static, str> {
        "TextColumns".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let column = generator.subschema_for::<Column>();
        json_schema!({
            "description": "The column of the text, an array of the two columns of a pair of texts, or columns to join.",
            "oneOf": [
                { "type": "string" },
                { "type": "integer", "minimum": 0 },
                { "type": "array", "items": column.clone(), "minItems": 2, "maxItems": 2 },
                {
                    "type": "object",
                    "description": "Several columns that become one text.",
                    "properties": {
                        "join": {
                            "type": "array",
                            "description": "The columns in the order in which their texts stand in the result.",
                            "items": column,
                            "minItems": 1
                        },
                        "separator": {
                            "type": "string",
                            "description": "What stands between two texts; texts that are empty are left out with theirs.",
                            "default": " "
                        }
                    },
                    "required": ["join"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<TextColumns, String> {
        serde_json::from_str(json).map_err(|error: serde_json::Error| error.to_string())
    }

    fn name(name: &str) -> Column {
        Column::Name(name.to_owned())
    }

    #[test]
    fn one_column_or_two() {
        for (json, columns) in [
            ("\"a\"", TextColumns::One(name("a"))),
            ("3", TextColumns::One(Column::Number(3))),
            ("[\"a\",\"b\"]", TextColumns::Two(name("a"), name("b"))),
            ("[0,\"b\"]", TextColumns::Two(Column::Number(0), name("b"))),
            (
                "{\"join\":[\"a\",1],\"separator\":\": \"}",
                TextColumns::Joined(JoinedColumns {
                    join: vec![name("a"), Column::Number(1)],
                    separator: ": ".to_owned(),
                }),
            ),
        ] {
            assert_eq!(read(json), Ok(columns.clone()));
            assert_eq!(serde_json::to_string(&columns).unwrap(), json);
        }
    }

    #[test]
    fn another_number_of_columns_is_refused() {
        for (json, message) in [
            ("[]", "invalid length 0, expected an array of two columns at line 1 column 2"),
            ("[\"a\"]", "invalid length 1, expected an array of two columns at line 1 column 5"),
            ("[0,1,2]", "invalid length 3, expected an array of two columns at line 1 column 7"),
            (
                "true",
                "invalid type: boolean `true`, expected a column name, a column number counted from 0, an array of two of \
                 them, or `{ join = [..] }` at line 1 column 4",
            ),
        ] {
            assert_eq!(read(json), Err(message.to_owned()));
        }
    }
}
