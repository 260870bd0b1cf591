//! From a model and what is asked of it to what is fed and fetched, or the reason why nothing can be.

use std::path::{Path, PathBuf};

use super::model::{RunModel, choose, restoring, tags_text};
use super::names::{listed, no_such};
use super::nodes::Nodes;
use super::port::{Port, of_info};
use super::value::request;
use crate::base::error::{Error, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::graphs::graph::{Form, Part, with_graphs};
use crate::read::graphs::meta_graph::{INTERNAL_SIGNATURE_PREFIX, Signature, TensorInfo};
use crate::read::storage;

/// What is asked of a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunRequest<'a> {
    /// The tags of its graph.
    pub tags: Option<&'a [String]>,
    /// The signature.
    pub signature: Option<&'a str>,
    /// Tensors that are fed, instead of a signature's inputs.
    pub feeds: &'a [String],
    /// Tensors that are fetched, instead of a signature's outputs.
    pub fetches: &'a [String],
    /// Outputs of the signature that are wanted; all if there are none.
    pub outputs: &'a [String],
    /// The checkpoint for the variables of a graph that is no SavedModel.
    pub checkpoint: Option<&'a Path>,
}

/// What would be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunPlan {
    /// What is loaded.
    pub model: RunModel,
    /// The signature, if it is one that is called.
    pub signature: Option<String>,
    /// What goes in.
    pub inputs: Vec<Port>,
    /// Inputs that are several tensors each, with what they are: nothing can be given for them by one name.
    pub composites: Vec<(String, String)>,
    /// What comes out.
    pub outputs: Vec<Port>,
}

impl RunPlan {
    /// The file or the directory that is loaded.
    pub fn path(&self) -> &Path {
        match &self.model {
            RunModel::Saved { directory, .. } => directory,
            RunModel::Graph { file, .. } => file,
        }
    }

    /// The input of this name.
    ///
    /// # Errors
    /// If there is none, with those that were probably meant.
    pub fn input(&self, name: &str) -> Result<&Port> {
        if let Some((name, of)) = self.composites.iter().find(|(composite, _)| composite == name) {
            return Err(composite("input", name, of));
        }
        let names: Vec<&str> = self.inputs.iter().map(|port| port.name.as_str()).collect();
        let what = if self.signature.is_some() { "input" } else { "fed tensor" };
        self.inputs.iter().find(|port| port.name == name).ok_or_else(|| no_such(what, name, &names))
    }
}

