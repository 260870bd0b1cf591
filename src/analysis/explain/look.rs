//! A quick look at the files that an error message is about: what `validate --quick` finds, and what became of the tensor.

use std::path::{Path, PathBuf};

use super::checksum::explain_checksums;
use super::diagnosis::Diagnosis;
use super::fill::Known;
use super::renamed;
use crate::analysis::validate::{ValidateOptions, Validation, validate};
use crate::analysis::{
    Code, Finding, Model, Restore, RestoreOptions, Severity, Summary, is_of_one_part, restore, short_name,
};
use crate::base::error::{ErrorKind, Result};
use crate::base::limits::Limits;
use crate::base::nearest::nearest;
use crate::base::progress::Progress;
use crate::read::bundle::Prefix;
use crate::read::checkpoint::{Checkpoint, Choice, Parts, Tensor};
use crate::read::storage;
use crate::read::tensor::Checked;

/// Larger checkpoints are not read because of a message.
const SOON_READ: u64 = 1 << 30;

/// What the files say now.
#[derive(Debug)]
pub struct OnDisk {
    /// The prefix of the checkpoint.
    pub prefix: PathBuf,
    /// Whether every file that the index counts is there and long enough.
    pub complete: bool,
    /// How many files the set has, missing ones included.
    pub files: usize,
    /// What is wrong, as `validate --quick` tells it; notes only where they are about the tensor.
    pub findings: Vec<Finding>,
    /// The tensor that the message is about.
    pub tensor: Option<(Vec<u8>, TensorNow)>,
    /// The shape of that tensor, if it is here; `None` also where a dimension has no number.
    pub shape: Option<Vec<u64>>,
    /// What restoring into each graph of the model would do.
    pub restores: Vec<Restore>,
    /// Whether something could not be read.
    pub unreadable: bool,
    /// How much of the files was compared with checksums.
    pub seen: Seen,
    /// Whether the checkpoint has an object graph.
    pub object_based: bool,
    /// The SavedModel that it belongs to.
    pub saved_model: Option<PathBuf>,
    /// What can be put into commands now.
    pub known: Known,
}

/// How much of a checkpoint was compared with checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The index, and the lengths of the files.
    Index,
    /// Every byte.
    Bytes,
}

/// What became of the tensor.
#[derive(Debug)]
pub enum TensorNow {
    /// Its bytes are the ones that were saved.
    Matches,
    /// It has no checksum of its own, and could be read.
    Unchecked,
    /// Its bytes are not the ones that were saved, and this is what the checksums say.
    Differs(Box<Diagnosis>),
    /// It has some of its slices, as the slot of one part of a partitioned variable has.
    OnePart,
    /// It could not be read.
    Unreadable(Box<Finding>),
    /// There is no such tensor; these have names like it.
    Missing(Vec<Vec<u8>>),
}

/// Looks at what lies at a path, at the tensor that a message names or whose stored checksum it holds, and with a model
/// at what a restore would do.
///
/// # Errors
/// If `path` leads to no checkpoint at all.
pub fn look(path: &Path, diagnosis: Option<&Diagnosis>, models: &[Model], limits: &Limits) -> Result<OnDisk> {
    // Of a file of a set that is not there the others are looked at.
    let of_set = Prefix::of_member(path).filter(|_| !storage::exists(path));
    let path = of_set.as_ref().map_or(path, Prefix::as_path);
    let opened = Checkpoint::open(path, Choice::default(), limits);
    let quick = !(diagnosis.is_some_and(is_of_data) && opened.as_ref().is_ok_and(|opened| is_soon_read(path, opened)));
    let found = validate(path, &ValidateOptions::all(quick, 1), limits, &Progress::default());
    let checkpoint = match (opened, found) {
        (Ok(checkpoint), found) => {
            let mut disk = OnDisk::of(path, &checkpoint, found.ok(), diagnosis, models);
            if !quick {
                disk.seen = Seen::Bytes;
            }
            return Ok(disk);
        }
        (Err(error), Err(_)) => return Err(error),
        // An index that cannot be opened has its finding.
        (Err(error), Ok(found)) if found.findings.is_empty() => return Err(error),
        (Err(_), Ok(found)) => found,
    };
    let prefix = checkpoint.targets.first().cloned().unwrap_or_else(|| path.to_path_buf());
    Ok(OnDisk {
        known: known(path, &prefix),
        prefix,
        complete: false,
        files: 0,
        findings: checkpoint.findings.into_iter().filter(|f| f.severity > Severity::Note).collect(),
        tensor: None,
        shape: None,
        restores: Vec::new(),
        unreadable: true,
        seen: Seen::Index,
        object_based: false,
        saved_model: None,
    })
}

/// Whether a message is about bytes or files of data: then what happened to them is seen only by reading them.
fn is_of_data(diagnosis: &Diagnosis) -> bool {
    let codes =
        [Code::TensorChecksumMismatch, Code::SingleBitFlip, Code::MissingShard, Code::ShortShard, Code::MispairedData];
    diagnosis.codes.iter().any(|code| codes.contains(code))
}

/// Whether all bytes are read in about a second.
fn is_soon_read(path: &Path, checkpoint: &Checkpoint) -> bool {
    let sizes = checkpoint.tensors().iter().map(|tensor| tensor.bytes().unwrap_or(0));
    !storage::is_folder(path) && sizes.fold(0, u64::saturating_add) <= SOON_READ
}

