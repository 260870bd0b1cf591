//! The graphs of a model for programs: part of `inspect`, and all of it where there is no checkpoint.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{self, GraphInfo, ModelInfo};
use crate::read::graphs::graph::{Form, GraphVariable, Method, Spec};
use crate::read::graphs::meta_graph::{self, SaverInfo};
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::json::{DTypeName, Dims, Head, PathText, write_document};

/// What is known of a file that holds graphs only, or of a SavedModel whose variables cannot be opened.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct InspectGraphs<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened
    source: GraphSource<'a>,
    /// of the program that wrote it
    tensorflow_version: Option<&'a str>,
    /// as in `validate`
    findings: Vec<Finding<'a>>,
    /// as of a checkpoint
    meta_graphs: Vec<MetaGraph<'a>>,
    #[serde(flatten)]
    saved_model: Option<SavedModelParts<'a>>,
}

/// A file with graphs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct GraphSource<'a> {
    /// as given
    path: PathText<'a>,
    kind: GraphKind,
    /// always null: no checkpoint was chosen
    prefix: (),
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum GraphKind {
    SavedModel,
    MetaGraph,
    Graph,
}

/// What a SavedModel has besides its graphs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct SavedModelParts<'a> {
    /// of a SavedModel: the files that its graphs list
    assets: Vec<Asset<'a>>,
    /// of a SavedModel: the files in `assets.extra` as paths from there, 100 at most
    assets_extra: &'a [String],
    /// of a SavedModel: its `fingerprint.pb`
    fingerprint: Option<Fingerprint<'a>>,
    /// of a SavedModel: its `keras_metadata.pb`
    keras: Option<Keras<'a>>,
}

/// A file that a SavedModel lists.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Asset<'a> {
    path: &'a str,
    present: bool,
}

/// What `fingerprint.pb` says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Fingerprint<'a> {
    /// as TensorFlow writes it
    singleprint: String,
    /// digits
    checkpoint_hash: String,
    uuid: &'a str,
    /// the version of the writer's rules
    producer: i32,
    /// null if it cannot be told
    matches_variables: Option<bool>,
}

/// What `keras_metadata.pb` says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Keras<'a> {
    /// of the model
    class_name: &'a str,
    /// of the model
    name: &'a str,
    /// how many are described
    objects: usize,
}

/// One graph with what can be called in it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct MetaGraph<'a> {
    /// compared as a set
    tags: &'a [String],
    /// by key
    signatures: BTreeMap<&'a str, Signature<'a>>,
    /// of the program that wrote it; empty if it does not say
    tensorflow_version: &'a str,
    /// of the program that wrote it; empty if it does not say
    tensorflow_git_version: &'a str,
    /// the version of its rules
    producer: i32,
    /// the oldest version that may read it
    min_consumer: i32,
    /// of the graph itself
    nodes: usize,
    /// of its library
    functions: usize,
    /// of the object graph
    objects: usize,
    /// of the graph itself
    variables: Vec<Variable<'a>>,
    /// where a frozen graph has its weights
    constants: ConstantsCount,
    /// the one in use
    saver: Option<Saver<'a>>,
    /// the scopes of all ops that save
    savers: &'a [String],
    /// name to how many values it has
    collections: &'a BTreeMap<String, usize>,
    /// what a loader runs after restoring
    init_ops: Vec<InitOp<'a>>,
    /// functions of the root object by name, each with its concrete functions
    callables: BTreeMap<&'a str, Vec<Callable<'a>>>,
}

/// What a model can be called with, and what it answers.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Signature<'a> {
    /// by name
    inputs: BTreeMap<&'a str, SignatureTensor<'a>>,
    /// by name
    outputs: BTreeMap<&'a str, SignatureTensor<'a>>,
    /// `tensorflow/serving/predict`, …
    method_name: &'a str,
}

/// An input or output.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SignatureTensor<'a> {
    dtype: DTypeName,
    shape: Dims<'a>,
    /// its tensor in the graph
    name: &'a str,
}

/// A variable of a graph.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Variable<'a> {
    name: &'a str,
    dtype: DTypeName,
    shape: Dims<'a>,
    /// whether it is a resource variable
    resource: bool,
}

/// The constants of a graph.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct ConstantsCount {
    /// `Const` ops, those of functions included
    nodes: usize,
    /// of their values in the file
    bytes: u64,
}

/// What a `SaverDef` says.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Saver<'a> {
    /// `legacy`, `V1`, `V2`
    version: String,
    sharded: bool,
    max_to_keep: i32,
    filename_tensor_name: &'a str,
    save_tensor_name: &'a str,
    restore_op_name: &'a str,
}

/// What a loader runs after restoring.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct InitOp<'a> {
    /// where the file names it
    key: &'a str,
    op: &'a str,
}

/// A concrete function.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Callable<'a> {
    /// arguments by position
    positional: Vec<Argument<'a>>,
    /// arguments by name
    named: BTreeMap<&'a str, Argument<'a>>,
}

/// An argument: a tensor, or a value as Python shows it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
enum Argument<'a> {
    Tensor {
        name: &'a str,
        dtype: DTypeName,
        shape: Dims<'a>,
    },
    Value {
        /// as Python shows it
        value: &'a str,
    },
}

