//! What the data of two checkpoints says of one weight and its slots.

use std::cmp::Ordering;

/// What training did to one weight between two checkpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// What the weight is called. Escaped.
    pub name: String,
    /// Elements.
    pub elements: u64,
    /// Root mean square of the gradients that the optimizer was given: over all elements and the updates in between, later
    /// updates counting for more where the slot forgets.
    pub gradient_rms: Option<f64>,
    /// Where that is not known, what it is not above.
    pub gradient_rms_at_most: Option<f64>,
    /// Root mean square of the difference of the weight: of all updates together.
    pub update_rms: Option<f64>,
    /// That, in proportion to the root mean square of the weight.
    pub update_ratio: Option<f64>,
    /// Rows (indexes of the first axis) that have not had a gradient since the optimizer was created.
    pub never_trained_rows: Option<u64>,
    /// Rows in all, where that is known.
    pub rows: Option<u64>,
    /// Units (indexes of the last axis of a weight that has two or more) that have had no gradient in between.
    pub dead_units: Option<u64>,
    /// Units in all, where that is known.
    pub units: Option<u64>,
    /// The learning rate was this at least once in between, at least.
    pub learning_rate_at_least: Option<f64>,
    /// Elements of the weight or its slot that are NaN or infinite.
    pub not_finite: u64,
    /// Whether the checkpoint before has it, too.
    pub has_before: bool,
    /// Whether its slot is less than it can be by what was taken for granted.
    pub is_impossible: bool,
    /// Why something of it is not known.
    pub unknown: Option<&'static str>,
}

/// In which order weights are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayerSort {
    /// By name.
    #[default]
    Name,
    /// The largest gradient first.
    Gradient,
    /// What moved most in proportion to its size first.
    Update,
    /// The most rows that have never been trained first.
    Never,
    /// The most units without a gradient first.
    Dead,
}

impl LayerSort {
    /// How two weights follow each other: what is not known comes last, equals by name.
    pub fn order(self, a: &Layer, b: &Layer) -> Ordering {
        let size = |layer: &Layer| match self {
            Self::Name => None,
            Self::Gradient => layer.gradient_rms,
            Self::Update => layer.update_ratio,
            #[expect(clippy::cast_precision_loss, reason = "an order")]
            Self::Never => layer.never_trained_rows.map(|rows| rows as f64),
            #[expect(clippy::cast_precision_loss, reason = "an order")]
            Self::Dead => layer.dead_units.map(|units| units as f64),
        };
        let size = |layer: &Layer| size(layer).filter(|size| !size.is_nan()).unwrap_or(-1.0);
        size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name))
    }
}