/// The real names of what was looked at.
fn known(path: &Path, prefix: &Path) -> Known {
    let above = prefix.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = if storage::is_folder(path) { path } else { above };
    Known {
        prefix: Some(prefix.to_path_buf()),
        dir: Some(dir.to_path_buf()),
        path: Some(path.to_path_buf()),
        ..Known::default()
    }
}

impl OnDisk {
    fn of(
        path: &Path,
        checkpoint: &Checkpoint,
        found: Option<Validation>,
        diagnosis: Option<&Diagnosis>,
        models: &[Model],
    ) -> Self {
        let summary = Summary::of(checkpoint);
        let prefix = checkpoint.origin().prefix.as_path().to_owned();
        let none = Diagnosis::default();
        let diagnosis = diagnosis.unwrap_or(&none);
        let tensor = tensor(checkpoint, diagnosis);
        let about = |finding: &Finding| {
            let named = tensor.as_ref().map(|(name, _)| name);
            finding.severity > Severity::Note || (named.is_some() && finding.tensor.as_ref() == named)
        };
        let findings = found.map_or(summary.findings, |found| found.findings);
        let mut known = known(path, &prefix);
        known.model_dir.clone_from(&checkpoint.origin().saved_model);
        known.tags =
            summary.model.iter().flat_map(|model| &model.graphs).map(|graph| graph.meta.tags.clone()).collect();
        known.model = models.first().map(|model| model.path.clone());
        if matches!(tensor, Some((_, TensorNow::Missing(_)))) {
            known.maps = renamed::find(checkpoint.tensors(), &diagnosis.missing);
        }
        Self {
            complete: summary.complete,
            files: summary.files.len(),
            findings: findings.into_iter().filter(about).collect(),
            restores: models.iter().map(|model| restore(checkpoint, model, &RestoreOptions::default())).collect(),
            unreadable: summary.unreadable,
            seen: Seen::Index,
            object_based: checkpoint.is_object_based(),
            saved_model: checkpoint.origin().saved_model.clone(),
            shape: tensor.as_ref().and_then(|(name, _)| shape(&checkpoint.tensor(name)?)),
            known,
            tensor,
            prefix,
        }
    }
}

fn tensor(checkpoint: &Checkpoint, diagnosis: &Diagnosis) -> Option<(Vec<u8>, TensorNow)> {
    if let Some(name) = &diagnosis.tensor {
        let name = name.as_bytes();
        // A message about an object-based checkpoint may name the variable without the end of its key.
        let found =
            checkpoint.tensor(name).or_else(|| checkpoint.tensors().iter().find(|t| short_name(&t.name) == name));
        let Some(found) = found else {
            let names = checkpoint.tensors().iter().map(|tensor| short_name(&tensor.name).to_vec());
            let mut near = nearest(name, names, 3);
            // The variable that a slot or an average belongs to is nearer than any spelling.
            let owner = name.iter().rposition(|b| *b == b'/').and_then(|at| name.get(..at));
            if let Some(owner) = owner.filter(|owner| checkpoint.tensor(owner).is_some()) {
                near.retain(|other| other != owner);
                near.insert(0, owner.to_vec());
            }
            return Some((name.to_vec(), TensorNow::Missing(near)));
        };
        let now = now(checkpoint, &found);
        return Some((found.name, now));
    }
    let stored = diagnosis.stored?;
    let found = checkpoint.tensors().iter().find(|tensor| has_checksum(tensor, stored))?;
    let now = now(checkpoint, &found);
    Some((found.name, now))
}

fn shape(tensor: &Tensor) -> Option<Vec<u64>> {
    tensor.shape.dims()?.iter().map(|dim| u64::try_from(*dim).ok()).collect()
}

fn has_checksum(tensor: &Tensor, crc: u32) -> bool {
    let is = |place: &crate::read::checkpoint::Place| place.crc32c.is_some_and(|c| c.0 == crc);
    match &tensor.parts {
        Parts::Whole(place) => is(place),
        Parts::Slices(slices) => slices.places().flatten().any(|place| is(&place)),
    }
}

fn now(checkpoint: &Checkpoint, tensor: &Tensor) -> TensorNow {
    let error = match checkpoint.read_all(tensor, &mut |_| Ok(())) {
        Ok(Checked::Verified) => return TensorNow::Matches,
        Ok(Checked::Not) => return TensorNow::Unchecked,
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::ChecksumMismatch { what: "tensor", got, want } => {
            // Of a partitioned tensor only the slice with that checksum was summed.
            let slice = tensor.slices().places().flatten().find(|p| p.crc32c.is_some_and(|c| c.0 == *want));
            let len = slice.map_or(tensor.bytes(), |place| place.range.and_then(|(_, size)| u64::try_from(size).ok()));
            TensorNow::Differs(Box::new(explain_checksums(*want, *got, len)))
        }
        // As validate judges it: savers write the slot of one part so.
        ErrorKind::Slices(_) if is_of_one_part(&tensor.name) => TensorNow::OnePart,
        _ => {
            let finding = Finding::of(&error);
            let code = if finding.code == Code::SliceDisagrees { Code::SlicesIncomplete } else { finding.code };
            TensorNow::Unreadable(Box::new(Finding { code, ..finding }))
        }
    }
}
