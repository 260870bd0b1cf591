//! The object graph as an indented tree for people.
//!
//! Every node is shown once, where its shortest path leads, because its keys are named after that path; elsewhere it
//! is referred to. The output is no more than a constant times the file, however deep or wide the graph: indentation
//! stops growing, paths are cut, and the walk keeps its own stack.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::base::escape::Escaped;
use crate::read::graphs::object_graph::{Attribute, Node, ObjectGraph};

/// What [`object_tree`] shows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TreeOptions {
    /// Show every key; otherwise only those that the path does not tell.
    pub keys: bool,
    /// Hide objects that neither store anything nor lead to one that does, such as functions.
    pub hide_empty: bool,
    /// Show this many levels below the root.
    pub max_depth: usize,
    /// Columns of a terminal: where a line would be longer, keys and names stand below.
    pub width: Option<usize>,
}

impl Default for TreeOptions {
    fn default() -> Self {
        Self { keys: false, hide_empty: false, max_depth: usize::MAX, width: None }
    }
}

/// The attribute of a variable (`VARIABLE_VALUE_KEY`, `trackable/base.py`).
const VALUE: &str = "VARIABLE_VALUE";

/// Levels that are indented; deeper ones carry their number instead.
const INDENTED: usize = 24;

/// A line still to be written: a node with how it is reached.
enum Line {
    Child { parent: usize, index: usize },
    Slot { optimizer: usize, index: usize },
    Unreachable(usize),
}

struct Walk<'a> {
    graph: &'a ObjectGraph,
    options: &'a TreeOptions,
    /// What else is known of the tensor of an attribute: its dtype and shape.
    describe: &'a dyn Fn(&Attribute) -> Option<String>,
    out: &'a mut dyn Write,
    /// Whether a node without a path from the root has been shown.
    shown: Vec<bool>,
    holds: Vec<bool>,
    stack: Vec<(usize, Line)>,
    /// Columns of the line so far.
    column: usize,
}

/// Writes the graph as an indented tree, with what `describe` says of each tensor.
///
/// # Errors
/// What `out` refuses.
pub fn object_tree(
    graph: &ObjectGraph,
    options: &TreeOptions,
    describe: &dyn Fn(&Attribute) -> Option<String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(root) = graph.nodes().first() else { return writeln!(out, "(no objects)") };
    let holds = if options.hide_empty { graph.holding() } else { vec![true; graph.nodes().len()] };
    let shown = vec![false; graph.nodes().len()];
    let mut walk = Walk { graph, options, describe, out, shown, holds, stack: Vec::new(), column: 0 };
    walk.put("(root)")?;
    walk.state(0, root, 0, false)?;
    walk.descend(0, 0)?;
    walk.run()?;
    for (node, leads) in graph.leads_to().into_iter().enumerate() {
        let seen = walk.shown.get(node) != Some(&false) || walk.holds.get(node) == Some(&false);
        if !leads && !seen {
            walk.stack.push((0, Line::Unreachable(node)));
            walk.run()?;
        }
    }
    Ok(())
}

