//! What a file with graphs says of them, and what lies around it in a SavedModel: for `inspect`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::analysis::finding::{Code, Finding, Severity};
use crate::base::error::{Error, Result};
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::graphs::fingerprint::{Fingerprint, checkpoint_hash};
use crate::read::graphs::graph::{Form, GraphVariable, Method, MissingItem, Objects, Part, with_graphs};
use crate::read::graphs::imported_types::imported_types;
use crate::read::graphs::keras::{KerasConfig, METADATA, keras_metadata};
use crate::read::graphs::meta_graph::MetaGraph;
use crate::read::graphs::saved_model::{SavedModel, is_inside};
use crate::read::sniff::Constants;
use crate::read::storage;
use crate::read::tensor::DType;

/// A SavedModel, a `.meta` or a bare graph.
#[derive(Debug)]
pub struct ModelInfo {
    /// The file that was read.
    pub file: PathBuf,
    /// What it is.
    pub form: Form,
    /// Its graphs; none if it could not be read.
    pub graphs: Vec<GraphInfo>,
    /// What belongs to it besides.
    pub around: Around,
    /// What could not be read.
    pub unread: Vec<Finding>,
}

/// One graph.
#[derive(Debug)]
pub struct GraphInfo {
    /// Tags, signatures, saver, collections, counts, versions.
    pub meta: MetaGraph,
    /// Its variables.
    pub variables: Vec<GraphVariable>,
    /// The scopes of its savers; the one that `meta` names is the one in use.
    pub savers: Vec<String>,
    /// What a loader runs after restoring: under which key it is named, and the op.
    pub init_ops: Vec<(String, String)>,
    /// The functions of the root object by name, with what each of their concrete functions takes.
    pub functions: BTreeMap<String, Vec<Method>>,
    /// Objects of the object graph.
    pub objects: usize,
    /// Its constants: where a frozen graph has its weights.
    pub constants: Constants,
    /// Items of collections that no node bears the name of, each with its collection.
    pub missing_nodes: Vec<MissingItem>,
}

/// What lies around a SavedModel's graph.
#[derive(Debug, Default)]
pub struct Around {
    /// The files that its graphs list, and whether each is there.
    pub assets: Vec<(String, bool)>,
    /// What lies in `assets.extra`, as paths from there.
    pub extra: Vec<String>,
    /// `fingerprint.pb`, and whether the variables are those that it was made for; `None` if that cannot be told.
    pub fingerprint: Option<(Fingerprint, Option<bool>)>,
    /// `keras_metadata.pb`.
    pub keras: Option<KerasInfo>,
}

/// A Keras model.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KerasInfo {
    /// Its class: `Functional`.
    pub class: String,
    /// Its name.
    pub name: String,
    /// How many objects are described.
    pub objects: usize,
}

/// Files of `assets.extra` that are listed.
const MOST_EXTRA: usize = 100;

impl ModelInfo {
    /// Reads a file with graphs. That it cannot be read is in the result.
    pub fn read(file: &Path, form: Form, limits: &Limits) -> Self {
        let mut info =
            Self { file: file.to_path_buf(), form, graphs: Vec::new(), around: Around::default(), unread: Vec::new() };
        let read =
            with_graphs(file, form, |graphs| graphs.parts.iter().map(GraphInfo::of).collect::<Result<_>>(), limits);
        match read {
            Ok(graphs) => info.graphs = graphs,
            Err(error) => info.unread.push(Finding::of(&error)),
        }
        info
    }

    /// Reads a SavedModel and what lies around its graph.
    pub fn of_saved_model(dir: &Path, limits: &Limits) -> Self {
        let file = SavedModel::file_in(dir).unwrap_or_else(|_| dir.join("saved_model.pb"));
        let mut info = Self::read(&file, Form::SavedModel, limits);
        info.around = Around::look(dir, &info.graphs, limits, &mut info.unread);
        info
    }

