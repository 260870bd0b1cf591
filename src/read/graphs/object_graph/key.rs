//! Checkpoint keys: how names are escaped in them, and which object a tensor belongs to.
//!
//! TensorFlow: `python/trackable/trackable_utils.py`. A key is `<path>/.ATTRIBUTES/<attribute>`, and a slot's
//! `<path>/.OPTIMIZER_SLOT/<optimizer's path>/<slot>/.ATTRIBUTES/<attribute>`. Split at `/` first, unescape then.

use std::borrow::Cow;

use super::{Attribute, ObjectGraph, Variable};

/// A local name as it stands in a key: `.` doubled, `/` as `.S`.
pub fn escape_local_name(name: &str) -> Cow<'_, str> {
    if !name.contains(['.', '/']) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.replace('.', "..").replace('/', ".S"))
}

/// A part of a key as the local name it stands for. What no escaping produces, such as `.ATTRIBUTES`, stays.
pub fn unescape_local_name(part: &str) -> Cow<'_, str> {
    if !part.contains('.') {
        return Cow::Borrowed(part);
    }
    let mut name = String::with_capacity(part.len());
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        let rest = chars.as_str();
        match (c, rest.as_bytes().first()) {
            ('.', Some(b'.')) => name.push('.'),
            ('.', Some(b'S')) => name.push('/'),
            _ => {
                name.push(c);
                continue;
            }
        }
        chars.next();
    }
    Cow::Owned(name)
}

impl ObjectGraph {
    pub(super) fn index_keys(&self) -> Vec<(usize, usize)> {
        let attributes = |(node, n): (usize, &super::Node)| (0..n.attributes.len()).map(move |index| (node, index));
        let mut by_key: Vec<(usize, usize)> = self.nodes().iter().enumerate().flat_map(attributes).collect();
        // The sort is stable, so that of equal keys the first one stays.
        by_key.sort_by_key(|at| self.key_at(*at));
        by_key.dedup_by_key(|at| self.key_at(*at));
        by_key
    }

    fn attribute_at(&self, (node, index): (usize, usize)) -> Option<&Attribute> {
        self.nodes().get(node)?.attributes.get(index)
    }

    fn key_at(&self, at: (usize, usize)) -> &[u8] {
        self.attribute_at(at).map(|attribute| attribute.checkpoint_key.as_bytes()).unwrap_or_default()
    }

    /// Whether the key of an attribute is what its object's path makes it.
    pub fn is_path_key(&self, node: usize, attribute: &Attribute) -> bool {
        let name = escape_local_name(&attribute.name);
        let path =
            attribute.checkpoint_key.strip_suffix(name.as_ref()).and_then(|key| key.strip_suffix("/.ATTRIBUTES/"));
        let Some(path) = path.filter(|_| self.is_reachable(node)) else { return false };
        let mut parts = path.rsplit('/').filter(|_| node != 0);
        let same = self.path_upward(node).all(|part| parts.next().is_some_and(|p| p == escape_local_name(part)));
        same && parts.next().is_none()
    }

    /// The node that a tensor belongs to; see [`Self::variable_for_key`].
    pub fn node_for_key(&self, key: &[u8]) -> Option<usize> {
        self.variable_for_key(key).map(|variable| variable.node)
    }

    /// The node and attribute that a tensor belongs to: the one with its key, else the one with the longest key that
    /// its key begins with. Hash tables store `<key>-keys` and `<key>-values`, iterators `<key>_STATE`.
    pub fn variable_for_key(&self, key: &[u8]) -> Option<Variable<'_>> {
        let mut prefix = key;
        loop {
            let behind = self.by_key.partition_point(|at| self.key_at(*at) <= prefix);
            let &at = self.by_key.get(behind.checked_sub(1)?)?;
            let found = self.key_at(at);
            if prefix.starts_with(found) {
                let attribute = self.attribute_at(at).filter(|_| !found.is_empty())?;
                return Some(Variable { node: at.0, attribute });
            }
            // Whatever is a prefix of `key` and sorts before `found` is a prefix of what both have in common.
            let common = found.iter().zip(prefix).take_while(|(a, b)| a == b).count();
            prefix = prefix.get(..common)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::variable;
    use super::*;

    #[test]
    fn names_are_escaped_as_tensorflow_escapes_them() {
        for (name, part) in [("w", "w"), ("attr.dot", "attr..dot"), ("a/b", "a.Sb"), ("./.S", "...S..S"), ("", "")] {
            assert_eq!(escape_local_name(name), part);
            assert_eq!(unescape_local_name(part), name);
        }
        assert_eq!(unescape_local_name(".ATTRIBUTES"), ".ATTRIBUTES");
        assert_eq!(unescape_local_name("x."), "x.");
    }

    #[test]
    fn the_longest_key_that_a_tensor_s_begins_with_is_its_object() {
        let keys = ["t/.ATTRIBUTES/table", "t/.ATTRIBUTES/t", "it/.ATTRIBUTES/ITERATOR", "", "a", "ab0", "ab0x"];
        let graph = ObjectGraph::new(keys.iter().map(|key| variable("", key)).collect());
        for (key, node) in [
            ("t/.ATTRIBUTES/table-keys", Some(0)),
            ("t/.ATTRIBUTES/table", Some(0)),
            ("t/.ATTRIBUTES/tab", Some(1)),
            ("it/.ATTRIBUTES/ITERATOR_STATE", Some(2)),
            ("ab1", Some(4)),
            ("ab0z", Some(5)),
            ("", None),
            ("save_counter", None),
            ("0", None),
        ] {
            assert_eq!(graph.node_for_key(key.as_bytes()), node, "{key}");
        }
    }
}
