//! A model and what goes in, ready to be run or refused.

use std::path::PathBuf;

use ckpt::analysis::Severity;
use ckpt::analysis::ops::OpsReport;
use ckpt::analysis::run::{Port, RunPlan, Value};
use ckpt::report::{RunEngine, RunInput, RunReport};

/// A model with what goes in.
#[derive(Debug)]
pub(super) struct Asked {
    /// The path as given.
    pub(super) given: PathBuf,
    pub(super) plan: RunPlan,
    pub(super) values: Vec<Given>,
    /// What the model can touch.
    pub(super) ops: OpsReport,
}

/// A value that goes in.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) port: Port,
    pub(super) value: Value,
    /// Where it comes from, as it was written.
    pub(super) from: String,
}

impl Asked {
    /// To be told, with what is given and what runs it.
    pub(super) fn report<'a>(&'a self, inputs: &'a [RunInput], engine: Option<RunEngine<'a>>) -> RunReport<'a> {
        RunReport { given: &self.given, plan: &self.plan, inputs, ops: &self.ops, engine }
    }

    /// What stops the run, if anything does.
    pub(super) fn is_refused(&self) -> bool {
        !self.ops.is_complete() || self.ops.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}
