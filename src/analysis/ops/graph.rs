//! One graph: which of its ops can do something, what reaches them, where their paths come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::capability::{Capability, PathAt, capability, is_registered};
use super::lookup::Scope;
use super::paths::Tracer;
use super::reach::{Fed, Reach, Top, called, position, roots};
use super::{OpSite, OpsReport};
use crate::analysis::finding::op_site::{Origin, When};
use crate::analysis::finding::{Code, Finding};
use crate::base::error::Result;
use crate::base::escape::escaped;
use crate::read::graphs::graph::{Library, Node, Objects, Part};
use crate::read::graphs::saved_model::is_inside;

/// Ops of one name (custom ones count as one) in a graph that are looked into; of a graph with more, no more than that
/// they are there can be said.
const MOST_RISKY: usize = 1 << 17;

/// What reaches an op is listed so far.
const MOST_ROOTS: usize = 100;

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

/// Looks at one graph and its functions.
pub(super) fn graph(path: &Path, part: &Part<'_>, objects: &Objects<'_>, report: &mut OpsReport) -> Result<()> {
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
    let inside = |o: &Origin| matches!(o, Origin::Asset(file) if is_inside(file));
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
        Scope::Function(at) => {
            tracer.lookup.library.functions.get(at).map(|f| String::from_utf8_lossy(f.name).into_owned())
        }
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
