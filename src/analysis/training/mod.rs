//! What training did, read from its checkpoints: how old optimizers are, what happened between two saves, what gradients
//! and updates were.
//!
//! `age` and `story` need the indexes alone; `weights` finds the slots of each weight, `rule` the formula that leads from
//! them to gradients, `measure` reads. `docs/training.md` derives the formulas.

pub(in crate::analysis) mod age;
mod bound;
mod decay;
mod element;
pub(in crate::analysis) mod judge;
mod layer;
mod measure;
mod numbers;
pub(in crate::analysis) mod optimizer;
mod powers;
mod rule;
pub(in crate::analysis) mod story;
mod sums;
mod told;
mod units;
pub(in crate::analysis) mod verdict;
pub(in crate::analysis) mod weights;

pub use age::OptimizerAge;
pub use layer::{Layer, LayerSort};
pub use story::{Between, Since};
pub use told::Training;
