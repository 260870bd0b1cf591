//! What there is to tell of a run: the model and what is asked of it, what runs it, how long that takes.

use std::path::Path;

use crate::analysis::excerpt::Excerpt;
use crate::analysis::ops::OpsReport;
use crate::analysis::run::RunPlan;
use crate::base::error::Result;
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::DType;

/// A model and what is asked of it.
#[derive(Clone, Copy, Debug)]
pub struct RunReport<'a> {
    /// The path as given.
    pub given: &'a Path,
    /// What is run.
    pub plan: &'a RunPlan,
    /// What goes in.
    pub inputs: &'a [RunInput],
    /// What the model can touch.
    pub ops: &'a OpsReport,
    /// What runs it, if there is anything.
    pub engine: Option<RunEngine<'a>>,
}

/// A value that goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInput {
    /// The name of the input.
    pub name: String,
    /// Its dtype.
    pub dtype: DType,
    /// Its shape.
    pub shape: Vec<u64>,
    /// Where it comes from, as it was written.
    pub from: String,
}

/// What runs models.
#[derive(Clone, Copy, Debug)]
pub struct RunEngine<'a> {
    /// The library.
    pub library: &'a Path,
    /// Who named it.
    pub by: &'static str,
    /// Its version, once it is loaded.
    pub version: Option<&'a str>,
}

/// How long it took, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct RunTimes<'a> {
    /// Loading the engine.
    pub engine: f64,
    /// Loading the model.
    pub load: f64,
    /// Each run.
    pub runs: &'a [f64],
}

impl RunReport<'_> {
    /// The outputs of a run, in the order of the plan.
    pub(super) fn outputs(&self, results: &Checkpoint) -> Result<Vec<Excerpt>> {
        let found = self.plan.outputs.iter().filter_map(|port| results.tensor(port.name.as_bytes()));
        found.map(Excerpt::whole).collect()
    }
}
