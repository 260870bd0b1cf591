//! What people call a tensor: the variable's name in the program, the other paths to it, the variable of a slot.
//!
//! A key of an object-based checkpoint is the shortest path to an object (`optimizer/_trainable_variables/1`), which
//! nobody would look for. The object graph has the variable's own name, every other path, and which variable a slot
//! belongs to, as far as the optimizer says. Keras since 2.11 says it only by the order in its lists and by names.

use std::collections::BTreeSet;

use super::graph_slots::{Link, Slots};
use super::objects::Objects;
use super::roles::{Role, Roles, short_name, without_scopes};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY};
use crate::read::graphs::object_graph::{ObjectGraph, Paths};

/// How many other paths of a tensor are kept.
const ALIASES: usize = 16;

/// The names of every tensor of a checkpoint, by position.
#[derive(Debug, Default)]
pub struct Names {
    rows: Vec<Name>,
    seen: BTreeSet<Box<str>>,
    /// Full names that more than one tensor has.
    ambiguous: BTreeSet<String>,
}

/// The names of one tensor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The variable's name in the program that saved it; in a name-based checkpoint the key is that.
    pub full_name: Option<Box<str>>,
    /// Other paths in the object graph that lead to the same variable.
    pub aliases: Vec<String>,
    /// Whether there are more.
    pub more_aliases: bool,
    /// The variable that this is a slot of.
    pub slot: Option<Box<SlotOf>>,
}

/// What a slot belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotOf {
    /// The key of the variable, which may not be in the checkpoint.
    pub variable: Vec<u8>,
    /// The name of the variable in the program, or its key without the suffix of variables.
    pub variable_name: String,
    /// Which of its slots: `m`, `momentum`.
    pub slot: String,
}

impl Names {
    /// Finds the full names of all tensors, and nothing else.
    pub fn full(checkpoint: &Checkpoint, objects: &Objects) -> Self {
        let Some(graph) = objects.graph() else { return Self::default() };
        let mut names = Self::default();
        let mut tensors = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = tensors.advance() {
            names.add(graph, &tensor.name);
        }
        names
    }

    /// Adds the tensor with this key, with its full name.
    fn add(&mut self, graph: &ObjectGraph, key: &[u8]) {
        let variable = graph.variable_for_key(key).filter(|_| key != OBJECT_GRAPH_KEY);
        let full_name = variable.map(|variable| variable.attribute.full_name.as_str()).filter(|name| !name.is_empty());
        if let Some(full_name) = full_name.filter(|name| !self.seen.insert((*name).into())) {
            self.ambiguous.insert(full_name.to_owned());
        }
        self.rows.push(Name { full_name: full_name.map(Box::from), ..Name::default() });
    }

    /// Adds the tensor with this key, with the name that the file itself says, if it does.
    fn add_told(&mut self, checkpoint: &Checkpoint, key: &[u8]) {
        let own = checkpoint.told(key).and_then(|told| told.name).filter(|name| !name.is_empty());
        if let Some(own) = own.as_deref().filter(|own| !self.seen.insert((*own).into())) {
            self.ambiguous.insert(own.to_owned());
        }
        self.rows.push(Name { full_name: own.map(Into::into), ..Name::default() });
    }

    /// Finds the names of all tensors.
    pub fn of(checkpoint: &Checkpoint, roles: &Roles, objects: &Objects) -> Self {
        let graph = objects.graph();
        let slots = graph.map(|graph| Slots::new(checkpoint, graph));
        let paths = graph.map(Paths::new);
        let mut names = Self::default();
        let mut links: Vec<(usize, Link)> = Vec::new();
        let mut tensors = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = tensors.advance() {
            let key: &[u8] = &tensor.name;
            if let (Some(graph), Some(paths)) = (graph, &paths) {
                names.add(graph, key);
                let node = graph.node_for_key(key).filter(|_| key != OBJECT_GRAPH_KEY);
                if let Some((node, name)) = node.zip(names.rows.last_mut()) {
                    (name.aliases, name.more_aliases) = aliases(paths, node, key);
                }
            } else {
                names.add_told(checkpoint, key);
            }
            let link = match &slots {
                Some(slots) => slots.link(key),
                None => None,
            };
            let by_name = || (roles.role(at) == Role::Slot).then(|| by_name(checkpoint, key))?;
            links.extend(link.or_else(|| by_marker(key)).or_else(by_name).map(|link| (at, link)));
        }
        for (at, link) in links {
            let variable_name = match graph.and_then(|graph| graph.variable_for_key(&link.variable)) {
                Some(variable) if !variable.attribute.full_name.is_empty() => variable.attribute.full_name.clone(),
                _ => String::from_utf8_lossy(short_name(&link.variable)).into_owned(),
            };
            if let Some(name) = names.rows.get_mut(at) {
                let Link { variable, slot } = link;
                name.slot = Some(Box::new(SlotOf { variable, variable_name, slot }));
            }
        }
        names
    }

