//! What a model can touch: "TensorFlow models are code".
//!
//! Every op of every graph and every function is looked at. One that can read or write files, reach a network, run
//! code of the host or end the process is a finding, with when it runs and from where it is reached; so is code in
//! the configuration of Keras layers. What every saved model has, the saver's own ops with the path that it is told
//! and tables read from the model's own assets, is counted instead. What could not be read is said: silence about
//! something unread would be the worst answer of all.

mod capability;
mod keras;
mod paths;
mod reach;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use capability::{Capability, is_registered};
pub use keras::KerasFound;
pub use paths::Origin;
pub use reach::When;
pub use target::targets;

use self::capability::{PathAt, capability};
use self::paths::{Scope, Tracer};
use self::reach::{Fed, Reach, Top, called, position, roots};
use super::finding::{Code, Finding};
use crate::checkpoint::graph::{Form, GraphFile, Library, Node, ObjectKind, Objects, Part, with_graphs};
use crate::checkpoint::keras::{KerasConfig, keras_archive, keras_metadata, lambda_text};
use crate::error::{Error, Result};
use crate::escape::escaped;

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Graphs.
    Graphs(PathBuf, Form),
    /// `keras_metadata.pb`.
    KerasMetadata(PathBuf),
    /// A `.keras` archive, or the `config.json` of an unpacked one.
    KerasArchive(PathBuf),
    /// An HDF5 file: not read, only searched for the text of Lambda layers.
    Hdf5(PathBuf),
    /// A file that may hold code and that is not read: its name, and why.
    Unsupported(PathBuf, &'static str),
}

/// Where an op is, and when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpSite {
    /// The op.
    pub op: String,
    /// The node.
    pub node: String,
    /// The function that the node is in; `None` for the graph itself.
    pub function: Option<String>,
    /// Tags of its graph.
    pub tags: Vec<String>,
    /// When it runs; empty if nothing that the file names reaches it.
    pub when: BTreeSet<When>,
    /// What reaches it: `signature serving_default`.
    pub from: Vec<String>,
    /// Whether `when` and `from` are known: a bare graph names nothing that is run.
    pub reach_known: bool,
    /// Where its path comes from.
    pub origins: BTreeSet<Origin>,
}

/// The outcome.
#[derive(Debug, Default)]
pub struct OpsReport {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be looked at, as findings too: whatever is allowed, these make the report incomplete.
    pub unread: Vec<Finding>,
    /// What was looked at.
    pub looked: Looked,
    /// The files.
    pub files: Vec<PathBuf>,
    /// How often each op occurs, functions included.
    pub ops: BTreeMap<String, u64>,
    /// What the user should know about the choice of files.
    pub notes: Vec<String>,
    kept: BTreeMap<Code, usize>,
}

/// Counts of what was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Graphs.
    pub graphs: u64,
    /// Functions in their libraries.
    pub functions: u64,
    /// Nodes of both.
    pub nodes: u64,
    /// Configurations of Keras objects.
    pub keras_configs: u64,
    /// The saver's own ops: they save and restore where they are told.
    pub of_saver: u64,
    /// Ops that read the model's own assets.
    pub of_assets: u64,
}

/// Findings of one code that are kept one by one; further ones are counted.
const MOST: usize = 1000;

/// Ops of one name (custom ones count as one) in a graph that are looked into; of a graph with more, no more than that
/// they are there can be said.
const MOST_RISKY: usize = 1 << 17;

/// What reaches an op is listed so far.
const MOST_ROOTS: usize = 100;

impl OpsReport {
    /// Whether everything could be looked at.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }

    /// Keeps the first findings of each code and counts the others.
    fn found(&mut self, finding: Finding) {
        let n = self.kept.entry(finding.code).or_default();
        *n += 1;
        if *n <= MOST {
            self.findings.push(finding);
        }
    }

    fn unread(&mut self, error: &Error) {
        self.unread.push(Finding::of(error));
    }
}

