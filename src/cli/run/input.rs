//! `--input` and `--feed`: from what was written to values that fit.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ckpt::analysis::excerpt::{Excerpt, resolve};
use ckpt::analysis::run::{Port, RunPlan, Value, looks_like_literal, parse_literal};
use ckpt::base::error::{Error, ErrorKind};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Checkpoint, Choice, Tensor};
use ckpt::read::storage::{self, Source, Window};
use ckpt::report::RunInput;

use super::asked::{Asked, Given};
use crate::cli::Ctx;
use crate::cli::source::near;

fn wrong(why: String) -> Error {
    Error::new(ErrorKind::Request(why))
}

/// The name in `NAME=VALUE`.
pub(super) fn name_of(text: &str) -> String {
    text.split_once('=').map_or(text, |(name, _)| name).trim().to_owned()
}

/// Reads all values and makes them fit the inputs that they are for.
pub(super) fn give<'t>(
    plan: &RunPlan,
    texts: impl Iterator<Item = &'t String>,
    round: bool,
    ctx: &mut Ctx,
) -> Result<Vec<Given>> {
    let mut given: Vec<Given> = Vec::new();
    for text in texts {
        for (port, value, from) in read(plan, text, ctx)? {
            if given.iter().any(|other| other.port.tensor == port.tensor) {
                return Err(wrong(format!("input {} is given twice", escaped(port.name.as_bytes()))).into());
            }
            let mut value = value;
            if let Some(note) = port.take(&mut value, round)? {
                ctx.note(&note);
            }
            given.push(Given { port, value, from });
        }
    }
    Ok(given)
}

/// What `NAME=VALUE` gives, or a file of arrays that have the names of inputs.
fn read(plan: &RunPlan, text: &str, ctx: &Ctx) -> Result<Vec<(Port, Value, String)>> {
    let pair = text.split_once('=').map(|(name, value)| (name.trim(), value));
    let is_file = || storage::exists(Path::new(text));
    let (name, value) = match pair {
        Some((name, value)) if plan.input(name).is_ok() || !is_file() => (name, value),
        None if !is_file() => {
            let shown = escaped(text.as_bytes()).into_owned();
            let error = wrong(format!("'{shown}' is neither NAME=VALUE nor a file of arrays"));
            let names: Vec<_> = plan.inputs.iter().map(|port| escaped(port.name.as_bytes()).into_owned()).collect();
            return Err(error.with_help(format!("NAME is {}", names.join(" or "))).into());
        }
        _ => return of_file(plan, Path::new(text), ctx),
    };
    let port = plan.input(name)?.clone();
    let read = if looks_like_literal(value) { Ok(parse_literal(value)?) } else { of_path(value, &port, ctx) };
    let named = |error: anyhow::Error| error.context(format!("input {}", escaped(name.as_bytes())));
    Ok(vec![(port, read.map_err(|error| named(told_whole(&error)))?, value.to_owned())])
}

/// An error with its help in its text, so that more can be said before it.
fn told_whole(error: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!(crate::cli::ctx::sentence(error))
}

/// Every input that a file has an array for.
fn of_file(plan: &RunPlan, path: &Path, ctx: &Ctx) -> Result<Vec<(Port, Value, String)>> {
    let checkpoint = Checkpoint::open(path, Choice::default(), &ctx.limits())?;
    let mut found = Vec::new();
    for port in &plan.inputs {
        let Some(tensor) = checkpoint.tensor(port.name.as_bytes()) else { continue };
        let value = Value::read(&checkpoint, &Excerpt::whole(tensor)?).map_err(|error| error.in_file(path))?;
        found.push((port.clone(), value, path.to_string_lossy().into_owned()));
    }
    let unknown = checkpoint
        .tensors()
        .iter()
        .find(|tensor| !found.iter().any(|(port, ..)| port.name.as_bytes() == &*tensor.name));
    if let Some(unknown) = unknown {
        let name = String::from_utf8_lossy(&unknown.name).into_owned();
        let error = plan.input(&name).err().unwrap_or_else(|| wrong(format!("no input {name}")));
        return Err(error.in_file(path).into());
    }
    Ok(found)
}

