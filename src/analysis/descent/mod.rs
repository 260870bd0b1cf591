//! Where a set of checkpoints comes from, by the checksums in their indexes: what `tree` tells.
//!
//! `gather` finds checkpoints and data files without an index, `node` keeps of each what its index says, `relate` compares
//! two, `forest` finds for each where it comes from, `average` whether it is a mean of others, `stray` whose a data file is.

mod average;
mod constants;
mod forest;
mod gather;
mod node;
mod relate;
mod sample;
mod stray;
mod told;

pub use forest::descent;
pub use told::{By, Descent, DescentOptions, Direction, Leaf, Link, Relation, Run, Stray, Unread};