    /// Types of other packages that must be imported before the SavedModel in `dir` can be loaded.
    pub(in crate::analysis) fn types_to_import(dir: &Path, limits: &Limits) -> Option<Finding> {
        let file = SavedModel::file_in(dir).ok()?;
        // What cannot be decoded is told by who reads the graphs.
        let types = imported_types(&file, limits).ok()?;
        let packages: BTreeSet<&str> = types.iter().filter_map(|name| name.split('.').next()).collect();
        let first = types.first()?;
        let more = if types.len() > 1 { format!(" and {} more", types.len() - 1) } else { String::new() };
        let message = format!(
            "tf.saved_model.load raises \"The type '{}' has not been registered\" unless its package is imported first{more}",
            escaped(first.as_bytes())
        );
        let packages: Vec<String> = packages.iter().map(|name| escaped(name.as_bytes()).into_owned()).collect();
        let help = format!("import {} before loading", packages.join(", "));
        Some(Finding::new(Code::UnregisteredType, message).in_file(file).with_help(help))
    }

    /// Collections of the `.meta` at `file` that name nodes which are not there, as [`missing_nodes`] found them.
    ///
    /// [`missing_nodes`]: crate::read::graphs::graph::missing_nodes
    pub(in crate::analysis) fn nodes_missing(file: &Path, missing: &[MissingItem]) -> Option<Finding> {
        let MissingItem { collection, item, outputs } = missing.first()?;
        let (collection, shown) = (escaped(collection.as_bytes()), escaped(item.as_bytes()));
        let what = if item.contains(':') { "a Tensor which does not exist" } else { "an Operation not in the graph" };
        let more = if missing.len() > 1 { format!(", and {} more", missing.len() - 1) } else { String::new() };
        let few = outputs.map(|n| format!(": its operation has {n} output{}", if n == 1 { "" } else { "s" }));
        let few = few.unwrap_or_default();
        let message = format!(
            "tf.compat.v1.train.import_meta_graph raises KeyError: The name '{shown}' refers to {what} (the collection \
             {collection} names it{few}{more})"
        );
        let help =
            "a program that builds the graph itself restores; or take the collection out of the MetaGraphDef first";
        Some(Finding::new(Code::MissingNode, message).in_file(file).with_help(help))
    }

    /// What is wrong with the graph of a `.meta` by itself.
    pub fn graph_finding(&self) -> Option<Finding> {
        let missing: Vec<_> = self.graphs.iter().flat_map(|graph| graph.missing_nodes.iter().cloned()).collect();
        (self.form == Form::MetaGraph).then(|| Self::nodes_missing(&self.file, &missing)).flatten()
    }

    /// What is wrong around the graphs of the SavedModel in `dir`.
    pub(in crate::analysis) fn findings(&self, dir: &Path, has_variables: bool, limits: &Limits) -> Vec<Finding> {
        let mut found = self.around.findings(dir);
        found.extend(Self::types_to_import(dir, limits));
        // The paths of assets are kept in variables, too, which no checkpoint has.
        let is_kept = |v: &&GraphVariable| v.dtype != DType::String;
        let variables = self.graphs.iter().map(|graph| graph.variables.iter().filter(is_kept).count()).max();
        if let Some(n @ 1..) = variables.filter(|_| !has_variables) {
            let variables = if n == 1 { "variable" } else { "variables" };
            let message = format!("the graph has {n} {variables}, but variables/variables.index is missing");
            let index = dir.join("variables/variables.index");
            let help = "the model cannot be used without it: copy the whole directory again";
            found.push(Finding::new(Code::MissingVariables, message).in_file(index).with_help(help));
        }
        found
    }

    /// The release of TensorFlow that wrote it.
    pub fn tensorflow_version(&self) -> Option<&str> {
        let mut versions = self.graphs.iter().map(|graph| graph.meta.tensorflow_version.as_str());
        versions.find(|version| !version.is_empty())
    }
}

impl GraphInfo {
    fn of(part: &Part<'_>) -> Result<Self> {
        let mut meta = part.meta.clone();
        if part.is_bare() {
            meta.count_nodes(&part.graphs)?;
        }
        let (variables, savers) = part.variables_and_savers()?;
        let objects = Objects::read(&part.objects)?;
        let mut functions = BTreeMap::new();
        for (name, concrete) in objects.of_root() {
            let methods: Result<Vec<Option<Method>>> = concrete.iter().map(|name| objects.method(name)).collect();
            functions.insert(name.to_owned(), methods?.into_iter().flatten().collect());
        }
        let init_ops = part.init_ops().into_iter().map(|(key, op)| (key.to_owned(), op.to_owned())).collect();
        let missing_nodes = part.missing_nodes()?;
        let (objects, constants) = (objects.nodes.len(), part.constants()?);
        Ok(Self { meta, variables, savers, init_ops, functions, objects, constants, missing_nodes })
    }
}

