//! The objects of a TF2 SavedModel: which functions of the library can be called, by what path, and what they take.
//!
//! TensorFlow: `core/protobuf/saved_object_graph.proto`, `struct.proto`; `saved_model_cli show --all` prints the
//! functions of the root from it.

use std::collections::{BTreeMap, VecDeque};

use super::python_value::PythonValue;
use super::{Slice, WALK};
use crate::base::error::Result;
use crate::read::pb;
use crate::read::tensor::{DType, Shape};

/// What kind of object a node is, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A Python object: its identifier (`_tf_keras_model`), and JSON of Keras before TensorFlow 2.5.
    User(String, String),
    /// A file, by its position in the list of assets.
    Asset(usize),
    /// A `tf.function`, with the names of its concrete functions.
    Function(Vec<String>),
    /// One concrete function.
    Bare(String),
    /// A variable, by name.
    Variable(String),
    /// A constant: the node of the graph that it is.
    Constant(String),
    /// A table or something else that is made and initialized when the model is loaded.
    Resource,
    /// Anything else.
    Other,
}

/// One object.
#[derive(Clone, Debug)]
pub struct SavedNode {
    /// What it is.
    pub kind: ObjectKind,
    /// Children: their numbers and names.
    pub children: Vec<(usize, String)>,
}

/// A `SavedObjectGraph`.
#[derive(Clone, Debug, Default)]
pub struct Objects<'a> {
    /// The objects; the first is the root.
    pub nodes: Vec<SavedNode>,
    /// Of every concrete function its description.
    concrete: BTreeMap<String, Slice<'a>>,
}

/// A function that a program can call on the loaded model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callable {
    /// Where it hangs: `serve`, `layer.call`.
    pub path: String,
    /// Names of its concrete functions in the library.
    pub functions: Vec<String>,
    /// Whether the loader calls it by itself: it makes or initializes a resource.
    pub at_load: bool,
}

/// What one concrete function takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Method {
    /// Arguments by position.
    pub positional: Vec<Spec>,
    /// Arguments by name.
    pub named: Vec<(String, Spec)>,
}

/// What one concrete function takes, as Python has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Values by position.
    pub positional: Vec<PythonValue>,
    /// Values by name.
    pub named: Vec<(String, PythonValue)>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// A tensor: its name, dtype and shape.
    Tensor(String, DType, Shape),
    /// Another value, as Python shows it.
    Value(String),
}

