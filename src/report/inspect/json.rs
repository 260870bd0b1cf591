//! `inspect --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::constants::Hyperparameters;
use super::keras_json::Keras;
use super::model_json::{MetaGraph, SavedModelParts};
use super::serving::ServingVersion;
use crate::analysis::{self, Role, Saver, Summary, Totals};
use crate::read::checkpoint::{Checkpoint, Found, ModelDir};
use crate::read::tensor::DType;
use crate::report::findings::json::{Finding, findings};
use crate::report::kit::ages::Age;
use crate::report::kit::json::{DTypeName, Head, PathText, Source, Sums, Utf8OrBase64, Word, unix, write_document};
use crate::report::timeline::events::EventFile;

/// Everything that is known of a checkpoint and of what lies around it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Inspect<'a> {
    #[serde(flatten)]
    head: Head,
    /// what was opened
    source: Source<'a>,
    /// what wrote it, or the format of a file that is not TensorFlow's
    saver: Word<Saver>,
    /// from the name where that counts steps, else from a tensor
    step: Option<u64>,
    /// the number in the name where it counts saves (`save_counter` says the same)
    save: Option<u64>,
    /// the tensor that holds the step
    step_tensor: Option<&'a str>,
    /// the step is only likely: the tensor is called as the program likes, and counts by its place and its words
    step_likely: bool,
    /// the number in the name where it counts epochs
    epoch: Option<u64>,
    /// how many updates each optimizer has made, by its own count
    optimizers: Vec<Age<'a>>,
    /// what the graph beside the checkpoint gives each optimizer as constants; absent if there is nothing to tell
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hyperparameters: Vec<Hyperparameters<'a>>,
    /// of the program that wrote the graph
    tensorflow_version: Option<&'a str>,
    /// the index is sound and every shard is there and long enough
    complete: bool,
    /// as the index counts them; of V1 checkpoints the files
    shards: i32,
    endianness: Endianness,
    /// of all tensors
    totals: Sums,
    /// dtype to sums, the largest first
    dtypes: DTypes<'a>,
    /// what tensors are for
    roles: Vec<RoleSums<'a>>,
    /// who says what tensors are for
    roles_by: RolesBy<'a>,
    /// what dominates
    scopes: Vec<Scope<'a>>,
    /// what memory the tensors take, activations not counted; null if there are no weights
    memory: Option<Memory>,
    /// tensors that are all zero, by their checksums
    zero_tensors: usize,
    /// names of tensors with the same checksum, dtype and shape; 100 groups at most
    equal_tensors: Vec<Vec<Utf8OrBase64<'a>>>,
    /// the files of the set
    files: Vec<SetFile<'a>>,
    /// as in `validate`
    findings: Vec<Finding<'a>>,
    /// what else lies there, by name
    beside: Beside<'a>,
    /// of a directory: all that are in it, by step
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    checkpoints: Option<Vec<DirCheckpoint<'a>>>,
    /// of a file of Keras: its model
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    keras_model: Option<Keras<'a>>,
    /// where there is a graph: what is in it; of a SavedModel each of them
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    meta_graphs: Option<Vec<MetaGraph<'a>>>,
    #[serde(flatten)]
    saved_model: Option<SavedModelParts<'a>>,
    /// of a serving directory: the 50 highest
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    versions: Option<Vec<ServingVersion<'a>>>,
    #[serde(flatten)]
    directory: Option<DirectoryParts<'a>>,
}

/// What a directory of checkpoints has besides.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct DirectoryParts<'a> {
    /// of a directory of checkpoints: event files, the newest as far as they have 64 MiB together, the others unread
    events: Vec<EventFile<'a>>,
    /// of a directory of checkpoints: the lines of a state file that would fit, where the choice of the latest needed a note
    repair: Option<&'a [String]>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Endianness {
    Little,
    Big,
}

/// Sums by dtype, in their order.
#[derive(Debug)]
struct DTypes<'a>(&'a [(DType, Totals)]);

impl Serialize for DTypes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(dtype, totals)| (DTypeName(*dtype), Sums::from(totals))))
    }
}

#[cfg(test)]
impl JsonSchema for DTypes<'_> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DTypes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <std::collections::BTreeMap<String, Sums>>::json_schema(generator)
    }
}

/// Sums over the tensors of one role.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RoleSums<'a> {
    #[serde(flatten)]
    sums: Sums,
    /// as in `list`
    role: Word<Role>,
    /// whose they are
    optimizer: Option<&'a str>,
}

/// Who says what tensors are for.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct RolesBy<'a> {
    source: RoleSource,
    /// the `.meta` or SavedModel that was asked first
    file: Option<PathText<'a>>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RoleSource {
    Program,
    File,
    Names,
}

/// A scope, or several that are alike.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Scope<'a> {
    /// numbers of folded siblings in braces
    path: &'a str,
    /// how many it stands for
    times: usize,
    #[serde(flatten)]
    sums: Sums,
}

/// A file of the set.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct SetFile<'a> {
    path: PathText<'a>,
    bytes: Option<u64>,
    present: bool,
}

/// What else lies there.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Beside<'a> {
    checkpoints: &'a [String],
    files: &'a [String],
    /// of interrupted saves
    leftovers: &'a [String],
}

