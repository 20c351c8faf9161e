//! What a JSON Schema from `schemars` allows at one key, flattened to one list per kind of TOML value. It covers the
//! keywords that `schemars` derives from serde types, not the whole of JSON Schema.

use serde_json::{Map, Value};

/// `$ref`s and combinators are followed this far, so that a schema that refers to itself ends.
const DEEPEST_REFERENCE: usize = 32;

/// A schema and the document whose `$defs` it refers to.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'s> {
    root: &'s Value,
    node: &'s Value,
}

/// Everything a value may be. No TOML value fits two kinds, so the first list that fits is the one the user meant.
#[derive(Default)]
pub(crate) struct Shape<'s> {
    /// Nothing is known about the value: it is left to serde.
    pub(crate) anything: bool,
    pub(crate) optional: bool,
    pub(crate) boolean: bool,
    pub(crate) integer: Option<Bounds>,
    pub(crate) number: Option<Bounds>,
    pub(crate) string: Option<StringShape<'s>>,
    /// The strings of an enum without data.
    pub(crate) words: Vec<ChoiceShape<'s>>,
    pub(crate) array: Option<ArrayShape<'s>>,
    pub(crate) tables: Vec<TableShape<'s>>,
    /// The variants of an externally tagged enum that carry data.
    pub(crate) variants: Vec<ChoiceShape<'s>>,
}

pub(crate) struct ChoiceShape<'s> {
    pub(crate) name: &'s str,
    pub(crate) description: Option<&'s str>,
    /// The data of the variant; `None` for a word.
    pub(crate) payload: Option<Schema<'s>>,
}

pub(crate) struct ArrayShape<'s> {
    first: Vec<Schema<'s>>,
    rest: Option<Schema<'s>>,
    pub(crate) lengths: LengthRange,
}

/// What a string may hold.
#[derive(Clone, Copy)]
pub(crate) struct StringShape<'s> {
    pub(crate) lengths: LengthRange,
    /// The characters of a pattern `^[…]+$`, as between the brackets. Other patterns are left to the type.
    pub(crate) alphabet: Option<&'s str>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct LengthRange {
    pub(crate) least: u64,
    pub(crate) most: Option<u64>,
}

pub(crate) struct TableShape<'s> {
    pub(crate) properties: Vec<(&'s str, Schema<'s>)>,
    pub(crate) required: Vec<&'s str>,
    pub(crate) others: Others<'s>,
}

/// What a table says about keys that it does not name.
#[derive(Clone, Copy)]
pub(crate) enum Others<'s> {
    Refused,
    Anything,
    Each(Schema<'s>),
}

/// A number as written, exact where it is an integer.
#[derive(Clone, Copy)]
pub(crate) enum Number {
    Whole(i128),
    Real(f64),
}

#[derive(Clone, Copy)]
pub(crate) struct NumberLimit {
    value: Number,
    exclusive: bool,
}

/// The range of a number: what the schema states, and what the Rust type can hold.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    low: Option<NumberLimit>,
    high: Option<NumberLimit>,
    type_low: Option<NumberLimit>,
    type_high: Option<NumberLimit>,
}

impl<'s> Schema<'s> {
    pub(crate) fn root(root: &'s Value) -> Self {
        Self { root, node: root }
    }

