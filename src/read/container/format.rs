//! The seam between formats and everything that asks about tensors: what a format must answer so that its checkpoints
//! are listed, read and compared like all others.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Place, Tensor, Tensors};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::Limits;
use crate::read::storage::{self, Source};
use crate::read::table::BlockBuffer;
use crate::read::tensor::{Axis, Checked, DType, ElementReader, Piece, Shape};

/// What a format is called.
#[derive(Debug, PartialEq, Eq)]
pub struct Format {
    /// The word for programs.
    pub id: &'static str,
    /// The words for people.
    pub title: &'static str,
    /// What its files have to know damage by.
    pub checksums: Checksums,
}

/// What files of a format have to know damage by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksums {
    /// The list of tensors has one of every run of bytes.
    EachRun,
    /// The container knows of its own whether a tensor's bytes are right: see [`Container::verify`].
    Container,
    /// The container knows of some tensors whether their bytes are right, and can say of others only that they decode.
    Some,
    /// Nothing: nobody can say that bytes are the ones that were saved.
    None,
}

/// What a format makes of its files.
#[derive(Debug)]
pub struct Opened {
    /// All tensors.
    pub tensors: Tensors,
    /// What could not be read: tensors may be missing.
    pub damage: Vec<Error>,
    /// What is wrong but hides nothing.
    pub notes: Vec<Error>,
    /// The files.
    pub container: Box<dyn Container>,
}

/// What a file itself says of a tensor besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The variable's own name in the program that wrote it.
    pub name: Option<String>,
    /// Whether the file has that name; otherwise it is what its path makes likely.
    pub is_named: bool,
    /// What it is for.
    pub purpose: Option<Purpose>,
    /// Its place in the order of the model.
    pub order: usize,
}

/// What a variable is for, as a file says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A weight that training changes.
    Weight,
    /// A weight that it does not: of a layer that is frozen, or a moving statistic.
    Untrained,
    /// The n-th variable of the optimizer.
    Optimizer(usize),
    /// The state of a metric.
    Metric,
    /// The state of a random generator.
    Seed,
}

/// Memory that the elements of an encoded tensor need while they are read.
#[derive(Debug, Default)]
pub struct ElementBuffers {
    pub(crate) blocks: Vec<BlockBuffer>,
    /// Those of the tensors that one is made of.
    several: Vec<ElementBuffers>,
}

impl ElementBuffers {
    /// Memory for each of several tensors that are read at once.
    pub(crate) fn several(&mut self, count: usize) -> &mut [Self] {
        self.several.clear();
        self.several.resize_with(count, Self::default);
        &mut self.several
    }
}

/// The files of one open checkpoint, read by the rules of its format.
///
/// A tensor whose [`Place`] has a range is a run of bytes: it is read by `checkpoint::Checkpoint`, for all
/// formats alike. Only what cannot be had so is asked of the container.
pub trait Container: fmt::Debug + Send + Sync {
    /// What format it is.
    fn format(&self) -> &'static Format;

    /// The file that says what the others hold, where that is one of its own.
    fn index_file(&self) -> Option<PathBuf> {
        None
    }

    /// The files that hold bytes of tensors, whether or not they are there, by their ids from 0 on. A format that can
    /// count more of them than can be listed says [`Container::file_count`] and [`Container::file`] instead.
    fn paths(&self) -> &[PathBuf] {
        &[]
    }

    /// Number of files that hold bytes of tensors, whether or not they are there.
    fn file_count(&self) -> i32 {
        i32::try_from(self.paths().len()).unwrap_or(i32::MAX)
    }

    /// The path of a file, whether or not it is there.
    fn file(&self, id: i32) -> PathBuf {
        usize::try_from(id).ok().and_then(|id| self.paths().get(id)).cloned().unwrap_or_default()
    }

    /// Whether a file is there. Looks at its name only; who asks keeps the answer.
    fn has_file(&self, id: i32) -> bool {
        storage::is_file(&self.file(id))
    }

    /// A file, open.
    ///
    /// # Errors
    /// If there is no such file, or it cannot be opened.
    fn source(&self, id: i32) -> Result<Arc<Source>>;

    /// Whether numbers are stored big-endian.
    fn is_big_endian(&self) -> bool {
        false
    }