/// A checkpoint of a directory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct DirCheckpoint<'a> {
    prefix: PathText<'a>,
    /// the number in the name
    step: Option<u64>,
    /// the name without its numbers
    group: String,
    /// of index and shards
    bytes: u64,
    complete: bool,
    latest: bool,
    /// seconds since 1970
    modified: Option<u64>,
}

/// Writes everything that `inspect` knows.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn inspect_json(
    checkpoint: &Checkpoint,
    summary: &Summary,
    out: &mut dyn Write,
) -> io::Result<()> {
    let origin = checkpoint.origin();
    let model = summary.model.as_ref();
    let directory = || DirectoryParts {
        events: summary.events.iter().map(EventFile::from).collect(),
        repair: summary.repair.as_deref(),
    };
    let document = Inspect {
        head: Head::of("inspect"),
        source: Source::of(origin),
        saver: Word(summary.saver),
        step: summary.step.step,
        save: summary.step.save,
        step_tensor: summary.step.tensor.as_deref(),
        step_likely: summary.step.likely,
        epoch: summary.step.number.filter(|_| summary.step.epochs),
        optimizers: summary.optimizers.iter().map(Age::from).collect(),
        hyperparameters: summary.constants.iter().map(Hyperparameters::from).collect(),
        tensorflow_version: summary.tensorflow_version.as_deref(),
        complete: summary.complete,
        shards: checkpoint.num_shards(),
        endianness: if checkpoint.is_big_endian() { Endianness::Big } else { Endianness::Little },
        totals: (&summary.totals).into(),
        dtypes: DTypes(&summary.dtypes),
        roles: summary.roles.iter().map(RoleSums::from).collect(),
        roles_by: RolesBy {
            source: match summary.roles_by {
                analysis::RolesBy::Program(_) => RoleSource::Program,
                analysis::RolesBy::File => RoleSource::File,
                analysis::RolesBy::Names => RoleSource::Names,
            },
            file: match &summary.roles_by {
                analysis::RolesBy::Program(file) => Some(PathText(file)),
                analysis::RolesBy::File | analysis::RolesBy::Names => None,
            },
        },
        scopes: summary.scopes.iter().map(Scope::from).collect(),
        memory: summary.memory.as_ref().map(Memory::from),
        zero_tensors: summary.equal.zeros,
        equal_tensors: equal_tensors(summary),
        files: summary.files.iter().map(SetFile::from).collect(),
        findings: findings(&summary.findings),
        beside: Beside {
            checkpoints: &summary.beside.checkpoints,
            files: &summary.beside.files,
            leftovers: &summary.beside.leftovers,
        },
        checkpoints: origin.model_dir.as_ref().map(checkpoints),
        keras_model: summary.keras.as_ref().map(|model| Keras::of(checkpoint, model)),
        meta_graphs: model.map(|model| model.graphs.iter().map(MetaGraph::from).collect()),
        saved_model: model.and_then(SavedModelParts::of),
        versions: summary.serving.as_ref().map(|serving| serving.versions.iter().map(ServingVersion::from).collect()),
        directory: origin.model_dir.as_ref().map(|_| directory()),
    };
    write_document(&document, out)
}

fn equal_tensors(summary: &Summary) -> Vec<Vec<Utf8OrBase64<'_>>> {
    let groups = summary.equal.duplicates.iter().take(100);
    groups.map(|group| group.iter().map(|name| Utf8OrBase64(name)).collect()).collect()
}

fn checkpoints(dir: &ModelDir) -> Vec<DirCheckpoint<'_>> {
    dir.checkpoints.iter().enumerate().map(|(at, found)| DirCheckpoint::of(found, dir.latest == Some(at))).collect()
}

impl<'a> DirCheckpoint<'a> {
    fn of(found: &'a Found, latest: bool) -> Self {
        Self {
            prefix: PathText(found.prefix.as_path()),
            step: found.step,
            group: found.group(),
            bytes: found.bytes,
            complete: found.complete,
            latest,
            modified: found.modified.and_then(unix),
        }
    }
}

impl<'a> From<&'a analysis::RoleTotal> for RoleSums<'a> {
    fn from(row: &'a analysis::RoleTotal) -> Self {
        Self { sums: (&row.totals).into(), role: Word(row.role), optimizer: row.optimizer }
    }
}

impl<'a> From<&'a analysis::Scope> for Scope<'a> {
    fn from(scope: &'a analysis::Scope) -> Self {
        let sums = Totals { tensors: scope.tensors, parameters: scope.parameters, bytes: scope.bytes };
        Self { path: &scope.path, times: scope.times, sums: (&sums).into() }
    }
}

impl<'a> From<&'a analysis::FileInfo> for SetFile<'a> {
    fn from(file: &'a analysis::FileInfo) -> Self {
        Self { path: PathText(&file.path), bytes: file.bytes, present: file.bytes.is_some() }
    }
}

/// Memory in bytes, as arithmetic over the tensors.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Memory {
    /// weights
    serve: u64,
    /// weights, what the optimizer keeps, gradients
    train: u64,
    /// slots and numbers of optimizers, averages beside weights
    optimizer: u64,
    /// one for each weight that is a float
    gradients: u64,
}

impl From<&analysis::Memory> for Memory {
    fn from(memory: &analysis::Memory) -> Self {
        Self { serve: memory.serve(), train: memory.train(), optimizer: memory.optimizer, gradients: memory.gradients }
    }
}
