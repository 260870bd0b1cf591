//! A recipe as the checkpoint that it would become: tensors are made when they are read, so that whatever looks at
//! checkpoints (`diff`, `stats`) looks at a result before it is written.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::options::{OutFormat, Target};
use super::outputs::{From, Output, Outputs, TensorRef, gone};
use super::recipe::Recipe;
use super::stream::{Maker, Wanted};
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::checkpoint::{
    Checkpoint, Container, ElementBuffers, Elements, Format, Opened, Origin, Parts, Place, SourceKind, StoredSlice,
    Tensor,
};
use crate::read::storage::{Source, is_file};
use crate::read::tensor::{Axis, Checked, DType, ElementReader, Piece, Shape, Sink};

impl Recipe {
    /// The checkpoint that `target` would be, which reads from the inputs what it is asked for.
    pub fn preview(self, inputs: Vec<Checkpoint>, target: &Target, limits: &Limits) -> Checkpoint {
        let format = target.format.format();
        let kind = if target.format == OutFormat::Bundle { SourceKind::Bundle } else { SourceKind::File(format) };
        let mut files = Files::default();
        let tensors = self.outputs.iter().map(|output| {
            let parts = files.parts(&inputs, &output).unwrap_or(Parts::Whole(MADE));
            Tensor { parts, ..output.tensor }
        });
        let tensors = tensors.collect();
        let container = Box::new(Planned { format, inputs, outputs: self.outputs, files });
        let origin = Origin::of_prefix(&target.path, kind, Prefix::new(target.path.as_os_str()));
        Checkpoint::of_opened(origin, Opened { tensors, damage: Vec::new(), notes: Vec::new(), container }, limits)
    }
}

/// The place of a tensor that lies nowhere: it is made when it is read.
const MADE: Place = Place { shard: 0, range: None, crc32c: None };

/// The files of all inputs that have bytes of the result as they are.
#[derive(Debug, Default)]
struct Files {
    /// Of which input it is, and which of its files.
    all: Vec<(usize, i32)>,
    paths: Vec<PathBuf>,
    known: BTreeMap<(usize, i32), i32>,
}

impl Files {
    /// Where the bytes of a tensor lie, if they lie somewhere as they would be written.
    fn parts(&mut self, inputs: &[Checkpoint], output: &Output) -> Option<Parts> {
        let From::Tensor(from) = &output.from else { return None };
        let input = inputs.get(from.input)?;
        let tensor = input.tensor_at(from.at)?;
        if tensor.dtype != output.tensor.dtype || input.is_big_endian() {
            return None;
        }
        match tensor.parts {
            Parts::Whole(place) => Some(Parts::Whole(self.place(input, from.input, place)?)),
            Parts::Slices(slices) => {
                let mut moved = Vec::with_capacity(slices.len());
                for StoredSlice { slice, place } in slices.iter() {
                    let place = match place {
                        Some(place) => Some(self.place(input, from.input, place)?),
                        None => None,
                    };
                    moved.push(StoredSlice { slice, place });
                }
                Some(Parts::Slices(moved.into_iter().collect()))
            }
        }
    }

    fn place(&mut self, input: &Checkpoint, of: usize, place: Place) -> Option<Place> {
        place.range?;
        let next = i32::try_from(self.all.len()).ok()?;
        let shard = *self.known.entry((of, place.shard)).or_insert(next);
        if shard == next {
            self.all.push((of, place.shard));
            self.paths.push(input.file(place.shard));
        }
        Some(Place { shard, ..place })
    }

    fn get(&self, id: i32) -> Option<(usize, i32)> {
        self.all.get(usize::try_from(id).ok()?).copied()
    }
}

/// What a recipe would make, made on the way.
#[derive(Debug)]
struct Planned {
    format: &'static Format,
    inputs: Vec<Checkpoint>,
    outputs: Outputs,
    files: Files,
}

impl Planned {
    fn input(&self, from: TensorRef) -> Result<(&Checkpoint, Tensor)> {
        let input = self.inputs.get(from.input);
        input.and_then(|input| Some((input, input.tensor_at(from.at)?))).ok_or_else(gone)
    }
}

impl Container for Planned {
    fn format(&self) -> &'static Format {
        self.format
    }

    fn paths(&self) -> &[PathBuf] {
        &self.files.paths
    }

    fn has_file(&self, id: i32) -> bool {
        let of_input = || self.files.get(id).and_then(|(input, shard)| Some(self.inputs.get(input)?.has_shard(shard)));
        of_input().unwrap_or_else(|| is_file(&self.file(id)))
    }

    fn source(&self, id: i32) -> Result<Arc<Source>> {
        let (input, shard) = self.files.get(id).ok_or_else(gone)?;
        self.inputs.get(input).ok_or_else(gone)?.container().source(shard)
    }

    fn variable_reader<'c>(
        &'c self,
        dtype: DType,
        shape: &Shape,
        place: &Place,
        limits: &'c Limits,
    ) -> Result<Box<dyn ElementReader + 'c>> {
        let (input, shard) = self.files.get(place.shard).ok_or_else(gone)?;
        let container = self.inputs.get(input).ok_or_else(gone)?.container();
        container.variable_reader(dtype, shape, &Place { shard, ..*place }, limits)
    }

    fn encoded<'c>(
        &'c self,
        tensor: &Tensor,
        dims: &[u64],
        axes: &[Axis],
        hold: &'c mut ElementBuffers,
    ) -> Result<Vec<Piece<'c>>> {
        let at = self.outputs.tensors().find(&tensor.name);
        let output = at.and_then(|at| self.outputs.get(at)).ok_or_else(gone)?;
        let extents = dims.iter().map(|dim| (0, *dim)).collect();
        let all = match &output.from {
            From::Given(bytes) => return Ok(vec![Piece { extents, reader: Box::new(Given(Arc::clone(bytes))) }]),
            From::Tensor(from) => {
                let (input, stored) = self.input(*from)?;
                if stored.dtype == tensor.dtype {
                    return input.pieces(&stored, dims, axes, hold);
                }
                std::slice::from_ref(from)
            }
            From::Mean(all) => all.as_slice(),
        };
        let from = all.iter().map(|from| self.input(*from)).collect::<Result<Vec<_>>>()?;
        let is_mean = matches!(output.from, From::Mean(_));
        let wanted = Wanted { from, dtype: output.tensor.dtype, is_mean };
        let readers = wanted.readers(hold.several(all.len()))?;
        Ok(vec![Piece { extents, reader: Box::new(Made { wanted, readers, maker: Maker::default() }) }])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// One string that is made new.
struct Given(Arc<[u8]>);

impl ElementReader for Given {
    fn read(&mut self, _first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        if count == 0 { Ok(()) } else { sink(&self.0) }
    }

    fn finish(&mut self) -> Result<Checked> {
        Ok(Checked::Not)
    }
}

/// Elements in another dtype, or the mean of several tensors.
struct Made<'c> {
    wanted: Wanted<'c>,
    readers: Vec<Elements<'c>>,
    maker: Maker,
}

impl ElementReader for Made<'_> {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let run = first..first.saturating_add(count);
        self.maker.make(&self.wanted, &mut self.readers, run, |bytes, _| sink(bytes))
    }

    fn finish(&mut self) -> Result<Checked> {
        self.wanted.finish(&mut self.readers)
    }
}
