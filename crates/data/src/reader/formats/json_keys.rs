//! A few keys of a JSON object, without making values of the others.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The value of a key.
pub(super) enum FieldValue<'a> {
    /// A string, borrowed from the line if nothing in it is escaped.
    Text(Cow<'a, str>),
    /// Any other value.
    Other(Value),
}

/// The values of `keys` in a JSON object, `None` for those that it does not have. Of a key that is there twice the last
/// counts.
pub(super) fn pick<'a>(json: &'a str, keys: &[String]) -> Result<Vec<Option<FieldValue<'a>>>, serde_json::Error> {
    let mut parser = serde_json::Deserializer::from_str(json);
    let items = WantedKeys(keys).deserialize(&mut parser)?;
    parser.end()?;
    Ok(items)
}

/// The names of all keys of a JSON object, in order; none if it is no object.
pub(super) fn names(json: &str) -> Vec<String> {
    struct Names(Vec<String>);

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
            while let Some((name, IgnoredAny)) = map.next_entry()? {
                self.0.push(name);
            }
            Ok(self.0)
        }
    }

    serde_json::Deserializer::from_str(json).deserialize_map(Names(Vec::new())).unwrap_or_default()
}

struct WantedKeys<'k>(&'k [String]);

impl<'de> DeserializeSeed<'de> for WantedKeys<'_> {
    type Value = Vec<Option<FieldValue<'de>>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WantedKeys<'_> {
    type Value = Vec<Option<FieldValue<'de>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items: Vec<_> = self.0.iter().map(|_| None).collect();
        while let Some(Key(key)) = map.next_key()? {
            match self.0.iter().position(|wanted| *wanted == key) {
                Some(index) => items[index] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(items)
    }
}

/// A key, borrowed if nothing in it is escaped.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match FieldValue::deserialize(deserializer)? {
            FieldValue::Text(key) => Ok(Self(key)),
            FieldValue::Other(_) => Err(D::Error::custom("a key is not a string")),
        }
    }
}

impl<'de> Deserialize<'de> for FieldValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldValueVisitor;

        impl<'de> Visitor<'de> for FieldValueVisitor {
            type Value = FieldValue<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON value")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Other(Value::from(value)))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Other(Value::from(value)))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Other(Value::from(value)))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Other(Value::from(value)))
            }

            fn visit_unit<E: Error>(self) -> Result<FieldValue<'de>, E> {
                Ok(FieldValue::Other(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<FieldValue<'de>, A::Error> {
                Value::deserialize(SeqAccessDeserializer::new(sequence)).map(FieldValue::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldValue<'de>, A::Error> {
                Value::deserialize(MapAccessDeserializer::new(map)).map(FieldValue::Other)
            }
        }

        deserializer.deserialize_any(FieldValueVisitor)
    }
}
