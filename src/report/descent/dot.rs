//! `tree` for Graphviz.

use std::io::{self, Write};

use super::words::{last, time};
use crate::analysis::descent::{Descent, Direction, Relation};
use crate::report::kit::json::shown;

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A box a checkpoint, in a frame for each run, an arrow from what it comes from.
///
/// # Errors
/// What `out` says.
pub(super) fn descent_dot(descent: &Descent, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph checkpoints {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];")?;
    for (number, run) in descent.runs.iter().enumerate() {
        let of = || descent.leaves.iter().enumerate().filter(|(_, leaf)| leaf.run == number);
        if of().next().is_none() {
            continue;
        }
        let group = run.group.as_ref().map_or_else(String::new, |group| format!(" ({group})"));
        writeln!(
            out,
            "  subgraph cluster_{number} {{\n    label={};",
            quoted(&format!("{}{group}", shown(&run.path)))
        )?;
        for (at, leaf) in of() {
            let mut label = vec![last(leaf)];
            label.extend(time(leaf));
            writeln!(out, "    n{at} [label={}];", quoted(&label.join("\n")).replace('\n', "\\n"))?;
        }
        writeln!(out, "  }}")?;
    }
    for (at, leaf) in descent.leaves.iter().enumerate() {
        let Some(link) = &leaf.link else { continue };
        let style = match link.relation {
            Relation::Continues => "",
            Relation::SameModel => ", style=dotted",
            _ => ", style=bold",
        };
        let ends = if link.direction == Direction::Unknown { ", dir=none" } else { "" };
        let label = match link.relation {
            Relation::FineTuned => format!("fine-tuned, {} of {} the same", link.shared.0, link.shared.1),
            other => other.name().replace('_', " "),
        };
        for from in &link.of {
            writeln!(out, "  n{from} -> n{at} [label={}{style}{ends}];", quoted(&label))?;
        }
    }
    writeln!(out, "}}")
}
