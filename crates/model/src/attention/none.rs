//! No attention: the text vector is pooled from the token vectors themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attention, Description, Heads, MechanismConfig, TokenVectors};
use crate::init::Initializer;
use crate::outline::WeightShapes;

/// `attention.none` has no options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoneConfig {}

impl MechanismConfig for NoneConfig {
    fn init(&self, _: TokenVectors, _: &mut Initializer) -> Option<Attention> {
        None
    }

    fn shapes(&self, _: usize, _: &mut WeightShapes) {}

    fn describe(&self, tokens: TokenVectors) -> Description {
        Description { layers: Vec::new(), width: tokens.dim, heads: Heads::None, compares_texts: false }
    }
}