impl<'a> Objects<'a> {
    /// Reads the `SavedObjectGraph` messages.
    ///
    /// # Errors
    /// If one is damaged.
    pub fn read(messages: &[Slice<'a>]) -> Result<Self> {
        let mut objects = Self::default();
        for message in messages {
            message.each(|field| {
                match field.number {
                    1 => objects.nodes.push(node(Slice::of(field)?)?),
                    2 => {
                        if let (name, Some(function)) = WALK.entry(field)? {
                            objects.concrete.insert(name, Slice::of(function)?);
                        }
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(objects)
    }

    /// The objects that the last arguments of a concrete function are bound to.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn bound_inputs(&self, function: &str) -> Result<Vec<usize>> {
        let Some(message) = self.concrete.get(function) else { return Ok(Vec::new()) };
        let function: pb::SavedConcreteFunction = pb::decode("concrete function", message.bytes, message.offset)?;
        Ok(function.bound_inputs.iter().map(|id| usize::try_from(*id).unwrap_or(usize::MAX)).collect())
    }

    /// Everything that can be called, each under its shortest path from the root.
    pub fn callables(&self) -> Vec<Callable> {
        let mut paths: Vec<Option<String>> = vec![None; self.nodes.len()];
        let mut at_load: Vec<bool> = vec![false; self.nodes.len()];
        let mut open = VecDeque::from([0usize]);
        if let Some(root) = paths.first_mut() {
            *root = Some(String::new());
        }
        while let Some(at) = open.pop_front() {
            let (Some(node), Some(Some(path))) = (self.nodes.get(at), paths.get(at).cloned()) else { continue };
            let is_resource = node.kind == ObjectKind::Resource;
            for (child, name) in &node.children {
                let of_loader = is_resource && matches!(name.as_str(), "_create_resource" | "_initialize");
                if let Some(mark) = at_load.get_mut(*child) {
                    *mark |= of_loader;
                }
                // Paths are as long as the chains of a hostile file: cut off where nobody reads any further.
                if let Some(slot @ None) = paths.get_mut(*child)
                    && path.len() < 256
                {
                    *slot = Some(if path.is_empty() { name.clone() } else { format!("{path}.{name}") });
                    open.push_back(*child);
                }
            }
        }
        // Below a function hang its concrete ones (`trace_0`), and below `signatures` what the graph calls as well.
        let mut of_functions: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
        for node in &self.nodes {
            if let ObjectKind::Function(names) = &node.kind {
                of_functions.extend(names.iter().map(String::as_str));
            }
        }
        let found = self.nodes.iter().zip(paths).zip(at_load).filter_map(|((node, path), at_load)| {
            let functions = match &node.kind {
                ObjectKind::Function(names) => names.clone(),
                ObjectKind::Bare(name) if !of_functions.contains(name.as_str()) => vec![name.clone()],
                _ => return None,
            };
            let path = path.unwrap_or_default();
            (!path.starts_with("signatures.")).then_some(Callable { path, functions, at_load })
        });
        found.collect()
    }

    /// The functions among the children of the root, which is what `saved_model_cli` lists, by name.
    pub fn of_root(&self) -> Vec<(&str, &[String])> {
        let children = self.nodes.first().map(|root| root.children.as_slice()).unwrap_or_default();
        let mut found: Vec<(&str, &[String])> = children
            .iter()
            .filter_map(|(id, name)| match &self.nodes.get(*id)?.kind {
                ObjectKind::Function(functions) => Some((name.as_str(), functions.as_slice())),
                ObjectKind::Bare(function) => Some((name.as_str(), std::slice::from_ref(function))),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found.dedup_by_key(|(name, _)| *name);
        found
    }

    /// What a concrete function takes, by position and by name, as Python has it.
    ///
    /// # Errors
    /// If its description is damaged.
    pub fn arguments(&self, function: &str) -> Result<Arguments> {
        let Some(message) = self.concrete.get(function) else { return Ok(Arguments::default()) };
        let function: pb::SavedConcreteFunction = pb::decode("concrete function", message.bytes, message.offset)?;
        let (mut positional, mut named) = (Vec::new(), Vec::new());
        if let Some(PythonValue::Tuple(parts)) = function.canonicalized_input_signature.map(PythonValue::of) {
            for part in parts {
                match part {
                    PythonValue::Tuple(values) | PythonValue::List(values) => positional.extend(values),
                    PythonValue::Dict(fields) => named.extend(fields),
                    _ => {}
                }
            }
        }
        Ok(Arguments { positional, named })
    }

    /// What a concrete function takes.
    ///
    /// # Errors
    /// If its description is damaged.
    pub fn method(&self, function: &str) -> Result<Option<Method>> {
        let Some(message) = self.concrete.get(function) else { return Ok(None) };
        let function: pb::SavedConcreteFunction = pb::decode("concrete function", message.bytes, message.offset)?;
        Ok(function.canonicalized_input_signature.map(Method::of))
    }
}

fn node(message: Slice<'_>) -> Result<SavedNode> {
    let mut node = SavedNode { kind: ObjectKind::Other, children: Vec::new() };
    message.each(|field| {
        let decoded = Slice::of(field);
        match field.number {
            1 => {
                let (mut id, mut name) = (0, String::new());
                decoded?.each(|field| {
                    match field.number {
                        1 => id = usize::try_from(WALK.int32(field)?).unwrap_or(usize::MAX),
                        2 => name = WALK.string(field)?,
                        _ => {}
                    }
                    Ok(())
                })?;
                node.children.push((id, name));
            }
            4 => {
                let user: pb::SavedUserObject = pb::decode("object", decoded?.bytes, field.offset)?;
                node.kind = ObjectKind::User(user.identifier, user.metadata);
            }
            5 => {
                let asset: pb::SavedAsset = pb::decode("object", decoded?.bytes, field.offset)?;
                node.kind = ObjectKind::Asset(usize::try_from(asset.asset_file_def_index).unwrap_or(usize::MAX));
            }
            6 => {
                let mut names = Vec::new();
                decoded?.each(|field| {
                    if field.number == 1 {
                        names.push(WALK.string(field)?);
                    }
                    Ok(())
                })?;
                node.kind = ObjectKind::Function(names);
            }
            7 => {
                let mut name = String::new();
                decoded?.each(|field| {
                    if field.number == 6 {
                        name = WALK.string(field)?;
                    }
                    Ok(())
                })?;
                node.kind = ObjectKind::Variable(name);
            }
            8 => node.kind = ObjectKind::Bare(first_text(decoded?)?),
            9 => node.kind = ObjectKind::Constant(first_text(decoded?)?),
            10 => node.kind = ObjectKind::Resource,
            _ => {}
        }
        Ok(())
    })?;
    Ok(node)
}

/// Field 1, a string.
fn first_text(message: Slice<'_>) -> Result<String> {
    let mut text = String::new();
    message.each(|field| {
        if field.number == 1 {
            text = WALK.string(field)?;
        }
        Ok(())
    })?;
    Ok(text)
}

use pb::structured_value::Kind;

impl Method {
    /// The canonical signature is a tuple of a tuple of positional and a dict of named arguments; see
    /// `FunctionSpec` in `python/eager/polymorphic_function/function_type_utils.py`.
    fn of(signature: pb::StructuredValue) -> Self {
        let mut method = Self::default();
        let Some(Kind::TupleValue(whole)) = signature.kind else { return method };
        for part in whole.values {
            match part.kind {
                Some(Kind::TupleValue(positional)) => {
                    method.positional.extend(positional.values.into_iter().map(Spec::of));
                }
                Some(Kind::DictValue(named)) => {
                    let mut named: Vec<_> = named.fields.into_iter().map(|(name, v)| (name, Spec::of(v))).collect();
                    named.sort_by(|a, b| a.0.cmp(&b.0));
                    method.named.extend(named);
                }
                _ => {}
            }
        }
        method
    }
}

impl Spec {
    fn of(value: pb::StructuredValue) -> Self {
        match value.kind {
            Some(Kind::TensorSpecValue(spec)) => {
                Self::Tensor(spec.name, DType::from_number(spec.dtype), shape(spec.shape))
            }
            Some(Kind::BoundedTensorSpecValue(spec)) => {
                Self::Tensor(spec.name, DType::from_number(spec.dtype), shape(spec.shape))
            }
            kind => Self::Value(text(kind)),
        }
    }
}

fn shape(shape: Option<pb::TensorShapeProto>) -> Shape {
    match shape {
        Some(shape) if shape.unknown_rank => Shape::unknown_rank(),
        Some(shape) => Shape::new(shape.dim.iter().map(|dim| dim.size).collect::<Vec<i64>>()),
        None => Shape::scalar(),
    }
}

/// A value as Python shows it. Recurses no deeper than the message was decoded: 100.
fn text(kind: Option<Kind>) -> String {
    let join = |values: Vec<pb::StructuredValue>| {
        let all: Vec<String> = values.into_iter().map(|value| text(value.kind)).collect();
        all.join(", ")
    };
    match kind {
        None | Some(Kind::NoneValue(_)) => "None".to_owned(),
        Some(Kind::BoolValue(true)) => "True".to_owned(),
        Some(Kind::BoolValue(false)) => "False".to_owned(),
        Some(Kind::Float64Value(value)) => format!("{value:?}"),
        Some(Kind::Int64Value(value)) => value.to_string(),
        Some(Kind::StringValue(value)) => format!("'{value}'"),
        Some(Kind::TensorDtypeValue(number)) => format!("tf.{}", DType::from_number(number)),
        Some(Kind::TensorShapeValue(value)) => python_shape(&shape(Some(value))),
        Some(Kind::ListValue(list)) => format!("[{}]", join(list.values)),
        Some(Kind::TupleValue(tuple)) => format!("({})", join(tuple.values)),
        Some(Kind::DictValue(dict)) => {
            let mut all: Vec<(String, String)> = dict.fields.into_iter().map(|(k, v)| (k, text(v.kind))).collect();
            all.sort();
            let all: Vec<String> = all.into_iter().map(|(key, value)| format!("'{key}': {value}")).collect();
            format!("{{{}}}", all.join(", "))
        }
        Some(Kind::NamedTupleValue(tuple)) => {
            let all: Vec<String> = tuple
                .values
                .into_iter()
                .map(|pair| format!("{}={}", pair.key, text(pair.value.and_then(|value| value.kind))))
                .collect();
            format!("{}({})", tuple.name, all.join(", "))
        }
        Some(Kind::TensorSpecValue(spec)) => tensor(&spec.name, spec.dtype, spec.shape),
        Some(Kind::BoundedTensorSpecValue(spec)) => tensor(&spec.name, spec.dtype, spec.shape),
        Some(Kind::TypeSpecValue(spec)) => {
            let state = spec.type_state.map(|state| text(state.kind)).unwrap_or_default();
            format!("{}{state}", spec.type_spec_class_name)
        }
        Some(Kind::TensorValue(_) | Kind::NumpyValue(_)) => "a tensor".to_owned(),
    }
}

fn python_shape(shape: &Shape) -> String {
    let Some(dims) = shape.dims() else { return "TensorShape(None)".to_owned() };
    let dims: Vec<String> = dims.iter().map(|d| if *d < 0 { "None".to_owned() } else { d.to_string() }).collect();
    format!("TensorShape([{}])", dims.join(", "))
}

fn tensor(name: &str, dtype: i32, dims: Option<pb::TensorShapeProto>) -> String {
    format!("{name}: {} {}", DType::from_number(dtype), shape(dims))
}