    pub(crate) fn description(self) -> Option<&'s str> {
        let own = self.node.get("description").and_then(Value::as_str);
        own.or_else(|| self.target().filter(|target| !std::ptr::eq(target.node, self.node))?.description())
    }

    pub(crate) fn default_value(self) -> Option<&'s Value> {
        self.node.get("default")
    }

    pub(crate) fn shape(self) -> Shape<'s> {
        let mut shape = Shape::default();
        shape.collect(self, 0);
        shape
    }

    fn at(self, node: &'s Value) -> Self {
        Self { root: self.root, node }
    }

    fn list(self, keyword: &str) -> impl Iterator<Item = Schema<'s>> {
        self.node.get(keyword).and_then(Value::as_array).into_iter().flatten().map(move |node| self.at(node))
    }

    fn target(self) -> Option<Schema<'s>> {
        let pointer = self.node.get("$ref")?.as_str()?.strip_prefix('#')?;
        Some(self.at(self.root.pointer(pointer)?))
    }

    fn strings(self, keyword: &str) -> Vec<&'s str> {
        self.list(keyword).filter_map(|item| item.node.as_str()).collect()
    }

    fn is_word(self) -> bool {
        self.node.get("const").is_some() || self.node.get("enum").is_some()
    }

    /// The tag and the data of a member of an externally tagged enum.
    fn variant(self) -> Option<ChoiceShape<'s>> {
        let properties = self.node.get("properties")?.as_object()?;
        let closed = self.node.get("additionalProperties") == Some(&Value::Bool(false));
        match (properties.iter().next(), self.strings("required").as_slice()) {
            (Some((name, payload)), [required]) if closed && properties.len() == 1 && name == required => {
                let payload = self.at(payload);
                let description = self.node.get("description").and_then(Value::as_str);
                Some(ChoiceShape { name, description: description.or(payload.description()), payload: Some(payload) })
            }
            _ => None,
        }
    }
}

impl<'s> Shape<'s> {
    pub(crate) fn is_section(&self) -> bool {
        !self.variants.is_empty() || !self.tables.is_empty()
    }

    pub(crate) fn choice(&self, name: &str) -> Option<&ChoiceShape<'s>> {
        self.variants.iter().chain(&self.words).find(|choice| choice.name == name)
    }

    /// The schema of a key of this table or variant of this enum.
    pub(crate) fn child(&self, key: &str) -> Option<Schema<'s>> {
        let variant = self.variants.iter().find(|variant| variant.name == key).and_then(|variant| variant.payload);
        variant.or_else(|| self.tables.iter().find_map(|table| table.child(key)))
    }

    fn collect(&mut self, schema: Schema<'s>, depth: usize) {
        let Some(node) = schema.node.as_object().filter(|_| depth < DEEPEST_REFERENCE) else {
            self.anything = true;
            return;
        };
        let compound = ["$ref", "oneOf", "anyOf", "allOf"].iter().any(|keyword| node.contains_key(*keyword));
        if !compound {
            self.collect_simple(schema, node);
            return;
        }
        if let Some(target) = schema.target() {
            self.collect(target, depth + 1);
        }
        // An externally tagged enum is a choice between words and tables of one key, and nothing else.
        let tagged = schema.list("oneOf").all(|member| member.is_word() || member.variant().is_some());
        for member in schema.list("oneOf") {
            match member.variant() {
                Some(variant) if tagged => self.variants.push(variant),
                _ => self.collect(member, depth + 1),
            }
        }
        for member in schema.list("anyOf") {
            self.collect(member, depth + 1);
        }
        self.collect_all_of(schema, depth);
        for bounds in self.integer.iter_mut().chain(self.number.iter_mut()) {
            bounds.narrow(node);
        }
    }

    /// The tables of an `allOf`, which is how a flattened struct appears, are one table to the user.
    fn collect_all_of(&mut self, schema: Schema<'s>, depth: usize) {
        let mut all = Shape::default();
        for member in schema.list("allOf") {
            all.collect(member, depth + 1);
        }
        self.anything |= all.anything;
        self.optional |= all.optional;
        self.boolean |= all.boolean;
        self.integer = self.integer.or(all.integer);
        self.number = self.number.or(all.number);
        self.string = self.string.or(all.string);
        self.words.extend(all.words);
        self.array = self.array.take().or(all.array);
        self.variants.extend(all.variants);
        self.tables.extend(all.tables.into_iter().reduce(|mut whole, part| {
            whole.properties.extend(part.properties);
            whole.required.extend(part.required);
            whole
        }));
    }

    fn collect_simple(&mut self, schema: Schema<'s>, node: &'s Map<String, Value>) {
        let description = node.get("description").and_then(Value::as_str);
        let mut words = schema.strings("enum");
        words.extend(node.get("const").and_then(Value::as_str));
        if !words.is_empty() {
            self.words.extend(words.into_iter().map(|name| ChoiceShape { name, description, payload: None }));
            return;
        }
        let kinds: Vec<&str> = match node.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(_)) => schema.strings("type"),
            _ if node.contains_key("properties") => vec!["object"],
            _ => vec![""],
        };
        for kind in kinds {
            match kind {
                "null" => self.optional = true,
                "boolean" => self.boolean = true,
                "integer" => self.integer = self.integer.or(Some(Bounds::of_integer(node))),
                "number" => self.number = self.number.or(Some(Bounds::of_number(node))),
                "string" => self.string = self.string.or(Some(StringShape::of(node))),
                "array" => self.array = self.array.take().or(Some(ArrayShape::of(schema, node))),
                "object" => self.tables.push(TableShape::of(schema, node)),
                _ => self.anything = true,
            }
        }
    }
}

