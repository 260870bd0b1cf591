//! Object graphs: the `TrackableObjectGraph` that object-based checkpoints carry as a string tensor.
//!
//! Node ids are positions and are written as given, so children may be missing, cyclic or out of range.

use crate::proto::Msg;

/// A `TrackableObject` under construction.
#[derive(Clone, Debug, Default)]
pub struct Node {
    children: Vec<Msg>,
    attributes: Vec<Msg>,
    slots: Vec<Msg>,
    saver: Option<Msg>,
    has_checkpoint_values: Option<bool>,
    extra: Vec<u8>,
}

impl Node {
    /// A node with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A named edge to another node.
    pub fn child(mut self, node: i32, local_name: &str) -> Self {
        let child = Msg::new().int_unless_zero(1, node.into()).string(2, local_name);
        self.children.push(child);
        self
    }

    /// A saved attribute; an empty `full_name` is left out.
    pub fn attribute(mut self, name: &str, full_name: &str, key: &str) -> Self {
        let mut attribute = Msg::new().string(1, name);
        if !full_name.is_empty() {
            attribute = attribute.string(2, full_name);
        }
        self.attributes.push(attribute.string(3, key));
        self
    }

    /// The attribute of a variable.
    pub fn variable(self, full_name: &str, key: &str) -> Self {
        self.attribute("VARIABLE_VALUE", full_name, key)
    }

    /// A slot variable of an optimizer: of which variable, its name, its own node.
    pub fn slot(mut self, variable: i32, name: &str, slot: i32) -> Self {
        let slot = Msg::new().int_unless_zero(1, variable.into()).string(2, name).int_unless_zero(3, slot.into());
        self.slots.push(slot);
        self
    }

    /// A registered saver.
    pub fn registered_saver(mut self, name: &str, object_name: &str) -> Self {
        self.saver = Some(Msg::new().string(1, name).string(2, object_name));
        self
    }

    /// Whether anything at or below the node is stored; absent unless set, as in older files.
    pub fn has_checkpoint_values(mut self, value: bool) -> Self {
        self.has_checkpoint_values = Some(value);
        self
    }

    /// Further bytes of the message.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.extra.extend_from_slice(bytes.as_ref());
        self
    }

    /// The message.
    pub fn proto(self) -> Msg {
        let mut msg = Msg::new();
        for (field, messages) in [(1, self.children), (2, self.attributes), (3, self.slots)] {
            for message in messages {
                msg = msg.msg(field, message);
            }
        }
        if let Some(saver) = self.saver {
            msg = msg.msg(4, saver);
        }
        if let Some(value) = self.has_checkpoint_values {
            msg = msg.msg(5, Msg::new().int_unless_zero(1, value.into()));
        }
        msg.raw(self.extra)
    }
}

/// A `TrackableObjectGraph` under construction. Node 0 is the root.
#[derive(Clone, Debug, Default)]
pub struct ObjectGraph {
    nodes: Vec<Node>,
}

impl ObjectGraph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a node.
    pub fn node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// A tree with a variable at each path of local names; pairs of path and full name.
    pub fn of_variables(variables: &[(&[&str], &str)]) -> Self {
        let mut nodes = vec![Node::new()];
        let mut paths: Vec<Vec<&str>> = vec![Vec::new()];
        for (path, full_name) in variables {
            let mut at = 0;
            for depth in 1..=path.len() {
                let here = &path[..depth];
                at = match paths.iter().position(|known| known == here) {
                    Some(known) => known,
                    None => {
                        let new = nodes.len();
                        let parent = std::mem::take(&mut nodes[at]);
                        nodes[at] = parent.child(new as i32, path[depth - 1]);
                        nodes.push(Node::new());
                        paths.push(here.to_vec());
                        new
                    }
                };
            }
            let node = std::mem::take(&mut nodes[at]);
            nodes[at] = node.variable(full_name, &variable_key(path));
        }
        let stored = |node: Node| node.has_checkpoint_values(true);
        Self { nodes: nodes.into_iter().map(stored).collect() }
    }

    /// The serialized graph.
    pub fn build(self) -> Vec<u8> {
        let nodes = self.nodes.into_iter();
        nodes.fold(Msg::new(), |graph, node| graph.msg(1, node.proto())).build()
    }
}

/// A local name as it appears in keys.
pub fn escape(local_name: &str) -> String {
    local_name.replace('.', "..").replace('/', ".S")
}

/// The key of the variable at a path of local names.
pub fn variable_key(path: &[&str]) -> String {
    let path: Vec<String> = path.iter().map(|name| escape(name)).collect();
    format!("{}/.ATTRIBUTES/VARIABLE_VALUE", path.join("/"))
}

/// The key of an optimizer's slot variable.
pub fn slot_key(variable: &[&str], optimizer: &[&str], slot: &str) -> String {
    let join = |path: &[&str]| path.iter().map(|n| escape(n)).collect::<Vec<_>>().join("/");
    format!("{}/.OPTIMIZER_SLOT/{}/{}/.ATTRIBUTES/VARIABLE_VALUE", join(variable), join(optimizer), escape(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_dots_first() {
        assert_eq!(variable_key(&["model", "attr.dot", "a/b"]), "model/attr..dot/a.Sb/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(variable_key(&[]), "/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(slot_key(&["v"], &["opt"], "m"), "v/.OPTIMIZER_SLOT/opt/m/.ATTRIBUTES/VARIABLE_VALUE");
    }

    #[test]
    fn a_tree_shares_its_inner_nodes() {
        let graph = ObjectGraph::of_variables(&[(&["m", "w"], "w"), (&["m", "b"], "b")]);
        assert_eq!(graph.nodes.len(), 4);
        assert_eq!(graph.nodes[1].children.len(), 2);
    }
}