/// Finds what is meant in a file of graphs.
///
/// # Errors
/// If the file cannot be read, or has no such graph, signature or tensor, with those that were probably meant.
pub fn plan_run(file: &Path, form: Form, request: &RunRequest<'_>, limits: &Limits) -> Result<RunPlan> {
    let look = |parts: &[Part<'_>]| of_parts(parts, file, form, request, limits);
    with_graphs(file, form, |graphs| look(&graphs.parts), limits)
}

fn of_parts(parts: &[Part<'_>], file: &Path, form: Form, asked: &RunRequest<'_>, limits: &Limits) -> Result<RunPlan> {
    let part = if form == Form::SavedModel { choose(parts, asked.tags)? } else { first(parts)? };
    let nodes = Nodes::of(part)?;
    let (signature, inputs, composites, outputs) = if asked.feeds.is_empty() && asked.fetches.is_empty() {
        let (name, signature) = signature(part, asked.signature, &nodes)?;
        let (plain, composites): (Vec<_>, Vec<_>) = signature.inputs.iter().partition(|(_, info)| is_plain(info));
        let inputs = plain.into_iter().map(|(name, info)| nodes.input(name, info)).collect();
        let composites = composites.into_iter().map(|(name, info)| (name.clone(), info.name.clone())).collect();
        (Some(name.to_owned()), inputs, composites, outputs(signature, asked.outputs)?)
    } else {
        if asked.fetches.is_empty() {
            return Err(
                request("--feed without --fetch: nothing would come out".to_owned()).with_help(nodes.fetch_help())
            );
        }
        let inputs = asked.feeds.iter().map(|name| nodes.port(name)).collect::<Result<_>>()?;
        let outputs = asked.fetches.iter().map(|name| nodes.port(name)).collect::<Result<_>>()?;
        (None, inputs, Vec::new(), outputs)
    };
    let model = match form {
        Form::SavedModel => {
            let directory = file.parent().map(Path::to_path_buf).unwrap_or_default();
            let directory = if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory };
            let restores = part.meta.saver.as_ref().is_some_and(|saver| !saver.restore_op_name.is_empty());
            let lacks_variables = restores && !storage::is_file(&directory.join("variables").join("variables.index"));
            RunModel::Saved { directory, tags: part.meta.tags.clone(), lacks_variables }
        }
        Form::MetaGraph | Form::Graph => RunModel::Graph {
            file: file.to_path_buf(),
            restoring: restoring(part, file, asked.checkpoint, nodes.has_variables, limits)?,
            table_initializers: nodes.table_initializers(part),
            graph: part.graphs.iter().flat_map(|graph| graph.bytes).copied().collect(),
        },
    };
    if asked.checkpoint.is_some() && form == Form::SavedModel {
        return Err(request("--checkpoint is for graphs that are no SavedModel, which has its variables".to_owned()));
    }
    Ok(RunPlan { model, signature, inputs, composites, outputs })
}

fn first<'p, 'a>(parts: &'p [Part<'a>]) -> Result<&'p Part<'a>> {
    parts.first().ok_or_else(|| request("there is no graph in this file".to_owned()))
}

/// The signature of this name, or else the default one, or the only one.
fn signature<'p>(part: &'p Part<'_>, name: Option<&str>, nodes: &Nodes) -> Result<(&'p str, &'p Signature)> {
    let all = &part.meta.signatures;
    let public: Vec<&str> =
        all.keys().map(String::as_str).filter(|key| !key.starts_with(INTERNAL_SIGNATURE_PREFIX)).collect();
    let key = match (name, public.as_slice()) {
        (Some(name), _) => name,
        (None, []) => {
            let tags = tags_text(&part.meta.tags);
            let of = if tags.is_empty() { String::new() } else { format!(" tagged {tags}") };
            let why = format!("the graph{of} has no signature to call");
            return Err(request(why).with_help(nodes.feed_help()));
        }
        (None, [only]) => only,
        (None, many) if many.contains(&"serving_default") => "serving_default",
        (None, many) => {
            let why = format!("there are {} signatures: {}", many.len(), listed(many));
            return Err(request(why).with_help("choose one with --signature"));
        }
    };
    all.get_key_value(key).map(|(key, of)| (key.as_str(), of)).ok_or_else(|| no_such("signature", key, &public))
}

/// Whether an input or an output is one tensor. Names of ops have no parentheses, which descriptions of several have.
fn is_plain(info: &TensorInfo) -> bool {
    !info.name.is_empty() && !info.name.contains(['(', ' '])
}

fn composite(what: &str, name: &str, of: &str) -> Error {
    let why = format!("{what} {} is no single tensor: {}", escaped(name.as_bytes()), escaped(of.as_bytes()));
    request(why).with_help("give and take its tensors by --feed and --fetch")
}

