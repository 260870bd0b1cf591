//! Data to text. The only place that knows output formats; computes nothing and asks no disk.
//!
//! Text may change with every release; JSON may only grow (`docs/json.md`).

mod compat;
mod convert;
mod descent;
mod diff;
mod explain;
mod findings;
mod graph;
mod inspect;
mod kit;
mod list;
mod ops;
mod page;
mod part;
mod policy;
mod print;
mod recover;
mod restore;
mod run;
#[cfg(test)]
mod schema;
mod stats;
mod timeline;
mod topics;
mod validate;

pub use compat::inspect_checkpoint::{InspectCheckpoint, Inspected, write_inspect_checkpoint};
pub use compat::saved_model_cli::{Show, write_show};
pub use convert::told::{CONVERT_FORMATS, write_convert};
pub use descent::told::{TREE_FORMATS, write_tree};
pub use diff::DiffRows;
pub use diff::github::diff_summary;
pub use diff::match_map::write_map;
pub use diff::told::{DIFF_FORMATS, DiffReport, write_diff};
pub use explain::told::{EXPLAIN_FORMATS, write_explain};
pub use findings::summary::{ops_summary, validation_summary};
pub use graph::told::{GRAPH_FORMATS, LAYERS_FORMATS, write_graph, write_layers};
pub use graph::tree::{TreeOptions, object_tree};
pub use inspect::told::{INSPECT_FORMATS, write_inspect, write_model};
pub use kit::format::Format;
pub use kit::look::Look;
pub use kit::units::{count, percent, shape_text, size};
pub use kit::wrap::folded;
pub use list::alone::write_alone;
pub use list::told::{LIST_FORMATS, ListText, write_list};
pub use ops::told::{OPS_FORMATS, write_ops};
pub use page::changes::PageChanges;
pub use page::given::PageReport;
pub use page::tensors::PageTensors;
pub use part::json::{PartOf, part_name, read_part, write_part};
pub use part::text::ShareText;
pub use policy::told::{POLICY_FORMATS, write_policy};
pub use print::text::PrintText;
pub use print::{PRINT_FORMATS, Picture, PictureText, Printer, write_kitty, write_png, write_sixel};
pub use recover::told::{RECOVER_FORMATS, write_recover};
pub use restore::json::assignment_map_json;
pub use run::facts::{RunEngine, RunInput, RunReport, RunTimes};
pub use run::npz::write_arrays;
pub use run::told::{RUN_FORMATS, write_run, write_run_plan};
pub use stats::told::{STATS_FORMATS, StatsReport};
pub use timeline::json::latest_json;
pub use timeline::text::repair_text;
pub use timeline::told::{LATEST_FORMATS, TIMELINE_FORMATS, write_timeline};
pub use topics::{TOPICS, Topic, write_topic};
pub use validate::told::{VALIDATE_FORMATS, write_validation};