    /// The names of the tensor at a position.
    pub fn get(&self, at: usize) -> Option<&Name> {
        self.rows.get(at)
    }

    /// Whether more than one tensor has this full name.
    pub fn is_ambiguous(&self, full_name: &str) -> bool {
        self.ambiguous.contains(full_name)
    }

    /// What to call a tensor where there is room for one name: its full name if no other tensor has that, else its key
    /// without the suffix of variables. Escaped.
    pub fn best(&self, at: usize, key: &[u8]) -> String {
        let full_name = self.get(at).and_then(|name| name.full_name.as_deref());
        match full_name.filter(|name| !self.is_ambiguous(name)) {
            Some(name) => escaped(name.as_bytes()).into_owned(),
            None => escaped(short_name(key)).into_owned(),
        }
    }
}

/// The scope of a full name, which is the layer that the variable belongs to.
pub fn layer(full_name: &str) -> Option<&str> {
    full_name.rsplit_once('/').map(|(layer, _)| layer)
}

/// The paths to a node that are not the key.
fn aliases(paths: &Paths<'_>, node: usize, key: &[u8]) -> (Vec<String>, bool) {
    let (mut found, more) = paths.of(node, ALIASES.saturating_add(1));
    let own = |path: &String| key.strip_prefix(path.as_bytes()).is_some_and(|rest| rest.starts_with(b"/.ATTRIBUTES/"));
    found.retain(|path| !own(path));
    let more = more || found.len() > ALIASES;
    found.truncate(ALIASES);
    (found, more)
}

/// `<variable>/.OPTIMIZER_SLOT/<optimizer>/<slot>/.ATTRIBUTES/VARIABLE_VALUE`, which needs no graph.
fn by_marker(key: &[u8]) -> Option<Link> {
    const MARKER: &[u8] = b"/.OPTIMIZER_SLOT/";
    let path = short_name(key);
    let at = path.windows(MARKER.len()).position(|window| window == MARKER)?;
    let (variable, rest) = path.split_at_checked(at)?;
    let slot = rest.rsplit(|byte| *byte == b'/').next().unwrap_or(rest);
    let variable = [variable, b"/.ATTRIBUTES/VARIABLE_VALUE"].concat();
    Some(Link { variable, slot: String::from_utf8_lossy(slot).into_owned() })
}

/// `<variable>/Adam_1` of TensorFlow 1, `training/Adam/<variable>/m` of Keras in it, `<variable>_slot_vr` of Mesh
/// TensorFlow; with `:0` behind all where keys are the names of outputs.
fn by_name(checkpoint: &Checkpoint, key: &[u8]) -> Option<Link> {
    let (name, end) = key.strip_suffix(b":0").map_or((key, &b""[..]), |name| (name, &b":0"[..]));
    let at = name.iter().rposition(|byte| *byte == b'/');
    let exists = |variable: &[u8]| checkpoint.tensor(variable).is_some();
    if let Some((joined, slot)) = memchr::memmem::rfind(name, b"_slot_").and_then(|at| name.split_at_checked(at))
        && exists(joined)
    {
        let slot = slot.strip_prefix(b"_slot_").unwrap_or(slot);
        return Some(Link { variable: joined.to_vec(), slot: String::from_utf8_lossy(slot).into_owned() });
    }
    let at = at?;
    let (variable, last) = (name.get(..at)?, name.get(at.saturating_add(1)..)?);
    let last = std::str::from_utf8(last).ok()?;
    let link = |variable: &[u8]| {
        let key = [variable, end].concat();
        exists(&key).then(|| Link { variable: key, slot: slot_of_v1(checkpoint, name, end, last) })
    };
    // A slot of one part of a partitioned variable lies under the part's name.
    let part = variable.iter().rposition(|byte| *byte == b'/').and_then(|at| variable.split_at_checked(at));
    let whole = part.filter(|(_, part)| part.starts_with(b"/part_")).map(|(whole, _)| whole);
    link(variable)
        .or_else(|| link(whole?))
        .or_else(|| without_scopes(variable).find_map(|(front, behind)| link(&[front, behind].concat())))
        // Of parts whose names went through other scopes: the nearest variable above.
        .or_else(|| memchr::memrchr_iter(b'/', variable).find_map(|at| link(variable.get(..at)?)))
}