impl<'s> TableShape<'s> {
    fn of(schema: Schema<'s>, node: &'s Map<String, Value>) -> Self {
        let named = node.get("properties").and_then(Value::as_object);
        let properties = named.into_iter().flatten().map(|(key, node)| (key.as_str(), schema.at(node))).collect();
        let others = match node.get("additionalProperties") {
            Some(Value::Bool(false)) => Others::Refused,
            Some(Value::Bool(true)) => Others::Anything,
            Some(each) => Others::Each(schema.at(each)),
            // A struct variant has no `deny_unknown_fields` of its own, yet TOML's deserializer refuses unknown keys.
            None if named.is_some() => Others::Refused,
            None => Others::Anything,
        };
        Self { properties, required: schema.strings("required"), others }
    }

    pub(crate) fn child(&self, key: &str) -> Option<Schema<'s>> {
        let named = self.properties.iter().find(|(name, _)| *name == key).map(|(_, schema)| *schema);
        named.or(match self.others {
            Others::Each(schema) => Some(schema),
            Others::Refused | Others::Anything => None,
        })
    }
}

impl<'s> ArrayShape<'s> {
    fn of(schema: Schema<'s>, node: &'s Map<String, Value>) -> Self {
        let first = schema.list("prefixItems").collect();
        let rest = node.get("items").map(|items| schema.at(items));
        Self { first, rest, lengths: LengthRange::of(node, "minItems", "maxItems") }
    }

    pub(crate) fn item(&self, index: usize) -> Option<Schema<'s>> {
        self.first.get(index).copied().or(self.rest)
    }
}

impl<'s> StringShape<'s> {
    fn of(node: &'s Map<String, Value>) -> Self {
        let pattern = node.get("pattern").and_then(Value::as_str);
        let alphabet = pattern
            .and_then(|pattern| pattern.strip_prefix("^[")?.strip_suffix("]+$"))
            .filter(|alphabet| !alphabet.starts_with('^') && !alphabet.contains(['\\', '[', ']']));
        let mut lengths = LengthRange::of(node, "minLength", "maxLength");
        lengths.least = lengths.least.max(u64::from(alphabet.is_some()));
        Self { lengths, alphabet }
    }

    /// The first character that may not be there.
    pub(crate) fn stranger(self, text: &str) -> Option<char> {
        let alphabet: Vec<char> = self.alphabet?.chars().collect();
        let in_range = |c: char| alphabet.windows(3).any(|part| part[1] == '-' && (part[0]..=part[2]).contains(&c));
        text.chars().find(|c| !alphabet.contains(c) && !in_range(*c))
    }
}

impl LengthRange {
    fn of(node: &Map<String, Value>, least: &str, most: &str) -> Self {
        Self {
            least: node.get(least).and_then(Value::as_u64).unwrap_or(0),
            most: node.get(most).and_then(Value::as_u64),
        }
    }

    /// `at least 1`, `from 1 to 2`, `exactly 3`; nothing if every length will do.
    pub(crate) fn range(self) -> Option<String> {
        match (self.least, self.most) {
            (0, None) => None,
            (least, None) => Some(format!("at least {least}")),
            (0, Some(most)) => Some(format!("at most {most}")),
            (least, Some(most)) if least == most => Some(format!("exactly {least}")),
            (least, Some(most)) => Some(format!("from {least} to {most}")),
        }
    }

