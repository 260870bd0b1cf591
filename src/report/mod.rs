//! Data to text. The only place that knows output formats; computes nothing and reads no storage.
//!
//! Text may change with every release; JSON may only grow (`docs/json.md`).

mod convert;
mod diff;
mod explain;
mod findings;
mod graph;
mod inspect;
mod kit;
mod list;
mod ops;
mod print;
mod recover;
mod restore;
#[cfg(test)]
mod schema;
mod stats;
mod timeline;
mod validate;

pub use convert::json::convert_json;
pub use convert::text::{convert_text, recipe_text};
pub use diff::DiffRows;
pub use diff::flow::{DiffColumns, DiffFlow, DiffNotes};
pub use diff::json::{diff_json, diff_jsonl};
pub use diff::table::{diff_csv, diff_markdown};
pub use diff::text::diff_text;
pub use explain::json::explain_json;
pub use explain::text::{diagnosis_text, not_opened_text, on_disk_text, page_text};
pub use findings::github::validate_github;
pub use findings::junit::validate_junit;
pub use findings::sarif::validate_sarif;
pub use findings::text::{validate_text, write_finding};
pub use graph::json::graph_json;
pub use graph::text::{graph_dot, tensor_text};
pub use inspect::json::inspect_json;
pub use inspect::keras_json::keras_graph_json;
pub use inspect::keras_text::keras_tree;
pub use inspect::model_json::model_json;
pub use inspect::model_text::{model_text, signatures_text};
pub use inspect::text::inspect_text;
pub use kit::csv::{csv_output, list_csv};
pub use kit::json::string_element;
pub use kit::look::Look;
pub use kit::markdown::{StatsMarkdown, list_markdown};
pub use kit::nest::Nest;
pub use kit::units::{count, percent, shape_text, size};
pub use kit::wrap::folded;
pub use list::json::{list_json, list_jsonl};
pub use list::names::names_text;
pub use list::text::{groups_text, list_text, tree_text};
pub use ops::json::{ops_github, ops_json, ops_junit, ops_sarif};
pub use ops::text::{ops_list, ops_text};
pub use print::json::print_head;
pub use recover::json::recover_json;
pub use recover::text::recover_text;
pub use restore::json::assignment_map_json;
pub use stats::csv::StatsCsv;
pub use stats::format::StatsFormat;
pub use stats::json::{StatsJson, StatsJsonl};
pub use stats::text::StatsText;
pub use timeline::json::{latest_json, timeline_json, timeline_jsonl};
pub use timeline::table::{timeline_csv, timeline_markdown};
pub use timeline::text::{repair_text, timeline_text};
pub use validate::json::validate_json;