    /// The file and the range of numbers of this dtype and shape, checked against both and against the file's length.
    ///
    /// # Errors
    /// If they contradict one another, or the file is missing or too short.
    fn locate(&self, dtype: DType, shape: &Shape, place: &Place) -> Result<(Arc<Source>, Range<u64>)> {
        let bad = |why: String| Error::malformed(self.format().title, why);
        let size = dtype.element_size().ok_or_else(|| Error::from(ErrorKind::UnsupportedDType(dtype.to_string())))?;
        let (start, len) = place.range.ok_or_else(|| bad("the tensor has no place in a file".to_owned()))?;
        let range = u64::try_from(start).ok().zip(u64::try_from(len).ok());
        let range = range.and_then(|(start, len)| Some(start..start.checked_add(len)?));
        let range = range.ok_or_else(|| bad(format!("offset {start} and size {len} are no place in a file")))?;
        let len = len.unsigned_abs();
        if shape.elements().and_then(|n| n.checked_mul(size)) != Some(len) {
            return Err(bad(format!("{len} bytes are stored, {dtype} {shape} is another number")));
        }
        let source = self.source(place.shard)?;
        if range.end > source.len() {
            let (needed, available) = (range.end, source.len());
            let error = Error::new(ErrorKind::Truncated { needed, available });
            let error = error.at_part(Part::TensorData).at_offset(range.start).in_file(source.path());
            return Err(error.with_help("the file is shorter than it says; fetch it again"));
        }
        Ok((source, range))
    }

    /// Reads elements whose dtype has no fixed size from a run of bytes.
    ///
    /// # Errors
    /// If the format has none, or they are not as they must be.
    fn variable_reader<'c>(
        &'c self,
        dtype: DType,
        _shape: &Shape,
        _place: &Place,
        _limits: &'c Limits,
    ) -> Result<Box<dyn ElementReader + 'c>> {
        Err(ErrorKind::UnsupportedDType(dtype.to_string()).into())
    }

    /// Checks a run of elements whose dtype has no fixed size, without handing them out.
    ///
    /// # Errors
    /// What is wrong with them.
    fn verify_variable(&self, dtype: DType, shape: &Shape, place: &Place, limits: &Limits) -> Result<()> {
        let mut reader = self.variable_reader(dtype, shape, place, limits)?;
        reader.read(0, shape.elements().unwrap_or(0), &mut |_| Ok(()))?;
        reader.finish().map(|_| ())
    }

    /// Compares all bytes of a tensor with the container's own checksums.
    ///
    /// # Errors
    /// If they cannot be read, or are not what was saved.
    fn verify(&self, _tensor: &Tensor) -> Result<Checked> {
        Ok(Checked::Not)
    }

    /// The CRC-32 of the member of an archive that is this tensor and nothing else.
    fn member_crc32(&self, _tensor: &Tensor) -> Option<u32> {
        None
    }

    /// The CRC-32 of the member of an archive that has all tensors.
    fn weights_crc32(&self) -> Option<u32> {
        None
    }

    /// What the file itself says of a tensor; most formats say nothing.
    fn told(&self, _name: &[u8]) -> Option<Told> {
        None
    }

    /// The pieces, which the region touches, of a tensor that has no range: this container alone can read it.
    ///
    /// # Errors
    /// If it is not there, or not as it must be.
    fn encoded<'c>(
        &'c self,
        tensor: &Tensor,
        _dims: &[u64],
        _axes: &[Axis],
        _hold: &'c mut ElementBuffers,
    ) -> Result<Vec<Piece<'c>>> {
        Err(ErrorKind::TensorNotFound(tensor.name.clone()).into())
    }

    /// Itself, for who asks for the format's own things.
    fn as_any(&self) -> &dyn Any;
}

/// Tensors without values: a SavedModel without variables, what a model wants.
#[derive(Debug)]
pub struct Nothing;

impl Container for Nothing {
    fn format(&self) -> &'static Format {
        &Format { id: "nothing", title: "no values", checksums: Checksums::None }
    }

    fn source(&self, _id: i32) -> Result<Arc<Source>> {
        Err(Error::malformed("checkpoint", "it has no values"))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
