//! A quick look at the files that an error message is about: is the set whole, and does the tensor match now?

use super::{Diagnosis, explain_checksums};
use crate::analysis::{Finding, Severity, Summary, short_name};
use crate::checkpoint::{Checkpoint, Parts, Tensor};
use crate::error::ErrorKind;
use crate::nearest::nearest;
use crate::tensor::Checked;

/// What the files say now.
#[derive(Debug)]
pub struct OnDisk {
    /// The prefix of the checkpoint.
    pub prefix: std::path::PathBuf,
    /// Whether every file that the index counts is there and long enough.
    pub complete: bool,
    /// How many files the set has, missing ones included.
    pub files: usize,
    /// What is wrong, without notes.
    pub findings: Vec<Finding>,
    /// The tensor that the message is about.
    pub tensor: Option<(Vec<u8>, TensorNow)>,
    /// Whether something could not be read.
    pub unreadable: bool,
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
    /// It could not be read.
    Unreadable(Box<Finding>),
    /// There is no such tensor; these have names like it.
    Missing(Vec<Vec<u8>>),
}

impl OnDisk {
    /// Looks at a checkpoint, and at the tensor that a message names or whose stored checksum it holds.
    pub fn of(checkpoint: &Checkpoint, diagnosis: &Diagnosis) -> Self {
        let summary = Summary::of(checkpoint);
        Self {
            prefix: checkpoint.origin().prefix.as_path().to_owned(),
            complete: summary.complete,
            files: summary.files.len(),
            findings: summary.findings.into_iter().filter(|f| f.severity > Severity::Note).collect(),
            tensor: tensor(checkpoint, diagnosis),
            unreadable: summary.unreadable,
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

fn has_checksum(tensor: &Tensor, crc: u32) -> bool {
    let is = |place: &crate::checkpoint::Place| place.crc32c.is_some_and(|c| c.0 == crc);
    match &tensor.parts {
        Parts::Whole(place) => is(place),
        Parts::Slices(slices) => slices.iter().filter_map(|slice| slice.place.as_ref()).any(is),
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
            let slice =
                tensor.slices().iter().filter_map(|slice| slice.place).find(|p| p.crc32c.is_some_and(|c| c.0 == *want));
            let len = slice.map_or(tensor.bytes(), |place| place.range.and_then(|(_, size)| u64::try_from(size).ok()));
            TensorNow::Differs(Box::new(explain_checksums(*want, *got, len)))
        }
        _ => TensorNow::Unreadable(Box::new(Finding::of(&error))),
    }
}
