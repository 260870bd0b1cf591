//! Which nodes of an object graph lead where. Nothing here recurses: graphs may be deep and cyclic.

use super::{Node, ObjectGraph};

impl ObjectGraph {
    /// For every node, whether it lies at most `depth` steps from the root, by children and slots; with `stateful`, only
    /// if it or something below it stores state.
    pub fn within(&self, depth: usize, stateful: bool) -> Vec<bool> {
        let holds = if stateful { self.holding() } else { vec![true; self.nodes().len()] };
        let mut within = vec![false; self.nodes().len()];
        let mut queue = std::collections::VecDeque::from([(0usize, 0usize)]);
        while let Some((id, at)) = queue.pop_front() {
            let (Some(seen @ false), Some(node)) = (within.get_mut(id), self.nodes().get(id)) else { continue };
            *seen = id == 0 || holds.get(id) == Some(&true);
            if at >= depth || !*seen {
                continue;
            }
            let slots = node.slot_variables.iter().map(|slot| slot.slot_variable_node_id);
            let below = node.children.iter().map(|child| child.node_id).chain(slots);
            queue.extend(below.filter_map(|id| self.resolve(id)).map(|id| (id, at.saturating_add(1))));
        }
        within
    }

    /// For every node, whether it or a node below it has attributes or slot variables.
    pub fn holding(&self) -> Vec<bool> {
        let mut parents: Vec<Vec<usize>> = vec![Vec::new(); self.nodes().len()];
        for (node, n) in self.nodes().iter().enumerate() {
            for child in n.children.iter().filter_map(|child| self.resolve(child.node_id)) {
                if let Some(parents) = parents.get_mut(child) {
                    parents.push(node);
                }
            }
        }
        let own = |n: &Node| !n.attributes.is_empty() || !n.slot_variables.is_empty();
        let mut holds: Vec<bool> = self.nodes().iter().map(own).collect();
        let mut queue: Vec<usize> = (0..holds.len()).filter(|node| holds.get(*node) == Some(&true)).collect();
        while let Some(node) = queue.pop() {
            for parent in parents.get_mut(node).map(std::mem::take).unwrap_or_default() {
                if let Some(holds @ false) = holds.get_mut(parent) {
                    *holds = true;
                    queue.push(parent);
                }
            }
        }
        holds
    }

    /// For every node, whether children and slots lead to it from the root.
    pub fn leads_to(&self) -> Vec<bool> {
        let mut leads_to = vec![false; self.nodes().len()];
        let mut stack = vec![0];
        while let Some(id) = stack.pop() {
            let (Some(leads @ false), Some(node)) = (leads_to.get_mut(id), self.nodes().get(id)) else { continue };
            *leads = true;
            let slots = node.slot_variables.iter().map(|slot| slot.slot_variable_node_id);
            let below = node.children.iter().map(|child| child.node_id).chain(slots);
            stack.extend(below.filter_map(|id| self.resolve(id)));
        }
        leads_to
    }
}
