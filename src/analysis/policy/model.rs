//! What a policy says.

use std::path::{Path, PathBuf};

use super::paths::{Paths, absolute};
use crate::analysis::finding::{Code, Date, Level};
use crate::analysis::naming::select::Selector;
use crate::read::tensor::DType;

/// All that a policy says, in the order of its file.
#[derive(Debug)]
pub struct Policy {
    /// The file, as it is shown.
    pub file: PathBuf,
    /// The folder that paths which commands are given begin at, absolute: the working directory.
    pub here: PathBuf,
    /// The day on which it is asked.
    pub today: Date,
    /// What becomes of findings. Of several that are about one the last holds.
    pub rules: Vec<Rule>,
    /// What is expected of checkpoints.
    pub expects: Vec<Expect>,
}

/// What becomes of some findings.
#[derive(Debug)]
pub struct Rule {
    /// What becomes of them.
    pub level: Level,
    /// Which.
    pub codes: Vec<Code>,
    /// About these tensors only, as written; empty for all.
    pub tensors: Vec<String>,
    /// The same, understood.
    pub selector: Selector,
    /// About these files only.
    pub paths: Paths,
    /// Why.
    pub reason: Option<String>,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// The line in the file; none for an option of the command.
    pub line: Option<usize>,
}

impl Rule {
    /// Whether its date has passed.
    pub fn is_expired(&self, today: Date) -> bool {
        self.until.is_some_and(|until| today > until)
    }
}

/// What is expected of some checkpoints.
#[derive(Debug)]
pub struct Expect {
    /// Of these.
    pub paths: Paths,
    /// Of these of their tensors, as written, where sizes and dtypes are meant; empty for all.
    pub tensors: Vec<String>,
    /// The same, understood.
    pub selector: Selector,
    /// What frozen and changed tensors are compared with.
    pub base: Option<PathBuf>,
    /// Why.
    pub reason: Option<String>,
    /// What, each with its line.
    pub checks: Vec<(Check, usize)>,
    /// Its own line.
    pub line: usize,
}

/// One thing that is expected.
#[derive(Debug)]
pub enum Check {
    /// Such a tensor is there: as written, and understood.
    Present(String, Selector),
    /// No such tensor is there.
    Absent(String, Selector),
    /// These are the same as in the base.
    Frozen(String, Selector),
    /// These are not.
    Changed(String, Selector),
    /// They have no more than so many bytes.
    MaxBytes(u64),
    /// They have no more than so many elements.
    MaxParameters(u64),
    /// They have these dtypes and no others.
    DTypes(Vec<DType>),
}

impl Check {
    /// The key in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Present(..) => "present",
            Self::Absent(..) => "absent",
            Self::Frozen(..) => "frozen",
            Self::Changed(..) => "changed",
            Self::MaxBytes(_) => "max-bytes",
            Self::MaxParameters(_) => "max-parameters",
            Self::DTypes(_) => "dtypes",
        }
    }

    /// Whether it takes a base to judge.
    pub fn needs_base(&self) -> bool {
        matches!(self, Self::Frozen(..) | Self::Changed(..))
    }
}

impl Policy {
    /// A path from the root.
    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        absolute(path, &self.here)
    }

    /// What is expected of a checkpoint that lies at these paths.
    pub fn expects_of<'p>(&'p self, paths: &[&Path]) -> Vec<&'p Expect> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.absolute(path)).collect();
        let takes = |expect: &&Expect| paths.iter().any(|path| expect.paths.take(path));
        self.expects.iter().filter(takes).collect()
    }

    /// Whether something is expected that takes a base which the policy does not name.
    pub fn wants_base(&self) -> bool {
        let wants =
            |expect: &Expect| expect.base.is_none() && expect.checks.iter().any(|(check, _)| check.needs_base());
        self.expects.iter().any(wants)
    }
}
