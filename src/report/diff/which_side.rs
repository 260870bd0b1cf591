//! Which of two checkpoints, as a word of documents.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::diff::Side;

/// One of the two sides.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum WhichSide {
    A,
    B,
}

impl From<Side> for WhichSide {
    fn from(side: Side) -> Self {
        match side {
            Side::A => Self::A,
            Side::B => Self::B,
        }
    }
}