/// Those outputs of a signature that are wanted. What others are does not matter then.
fn outputs(signature: &Signature, wanted: &[String]) -> Result<Vec<Port>> {
    let names: Vec<&str> = signature.outputs.keys().map(String::as_str).collect();
    if let Some(other) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(no_such("output", other, &names));
    }
    let chosen = signature.outputs.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
    let port = |(name, info): (&String, &TensorInfo)| {
        if is_plain(info) { Ok(of_info(name, info)) } else { Err(composite("output", name, &info.name)) }
    };
    let ports = chosen.map(port).collect::<Result<Vec<_>>>()?;
    if ports.is_empty() {
        return Err(request("the signature has no outputs: there would be nothing to see".to_owned()));
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "saved_model_schema_version: 1 meta_graphs { meta_info_def { tags: 'serve' } graph_def { \
        node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } \
               attr { key: 'shape' value { shape { dim { size: -1 } dim { size: 3 } } } } } \
        node { name: 'k' op: 'PlaceholderWithDefault' attr { key: 'dtype' value { type: DT_INT32 } } } \
        node { name: 'parsed' op: 'Identity' input: 'x' } node { name: 'y' op: 'Neg' input: 'parsed' } \
        versions { producer: 24 } } \
        signature_def { key: 'predict' value { \
          inputs { key: 'x' value { name: 'x:0' dtype: DT_FLOAT } } \
          inputs { key: 'k' value { name: 'k:0' dtype: DT_INT32 tensor_shape { } } } \
          inputs { key: 'parsed' value { name: 'parsed:0' dtype: DT_FLOAT } } \
          inputs { key: 'words' value { coo_sparse { values_tensor_name: 'v:0' } dtype: DT_STRING } } \
          outputs { key: 'y' value { name: 'y:0' dtype: DT_FLOAT tensor_shape { dim { size: -1 } } } } \
          outputs { key: 'odd' value { coo_sparse { values_tensor_name: 'v:0' } dtype: DT_STRING } } } } \
        signature_def { key: '__saved_model_init_op' value { outputs { key: '__saved_model_init_op' value { name: 'y' } } } } }";

    fn plan(request: &RunRequest<'_>) -> Result<RunPlan> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("saved_model.pbtxt");
        std::fs::write(&file, MODEL).unwrap();
        plan_run(&file, Form::SavedModel, request, &Limits::default())
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn the_only_signature_is_meant_and_placeholders_say_what_it_does_not() {
        let outputs = texts(&["y"]);
        let plan = plan(&RunRequest { outputs: &outputs, ..RunRequest::default() }).unwrap();
        assert_eq!(plan.signature.as_deref(), Some("predict"));
        let specs: Vec<String> = plan.inputs.iter().map(|port| format!("{} {}", port.name, port.spec())).collect();
        assert_eq!(specs, ["k int32 of any shape", "parsed float32 of any shape", "x float32 (?, 3)"]);
        assert_eq!(plan.inputs.iter().map(|port| port.is_optional).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(plan.composites[0].0, "words");
        assert!(plan.input("words").unwrap_err().to_string().contains("no single tensor: sparse(values v:0"));
        assert!(matches!(&plan.model, RunModel::Saved { tags, lacks_variables: false, .. } if tags == &["serve"]));
    }

    #[test]
    fn what_cannot_be_had_is_told() {
        let why = |request: &RunRequest<'_>| plan(request).unwrap_err().to_string();
        assert!(why(&RunRequest::default()).contains("output odd is no single tensor"));
        assert!(
            why(&RunRequest { signature: Some("predikt"), ..RunRequest::default() }).contains("no signature 'predikt'")
        );
        let (feeds, fetches) = (texts(&["x:0"]), texts(&["yy:0"]));
        let request = RunRequest { feeds: &feeds, fetches: &fetches, ..RunRequest::default() };
        assert!(why(&request).contains("there is no node 'yy'"));
        let train = texts(&["train"]);
        assert!(why(&RunRequest { tags: Some(&train), ..RunRequest::default() }).contains("no graph tagged 'train'"));
    }

    #[test]
    fn tensors_of_the_graph_are_fed_by_what_their_placeholders_say() {
        let (feeds, fetches) = (texts(&["x:0", "parsed:0"]), texts(&["y"]));
        let plan = plan(&RunRequest { feeds: &feeds, fetches: &fetches, ..RunRequest::default() }).unwrap();
        let specs: Vec<String> = plan.inputs.iter().map(Port::spec).collect();
        assert_eq!(specs, ["float32 (?, 3)", "any dtype of any shape"]);
        assert_eq!((plan.signature, plan.outputs[0].tensor.as_str()), (None, "y"));
    }
}
