//! Opening what a user names as the model: a graph, a SavedModel, another checkpoint, a spec file.

use std::path::{Path, PathBuf};

use super::keras::{self, KerasModel};
use super::objects::{Objects, graph_of_keys};
use super::stored::{foreign_to_savers, read_graph};
use crate::analysis::survey::model::ModelInfo;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::checkpoint::{Checkpoint, Choice, OBJECT_GRAPH_KEY, Parts, Tensor, Tensors};
use crate::read::graphs::graph::missing_nodes;
use crate::read::graphs::model_file::{ModelFile, SavedGraph};
use crate::read::graphs::object_graph::ObjectGraph;
use crate::read::graphs::restores::{Part, Read, RestorePlan, Target, TargetKind, Wanted};
use crate::read::storage;
use crate::read::tensor::Shape;

/// What a restore is predicted for.
#[derive(Debug)]
pub struct Model {
    /// The path, as given.
    pub path: PathBuf,
    /// What it is, in a few words.
    pub what: String,
    pub(super) wants: Wants,
    pub(super) kind: ModelKind,
    pub(super) notes: Vec<String>,
    /// What the restore function of a SavedModel of TensorFlow 2 reads, which is what the C++ loader runs.
    pub(super) serving: Option<RestorePlan>,
    /// What is to be said if anything has another shape.
    pub(super) on_mismatch: Option<String>,
    /// What the file is, where no saver of TensorFlow reads one of its kind.
    pub(super) foreign: Option<&'static str>,
    /// Whether it has the shapes that were declared, unknown dimensions included; a checkpoint has those of values.
    pub(super) declares: bool,
}

/// What is wanted: names, or objects.
#[derive(Debug)]
pub(super) enum Wants {
    Names(RestorePlan),
    Objects(Objects),
    Keras(Box<KerasModel>),
}

/// Which program restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ModelKind {
    /// A v1 `Saver`.
    Saver,
    /// The loader of a SavedModel of TensorFlow 1, with the directory.
    Loader(PathBuf),
    /// `tf.saved_model.load` of the directory, or a `tf.train.Checkpoint` of what it returns.
    Loaded(PathBuf),
    /// A `tf.train.Checkpoint` like the one that wrote another checkpoint.
    Program,
    /// The same, judged by the keys alone.
    Keys,
    /// `load_weights` of a model of `tf_keras`.
    Weights,
}

impl Model {
    /// Opens a model. A SavedModel has one for each of its graphs. With `quick`, of a checkpoint no shard is read.
    ///
    /// # Errors
    /// If `path` is no model, or cannot be read.
    pub fn open(path: &Path, quick: bool, limits: &Limits) -> Result<Vec<Self>> {
        let model = |what: &str, wants, kind| Self {
            path: path.to_path_buf(),
            what: what.to_owned(),
            wants,
            kind,
            notes: Vec::new(),
            serving: None,
            on_mismatch: None,
            foreign: None,
            declares: true,
        };
        if let Some(keras) = keras::open(path, limits)? {
            let what = keras.what();
            return Ok(vec![Self {
                foreign: Some("a model of Keras"),
                ..model(&what, Wants::Keras(Box::new(keras)), ModelKind::Program)
            }]);
        }
        match ModelFile::open(path, limits)? {
            Some(ModelFile::MetaGraph(plan)) => {
                let mut model = model("a v1 Saver", Wants::Names(plan), ModelKind::Saver).told();
                let missing = missing_nodes(path, limits).unwrap_or_default();
                if let Some(finding) = ModelInfo::nodes_missing(path, &missing) {
                    model.notes.push(format!("{}; {}", finding.message, finding.help.unwrap_or_default()));
                }
                Ok(vec![model])
            }
            Some(ModelFile::Graph(plan)) => Ok(vec![model("a v1 graph", Wants::Names(plan), ModelKind::Saver).told()]),
            Some(ModelFile::SavedModel(dir, graphs)) => saved_model(path, &dir, graphs),
            Some(ModelFile::Spec(tensors)) => {
                let names = tensors.into_iter().collect();
                let mut model = Self::of_tensors(path, &names, Err("only names are known".to_owned()), None);
                "a spec file".clone_into(&mut model.what);
                Ok(vec![model])
            }
            None => {
                let checkpoint = Checkpoint::open(path, Choice::default(), limits)?;
                if let Some(dir) = &checkpoint.origin().saved_model
                    && let Some(ModelFile::SavedModel(dir, graphs)) = ModelFile::open(dir, limits)?
                {
                    return saved_model(path, &dir, graphs);
                }
                if let Some(keras) = KerasModel::of_checkpoint(path, &checkpoint) {
                    let what = keras.what();
                    let wants = Wants::Keras(Box::new(keras));
                    let mut model =
                        Self { foreign: foreign_to_savers(&checkpoint), ..model(&what, wants, ModelKind::Program) };
                    model
                        .notes
                        .extend(checkpoint.damage().first().map(|error| format!("the model is damaged: {error}")));
                    return Ok(vec![model]);
                }
                if !checkpoint.damage().is_empty() {
                    let why = "the index of the model is damaged, so what it wants is not known".to_owned();
                    return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path));
                }
                let mut model = Self::of_checkpoint(path, &checkpoint, quick);
                model.notes.splice(0..0, checkpoint.origin().notes.iter().cloned());
                Ok(vec![model])
            }
        }
    }

    /// Whether it says what a program wants, rather than what one saved.
    pub fn declares(&self) -> bool {
        self.declares
    }

    /// What the program restores that wrote a checkpoint.
    fn of_checkpoint(path: &Path, checkpoint: &Checkpoint, keys_only: bool) -> Self {
        let graph = if checkpoint.is_object_based() && !keys_only {
            read_graph(checkpoint)
        } else {
            Err("only names are known".to_owned())
        };
        Self::of_tensors(path, checkpoint.tensors(), graph, foreign_to_savers(checkpoint))
    }

    /// What has these tensors, and this object graph or none that is known.
    fn of_tensors(
        path: &Path,
        tensors: &Tensors,
        graph: Result<ObjectGraph, String>,
        foreign: Option<&'static str>,
    ) -> Self {
        let model = |what: &str, wants, kind, notes| Self {
            path: path.to_path_buf(),
            what: what.to_owned(),
            wants,
            kind,
            notes,
            serving: None,
            on_mismatch: None,
            foreign,
            declares: false,
        };
        if tensors.find(OBJECT_GRAPH_KEY).is_none() {
            let note = "names alone do not say of which kind its variables are: taken for ref variables, which refuse \
                        other shapes (resource variables in a graph take any)";
            let plan = plan_of(tensors);
            let on_mismatch = Some(note.to_owned());
            return Self {
                on_mismatch,
                ..model("another checkpoint, by names", Wants::Names(plan), ModelKind::Saver, Vec::new())
            };
        }
        let what = "another checkpoint, by objects";
        match graph {
            Ok(graph) => {
                let objects = Objects::of_tensors(&graph, tensors);
                model(what, Wants::Objects(objects), ModelKind::Program, Vec::new())
            }
            Err(why) => {
                let names: Vec<Vec<u8>> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
                let names = names.iter().map(Vec::as_slice).filter(|name| *name != OBJECT_GRAPH_KEY);
                let objects = Objects::of_tensors(&graph_of_keys(names), tensors);
                let note = format!(
                    "the objects of the model are guessed from its keys ({why}): shared ones are known by one path only"
                );
                model(what, Wants::Objects(objects), ModelKind::Keys, vec![note])
            }
        }
    }

    /// Adds what is unclear about a graph to the notes.
    fn told(mut self) -> Self {
        if let Wants::Names(plan) = &self.wants {
            self.notes.extend(plan.unclear.iter().map(|why| escaped(why.as_bytes()).into_owned()));
            if plan.is_assumed && !plan.reads.is_empty() {
                self.notes.push(
                    "the graph restores nothing itself; this is what a new Saver of its variables would do".to_owned(),
                );
            }
        }
        self
    }
}