/// The slot that a name of `tf.compat.v1.train` optimizers stands for: they name slots after themselves and number them
/// in the order in which they make them (`_create_slots` of each).
fn slot_of_v1(checkpoint: &Checkpoint, name: &[u8], end: &[u8], last: &str) -> String {
    let third = |slot: &str| {
        let scope = name.strip_suffix(last.as_bytes()).unwrap_or(name);
        checkpoint.tensor(&[scope, slot.as_bytes(), b"_2", end].concat()).is_some()
    };
    let slot = match last {
        "Adam" | "AdamW" => "m",
        "Adam_1" | "AdamW_1" => "v",
        "Adagrad" => "accumulator",
        "Adadelta" | "Ftrl" => "accum",
        "Adadelta_1" => "accum_update",
        "Ftrl_1" => "linear",
        "RMSProp" => "rms",
        // A centered one has the mean of gradients before the momentum.
        "RMSProp_1" if third("RMSProp") => "mg",
        "Momentum" | "RMSProp_1" | "RMSProp_2" => "momentum",
        other => other,
    };
    slot.to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::limits::Limits;
    use crate::read::checkpoint::Choice;

    /// Name, other paths and, as `slot of variable`, what it belongs to.
    #[derive(Default)]
    struct Row {
        aliases: Vec<String>,
        slot: String,
    }

    fn names(path: &str) -> BTreeMap<String, Row> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path);
        let checkpoint = Checkpoint::open(&path, Choice::default(), &Limits::default()).unwrap();
        let (roles, objects) = (Roles::of(&checkpoint), Objects::of(&checkpoint));
        let names = Names::of(&checkpoint, &roles, &objects);
        let mut rows = BTreeMap::new();
        for (at, tensor) in checkpoint.tensors().iter().enumerate() {
            let name = names.get(at).unwrap().clone();
            let slot = name.slot.map(|slot| format!("{} of {}", slot.slot, slot.variable_name)).unwrap_or_default();
            let key = String::from_utf8_lossy(short_name(&tensor.name)).into_owned();
            rows.insert(key, Row { aliases: name.aliases, slot });
        }
        rows
    }

    #[test]
    fn slots_are_linked_in_every_layout() {
        let keras3 = names("object_graph/keras3");
        assert_eq!(keras3["optimizer/_variables/5"].slot, "velocity of sequential/hidden/kernel");
        assert_eq!(keras3["optimizer/_trainable_variables/1"].aliases[1], "model/_functional/_operations/3/_kernel");
        assert_eq!(keras3["optimizer/_iterations"].slot, "");
        let tf_keras = names("model_dir/tf_keras");
        assert_eq!(tf_keras["optimizer/_variables/6"].slot, "v of out/kernel");
        let legacy = names("object_graph/tf_keras");
        let key = "model/layer_with_weights-0/kernel/.OPTIMIZER_SLOT/optimizer/m";
        assert_eq!(legacy[key].slot, "m of hidden/kernel");
        let v1 = names("model_dir/run");
        assert_eq!(v1["dense/kernel/Adam_1"].slot, "v of dense/kernel");
        assert_eq!(v1.values().filter(|row| !row.slot.is_empty()).count(), 4);
    }

    #[test]
    fn a_layer_is_the_scope_of_a_name() {
        assert_eq!((layer("a/b/kernel"), layer("kernel")), (Some("a/b"), None));
    }

    #[test]
    fn tied_variables_have_all_their_paths() {
        let awkward = names("object_graph/awkward");
        assert_eq!(awkward["model/tied"].aliases, ["model/inner/w"]);
    }
}
