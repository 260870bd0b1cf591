//! What `inspect` tells of a checkpoint on one screen.

use std::collections::BTreeMap;

use super::beside::Beside;
use super::files::{FileInfo, files};
use super::keras_model::KerasModel;
use super::memory::Memory;
use super::model::ModelInfo;
use super::serving::Serving;
use super::state_file::repair;
use super::step::Step;
use crate::analysis::derived::is_zero;
use crate::analysis::finding::{Code, Finding};
use crate::analysis::naming::objects::Objects;
use crate::analysis::naming::roles::{Role, Roles, RolesBy};
use crate::analysis::naming::scopes::{Scope, scopes};
use crate::analysis::naming::totals::Totals;
use crate::analysis::training::OptimizerAge;
use crate::analysis::validate::surplus;
use crate::read::checkpoint::{Checkpoint, Format, Parts, Place, SourceKind, Tensor, Tensors};
use crate::read::events::EventFile;
use crate::read::graphs::graph::Form;
use crate::read::graphs::saved_model::NO_VARIABLES;
use crate::read::graphs::training::Constants;
use crate::read::storage;
use crate::read::tensor::DType;

/// Everything that `inspect` shows.
#[derive(Debug)]
pub struct Summary {
    /// Who wrote the checkpoint.
    pub saver: Saver,
    /// The step, and what the number in the name counts.
    pub step: Step,
    /// How many updates its optimizers have made.
    pub optimizers: Vec<OptimizerAge>,
    /// What its optimizers are given as constants of the graph beside it.
    pub constants: Vec<Constants>,
    /// Release of TensorFlow that wrote the graph beside it.
    pub tensorflow_version: Option<String>,
    /// The files of the set, missing ones included.
    pub files: Vec<FileInfo>,
    /// Whether every file that the index counts is there and long enough.
    pub complete: bool,
    /// Sums over all tensors.
    pub totals: Totals,
    /// Sums by role and optimizer.
    pub roles: Vec<RoleTotal>,
    /// Who says what tensors are for.
    pub roles_by: RolesBy,
    /// Sums by dtype, the largest first.
    pub dtypes: Vec<(DType, Totals)>,
    /// What memory it takes, if there are weights.
    pub memory: Option<Memory>,
    /// What checksums say of the values.
    pub equal: Equal,
    /// The scopes that hold most.
    pub scopes: Vec<Scope>,
    /// How many scopes are not among them.
    pub other_scopes: usize,
    /// What else lies in the directory.
    pub beside: Beside,
    /// The SavedModel that the variables belong to, or the `.meta` beside the checkpoint.
    pub model: Option<ModelInfo>,
    /// The model of a file of Keras.
    pub keras: Option<KerasModel>,
    /// The versions of a serving directory.
    pub serving: Option<Serving>,
    /// Event files of a directory, here and one directory below, and the newest of them read.
    pub events: Vec<EventFile>,
    /// The lines of a state file that would fit the directory, if the one that is there does not.
    pub repair: Option<Vec<String>>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Whether something could not be read, so that the rest may not be all.
    pub unreadable: bool,
}

/// Who wrote a checkpoint, and how its tensors are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saver {
    /// `tf.compat.v1.train.Saver(write_version=V1)`: the format before bundles, and the only one before TensorFlow 0.12.
    V1,
    /// `tf.compat.v1.train.Saver`, Estimator: names of variables.
    NameBased,
    /// `tf.train.Checkpoint`: paths in an object graph.
    ObjectBased,
    /// Keras, in an object graph.
    Keras,
    /// Nothing: a SavedModel without variables.
    None,
    /// Files of a format that is not TensorFlow's.
    Other(&'static Format),
}

/// Sums over the tensors of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleTotal {
    /// The role.
    pub role: Role,
    /// Whose slots they are.
    pub optimizer: Option<&'static str>,
    /// The sums.
    pub totals: Totals,
}

