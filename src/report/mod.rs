//! Layer 6: data to text. The only place that knows output formats; computes nothing and reads no storage.
//!
//! Text may change with every release; JSON may only grow (`docs/json.md`).

mod arguments;
mod change_json;
mod csv;
mod diff_flow;
mod diff_json;
mod diff_lines;
mod diff_table;
mod diff_text;
mod events;
mod explain;
mod explain_json;
mod figure;
mod finding_json;
mod findings_text;
mod github;
mod graph;
mod graph_json;
mod inspect_json;
mod inspect_text;
mod json;
mod junit;
mod keras;
mod keras_json;
mod list_json;
mod list_text;
mod markdown;
mod model_json;
mod model_text;
mod names_text;
mod nest;
mod ops_json;
mod ops_text;
mod print_json;
mod restore_json;
mod restore_text;
mod rows;
mod sarif;
#[cfg(test)]
mod schema;
mod serving;
mod stats_csv;
mod stats_format;
mod stats_json;
mod stats_text;
mod table;
mod timeline_json;
mod timeline_table;
mod timeline_text;
mod units;
mod validate_json;
mod words;
mod wrap;

pub use self::csv::{csv_output, list_csv};
pub use diff_flow::{DiffColumns, DiffFlow, DiffNotes};
pub use diff_json::{diff_json, diff_jsonl};
pub use diff_table::{diff_csv, diff_markdown};
pub use diff_text::diff_text;
pub use explain::{diagnosis_text, not_opened_text, on_disk_text, page_text};
pub use explain_json::explain_json;
pub use findings_text::{validate_text, write_finding};
pub use github::validate_github;
pub use graph::{graph_dot, tensor_text};
pub use graph_json::graph_json;
pub use inspect_json::inspect_json;
pub use inspect_text::inspect_text;
pub use json::string_element;
pub use junit::validate_junit;
pub use keras::keras_tree;
pub use keras_json::keras_graph_json;
pub use list_json::{list_json, list_jsonl};
pub use list_text::{groups_text, list_text, tree_text};
pub use markdown::{StatsMarkdown, list_markdown};
pub use model_json::model_json;
pub use model_text::{model_text, signatures_text};
pub use names_text::names_text;
pub use nest::Nest;
pub use ops_json::{ops_github, ops_json, ops_junit, ops_sarif};
pub use ops_text::{ops_list, ops_text};
pub use print_json::print_head;
pub use restore_json::assignment_map_json;
pub use sarif::validate_sarif;
pub use stats_csv::StatsCsv;
pub use stats_format::StatsFormat;
pub use stats_json::{StatsJson, StatsJsonl};
pub use stats_text::StatsText;
pub use timeline_json::{latest_json, timeline_json, timeline_jsonl};
pub use timeline_table::{timeline_csv, timeline_markdown};
pub use timeline_text::{repair_text, timeline_text};
pub use units::{count, percent, shape_text, size};
pub use validate_json::validate_json;
pub use wrap::folded;

use anstyle::{AnsiColor, Style};

/// The rows of a `diff` that are shown, in order.
#[derive(Debug)]
pub struct DiffRows<'d> {
    /// The rows.
    pub rows: Vec<&'d crate::analysis::diff::Change>,
    /// How many there are besides.
    pub hidden: usize,
    /// Whether names are shown as stored, and more of each row.
    pub long: bool,
}

/// How text is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Whether colours and weights may be used. They never carry meaning alone.
    pub color: bool,
    /// Columns of the terminal; `None` when it is not one.
    pub width: Option<usize>,
}

impl Look {
    /// For paragraphs, which end their lines where a page does also where there is no terminal.
    fn of_a_page(self) -> Self {
        Self { width: self.width.or(Some(80)), ..self }
    }

    /// Style of what a heading or a name is.
    pub fn bold(self) -> Style {
        self.style(Style::new().bold())
    }

    /// Style of what matters less.
    pub fn dim(self) -> Style {
        self.style(Style::new().dimmed())
    }

    /// Style of what is wrong.
    pub fn bad(self) -> Style {
        self.style(AnsiColor::Red.on_default().bold())
    }

    /// Style of what is new.
    pub fn good(self) -> Style {
        self.style(AnsiColor::Green.on_default())
    }

    /// Style of what is suspicious.
    pub fn doubtful(self) -> Style {
        self.style(AnsiColor::Yellow.on_default())
    }

    fn style(self, style: Style) -> Style {
        if self.color { style } else { Style::new() }
    }
}
