//! What a program trains: of every variable that its Saver stores, whether it is trained, kept by an optimizer or
//! neither, as the graph in a `.meta` file says.
//!
//! Optimizers update a variable by one op whose inputs are the variable and its slots (`core/ops/training_ops.cc`:
//! `ApplyAdam(var, m, v, beta1_power, …)`), so what feeds such an op is a slot whatever it is called. Collections say
//! which variables are trained, and which one counts the steps (`python/framework/ops.py`, `GraphKeys`). An optimizer
//! that is written in other ops (BERT's `AdamWeightDecayOptimizer`) is seen only by that its variables are not trained.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

pub use super::constants::Constants;
use super::graph::{Feeder, Input, Node, Nodes, Slice};
use super::message_file::read_as;
use super::object_graph::ObjectGraph;
use super::restores::{RestorePlan, TargetKind, variable_defs};
use super::saved_objects::SavedObjects;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::wire::{Field, Value, Walker};

const WALK: Walker = Walker { what: "meta graph" };

/// What a variable is for in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An optimizer's op updates it.
    Updated,
    /// It is among `trainable_variables`, as every variable is unless its maker says otherwise.
    Trained,
    /// It was made to be trained, as variables of TensorFlow 2 are unless their maker says otherwise: a step may be too.
    Trainable,
    /// An update of another variable takes it in and changes it. With the optimizer, by its op.
    Slot(&'static str),
    /// An update of a variable reads it: a learning rate, a power of beta.
    Hyperparameter(&'static str),
    /// It follows other values as a moving average.
    Average,
    /// The global step.
    Step,
    /// It is among `metric_variables`.
    Metric,
    /// A table.
    Table,
    /// It is a variable and none of these.
    NotTrained,
}

/// What the variables of a program are for, by the keys that its Saver stores them under.
#[derive(Clone, Debug, Default)]
pub struct Training {
    purposes: HashMap<Vec<u8>, Purpose>,
    /// Of objects that nothing trains, the names of their variables.
    names: HashMap<Vec<u8>, String>,
    constants: Vec<Constants>,
}

/// Collections that say what a variable is for. TensorFlow: `GraphKeys` in `python/framework/ops.py`.
const COLLECTIONS: [&str; 4] = ["trainable_variables", "variables", "global_step", "metric_variables"];

/// Ops that update a variable, without `Resource`, `Sparse` and `Apply`; the optimizers that use them; and their inputs
/// behind the variable.
///
/// TensorFlow: `core/ops/training_ops.cc`.
const UPDATES: &[(&[u8], &str, &str)] = &[
    (b"Adam", "Adam", "m v beta1_power beta2_power lr beta1 beta2 epsilon grad"),
    (b"AdamWithAmsgrad", "Adam", "m v vhat beta1_power beta2_power lr beta1 beta2 epsilon grad"),
    (b"AdaMax", "AdaMax", "m v beta1_power lr beta1 beta2 epsilon grad"),
    (b"Adagrad", "Adagrad", "accum lr grad"),
    (b"AdagradV2", "Adagrad", "accum lr epsilon grad"),
    (b"AdagradDA", "AdagradDA", "gradient_accumulator gradient_squared_accumulator grad lr l1 l2 global_step"),
    (b"Adadelta", "Adadelta", "accum accum_update lr rho epsilon grad"),
    (b"RMSProp", "RMSProp", "ms mom lr rho momentum epsilon grad"),
    (b"CenteredRMSProp", "RMSProp", "mg ms mom lr rho momentum epsilon grad"),
    (b"Ftrl", "Ftrl", "accum linear grad lr l1 l2 lr_power"),
    (b"FtrlV2", "Ftrl", "accum linear grad lr l1 l2 l2_shrinkage lr_power"),
    (b"Momentum", "Momentum", "accum lr grad momentum"),
    (b"KerasMomentum", "SGD", "accum lr grad momentum"),
    (b"ProximalAdagrad", "ProximalAdagrad", "accum lr l1 l2 grad"),
    (b"GradientDescent", "GradientDescent", "lr delta"),
    (b"ProximalGradientDescent", "ProximalGradientDescent", "lr l1 l2 delta"),
    (b"AddSign", "AddSign", "m lr alpha sign_decay beta grad"),
    (b"PowerSign", "PowerSign", "m lr logbase sign_decay beta grad"),
];

impl Training {
    /// Reads a `.meta` file, binary or text. `None` if the graph in it trains nothing, and so tells nothing.
    ///
    /// # Errors
    /// If it cannot be read or is damaged.
    pub fn read(path: &Path, limits: &Limits) -> Result<Option<Self>> {
        read_as(path, "tensorflow.MetaGraphDef", WALK.what, limits, Self::of_meta_graph)
    }

    /// Reads `saved_model.pb` or `.pbtxt`: of TensorFlow 1 as a `.meta` file, of TensorFlow 2 the flags of its objects.
    /// `is_key` says which keys the checkpoint has. `None` as for [`Training::read`].
    ///
    /// # Errors
    /// If it cannot be read or is damaged.
    pub fn read_saved_model(file: &Path, is_key: impl Fn(&str) -> bool, limits: &Limits) -> Result<Option<Self>> {
        let (of_graph, objects) = read_as(file, "tensorflow.SavedModel", "SavedModel", limits, |bytes| {
            let (mut of_graph, mut objects) = (None, None);
            WALK.each(bytes, 0, |field| {
                if field.number == 2 && objects.is_none() {
                    objects = saved_objects(field)?;
                    if objects.is_none() && of_graph.is_none() {
                        of_graph = Self::of_meta_graph(WALK.bytes(field)?)?;
                    }
                }
                Ok(())
            })?;
            Ok((of_graph, objects))
        })?;
        let Some(objects) = objects else { return Ok(of_graph) };
        let Some(graph) = ObjectGraph::of_saved_model(file, is_key, limits)? else { return Ok(None) };
        let (mut purposes, mut names) = (HashMap::new(), HashMap::new());
        for (node, object) in graph.nodes().iter().zip(objects.nodes) {
            if let (Some(attribute), Some(variable)) = (node.attributes.first(), object.variable) {
                let purpose = if variable.is_trainable { Purpose::Trainable } else { Purpose::NotTrained };
                let key = attribute.checkpoint_key.clone().into_bytes();
                if purpose == Purpose::NotTrained && !attribute.full_name.is_empty() {
                    names.insert(key.clone(), attribute.full_name.clone());
                }
                purposes.insert(key, purpose);
            }
        }
        let trains = purposes.values().any(|purpose| *purpose == Purpose::Trainable);
        Ok(trains.then_some(Self { purposes, names, constants: Vec::new() }))
    }

    fn of_meta_graph(message: &[u8]) -> Result<Option<Self>> {
        let (mut graph, mut collections) = (None, BTreeMap::new());
        WALK.each(message, 0, |field| {
            match field.number {
                2 => graph = Some(Slice::of(field)?),
                4 => {
                    let (key, value) = WALK.entry(field)?;
                    if let Some(value) = value.filter(|_| COLLECTIONS.contains(&key.as_str())) {
                        collections.insert(key, names_in(value)?);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        let is_trained = |names: &HashSet<Vec<u8>>| !names.is_empty();
        let Some(graph) = graph.filter(|_| collections.get("trainable_variables").is_some_and(is_trained)) else {
            return Ok(None);
        };
        let nodes = Nodes::of_graph(graph)?;
        let of_variables = by_variable(&nodes, &collections)?;
        let plan = RestorePlan::of_meta_graph(Field { number: 0, value: Value::Bytes(message), offset: 0 })?;
        let mut purposes = HashMap::new();
        for wanted in plan.reads.into_iter().flat_map(|read| read.tensors) {
            for target in &wanted.targets {
                let purpose = match target.kind {
                    TargetKind::Table => Some(Purpose::Table),
                    _ => of_variables.get(target.name.as_bytes()).copied(),
                };
                // Parts of one variable are for the same; what two variables share is for the better known one.
                if let Some(purpose) = purpose {
                    let known = purposes.entry(wanted.name.clone()).or_insert(purpose);
                    if *known == Purpose::NotTrained {
                        *known = purpose;
                    }
                }
            }
        }
        let mut constants = Vec::new();
        for node in &nodes.all {
            if let Some(update) = update_of(node.op) {
                Constants::add(&mut constants, &nodes, update, node)?;
            }
        }
        Ok((!purposes.is_empty()).then_some(Self { purposes, names: HashMap::new(), constants }))
    }

    /// What each optimizer is given as constants of the graph.
    pub fn constants(&self) -> &[Constants] {
        &self.constants
    }

    /// What the variable is for that is stored under this key.
    pub fn purpose(&self, key: &[u8]) -> Option<Purpose> {
        self.purposes.get(key).copied()
    }

    /// What the program calls the variable under this key, if nothing trains it and the key is that of an object.
    pub fn full_name(&self, key: &[u8]) -> Option<&str> {
        self.names.get(key).map(String::as_str)
    }
}

/// The objects of a meta graph, if TensorFlow 2 wrote it.
fn saved_objects(meta_graph: Field<'_>) -> Result<Option<SavedObjects>> {
    let mut objects = None;
    WALK.each_in(meta_graph, |field| {
        if field.number == 7 {
            objects = Some(SavedObjects::parse(field)?).filter(|objects| !objects.nodes.is_empty());
        }
        Ok(())
    })?;
    Ok(objects)
}

/// The variables that a collection names, without `:0`.
fn names_in(collection: Field<'_>) -> Result<HashSet<Vec<u8>>> {
    let variables = variable_defs(collection)?;
    Ok(variables.iter().filter_map(|variable| Some(variable.variable_name.split(':').next()?.into())).collect())
}

fn is_variable(node: &Node<'_>) -> bool {
    matches!(node.op, b"VariableV2" | b"Variable" | b"VarHandleOp" | b"AutoReloadVariable")
}

/// What every variable of a graph is for, by its name in it.
fn by_variable<'a>(
    nodes: &Nodes<'a>,
    collections: &BTreeMap<String, HashSet<Vec<u8>>>,
) -> Result<HashMap<&'a [u8], Purpose>> {
    let is_in = |collection: &str, name: &[u8]| collections.get(collection).is_some_and(|names| names.contains(name));
    let mut found: HashMap<&[u8], Purpose> = HashMap::new();
    for node in nodes.all.iter().filter(|node| is_variable(node)) {
        let purpose = if is_in("trainable_variables", node.name) {
            Purpose::Trained
        } else if is_in("global_step", node.name) {
            Purpose::Step
        } else if is_in("metric_variables", node.name) {
            Purpose::Metric
        } else {
            Purpose::NotTrained
        };
        found.insert(node.name, purpose);
    }
    for node in nodes.all.iter().filter(|node| optimizer_of(node.op).is_some()) {
        let updated = node.data_inputs()?.first().and_then(|input| found.get_mut(input.node));
        if let Some(known @ Purpose::Trained) = updated {
            *known = Purpose::Updated;
        }
    }
    let mut tell = |name: &[u8], purpose: Purpose| {
        if let Some(known @ Purpose::NotTrained) = found.get_mut(name) {
            *known = purpose;
        }
    };
    // Slots before numbers: an update may read what another one changes.
    for node in &nodes.all {
        if let Some(optimizer) = optimizer_of(node.op) {
            for input in node.data_inputs()?.into_iter().skip(1) {
                if let Some(slot) = nodes.get(input.node).filter(is_variable) {
                    tell(slot.name, Purpose::Slot(optimizer));
                }
            }
        } else if is_moving_average(node)
            && let Some(average) = node.data_inputs()?.first().and_then(|input| nodes.get(input.node))
        {
            tell(average.name, Purpose::Average);
        }
    }
    for node in &nodes.all {
        let Some(optimizer) = optimizer_of(node.op) else { continue };
        for input in node.data_inputs()?.into_iter().skip(1) {
            if let Some(read) = read_variable(nodes, input)? {
                tell(read.name, Purpose::Hyperparameter(optimizer));
            }
        }
    }
    Ok(found)
}

/// The variable whose value an input is, if it is that of one.
fn read_variable<'a>(nodes: &Nodes<'a>, input: Input<'a>) -> Result<Option<Node<'a>>> {
    let Some(Feeder::Node(mut node, _)) = nodes.source(input, |_| ())? else { return Ok(None) };
    if node.op == b"ReadVariableOp" {
        let Some(handle) = node.data_inputs()?.first().copied() else { return Ok(None) };
        let Some(Feeder::Node(variable, _)) = nodes.source(handle, |_| ())? else { return Ok(None) };
        node = variable;
    }
    Ok(Some(node).filter(is_variable))
}

/// `ResourceSparseApplyAdagrad` → Adagrad, and the inputs of its op.
fn update_of(op: &[u8]) -> Option<(&'static str, &'static str)> {
    let op = op.strip_prefix(b"Resource").unwrap_or(op);
    let op = op.strip_prefix(b"Sparse").unwrap_or(op).strip_prefix(b"Apply")?;
    UPDATES.iter().find(|(update, ..)| *update == op).map(|(_, optimizer, inputs)| (*optimizer, *inputs))
}

/// The optimizer alone.
fn optimizer_of(op: &[u8]) -> Option<&'static str> {
    update_of(op).map(|(optimizer, _)| optimizer)
}

/// TensorFlow: `assign_moving_average` in `python/training/moving_averages.py`, whose name is its own.
fn is_moving_average(node: &Node<'_>) -> bool {
    matches!(node.op, b"AssignSub" | b"AssignSubVariableOp")
        && node.name.split(|byte| *byte == b'/').any(|part| part.starts_with(b"AssignMovingAvg"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::pb;

    fn training(text: &str) -> Option<Training> {
        let bytes = pb::from_text("tensorflow.MetaGraphDef", "meta graph", text.as_bytes()).unwrap();
        Training::of_meta_graph(&bytes).unwrap()
    }

    const GRAPH: &str = "graph_def { node { name: 'w' op: 'VariableV2' } node { name: 'x/y' op: 'VariableV2' }
        node { name: 'rate' op: 'VariableV2' } node { name: 'rate/read' op: 'Identity' input: 'rate' }
        node { name: 'rest' op: 'VarHandleOp' } node { name: 'g' op: 'Const' }
        node { name: 'u' op: 'ApplyMomentum' input: 'w' input: 'x/y' input: 'rate/read' input: 'g' input: '^g' } }";

    #[test]
    fn what_feeds_an_update_is_a_slot_whatever_its_name() {
        let trained = "collection_def { key: 'trainable_variables' value { node_list { value: 'w:0' } } }";
        let found = training(&format!("{GRAPH} {trained}")).unwrap();
        let purposes = [&b"w"[..], b"x/y", b"rate", b"rest", b"none"].map(|name| found.purpose(name));
        let slot = Purpose::Slot("Momentum");
        let rate = Purpose::Hyperparameter("Momentum");
        assert_eq!(purposes, [Some(Purpose::Updated), Some(slot), Some(rate), Some(Purpose::NotTrained), None]);
    }

    #[test]
    fn numbers_of_an_update_are_told_where_they_are_constants() {
        let number = |name: &str, value: &str| {
            format!(
                "node {{ name: '{name}' op: 'Const' attr {{ key: 'value' value {{ tensor {{ dtype: DT_FLOAT {value} }} }} }} }}"
            )
        };
        let nodes = number("lr", "float_val: 0.001") + &number("b", "tensor_content: '\\000\\000\\000?'");
        let nodes = nodes + "node { name: 'w2' op: 'VariableV2' } node { name: 'lr/i' op: 'Identity' input: 'lr' }
            node { name: 'c' op: 'Cast' input: 'lr/i' } node { name: 's' op: 'Mul' input: 'lr' input: 'b' }
            node { name: 'u1' op: 'SparseApplyMomentum' input: 'w' input: 'x/y' input: 'c' input: 'g' input: 'at' input: 'b'
              attr { key: 'use_nesterov' value { b: true } } }
            node { name: 'u2' op: 'ApplyAdagrad' input: 'w2' input: 'rest' input: 's' input: 'g' }";
        let trained = "collection_def { key: 'trainable_variables' value { node_list { value: 'w:0' } } }";
        let graph = GRAPH
            .replace("node { name: 'u'", &format!("{nodes} node {{ name: 'no' "))
            .replace("op: 'ApplyMomentum'", "op: 'NoOp'");
        let found = training(&format!("{graph} {trained}")).unwrap();
        let [momentum, adagrad] = found.constants() else { panic!("{:?}", found.constants()) };
        assert_eq!((momentum.optimizer, momentum.updates, momentum.nesterov), ("Momentum", 1, Some(true)));
        assert_eq!(momentum.numbers, [("lr", Some(0.001)), ("momentum", Some(0.5))]);
        assert_eq!(momentum.get("learning_rate"), Some(0.001));
        assert_eq!((adagrad.numbers.as_slice(), adagrad.nesterov), (&[("lr", None)][..], None));
        // Two that differ in a number have none.
        let other =
            "node { name: 'u3' op: 'ApplyMomentum' input: 'w' input: 'x/y' input: 'lr' input: 'g' input: 'lr' } }";
        let graph = graph.trim_end().trim_end_matches('}').to_owned() + other;
        let found = training(&format!("{graph} {trained}")).unwrap();
        assert_eq!(found.constants()[0].numbers, [("lr", Some(0.001)), ("momentum", None)]);
        assert_eq!((found.constants()[0].updates, found.constants()[0].nesterov), (2, None));
    }

    #[test]
    fn what_is_trained_and_not_updated_is_told_apart() {
        let trained =
            "collection_def { key: 'trainable_variables' value { node_list { value: 'rest:0' value: 'w:0' } } }";
        let found = training(&format!("{GRAPH} {trained}")).unwrap();
        assert_eq!((found.purpose(b"rest"), found.purpose(b"w")), (Some(Purpose::Trained), Some(Purpose::Updated)));
    }

    #[test]
    fn a_graph_that_trains_nothing_tells_nothing() {
        assert!(training(GRAPH).is_none());
        assert!(training("").is_none());
    }

    #[test]
    fn names_of_updates() {
        assert_eq!(optimizer_of(b"ResourceSparseApplyProximalAdagrad"), Some("ProximalAdagrad"));
        assert_eq!(optimizer_of(b"ApplyCenteredRMSProp"), Some("RMSProp"));
        assert_eq!(optimizer_of(b"SparseApplySomething"), None);
        assert_eq!(optimizer_of(b"Adam"), None);
    }
}