impl Saver {
    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::V1 => "legacy V1 checkpoint (tf.compat.v1 Saver, write_version V1)",
            Self::NameBased => "name-based checkpoint (tf.compat.v1 Saver)",
            Self::ObjectBased => "object-based checkpoint (tf.train.Checkpoint)",
            Self::Keras => "object-based checkpoint (Keras)",
            Self::None => "no variables",
            Self::Other(format) => format.title,
        }
    }

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::NameBased => "name_based",
            Self::ObjectBased => "object_based",
            Self::Keras => "keras",
            Self::None => "none",
            Self::Other(format) => format.id,
        }
    }

    fn of(checkpoint: &Checkpoint) -> Self {
        let origin = checkpoint.origin();
        if !origin.v1_files.is_empty() {
            return Self::V1;
        }
        if !origin.has_variables {
            return Self::None;
        }
        if let SourceKind::File(format) = origin.kind {
            return Self::Other(format);
        }
        if !checkpoint.is_object_based() {
            return Self::NameBased;
        }
        // Names that only Keras gives to the children of its models and optimizers.
        let keras = |tensor: Tensor| {
            let marks: [&[u8]; 4] = [b"layer_with_weights-", b"/_trainable_variables/", b"keras_api/", b"_layers/"];
            marks.iter().any(|mark| tensor.name.windows(mark.len()).any(|w| w == *mark))
        };
        if checkpoint.tensors().iter().any(keras) { Self::Keras } else { Self::ObjectBased }
    }
}

/// What the checksums in the index say of values, without reading any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Equal {
    /// Tensors that are entirely zero.
    pub zeros: usize,
    /// Tensors with the dtype, shape and checksum of another, in groups; zeros are not among them.
    pub duplicates: Vec<Vec<Box<[u8]>>>,
}

impl Equal {
    /// Small tensors are left out of the duplicates: counters and biases are equal without meaning anything.
    fn of(checkpoint: &Checkpoint) -> Self {
        const SMALL: u64 = 64;
        let mut zeros = 0;
        // Twelve bytes a tensor: kind, checksum, position.
        let mut sums: Vec<(u32, u32, u32)> = Vec::new();
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = cursor.advance() {
            let Parts::Whole(Place { crc32c: Some(crc), .. }) = tensor.parts else { continue };
            if is_zero(tensor) {
                zeros += 1;
            } else if tensor.is_numeric() && tensor.bytes().is_some_and(|bytes| bytes >= SMALL) {
                let numbers = u32::try_from(cursor.kind()).ok().zip(u32::try_from(at).ok());
                sums.extend(numbers.map(|(kind, at)| (kind, crc.0, at)));
            }
        }
        sums.sort_unstable();
        let mut groups = BTreeMap::new();
        for group in sums.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).filter(|group| group.len() > 1) {
            let names = group.iter().filter_map(|(.., at)| Some(cursor.reach(*at as usize)?.name.as_slice().into()));
            let names: Vec<Box<[u8]>> = names.collect();
            let crc = group.first().map_or(0, |(_, crc, _)| *crc);
            groups.insert((cursor.tensor().dtype, cursor.tensor().shape.clone(), crc), names);
        }
        Self { zeros, duplicates: groups.into_values().collect() }
    }
}

/// The graph that belongs to a checkpoint.
fn model_of(checkpoint: &Checkpoint) -> Option<ModelInfo> {
    let origin = checkpoint.origin();
    let Some(dir) = &origin.saved_model else {
        let meta = origin.prefix.meta();
        return storage::is_file(&meta).then(|| ModelInfo::read(&meta, Form::MetaGraph, checkpoint.limits()));
    };
    let has_model = ["pb", "pbtxt", "cpb"].iter().any(|end| storage::is_file(&dir.join(format!("saved_model.{end}"))));
    has_model.then(|| ModelInfo::of_saved_model(dir, checkpoint.limits()))
}