fn saved_model(path: &Path, dir: &Path, graphs: Vec<SavedGraph>) -> Result<Vec<Model>> {
    if graphs.is_empty() {
        let why = "a SavedModel without any graph".to_owned();
        return Err(Error::new(ErrorKind::NotACheckpoint(why)).in_file(path));
    }
    let model = |graph: SavedGraph| {
        let tags: Vec<_> = graph.tags.iter().map(|tag| escaped(tag.as_bytes()).into_owned()).collect();
        let tags = if tags.is_empty() { String::new() } else { format!(" ({})", tags.join(", ")) };
        let mut serving = None;
        let (what, wants, kind) = if let Some(objects) = graph.objects {
            serving = Some(graph.plan).filter(|plan| !plan.is_assumed && !plan.reads.is_empty());
            let wants = Wants::Objects(Objects::of_saved_model(&objects));
            (format!("a SavedModel{tags}"), wants, ModelKind::Loaded(dir.to_path_buf()))
        } else {
            let kind = ModelKind::Loader(dir.to_path_buf());
            (format!("a SavedModel of TensorFlow 1{tags}"), Wants::Names(graph.plan), kind)
        };
        Model {
            path: path.to_path_buf(),
            what,
            wants,
            kind,
            notes: Vec::new(),
            serving,
            on_mismatch: None,
            foreign: None,
            declares: true,
        }
        .told()
    };
    Ok(graphs.into_iter().map(model).collect())
}

/// What a `Saver` of ref variables with these names, types and shapes would restore.
fn plan_of(all: &Tensors) -> RestorePlan {
    let target = |tensor: &Tensor, shape: Shape| Target {
        name: escaped(&tensor.name).into_owned(),
        kind: TargetKind::Ref,
        validates: shape.elements().is_some(),
        shape,
        reshape: None,
    };
    let mut tensors = Vec::new();
    for tensor in all {
        let tensor = tensor.clone();
        let wanted = |part: Option<Part>, shape: Shape| Wanted {
            name: tensor.name.clone(),
            dtype: Some(tensor.dtype),
            part,
            targets: vec![target(&tensor, shape)],
        };
        match &tensor.parts {
            Parts::Whole(_) => tensors.push(wanted(None, tensor.shape.clone())),
            Parts::Slices(slices) => tensors.extend(slices.iter().map(|stored| {
                let part = Part { full: tensor.shape.clone(), slice: stored.slice.clone() };
                let shape = part.shape().unwrap_or_else(Shape::unknown_rank);
                wanted(Some(part), shape)
            })),
        }
    }
    let reads = vec![Read { node: String::new(), tensors }];
    RestorePlan { reads, is_assumed: false, unclear: Vec::new() }
}

impl ModelKind {
    /// Whether the checkpoint is what lies in the `variables/` of this SavedModel.
    pub(super) fn is_own(&self, saved_model: Option<&Path>) -> bool {
        let (Self::Loader(dir) | Self::Loaded(dir)) = self else { return false };
        saved_model.is_some_and(|other| match (storage::canonical(dir), storage::canonical(other)) {
            (Some(a), Some(b)) => a == b,
            _ => dir == other,
        })
    }
}
