//! From a plan with its values to a job, and from its answer to outputs.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ckpt::analysis::excerpt::Excerpt;
use ckpt::analysis::run::{Data, RunModel};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::report::write_arrays;
use tempfile::TempDir;

use super::asked::{Asked, Given};
use crate::cli::Ctx;
use crate::cli::written::Written;
use crate::engine::{Answer, Feed, Found, Job, Limits, Model, RESULTS, Restore, run};

/// Lines that a model printed which are shown.
const LINES: usize = 20;

/// A model that has answered.
#[derive(Debug)]
pub(super) struct Ran {
    /// How it went.
    pub(super) answer: Answer,
    /// What came out.
    pub(super) outputs: Checkpoint,
    /// Where that lies until it is told.
    _directory: TempDir,
}

/// Runs a model.
pub(super) fn go(asked: &Asked, engine: &Found, limits: Limits, repeat: u32, ctx: &mut Ctx) -> Result<Ran> {
    let directory = tempfile::Builder::new().prefix("ckpt-run-").tempdir().context("no directory for the outputs")?;
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| anyhow::anyhow!("{}: TensorFlow takes only paths that are UTF-8", path.display()))
    };
    let mut payload: Vec<Vec<u8>> = Vec::new();
    let model = match &asked.plan.model {
        RunModel::Saved { directory, tags, .. } => Model::Saved { directory: text(directory)?, tags: tags.clone() },
        RunModel::Graph { graph, restoring, table_initializers, .. } => {
            payload.push(graph.clone());
            let restore = restoring.as_ref().map(|of| {
                let (op, filename) = (of.op.clone(), of.filename.clone());
                text(&of.prefix).map(|prefix| Restore { op, filename, prefix })
            });
            let initialize = table_initializers.clone();
            Model::Graph { bytes: graph.len() as u64, restore: restore.transpose()?, initialize }
        }
    };
    let feeds = asked.values.iter().map(|given| feed(given, &mut payload)).collect::<Result<_>>()?;
    let job = Job {
        libraries: engine.libraries.iter().map(|path| text(&absolute(path))).collect::<Result<_>>()?,
        model,
        feeds,
        fetches: asked.plan.outputs.iter().map(|port| (port.name.clone(), port.tensor.clone())).collect(),
        repeat,
        threads: ctx.asked_threads(),
        memory: limits.memory,
        directory: text(directory.path())?,
    };
    let payload: Vec<&[u8]> = payload.iter().map(Vec::as_slice).collect();
    let done = run(&job, &payload, limits).map_err(|why| anyhow::anyhow!("{}: {why}", shown(&asked.given)))?;
    for line in done.printed.iter().take(LINES) {
        ctx.note(&format!("the model printed: {line}"));
    }
    if done.printed.len() > LINES {
        ctx.note(&format!("the model printed {} more lines", done.printed.len() - LINES));
    }
    let mut outputs = Checkpoint::open(&directory.path().join(RESULTS), Choice::default(), &ctx.limits())?;
    outputs.set_label(&format!("outputs of {}", asked.given.display()));
    Ok(Ran { answer: done.answer, outputs, _directory: directory })
}

/// A library is looked for in the directories of the system where its path has no slash.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn shown(path: &Path) -> String {
    escaped(path.as_os_str().as_encoded_bytes()).into_owned()
}

/// A value as it goes to the engine: its bytes behind those of the others.
fn feed(given: &Given, payload: &mut Vec<Vec<u8>>) -> Result<Feed> {
    let value = &given.value;
    let (bytes, strings) = match &value.data {
        Data::Numbers(_, bytes) => (bytes.clone(), None),
        Data::Strings(strings) => {
            (strings.concat(), Some(strings.iter().map(|string| string.len() as u64).collect::<Vec<_>>()))
        }
        Data::Typed(_) => anyhow::bail!("input {}: it has no dtype", escaped(given.port.name.as_bytes())),
    };
    let feed = Feed {
        tensor: given.port.tensor.clone(),
        dtype: value.dtype().map_or(0, ckpt::read::tensor::DType::number),
        shape: value.shape.clone(),
        strings,
        bytes: bytes.len() as u64,
    };
    payload.push(bytes);
    Ok(feed)
}

/// Writes outputs into an archive, which appears under its name only complete.
pub(super) fn write(asked: &Asked, outputs: &Checkpoint, path: &Path, force: bool) -> Result<()> {
    if path.extension().is_none_or(|end| end != "npz") {
        let why = format!("-o {}: outputs are written as an .npz", shown(path));
        return Err(Error::new(ErrorKind::Request(why)).into());
    }
    let found = asked.plan.outputs.iter().filter_map(|port| outputs.tensor(port.name.as_bytes()));
    let tensors = found.map(Excerpt::whole).collect::<Result<Vec<_>, _>>()?;
    let mut file = Written::begin(path, || force, "")?;
    file.fill(|out| write_arrays(outputs, &tensors, out))?;
    file.finish().map(|_| ())
}
