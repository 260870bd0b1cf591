//! What a graph restores: the names that its `RestoreV2` operations read, and the variables that take the values.
//!
//! `plan` is that as data; `read` makes it of a meta graph or a graph, whose operations `ops` follows.

mod ops;
mod plan;
mod read;
mod saves;

pub use plan::{Part, Read, RestorePlan, Target, TargetKind, Wanted};
pub(super) use read::variable_defs;
pub use saves::{SavePlan, Saved};
