//! Every path that leads from the root to a node, shortest first: the names that a tied variable has.
//!
//! In a graph with shared objects there may be exponentially many, so their number, their length and the work are
//! capped; that some were left out is said.

use super::{ObjectGraph, escape_local_name};

/// How many objects a path may pass.
const LONGEST: usize = 64;

/// How many beginnings of paths are followed for one node.
const WORK: usize = 512;

/// The edges of a graph, backwards.
#[derive(Debug)]
pub struct Paths<'g> {
    graph: &'g ObjectGraph,
    /// For every node, who refers to it: a node, and which of its children.
    parents: Vec<Vec<(usize, usize)>>,
}

/// A path that has been followed upwards so far.
struct Partial {
    node: usize,
    /// The child of `node` that leads on to `below`.
    index: usize,
    below: Option<usize>,
    len: usize,
}

impl<'g> Paths<'g> {
    /// Turns the edges of a graph around.
    pub fn new(graph: &'g ObjectGraph) -> Self {
        let mut parents: Vec<Vec<(usize, usize)>> = vec![Vec::new(); graph.nodes().len()];
        for (parent, node) in graph.nodes().iter().enumerate() {
            for (index, child) in node.children.iter().enumerate() {
                if let Some(parents) = graph.resolve(child.node_id).and_then(|id| parents.get_mut(id)) {
                    parents.push((parent, index));
                }
            }
        }
        Self { graph, parents }
    }

    /// Up to `most` paths from the root to `node` that pass no object twice, as keys spell them; and whether there may
    /// be more.
    pub fn of(&self, node: usize, most: usize) -> (Vec<String>, bool) {
        let mut found = Vec::new();
        let mut partial = vec![Partial { node, index: 0, below: None, len: 0 }];
        let mut at = 0;
        let mut cut = false;
        while let Some(Partial { node, len, .. }) = partial.get(at) {
            let (node, len) = (*node, *len);
            if node == 0 && len > 0 {
                if found.len() == most {
                    return (found, true);
                }
                found.push(self.text(&partial, at));
            } else if len < LONGEST {
                for &(parent, index) in self.parents.get(node).map(Vec::as_slice).unwrap_or_default() {
                    if partial.len() >= WORK {
                        cut = true;
                        break;
                    }
                    if self.graph.is_reachable(parent) && !passes(&partial, at, parent) {
                        partial.push(Partial { node: parent, index, below: Some(at), len: len.saturating_add(1) });
                    }
                }
            } else {
                cut = true;
            }
            at = at.saturating_add(1);
        }
        (found, cut)
    }

    fn text(&self, partial: &[Partial], from: usize) -> String {
        let mut text = String::new();
        let mut at = from;
        while let Some(Partial { node, index, below: Some(below), .. }) = partial.get(at) {
            let child = self.graph.nodes().get(*node).and_then(|node| node.children.get(*index));
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(&child.map(|child| escape_local_name(&child.local_name)).unwrap_or_default());
            at = *below;
        }
        text
    }
}

/// Whether the path from `at` down passes `node`.
fn passes(partial: &[Partial], at: usize, node: usize) -> bool {
    let mut at = Some(at);
    while let Some(step) = at.and_then(|at| partial.get(at)) {
        if step.node == node {
            return true;
        }
        at = step.below;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::super::tests::{parent, variable};
    use super::*;

    #[test]
    fn a_tied_variable_has_all_its_paths_and_cycles_end() {
        let graph = ObjectGraph::new(vec![
            parent(&[(1, "encoder"), (2, "decoder"), (3, "shared.x")]),
            parent(&[(3, "embed"), (0, "root"), (1, "self")]),
            parent(&[(3, "a/b")]),
            parent(&[(4, "w")]),
            variable("w", "shared..x/w/.ATTRIBUTES/VARIABLE_VALUE"),
        ]);
        let paths = Paths::new(&graph);
        let want = ["shared..x/w", "encoder/embed/w", "decoder/a.Sb/w"].map(str::to_owned);
        assert_eq!(paths.of(4, 10), (want.to_vec(), false));
        assert_eq!(paths.of(4, 2), (want[..2].to_vec(), true));
        assert_eq!(paths.of(0, 9), (Vec::new(), false));
    }

    #[test]
    fn a_graph_with_exponentially_many_paths_is_cut() {
        let mut nodes: Vec<Node> = (1..40).map(|id| parent(&[(id, "a"), (id, "b")])).collect();
        nodes.push(variable("", "v"));
        let graph = ObjectGraph::new(nodes);
        let (found, cut) = Paths::new(&graph).of(39, 16);
        assert!(cut && found.len() <= 16);
        let chain: Vec<Node> = (1..=100_000).map(|id| parent(&[(id % 100_000, "c")])).collect();
        assert_eq!(Paths::new(&ObjectGraph::new(chain)).of(99_999, 16), (Vec::new(), true));
    }
}