    pub(crate) fn hold(self, length: usize) -> bool {
        let length = length as u64;
        length >= self.least && self.most.is_none_or(|most| length <= most)
    }
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        let whole = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
        whole.map(Self::Whole).or(value.as_f64().map(Self::Real))
    }

    fn less_than(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a < b,
            (a, b) => a.real() < b.real(),
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Real(value) => value,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Real(value) if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) => write!(f, "{value:e}"),
            Self::Real(value) => write!(f, "{value}"),
        }
    }
}

impl Bounds {
    fn of_integer(node: &Map<String, Value>) -> Self {
        let (low, high) = match node.get("format").and_then(Value::as_str) {
            Some("uint8") => (0, i128::from(u8::MAX)),
            Some("uint16") => (0, i128::from(u16::MAX)),
            Some("uint32") => (0, i128::from(u32::MAX)),
            // TOML integers end at `i64::MAX`, so a larger one could not be written back.
            Some("uint64" | "uint") => (0, i128::from(i64::MAX)),
            Some("int8") => (i128::from(i8::MIN), i128::from(i8::MAX)),
            Some("int16") => (i128::from(i16::MIN), i128::from(i16::MAX)),
            Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
            _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
        };
        Self::of(node, Some((Number::Whole(low), Number::Whole(high))))
    }

    fn of_number(node: &Map<String, Value>) -> Self {
        let single = node.get("format").and_then(Value::as_str) == Some("float");
        let most = f64::from(f32::MAX);
        Self::of(node, single.then_some((Number::Real(-most), Number::Real(most))))
    }

    fn of(node: &Map<String, Value>, holds: Option<(Number, Number)>) -> Self {
        let limit = |value| NumberLimit { value, exclusive: false };
        let (type_low, type_high) = (holds.map(|(low, _)| limit(low)), holds.map(|(_, high)| limit(high)));
        let mut bounds = Self { low: None, high: None, type_low, type_high };
        bounds.narrow(node);
        bounds
    }

    fn narrow(&mut self, node: &Map<String, Value>) {
        let limit = |keyword: &str, exclusive| {
            node.get(keyword).and_then(Number::of).map(|value| NumberLimit { value, exclusive })
        };
        self.low = limit("exclusiveMinimum", true).or(limit("minimum", false)).or(self.low);
        self.high = limit("exclusiveMaximum", true).or(limit("maximum", false)).or(self.high);
    }

    /// The range that `value` breaks, in words; `None` if it is inside.
    pub(crate) fn broken_by(&self, value: Number) -> Option<String> {
        if self.low.is_some_and(|low| low.above(value)) || self.high.is_some_and(|high| high.below(value)) {
            return self.range();
        }
        let low = self.type_low.filter(|low| low.above(value));
        let high = self.type_high.filter(|high| high.below(value));
        if low.is_none() && high.is_none() {
            return None;
        }
        Self { low: low.or(self.low), high: high.or(self.high), ..*self }.range()
    }

    /// `at least 1`, `from 0 to 1`, `above 0 and below 1`; nothing if the schema states no range.
    pub(crate) fn range(&self) -> Option<String> {
        let low = self.low.map(|low| format!("{} {}", if low.exclusive { "above" } else { "at least" }, low.value));
        let high = self.high.map(|high| format!("{} {}", if high.exclusive { "below" } else { "at most" }, high.value));
        match (self.low, self.high) {
            (Some(low), Some(high)) if !low.exclusive && !high.exclusive => {
                Some(format!("from {} to {}", low.value, high.value))
            }
            _ => match (low, high) {
                (Some(low), Some(high)) => Some(format!("{low} and {high}")),
                (low, high) => low.or(high),
            },
        }
    }
}

impl NumberLimit {
    /// Whether this lower limit refuses `value`.
    fn above(self, value: Number) -> bool {
        value.less_than(self.value) || (self.exclusive && !self.value.less_than(value))
    }

    /// Whether this upper limit refuses `value`.
    fn below(self, value: Number) -> bool {
        self.value.less_than(value) || (self.exclusive && !value.less_than(self.value))
    }
}