impl Around {
    fn look(dir: &Path, graphs: &[GraphInfo], limits: &Limits, unread: &mut Vec<Finding>) -> Self {
        let mut files: Vec<&String> = graphs.iter().flat_map(|graph| &graph.meta.asset_files).collect();
        files.sort();
        files.dedup();
        let present = |file: &str| is_inside(file) && storage::is_file(&dir.join("assets").join(file));
        let assets = files.into_iter().map(|file| (file.clone(), present(file))).collect();
        let mut around = Self { assets, extra: files_below(&dir.join("assets.extra")), ..Self::default() };
        let path = dir.join("fingerprint.pb");
        if storage::is_file(&path) {
            match Fingerprint::read(&path, limits) {
                Ok(fingerprint) => around.fingerprint = Some((fingerprint.clone(), belongs(dir, &fingerprint))),
                Err(error) => unread.push(unreadable_fingerprint(&error)),
            }
        }
        let path = dir.join(METADATA);
        if storage::is_file(&path) {
            match keras_metadata(&path, limits) {
                Ok(configs) => around.keras = Some(KerasInfo::of(&configs)),
                Err(error) => unread.push(Finding::of(&error)),
            }
        }
        around
    }

    /// What is wrong with it.
    fn findings(&self, dir: &Path) -> Vec<Finding> {
        let mut found = Vec::new();
        for (file, present) in &self.assets {
            let shown = escaped(file.as_bytes());
            if !is_inside(file) {
                let message = format!("asset {shown} leads out of the assets directory");
                found.push(Finding::new(Code::UnsafeAssetPath, message));
            } else if !present {
                let path = dir.join("assets").join(file);
                found.push(Finding::new(Code::MissingAsset, format!("asset {shown} is missing")).in_file(path));
            }
        }
        if let Some((_, Some(false))) = &self.fingerprint {
            let message = "variables.index is not the one that the model was saved with, by its fingerprint";
            found.push(Finding::new(Code::FingerprintMismatch, message).in_file(dir.join("fingerprint.pb")));
        }
        found
    }
}

/// A fingerprint that cannot be read: TensorFlow logs that and loads the model, and so does a server.
pub(in crate::analysis) fn unreadable_fingerprint(error: &Error) -> Finding {
    let mut finding = Finding::of(error);
    (finding.code, finding.severity) = (Code::BadSavedModel, Severity::Warning);
    let loads = "the model loads without it; only whether the variables are its own cannot be told";
    finding.help = Some(finding.help.map_or_else(|| loads.to_owned(), |help| format!("{loads}; {help}")));
    finding
}

/// Whether the variables in `dir` are those of the fingerprint. TensorFlow writes 0 where it had nothing to hash.
fn belongs(dir: &Path, fingerprint: &Fingerprint) -> Option<bool> {
    let index = dir.join("variables/variables.index");
    if !storage::is_file(&index) {
        return (fingerprint.checkpoint_hash == 0).then_some(true);
    }
    checkpoint_hash(&index).ok().map(|hash| hash == fingerprint.checkpoint_hash)
}

impl KerasInfo {
    fn of(configs: &[KerasConfig]) -> Self {
        let root = configs.iter().find(|config| config.place == "root");
        let json: Option<serde_json::Value> = root.and_then(|root| serde_json::from_str(&root.json).ok());
        let text = |key: &str| json.as_ref().and_then(|json| json.get(key)?.as_str()).unwrap_or_default().to_owned();
        Self { class: text("class_name"), name: text("name"), objects: configs.len() }
    }
}

/// Files below `dir`, as paths from there; not without end, and every directory once: a link may lead back up.
fn files_below(dir: &Path) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    let mut seen = BTreeSet::new();
    while let Some(below) = open.pop() {
        let at = dir.join(&below);
        if !storage::canonical(&at).is_some_and(|whole| seen.insert(whole)) {
            continue;
        }
        let Ok(folder) = storage::list(&at) else { continue };
        for (name, stat) in folder.entries() {
            let path = below.join(name);
            if stat.is_folder() && open.len() < MOST_EXTRA {
                open.push(path);
            } else if !stat.is_folder() && found.len() < MOST_EXTRA {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}
