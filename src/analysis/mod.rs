//! Questions about checkpoints. Returns data, prints nothing.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bytes_tree;
mod compat;
pub mod convert;
mod derived;
pub mod descent;
pub mod diff;
mod element_sums;
pub mod excerpt;
pub mod explain;
mod file_alone;
mod finding;
pub mod forensics;
mod listing;
mod naming;
pub mod ops;
pub mod parts;
pub mod policy;
pub mod recover;
mod restore;
pub mod run;
pub mod stats;
mod survey;
mod sweep;
mod timeline;
mod training;
mod validate;

pub use bytes_tree::Branch;
pub use compat::{Count, OldFunction, OldGraph, OldModel, OldOption};
pub use derived::{MissingShards, derived, is_missing, is_zero};
pub use element_sums::elements_crc32c;
pub use file_alone::{FileAlone, FileIs};
pub use finding::{Cause, Code, Date, Finding, Level, Ruling, Severity};
pub use forensics::Derived;
pub use listing::{Group, GroupBy, Listing, RowCursor, Sort, TreeRow};
pub use naming::covered::Scopes as MovedScopes;
pub use naming::names::{Name, Names, SlotOf, layer};
pub use naming::objects::Objects;
pub use naming::rename::{Rename, Renames};
pub use naming::rename_table::RenameTable;
pub use naming::roles::{Role, Roles, RolesBy, is_by_optimizer, short_name};
pub use naming::scopes::{Scope, scopes};
pub use naming::select::{Selector, parse_size};
pub use naming::selection::Selection;
pub use naming::totals::Totals;
pub use restore::{
    Assertions, Candidate, Hint, KerasOutcome, KerasProgram, Match, Mismatch, Missing, Model, Raise, Restore,
    RestoreOptions, Spec, Unexpected, UnexpectedGroup, assignment_map, expectation, findings, restore,
};
pub use stats::{Stats, StatsOptions, stats};
pub use survey::beside::Beside;
pub use survey::files::{FileInfo, broken_files};
pub use survey::keras_model::{KerasLayer, KerasModel};
pub use survey::memory::Memory;
pub use survey::model::{Around, GraphInfo, KerasInfo, ModelInfo};
pub use survey::serving::{ServedVersion, Serving};
pub use survey::state_file::{repair, state_findings};
pub use survey::step::Step;
pub use survey::subject::Subject;
pub use survey::summary::{Equal, RoleTotal, Saver, Summary};
pub use timeline::{Distance, Finite, Measured, Moved, Reason, Row, Timeline, TimelineOptions, TrainingOptions};
pub use training::{Between, Layer, LayerSort, OptimizerAge, Since, Training};
use validate::is_of_one_part;
pub use validate::{
    Counts, Gate, GroupVerdict, PolicyUse, Served, ValidateOptions, Validation, validate, validate_found,
};