/// Looks at all `targets`.
pub fn look_at_ops(targets: &[Target]) -> OpsReport {
    let mut report = OpsReport::default();
    for target in targets {
        let (Target::Graphs(path, _)
        | Target::KerasMetadata(path)
        | Target::KerasArchive(path)
        | Target::Hdf5(path)
        | Target::Unsupported(path, _)) = target;
        report.files.push(path.clone());
        let looked = match target {
            Target::Graphs(path, form) => with_graphs(path, *form, |file| graphs(path, file, &mut report)),
            Target::KerasMetadata(path) => keras_metadata(path).map(|configs| {
                if configs.is_empty() {
                    let message = "there is no configuration in this file: it is empty or cut off";
                    report.unread.push(Finding::new(Code::Unreadable, message).in_file(path));
                }
                lambdas(&configs, &mut report);
            }),
            Target::KerasArchive(path) => keras_archive(path).map(|configs| lambdas(&configs, &mut report)),
            Target::Hdf5(path) => lambda_text(path).map(|at| hdf5(path, at, &mut report)),
            Target::Unsupported(path, why) => {
                report.unread.push(Finding::new(Code::Unreadable, *why).in_file(path));
                Ok(())
            }
        };
        if let Err(error) = looked {
            let mut finding = Finding::of(&error.in_file(path));
            if matches!(target, Target::Graphs(..)) && finding.code == Code::Unreadable {
                finding.code = Code::BadSavedModel;
            }
            report.unread.push(finding);
        }
    }
    for (code, n) in std::mem::take(&mut report.kept).into_iter().filter(|(_, n)| *n > MOST) {
        report.findings.push(Finding::new(code, format!("and {} more of this kind", n - MOST)));
    }
    report
}

fn graphs(path: &Path, file: &GraphFile<'_>, report: &mut OpsReport) -> Result<()> {
    if file.parts.is_empty() {
        report.unread.push(Finding::new(Code::BadSavedModel, "there is no graph in this file").in_file(path));
    }
    for part in &file.parts {
        report.looked.graphs += 1;
        // The objects say from where functions are called; without them the ops are still all looked at.
        let objects = Objects::read(&part.objects).unwrap_or_else(|error| {
            report.unread(&error.in_file(path));
            Objects::default()
        });
        graph(path, part, &objects, report)?;
        let configs: Vec<KerasConfig> =
            objects.nodes.iter().enumerate().filter_map(|(at, n)| config(path, at, &n.kind)).collect();
        lambdas(&configs, report);
        assets(path, part, report);
    }
    Ok(())
}

/// What Keras before TensorFlow 2.5 wrote into the object graph.
fn config(path: &Path, at: usize, kind: &ObjectKind) -> Option<KerasConfig> {
    match kind {
        ObjectKind::User(identifier, json) if identifier.starts_with("_tf_keras") && !json.is_empty() => {
            let place = format!("object {at}");
            Some(KerasConfig { file: path.to_path_buf(), place, identifier: identifier.clone(), json: json.clone() })
        }
        _ => None,
    }
}

/// Assets whose names lead out of the model: a table that reads one reads another file.
fn assets(path: &Path, part: &Part<'_>, report: &mut OpsReport) {
    for (_, file) in &part.assets {
        if !crate::checkpoint::saved_model::is_inside(file) {
            let message = format!("asset {} leads out of the assets directory", escaped(file.as_bytes()));
            report.found(Finding::new(Code::UnsafeAssetPath, message).in_file(path));
        }
    }
}

/// An op that can do something.
struct Risky<'a> {
    node: Node<'a>,
    scope: Scope,
    /// Its position among the nodes of the graph; nothing for those of functions.
    at: u32,
    what: Capability,
    path: PathAt,
}

/// The ops that can do something: so many of each name.
#[derive(Default)]
struct Risks<'a> {
    risky: Vec<Risky<'a>>,
    by_name: BTreeMap<&'a [u8], usize>,
    left_out: u64,
}