/// `inspect --format json` of a file that holds graphs only.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn model_json(
    given: &Path,
    model: &ModelInfo,
    found: &[analysis::Finding],
    out: &mut dyn Write,
) -> io::Result<()> {
    let kind = match model.form {
        Form::SavedModel => GraphKind::SavedModel,
        Form::MetaGraph => GraphKind::MetaGraph,
        Form::Graph => GraphKind::Graph,
    };
    let of_graph = model.graph_finding();
    let document = InspectGraphs {
        head: Head::of("inspect"),
        source: GraphSource { path: PathText(given), kind, prefix: () },
        tensorflow_version: model.tensorflow_version(),
        findings: findings(found.iter().chain(&model.unread).chain(&of_graph)),
        meta_graphs: model.graphs.iter().map(MetaGraph::from).collect(),
        saved_model: SavedModelParts::of(model),
    };
    write_document(&document, out)
}

impl<'a> SavedModelParts<'a> {
    /// Those of a SavedModel; other files have none.
    pub(in crate::report) fn of(model: &'a ModelInfo) -> Option<Self> {
        let around = &model.around;
        let asset = |(path, present): &'a (String, bool)| Asset { path, present: *present };
        (model.form == Form::SavedModel).then(|| Self {
            assets: around.assets.iter().map(asset).collect(),
            assets_extra: &around.extra,
            fingerprint: around.fingerprint.as_ref().map(|(fingerprint, belongs)| Fingerprint {
                singleprint: fingerprint.singleprint(),
                checkpoint_hash: fingerprint.checkpoint_hash.to_string(),
                uuid: &fingerprint.uuid,
                producer: fingerprint.producer,
                matches_variables: *belongs,
            }),
            keras: around.keras.as_ref().map(|keras| Keras {
                class_name: &keras.class,
                name: &keras.name,
                objects: keras.objects,
            }),
        })
    }
}

impl<'a> From<&'a GraphInfo> for MetaGraph<'a> {
    fn from(graph: &'a GraphInfo) -> Self {
        let meta = &graph.meta;
        let callables = graph.functions.iter();
        Self {
            tags: &meta.tags,
            signatures: meta.signatures.iter().map(|(key, signature)| (key.as_str(), signature.into())).collect(),
            tensorflow_version: &meta.tensorflow_version,
            tensorflow_git_version: &meta.tensorflow_git_version,
            producer: meta.producer,
            min_consumer: meta.min_consumer,
            nodes: meta.node_count,
            functions: meta.function_count,
            objects: graph.objects,
            variables: graph.variables.iter().map(Variable::from).collect(),
            constants: ConstantsCount { nodes: graph.constants.nodes, bytes: graph.constants.bytes },
            saver: meta.saver.as_ref().map(Saver::from),
            savers: &graph.savers,
            collections: &meta.collections,
            init_ops: graph.init_ops.iter().map(|(key, op)| InitOp { key, op }).collect(),
            callables: callables.map(|(n, methods)| (&**n, methods.iter().map(Callable::from).collect())).collect(),
        }
    }
}

impl<'a> From<&'a meta_graph::Signature> for Signature<'a> {
    fn from(signature: &'a meta_graph::Signature) -> Self {
        let tensors = |tensors: &'a BTreeMap<String, meta_graph::TensorInfo>| {
            tensors.iter().map(|(name, info)| (name.as_str(), info.into())).collect()
        };
        Self {
            inputs: tensors(&signature.inputs),
            outputs: tensors(&signature.outputs),
            method_name: &signature.method_name,
        }
    }
}

impl<'a> From<&'a meta_graph::TensorInfo> for SignatureTensor<'a> {
    fn from(info: &'a meta_graph::TensorInfo) -> Self {
        Self { dtype: DTypeName(info.dtype), shape: Dims(&info.shape), name: &info.name }
    }
}

impl<'a> From<&'a GraphVariable> for Variable<'a> {
    fn from(variable: &'a GraphVariable) -> Self {
        let (dtype, shape) = (DTypeName(variable.dtype), Dims(&variable.shape));
        Self { name: &variable.name, dtype, shape, resource: variable.is_resource }
    }
}

impl<'a> From<&'a SaverInfo> for Saver<'a> {
    fn from(saver: &'a SaverInfo) -> Self {
        Self {
            version: saver.version.to_string(),
            sharded: saver.sharded,
            max_to_keep: saver.max_to_keep,
            filename_tensor_name: &saver.filename_tensor_name,
            save_tensor_name: &saver.save_tensor_name,
            restore_op_name: &saver.restore_op_name,
        }
    }
}

impl<'a> From<&'a Method> for Callable<'a> {
    fn from(method: &'a Method) -> Self {
        Self {
            positional: method.positional.iter().map(Argument::from).collect(),
            named: method.named.iter().map(|(name, spec)| (name.as_str(), spec.into())).collect(),
        }
    }
}

impl<'a> From<&'a Spec> for Argument<'a> {
    fn from(spec: &'a Spec) -> Self {
        match spec {
            Spec::Tensor(name, dtype, shape) => Self::Tensor { name, dtype: DTypeName(*dtype), shape: Dims(shape) },
            Spec::Value(value) => Self::Value { value },
        }
    }
}