impl Summary {
    /// Looks at everything but the tensors' bytes; of those it reads the step and the object graph.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let mut roles = Roles::of(checkpoint);
        if let Some(graph) = Objects::of(checkpoint).graph() {
            roles.name_optimizers(checkpoint, graph);
        }
        let origin = checkpoint.origin();
        let tensors = checkpoint.tensors();
        let mut findings: Vec<Finding> = checkpoint
            .damage()
            .iter()
            .map(Finding::of)
            .chain(checkpoint.notes().iter().map(Finding::of_note))
            .collect();
        let mut unreadable = !checkpoint.damage().is_empty();
        let files = files(checkpoint);
        findings.extend(files.iter().filter_map(FileInfo::finding));
        findings.extend(surplus(checkpoint));
        let model = model_of(checkpoint);
        let told: Vec<String> = findings.iter().map(|finding| finding.message.clone()).collect();
        let unread = model.iter().flat_map(|model| &model.unread);
        findings.extend(unread.filter(|finding| !told.contains(&finding.message)).cloned());
        findings.extend(model.as_ref().and_then(ModelInfo::graph_finding));
        unreadable |= model.as_ref().is_some_and(|model| !model.unread.is_empty());
        if let (Some(model), Some(dir)) = (&model, &origin.saved_model) {
            let told = findings.iter().any(|finding| finding.code == Code::MissingVariables);
            findings.extend(model.findings(dir, origin.has_variables || told, checkpoint.limits()));
        }
        let tensorflow_version = model.as_ref().and_then(ModelInfo::tensorflow_version).map(str::to_owned);

        let step = Step::of(checkpoint);
        findings.extend(step.finding.clone());
        // The screen begins with that there are none.
        let notes = origin
            .notes
            .iter()
            .filter(|note| origin.has_variables || note.as_str() != NO_VARIABLES)
            .map(|note| Finding::new(Code::ChoiceNote, note));
        findings.extend(notes);
        let (scopes, other_scopes) = main_scopes(tensors, &roles);
        Self {
            saver: Saver::of(checkpoint),
            step,
            optimizers: OptimizerAge::all(checkpoint),
            constants: roles.constants().to_vec(),
            tensorflow_version,
            complete: files.iter().all(|file| file.finding().is_none()) && checkpoint.damage().is_empty(),
            files,
            totals: roles.totals(),
            roles: by_role(tensors, &roles),
            roles_by: roles.by().clone(),
            memory: Memory::of(tensors, &roles),
            equal: Equal::of(checkpoint),
            dtypes: by_dtype(tensors),
            scopes,
            other_scopes,
            beside: Beside::look(checkpoint),
            model,
            keras: KerasModel::of(checkpoint),
            serving: (origin.kind == SourceKind::ServingBase)
                .then(|| Serving::of(&origin.path, checkpoint.limits()).ok())
                .flatten(),
            events: origin
                .model_dir
                .as_ref()
                .map_or_else(Vec::new, |dir| EventFile::of_directory(&dir.path, checkpoint.limits().events)),
            repair: origin.model_dir.as_ref().filter(|dir| !dir.notes.is_empty()).and_then(repair),
            findings,
            unreadable,
        }
    }
}

/// The scopes of what a model is made of; of a checkpoint without such, of everything.
fn main_scopes(tensors: &Tensors, roles: &Roles) -> (Vec<Scope>, usize) {
    const ROWS: usize = 10;
    let found = scopes(tensors, |at| matches!(roles.role(at), Role::Weight | Role::Average), ROWS);
    if found.0.is_empty() { scopes(tensors, |_| true, ROWS) } else { found }
}

fn by_role(tensors: &Tensors, roles: &Roles) -> Vec<RoleTotal> {
    let mut totals: BTreeMap<(Role, Option<&'static str>), Totals> = BTreeMap::new();
    let mut cursor = tensors.cursor();
    while let Some((at, tensor)) = cursor.advance() {
        totals.entry((roles.role(at), roles.optimizer(at))).or_default().add(tensor);
    }
    totals.into_iter().map(|((role, optimizer), totals)| RoleTotal { role, optimizer, totals }).collect()
}

fn by_dtype(tensors: &Tensors) -> Vec<(DType, Totals)> {
    let mut totals: BTreeMap<DType, Totals> = BTreeMap::new();
    let mut cursor = tensors.cursor();
    while let Some((_, tensor)) = cursor.advance() {
        totals.entry(tensor.dtype).or_default().add(tensor);
    }
    let mut totals: Vec<_> = totals.into_iter().collect();
    totals.sort_by_key(|(_, totals)| std::cmp::Reverse(totals.bytes));
    totals
}