impl<'a> Risks<'a> {
    fn add(&mut self, found: Option<Risky<'a>>) {
        let Some(risky) = found else { return };
        let name: &[u8] = if risky.what == Capability::Custom { b"" } else { risky.node.op };
        let n = self.by_name.entry(name).or_default();
        *n += 1;
        if *n <= MOST_RISKY {
            self.risky.push(risky);
        } else {
            self.left_out += 1;
        }
    }
}

fn graph(path: &Path, part: &Part<'_>, objects: &Objects<'_>, report: &mut OpsReport) -> Result<()> {
    let library = part.library()?;
    report.looked.functions += library.functions.len() as u64;
    let mut risky = Risks::default();
    let mut calls: Vec<Vec<u32>> = Vec::with_capacity(library.functions.len());
    let mut count = 0u32;
    let mut names: BTreeMap<&[u8], u64> = BTreeMap::new();
    part.each_node(|node| {
        *names.entry(node.op).or_default() += 1;
        risky.add(judge(node, Scope::Top, count, &library)?);
        count = count.saturating_add(1);
        Ok(())
    })?;
    report.looked.nodes += u64::from(count);
    for (at, function) in library.functions.iter().enumerate() {
        let mut callees = BTreeSet::new();
        function.each_node(|node| {
            *names.entry(node.op).or_default() += 1;
            report.looked.nodes += 1;
            risky.add(judge(node, Scope::Function(at), 0, &library)?);
            called(&node, &library, &mut |callee| _ = callees.insert(callee))
        })?;
        calls.push(callees.into_iter().collect());
    }
    for (op, n) in names {
        // Functions that are called by their name are no ops.
        if position(&library, op).is_none() {
            *report.ops.entry(escaped(op).into_owned()).or_default() += n;
        }
    }
    let Risks { risky, left_out, .. } = risky;
    if risky.is_empty() {
        return Ok(());
    }
    if left_out > 0 {
        let message = format!("{left_out} ops were not looked into: there are {MOST_RISKY} of their name before them");
        report.unread.push(Finding::new(Code::Unreadable, message).in_file(path));
    }
    let top = Top::read(part)?;
    let asked = risky.iter().filter(|risky| risky.scope == Scope::Top).map(|risky| risky.at).collect();
    let reach = Reach::follow(roots(part, objects), &top, &library, &calls, &asked)?;
    if reach.unfinished {
        let message =
            "the graph is too large to follow from where its ops are reached; the ops themselves are all listed";
        report.unread.push(Finding::new(Code::Unreadable, message).in_file(path));
    }
    let tracer = Tracer::new(part, &top, &library, objects);
    for one in &risky {
        found(path, one, &tracer, &reach, report)?;
    }
    Ok(())
}

/// Whether a node can do something. What a missing path rules out (a cache in memory, a print to the log) is nothing.
fn judge<'a>(node: Node<'a>, scope: Scope, at: u32, library: &Library<'_>) -> Result<Option<Risky<'a>>> {
    let Some((mut what, path)) = capability(node.op) else {
        let known = is_registered(node.op) || library.by_name.contains_key(node.op);
        let custom = Risky { node, scope, at, what: Capability::Custom, path: PathAt::Elsewhere };
        return Ok((!known).then_some(custom));
    };
    match path {
        PathAt::Attr(key @ b"output_stream") if !node.text(key)?.is_some_and(|text| text.starts_with(b"file://")) => {
            return Ok(None);
        }
        PathAt::Attr(key @ b"descriptor_source") => {
            let source = node.text(key)?.unwrap_or(b"local://");
            if source.is_empty() || source.starts_with(b"local://") || source.starts_with(b"bytes://") {
                return Ok(None);
            }
        }
        PathAt::Urls(key) => {
            let urls = node.texts(key)?;
            if urls.iter().any(|url| url.starts_with(b"grpc://")) {
                what = Capability::Network;
            } else if !urls.iter().any(|url| url.starts_with(b"file://")) {
                return Ok(None);
            }
        }
        _ => {}
    }
    Ok(Some(Risky { node, scope, at, what, path }))
}