impl Walk<'_> {
    fn run(&mut self) -> io::Result<()> {
        while let Some((depth, line)) = self.stack.pop() {
            self.line(depth, &line)?;
        }
        Ok(())
    }

    fn line(&mut self, depth: usize, line: &Line) -> io::Result<()> {
        let graph = self.graph;
        let is_slot = matches!(line, Line::Slot { .. });
        let (name, node_id, is_path) = match *line {
            Line::Child { parent, index } => {
                let child = graph.nodes().get(parent).and_then(|node| node.children.get(index));
                let Some(child) = child else { return Ok(()) };
                let resolved = graph.resolve(child.node_id);
                if resolved.is_some_and(|node| self.holds.get(node) == Some(&false)) {
                    return Ok(());
                }
                let is_path = resolved.and_then(|node| graph.reached_by(node)) == Some((parent, index));
                self.indent(depth)?;
                (Escaped(child.local_name.as_bytes()).to_string(), child.node_id, is_path)
            }
            Line::Slot { optimizer, index } => {
                let slot = graph.nodes().get(optimizer).and_then(|node| node.slot_variables.get(index));
                let Some(slot) = slot else { return Ok(()) };
                let original = match graph.resolve(slot.original_variable_node_id) {
                    Some(node) => graph.short_path(node),
                    None => format!("(missing node {})", slot.original_variable_node_id),
                };
                self.indent(depth)?;
                (
                    format!("slot {} of {original}", Escaped(slot.slot_name.as_bytes())),
                    slot.slot_variable_node_id,
                    false,
                )
            }
            Line::Unreachable(node) => {
                let node_id = i32::try_from(node).unwrap_or(-1);
                (format!("(node {node}, not reachable from the root)"), node_id, false)
            }
        };
        self.put(&name)?;
        let Some((id, node)) = graph.resolve(node_id).and_then(|id| Some((id, graph.nodes().get(id)?))) else {
            self.put(&format!(" (missing node {node_id})"))?;
            return self.end();
        };
        let first_sight = self.shown.get(id) == Some(&false) && !graph.is_reachable(id);
        if !is_path && !first_sight {
            self.part(depth, &format!(" = {}", graph.short_path(id)))?;
            return self.end();
        }
        if let Some(shown) = self.shown.get_mut(id) {
            *shown = true;
        }
        self.state(id, node, depth, is_slot)?;
        self.descend(id, depth)
    }

    /// Queues what is below `node`.
    fn descend(&mut self, node: usize, depth: usize) -> io::Result<()> {
        let Some(n) = self.graph.nodes().get(node) else { return Ok(()) };
        let below = n.children.len().saturating_add(n.slot_variables.len());
        let depth = depth.saturating_add(1);
        if depth > self.options.max_depth {
            if below > 0 {
                self.indent(depth)?;
                self.put(&format!("… {below} more"))?;
                self.end()?;
            }
            return Ok(());
        }
        // Last in, first out: slots come last, so they go in first.
        let slots = (0..n.slot_variables.len()).map(|index| Line::Slot { optimizer: node, index }).rev();
        let children = (0..n.children.len()).map(|index| Line::Child { parent: node, index }).rev();
        self.stack.extend(slots.chain(children).map(|line| (depth, line)));
        Ok(())
    }

    /// The rest of the line of a node: what it stores; more than one attribute goes on lines of its own.
    fn state(&mut self, id: usize, node: &Node, depth: usize, is_slot: bool) -> io::Result<()> {
        if let Some(saver) = &node.registered_saver {
            self.put(&format!(" [saver {}]", Escaped(saver.name.as_bytes())))?;
        }
        if let [attribute] = node.attributes.as_slice() {
            if attribute.name != VALUE {
                self.put(&format!(" .{}", Escaped(attribute.name.as_bytes())))?;
            }
            self.attribute(id, attribute, depth, is_slot)?;
            return self.end();
        }
        self.end()?;
        let depth = depth.saturating_add(1);
        for attribute in &node.attributes {
            self.indent(depth)?;
            self.put(&format!(".{}", Escaped(attribute.name.as_bytes())))?;
            self.attribute(id, attribute, depth, is_slot)?;
            self.end()?;
        }
        Ok(())
    }

    /// A slot's key and name follow from its variable, its optimizer and its name.
    fn attribute(&mut self, node: usize, attribute: &Attribute, depth: usize, is_slot: bool) -> io::Result<()> {
        if let Some(text) = (self.describe)(attribute) {
            self.part(depth, &format!("  {text}"))?;
        }
        let key = &attribute.checkpoint_key;
        let told = if is_slot { key.contains("/.OPTIMIZER_SLOT/") } else { self.graph.is_path_key(node, attribute) };
        if self.options.keys || !told {
            let short = key.strip_suffix(VALUE).and_then(|key| key.strip_suffix("/.ATTRIBUTES/"));
            let short = short.filter(|short| !short.is_empty()).unwrap_or(key);
            self.part(depth, &format!(" → {}", Escaped(short.as_bytes())))?;
        }
        if !attribute.full_name.is_empty() && (self.options.keys || !is_slot) {
            self.part(depth, &format!("  ({})", Escaped(attribute.full_name.as_bytes())))?;
        }
        Ok(())
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.column = self.column.saturating_add(text.width());
        write!(self.out, "{text}")
    }

    /// What belongs to a line and may stand below it, if it is too long.
    fn part(&mut self, depth: usize, text: &str) -> io::Result<()> {
        let hang = depth.min(INDENTED).saturating_mul(2).saturating_add(4);
        let end = self.column.saturating_add(text.width());
        if self.options.width.is_some_and(|width| end > width) && self.column > hang {
            self.end()?;
            write!(self.out, "{:hang$}", "")?;
            self.column = hang;
            return self.put(text.trim_start());
        }
        self.put(text)
    }

    fn end(&mut self) -> io::Result<()> {
        self.column = 0;
        writeln!(self.out)
    }

    fn indent(&mut self, depth: usize) -> io::Result<()> {
        self.put(&" ".repeat(depth.min(INDENTED).saturating_mul(2)))?;
        if depth > INDENTED { self.put(&format!("[level {depth}] ")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::graphs::object_graph::tests::{child, parent, variable};
    use crate::read::graphs::object_graph::{RegisteredSaver, SlotVariable};

    fn tree(graph: &ObjectGraph, options: &TreeOptions) -> String {
        let mut out = Vec::new();
        let describe = |attribute: &Attribute| (attribute.full_name == "b").then(|| "float32 2".to_owned());
        object_tree(graph, options, &describe, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn trained() -> ObjectGraph {
        let mut optimizer = parent(&[(3, "target"), (6, "fn")]);
        let slot = |slot_variable_node_id| SlotVariable {
            original_variable_node_id: 3,
            slot_name: "m\n".to_owned(),
            slot_variable_node_id,
        };
        optimizer.slot_variables = vec![slot(4), slot(4), slot(99)];
        let mut table = variable("", "t/.ATTRIBUTES/table");
        table.attributes.extend(variable("b", "t/.ATTRIBUTES/b").attributes);
        table.registered_saver = Some(Box::new(RegisteredSaver { name: "My".to_owned(), ..Default::default() }));
        ObjectGraph::new(vec![
            parent(&[(1, "model"), (2, "opt"), (5, "t"), (77, "gone")]),
            parent(&[(3, "w"), (0, "root"), (1, "me")]),
            optimizer,
            variable("w", "model/w/.ATTRIBUTES/VARIABLE_VALUE"),
            variable("Adam/m/w", "model/w/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE"),
            table,
            Node::default(),
            parent(&[(8, "x")]),
            variable("", "lost"),
        ])
    }

    #[test]
    fn every_node_is_shown_once() {
        let want = "\
(root)
  model
    w  (w)
    root = (root)
    me = model
  opt
    target = model/w
    fn
    slot m\\n of model/w
    slot m\\n of model/w = (node 4)
    slot m\\n of model/w (missing node 99)
  t [saver My]
    .VARIABLE_VALUE → t/.ATTRIBUTES/table
    .VARIABLE_VALUE  float32 2 → t/.ATTRIBUTES/b  (b)
  gone (missing node 77)
(node 7, not reachable from the root)
  x → lost
";
        assert_eq!(tree(&trained(), &TreeOptions::default()), want);
    }

    #[test]
    fn what_is_hidden_stays_hidden() {
        let options = TreeOptions { keys: true, hide_empty: true, max_depth: 1, width: None };
        let want = "\
(root)
  model
    … 3 more
  opt
    … 5 more
  t [saver My]
    .VARIABLE_VALUE → t/.ATTRIBUTES/table
    .VARIABLE_VALUE  float32 2 → t/.ATTRIBUTES/b  (b)
  gone (missing node 77)
(node 7, not reachable from the root)
  x → lost
";
        assert_eq!(tree(&trained(), &options), want);
        assert!(!tree(&trained(), &TreeOptions { hide_empty: true, ..Default::default() }).contains("fn"));
    }

    #[test]
    fn many_nodes_in_a_chain_a_knot_and_a_fan() {
        const N: i32 = 100_000;
        let chain: Vec<Node> = (1..=N).map(|id| parent(&[(id % N, "c")])).collect();
        let text = tree(&ObjectGraph::new(chain), &TreeOptions { hide_empty: true, ..Default::default() });
        assert_eq!(text, "(root)\n");
        let chain: Vec<Node> = (1..=N).map(|id| parent(&[(id % N, "c"), (id / 2, "back")])).collect();
        let text = tree(&ObjectGraph::new(chain), &TreeOptions::default());
        assert!(text.len() < 50_000_000, "{}", text.len());
        let mut fan = vec![parent(&[(1, "x")]); 2];
        fan[0].children = vec![child(1, "y"); 100_000];
        let text = tree(&ObjectGraph::new(fan), &TreeOptions::default());
        assert_eq!(text.lines().count(), 100_002);
    }
}
