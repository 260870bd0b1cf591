//! Layer 5: questions about checkpoints. Returns data, prints nothing.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beside;
mod cut;
mod derived;
pub mod diff;
pub mod explain;
mod files;
mod finding;
pub mod forensics;
mod keras_model;
mod listing;
mod model;
mod names;
mod nearby;
mod objects;
mod op_site;
pub mod ops;
mod rename;
mod restore;
mod roles;
mod scopes;
mod select;
mod serving;
mod state_file;
pub mod stats;
mod step;
mod summary;
mod timeline;
mod totals;
mod validate;

pub use beside::Beside;
pub use derived::{MissingShards, derived, is_missing, is_zero};
pub use files::{FileInfo, broken_files};
pub use finding::{Cause, Code, Finding, Severity};
pub use forensics::Derived;
pub use keras_model::{KerasLayer, KerasModel};
pub use listing::{Group, GroupBy, Listing, RowCursor, Sort, TreeRow};
pub use model::{Around, GraphInfo, KerasInfo, ModelInfo};
pub use names::{Name, Names, SlotOf, layer};
pub use objects::Objects;
pub use rename::{Rename, Renames};
pub use restore::{
    Assertions, Candidate, Hint, KerasOutcome, KerasProgram, Match, Mismatch, Missing, Model, Raise, Restore, RestoreOptions, Spec, Unexpected,
    UnexpectedGroup, assignment_map, expectation, findings, restore,
};
pub use roles::{Role, Roles, short_name};
pub use scopes::{Scope, scopes};
pub use select::{Selection, Selector};
pub use serving::{ServedVersion, Serving};
pub use state_file::{repair, state_findings};
pub use stats::{Stats, StatsOptions, stats};
pub use step::Step;
pub use summary::{Equal, RoleTotal, Saver, Summary};
pub use timeline::{Distance, Finite, Measured, Moved, Reason, Row, Scopes as MovedScopes, Timeline, TimelineOptions};
pub use totals::Totals;
use validate::is_of_one_part;
pub use validate::{Counts, Gate, GroupVerdict, Served, ValidateOptions, Validation, validate, validate_found};