fn found<'a>(
    path: &Path,
    one: &Risky<'a>,
    tracer: &Tracer<'_, 'a>,
    reach: &Reach,
    report: &mut OpsReport,
) -> Result<()> {
    let roots = match one.scope {
        Scope::Top => reach.nodes.get(&one.at),
        Scope::Function(at) => reach.functions.get(at),
    };
    let roots: Vec<_> = roots.into_iter().flatten().filter_map(|at| reach.roots.get(*at as usize)).collect();
    let when: BTreeSet<When> = roots.iter().map(|root| root.when).collect();
    let fed = Fed { saver: roots.iter().all(|root| root.fed.saver), assets: roots.iter().all(|root| root.fed.assets) };
    let origins = origins(one, tracer, fed)?;
    let all = |is: fn(&Origin) -> bool| !origins.is_empty() && origins.iter().all(is);
    let is_saver_op = matches!(
        one.node.op,
        b"Save" | b"SaveSlices" | b"SaveV2" | b"MergeV2Checkpoints" | b"Restore" | b"RestoreSlice" | b"RestoreV2"
    );
    let at_saving_only = !when.contains(&When::Load) && !when.contains(&When::Call);
    if is_saver_op && all(Origin::is_of_saver) && (one.what == Capability::ReadsFile || at_saving_only) {
        report.looked.of_saver += 1;
        return Ok(());
    }
    let inside = |o: &Origin| matches!(o, Origin::Asset(file) if crate::checkpoint::saved_model::is_inside(file));
    if one.what == Capability::ReadsFile && all(inside) {
        report.looked.of_assets += 1;
        return Ok(());
    }
    // A cache without a file is one in memory.
    if matches!(one.node.op, b"CacheDataset" | b"CacheDatasetV2") && all(|o| *o == Origin::Fixed(Vec::new())) {
        return Ok(());
    }
    let function = match one.scope {
        Scope::Top => None,
        Scope::Function(at) => tracer.library.functions.get(at).map(|f| String::from_utf8_lossy(f.name).into_owned()),
    };
    let site = OpSite {
        op: String::from_utf8_lossy(one.node.op).into_owned(),
        node: String::from_utf8_lossy(one.node.name).into_owned(),
        function,
        tags: tracer.part.meta.tags.clone(),
        when,
        from: roots.iter().take(MOST_ROOTS).map(|root| root.label.clone()).collect(),
        reach_known: !reach.roots.is_empty() && !reach.unfinished,
        origins,
    };
    let mut code = one.what.code();
    let remote = |o: &Origin| matches!(o, Origin::Fixed(path) | Origin::Begins(path) if is_remote(path));
    let remotely = matches!(one.what, Capability::ReadsFile | Capability::WritesFile | Capability::PrintsToFile)
        && site.origins.iter().any(remote);
    loop {
        let over = if code == one.what.code() { "" } else { ", over a network" };
        let mut finding = Finding::new(code, format!("{}{over}", sentence(one.what, &site))).in_file(path);
        finding.offset = Some(one.node.offset());
        finding.op = Some(Box::new(site.clone()));
        report.found(finding);
        if !remotely || code == Code::OpReachesNetwork {
            return Ok(());
        }
        code = Code::OpReachesNetwork;
    }
}

/// Whether TensorFlow reaches a path over a network: `gs://`, `s3://`, `hdfs://`, `http://`.
fn is_remote(path: &[u8]) -> bool {
    let at = path.windows(3).position(|w| w == b"://");
    let scheme = at.and_then(|at| path.get(..at)).unwrap_or_default();
    !scheme.is_empty() && scheme.iter().all(u8::is_ascii_alphanumeric) && !matches!(scheme, b"file" | b"ram")
}

