//! The documents of the command, as JSON text that Python parses: what `ckpt … --format json` prints.

use std::path::{Path, PathBuf};

use ckpt::analysis::diff::{Bound as Most, Comparison, Depth, DiffOptions, ToleranceRule};
use ckpt::analysis::stats::{StatsOptions, StatsOrder};
use ckpt::analysis::{
    Finding, Listing, Model, Names, Objects, Renames, RestoreOptions, Roles, Selector, Sort, Subject, Summary,
    ValidateOptions,
};
use ckpt::base::error::{Error, Result};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice, ModelDir};
use ckpt::report::{
    DiffOrder, DiffReport, Format, ListText, Look, StatsReport, write_inspect, write_list, write_model,
    write_validation,
};
use pyo3::prelude::*;

use crate::checkpoint::limits;
use crate::errors::{message, raised};

/// Adds the functions of this file.
pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(inspect, module)?)?;
    module.add_function(wrap_pyfunction!(list, module)?)?;
    module.add_function(wrap_pyfunction!(stats, module)?)?;
    module.add_function(wrap_pyfunction!(diff, module)?)?;
    module.add_function(wrap_pyfunction!(validate, module)?)?;
    module.add_function(wrap_pyfunction!(latest, module)?)
}

/// Runs `work` without the interpreter's lock; what it wrote is JSON, which is text.
fn document(py: Python<'_>, work: impl Send + FnOnce(&mut Vec<u8>) -> Result<()>) -> PyResult<String> {
    let written = py.detach(|| {
        let mut out = Vec::new();
        work(&mut out).map(|()| out)
    });
    let out = written.map_err(|error| raised(py, &error))?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn memory(error: std::io::Error) -> Error {
    Error::output(error, Path::new("memory"))
}

#[pyfunction]
#[pyo3(signature = (path, step=None, version=None))]
fn inspect(
    py: Python<'_>,
    path: PathBuf,
    step: Option<u64>,
    version: Option<i64>,
) -> PyResult<(String, Option<String>)> {
    // Of a served model the version that was meant may not be readable, and the next one is shown.
    let mut refused = None;
    let text = document(py, |out| match Subject::open(&path, Choice { step, version }, &limits(None))? {
        Subject::Checkpoint(checkpoint, error) => {
            refused = error.as_ref().map(message);
            write_inspect(&checkpoint, &Summary::of(&checkpoint), Format::Json, Look::default(), out).map_err(memory)
        }
        Subject::Model(model, error) => {
            let findings: Vec<Finding> = error.iter().map(Finding::of).collect();
            write_model((&path, &model), &findings, false, Format::Json, Look::default(), out).map_err(memory)
        }
    })?;
    Ok((text, refused))
}

#[pyfunction]
#[pyo3(signature = (path, selectors, names, step=None, version=None))]
fn list(
    py: Python<'_>,
    path: PathBuf,
    selectors: Vec<String>,
    names: bool,
    step: Option<u64>,
    version: Option<i64>,
) -> PyResult<String> {
    document(py, |out| {
        let checkpoint = Checkpoint::open(&path, Choice { step, version }, &limits(None))?;
        let roles = Roles::of(&checkpoint);
        let selection = Selector::parse(&selectors, false)?.select_with(&checkpoint, &roles);
        let names = names.then(|| Names::of(&checkpoint, &roles, &Objects::of(&checkpoint)));
        let sort = if names.is_some() { Sort::Model } else { Sort::Name };
        let mut listing = Listing::new(&checkpoint, &roles, selection, sort, false, None);
        listing.names = names.as_ref();
        write_list(&listing, Format::Json, ListText::Rows { long: false }, Look::default(), out).map_err(memory)
    })
}

#[pyfunction]
#[pyo3(signature = (path, selectors, hist, per_channel, spectral, step=None, version=None, threads=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
fn stats(
    py: Python<'_>,
    path: PathBuf,
    selectors: Vec<String>,
    hist: bool,
    per_channel: bool,
    spectral: bool,
    step: Option<u64>,
    version: Option<i64>,
    threads: Option<u16>,
) -> PyResult<String> {
    document(py, |out| {
        let limits = limits(threads);
        let checkpoint = Checkpoint::open(&path, Choice { step, version }, &limits)?;
        let selection = Selector::parse(&selectors, false)?.select(&checkpoint);
        let threads = limits.workers();
        let report = StatsReport {
            checkpoint: &checkpoint,
            options: StatsOptions { threads, distribution: hist, channels: per_channel, along: false, spectral },
            order: StatsOrder::default(),
            most: usize::MAX,
            format: Format::Json,
            look: Look::default(),
            ascii: false,
            merged: None,
        };
        report.write(&selection, &Progress::default(), &mut |_| (), out).map(|_| ()).map_err(memory)
    })
}

#[pyfunction]
#[pyo3(signature = (a, b, selectors, ignore, map, rtol, atol, depth, spectral, threads=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
fn diff(
    py: Python<'_>,
    a: PathBuf,
    b: PathBuf,
    selectors: Vec<String>,
    ignore: Vec<String>,
    map: Vec<String>,
    rtol: Option<f64>,
    atol: Option<f64>,
    depth: &str,
    spectral: bool,
    threads: Option<u16>,
) -> PyResult<String> {
    let depth = match depth {
        "structure" => Depth::Structure,
        "index" => Depth::Index,
        "exact" => Depth::Exact,
        _ => Depth::Values,
    };
    document(py, |out| {
        let limits = limits(threads);
        let a = Checkpoint::open(&a, Choice::default(), &limits)?;
        let b = Checkpoint::open(&b, Choice::default(), &limits)?;
        let bounds = [rtol.map(Most::Relative), atol.map(Most::Absolute)];
        let tolerances = bounds.into_iter().flatten();
        let options = DiffOptions {
            depth,
            only: Selector::parse(&selectors, false)?,
            ignore: ignore.iter().map(|text| Selector::parse(&[text], false)).collect::<Result<_>>()?,
            map: Renames::parse(&map)?,
            tolerances: tolerances.map(|bound| ToleranceRule { selector: Selector::default(), bound }).collect(),
            spectral,
            threads: limits.workers(),
            ..DiffOptions::default()
        };
        let report = DiffReport {
            a: &a,
            b: &b,
            depth,
            format: Format::Json,
            look: Look::default(),
            all: false,
            long: false,
            spectral,
            order: DiffOrder::Name,
            most: usize::MAX,
        };
        let comparison = Comparison::new(&a, &b, &options)?;
        report.write(comparison, &Progress::default(), out).map(|_| ()).map_err(memory)
    })
}

#[pyfunction]
#[pyo3(signature = (path, against, selectors, quick, finite, serving, step=None, version=None, threads=None))]
#[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
fn validate(
    py: Python<'_>,
    path: PathBuf,
    against: Option<PathBuf>,
    selectors: Vec<String>,
    quick: bool,
    finite: bool,
    serving: bool,
    step: Option<u64>,
    version: Option<i64>,
    threads: Option<u16>,
) -> PyResult<String> {
    document(py, |out| {
        let (limits, choice) = (limits(threads), Choice { step, version });
        let models = match &against {
            Some(model) => Model::open(model, quick, &limits)?,
            None => Vec::new(),
        };
        let selector = Selector::parse(&selectors, false)?;
        let options = ValidateOptions {
            quick,
            finite,
            threads: limits.workers(),
            selector,
            choice,
            serving,
            policy: None,
            share: None,
        };
        let mut validation = ckpt::analysis::validate(&path, &options, &limits, &Progress::default())?;
        if !models.is_empty() {
            validation.add_restores(&path, choice, &models, &RestoreOptions::default(), &limits)?;
        }
        write_validation(&validation, quick, Format::Json, Look::default(), out).map_err(memory)
    })
}

/// The prefix of a directory's latest checkpoint, as `tf.train.latest_checkpoint` chooses.
#[pyfunction]
fn latest(py: Python<'_>, dir: PathBuf) -> PyResult<Option<PathBuf>> {
    let scanned = py.detach(|| ModelDir::scan(&dir, &limits(None))).map_err(|error| raised(py, &error))?;
    let found = scanned.latest.and_then(|at| scanned.checkpoints.get(at));
    Ok(found.map(|found| found.prefix.as_path().to_path_buf()))
}