/// The value at `PATH`, `PATH:NAME`, `PATH:NAME[SLICE]`.
fn of_path(text: &str, port: &Port, ctx: &Ctx) -> Result<Value> {
    let limits = ctx.limits();
    let Some((path, key)) = split(text) else {
        let error = wrong(format!("there is no file '{}'", escaped(text.as_bytes())));
        let help = "a string is written in quotes that the shell leaves: '\"text\"'";
        return Err(error.with_help(help).into());
    };
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) && key.is_none() {
        let source = Source::contiguous(&path)?;
        let mut scratch = Window::default();
        let bytes = source.slice(0..source.len().min(limits.message), &mut scratch)?;
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is no UTF-8".to_owned()).in_file(&path))?;
        return Ok(parse_literal(text).map_err(|error| error.in_file(&path))?);
    }
    let checkpoint = Checkpoint::open(&path, Choice::default(), &limits)?;
    let excerpt = match key {
        Some(key) => by_key(&checkpoint, key, &path)?,
        None => Excerpt::whole(only(&checkpoint, port, &path)?)?,
    };
    Ok(Value::read(&checkpoint, &excerpt).map_err(|error| error.in_file(&path))?)
}

/// The tensor, or the part of one, that a key names.
fn by_key(checkpoint: &Checkpoint, key: &str, path: &Path) -> Result<Excerpt> {
    let found = resolve(key, false, checkpoint)?;
    <[Excerpt; 1]>::try_from(found).map(|[excerpt]| excerpt).map_err(|found| {
        let key_shown = escaped(key.as_bytes());
        let why = if found.is_empty() {
            format!("no tensor matches '{key_shown}'{}", near(&[key.to_owned()], checkpoint))
        } else {
            format!("{} tensors match '{key_shown}'", found.len())
        };
        wrong(why).in_file(path).into()
    })
}

/// The tensor of a file that has the name of the input, or is the only one.
fn only(checkpoint: &Checkpoint, port: &Port, path: &Path) -> Result<Tensor> {
    let mut all = checkpoint.tensors().iter();
    match (all.next(), all.next(), checkpoint.tensor(port.name.as_bytes())) {
        (_, _, Some(named)) => Ok(named),
        (Some(only), None, None) => Ok(only),
        _ => {
            let names = checkpoint.tensors().iter().take(4);
            let names: Vec<_> = names.map(|tensor| escaped(&tensor.name).into_owned()).collect();
            let why = format!("{} tensors are in this file: {}", checkpoint.tensors().len(), names.join(", "));
            let help = format!("choose one: {}:NAME", escaped(path.as_os_str().as_encoded_bytes()));
            Err(wrong(why).in_file(path).with_help(help).into())
        }
    }
}

/// A path and what stands behind a colon, which names may have too: the longest text that is a path.
fn split(text: &str) -> Option<(PathBuf, Option<&str>)> {
    let is_path = |text: &str| {
        !text.is_empty() && (storage::exists(Path::new(text)) || storage::exists(Path::new(&format!("{text}.index"))))
    };
    if is_path(text) {
        return Some((PathBuf::from(text), None));
    }
    let mut colons = text.rmatch_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]));
    colons.find(|(path, key)| is_path(path) && !key.is_empty()).map(|(path, key)| (PathBuf::from(path), Some(key)))
}

/// Refuses to go on while an input has no value.
pub(super) fn require(asked: &Asked, example: &str) -> Result<()> {
    let is_given = |port: &Port| asked.values.iter().any(|given| given.port.name == port.name);
    let missing: Vec<&Port> = asked.plan.inputs.iter().filter(|port| !port.is_optional && !is_given(port)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let told = missing.iter().map(|port| format!("{} ({})", escaped(port.name.as_bytes()), port.spec()));
    let told = told.collect::<Vec<_>>().join(", ");
    let many = if missing.len() == 1 { "input" } else { "inputs" };
    let all = asked.plan.inputs.iter().filter(|port| !port.is_optional);
    let example =
        all.fold(example.to_owned(), |line, port| format!("{line} --input {}=…", escaped(port.name.as_bytes())));
    Err(wrong(format!("no value for {many} {told}")).with_help(format!("give one: {example}")).into())
}

/// What is given, to be told.
pub(super) fn told(asked: &Asked) -> Vec<RunInput> {
    let of = |given: &Given| {
        Some(RunInput {
            name: given.port.name.clone(),
            dtype: given.value.dtype()?,
            shape: given.value.shape.clone(),
            from: given.from.clone(),
        })
    };
    asked.values.iter().filter_map(of).collect()
}