fn origins<'a>(one: &Risky<'a>, tracer: &Tracer<'_, 'a>, fed: Fed) -> Result<BTreeSet<Origin>> {
    let mut origins = BTreeSet::new();
    match one.path {
        PathAt::Inputs(inputs) => {
            for input in inputs {
                origins.extend(tracer.of_input(one.scope, &one.node, *input, fed)?);
            }
        }
        PathAt::Attr(key) => origins.extend(one.node.text(key)?.map(|text| Origin::Fixed(text.to_vec()))),
        PathAt::Urls(key) => {
            origins.extend(one.node.texts(key)?.into_iter().map(|url| Origin::Fixed(url.to_vec())));
        }
        PathAt::Elsewhere => {}
    }
    Ok(origins)
}

/// The finding in one sentence.
fn sentence(what: Capability, site: &OpSite) -> String {
    let op = escaped(site.op.as_bytes());
    let paths: Vec<String> = site.origins.iter().map(Origin::describe).collect();
    if paths.is_empty() {
        format!("{op} {}", what.verb())
    } else {
        format!("{op} {} {}", what.verb_of_path(), paths.join(", "))
    }
}

impl Origin {
    /// In words, a path in quotes.
    pub fn describe(&self) -> String {
        match self {
            Self::Fixed(path) => format!("\"{}\"", escaped(path)),
            Self::Begins(path) => format!("what begins with \"{}\"", escaped(path)),
            Self::Saver => "what the saver is told".to_owned(),
            Self::Asset(file) => format!("asset {}", escaped(file.as_bytes())),
            Self::Caller(name) => format!("what the caller says (argument {})", escaped(name)),
            Self::Computed(op) => format!("what {} gives", escaped(op)),
            Self::Unknown => "something that was not followed to its end".to_owned(),
        }
    }
}

/// An HDF5 file is never said to be harmless: its configuration may lie where a search for text does not find it.
fn hdf5(path: &Path, at: Option<u64>, report: &mut OpsReport) {
    if let Some(at) = at {
        let message = "the text of a Lambda layer stands in this file; Keras loads its code with the model and runs it";
        let mut finding = Finding::new(Code::KerasLambda, message).in_file(path);
        finding.offset = Some(at);
        report.found(finding);
    }
    let message = "an HDF5 file (Keras .h5) was only searched for the text of a Lambda layer, not read";
    let help = "save the model as .keras to have it looked at";
    report.unread.push(Finding::new(Code::Unreadable, message).in_file(path).with_help(help));
}

fn lambdas(configs: &[KerasConfig], report: &mut OpsReport) {
    report.looked.keras_configs += configs.len() as u64;
    let (found, unread) = keras::search(configs);
    let file = configs.first().map(|config| config.file.clone()).unwrap_or_default();
    for one in found {
        let finding = match one {
            KerasFound::Code { layer, bytes, spelling } => {
                let what = match bytes {
                    Some(bytes) => format!("{bytes} bytes of marshalled Python code, written as {spelling}"),
                    None => format!("a Python function, written as {spelling}"),
                };
                let message =
                    format!("layer {} holds {what}; Keras loads it with the model and runs it", shown(&layer));
                Finding::new(Code::KerasLambda, message)
            }
            KerasFound::Foreign { layer, what } => {
                let message =
                    format!("layer {} needs {}, which is no part of Keras", shown(&layer), escaped(what.as_bytes()));
                Finding::new(Code::KerasForeignObject, message)
            }
        };
        report.found(finding.in_file(&file));
    }
    for (at, why) in unread {
        let place = configs.get(at).map_or("", |config| config.place.as_str());
        let message = format!("the Keras configuration of {} cannot be read: {why}", shown(place));
        report.unread.push(Finding::new(Code::Unreadable, message).in_file(&file));
    }
}

fn shown(layer: &str) -> String {
    if layer.is_empty() { "(without a name)".to_owned() } else { escaped(layer.as_bytes()).into_owned() }
}
