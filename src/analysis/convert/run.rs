//! Carrying out a recipe: bytes are checked on their way, what was written is read again, and then it gets its name.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::cast::Caster;
use super::options::{OutFormat, Target};
use super::outputs::{From, InputCursors, Output, TensorRef, gone};
use super::place::{STATE_FILE, bridge, outdated, refuse_taken};
use super::recipe::Recipe;
use super::stream::{Made, Maker, Wanted, each};
use super::verify::{Staging, axes, narrowed, verify};
use crate::analysis::element_sums::add;
use crate::analysis::survey::state_file::state_lines;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::base::parallel::beside;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Parts, Tensor};
use crate::read::container::{Cursor, Incoming, PartId, Sink, WantedPart, element_bytes};
use crate::read::storage::{NewFile, Staged, Stat, Window, stat};
use crate::read::tensor::{Checked, DType};
use crate::read::wire::Crc32c;

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it lies.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
}

/// What came of a conversion.
#[derive(Clone, Debug, Default)]
pub struct Converted {
    /// The files, in the order in which they were put in place.
    pub files: Vec<Written>,
    /// Finite values that became infinite, with the names of their tensors.
    pub overflows: Vec<(Vec<u8>, u64)>,
    /// Tensors whose input has no checksum: they were read, and nobody can say that they are what was saved.
    pub unchecked: usize,
}

/// Writes what a recipe says.
///
/// # Errors
/// If an input cannot be read or is not what was saved, something lies where the result shall, or it cannot be written.
/// Then nothing of it lies there.
pub fn write_recipe(
    inputs: &[Checkpoint],
    recipe: &Recipe,
    target: &Target,
    limits: &Limits,
    progress: &Progress,
) -> Result<Converted> {
    write_files(inputs, files_of(inputs), recipe, target, limits, progress)
}

/// As [`write_recipe`], of inputs that are read from these files.
pub(in crate::analysis) fn write_files(
    inputs: &[Checkpoint],
    files: impl IntoIterator<Item = PathBuf>,
    recipe: &Recipe,
    target: &Target,
    limits: &Limits,
    progress: &Progress,
) -> Result<Converted> {
    let name = target.name();
    // Known before any work is done.
    let before: Vec<(PathBuf, Option<Stat>)> = files.into_iter().map(|file| (file.clone(), stat(&file).ok())).collect();
    refuse_taken(target, &before)?;
    let staged = Staged::new(&target.directory(), &name)?;
    // Again: what a run that was ended had moved away has come back.
    refuse_taken(target, &before)?;
    let mut sink = target.sink(staged.dir(), recipe.num_shards);
    let order = sink.begin(Arc::clone(recipe.outputs.tensors()))?;
    let total = recipe.outputs.tensors().iter().map(|tensor| element_bytes(&tensor)).fold(0, u64::saturating_add);
    progress.total.fetch_add(total.saturating_mul(2), Ordering::Relaxed);
    let order = ordered(order, recipe, inputs);
    let mut run = Run { inputs, progress, converted: Converted::default() };
    let threads = limits.workers();
    let sums = run.write(recipe, &order, threads, &mut *sink)?;
    let mut files = sink.finish()?;
    let bridge = if target.force { bridge(&mut *sink, &staged, &files)? } else { None };
    drop(sink);
    // What is compared comes from memory while the disk is still at work.
    let (staged_files, is_synced) = (files.clone(), &staged);
    std::thread::scope(|scope| {
        let sync = || is_synced.sync(&staged_files);
        let syncing = beside(scope, sync);
        let written = Staging { dir: staged.dir(), target, files: &files, recipe, order: &order, sums: &sums };
        let verified = verify(&written, threads, limits, progress);
        let synced = match syncing {
            Some(syncing) => syncing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => sync(),
        };
        verified.and(synced)
    })?;
    if target.state_file && target.format == OutFormat::Bundle {
        let mut state = NewFile::create(&staged.dir().join(STATE_FILE))?;
        for line in state_lines(&name, std::iter::empty()) {
            state.write(format!("{line}\n").as_bytes())?;
        }
        state.finish()?;
        let state = STATE_FILE.to_owned();
        staged.sync(std::slice::from_ref(&state))?;
        files.push(state);
    }
    unchanged(&before)?;
    let outdated = outdated(target, &files);
    let placed = staged.commit(&files, &outdated, target.force, bridge.as_ref())?;
    let mut converted = run.converted;
    converted.files = placed
        .into_iter()
        .map(|path| {
            let bytes = stat(&path).map_or(0, |stat| stat.len);
            Written { path, bytes }
        })
        .collect();
    Ok(converted)
}

/// Parts of one shard in the order in which they lie in the input: a copy that changes nothing has the same places.
fn ordered(mut order: Vec<PartId>, recipe: &Recipe, inputs: &[Checkpoint]) -> Vec<PartId> {
    if !recipe.keeps_places {
        return order;
    }
    let mut look = Looking::new(recipe, inputs);
    let mut place = |(tensor, part): &PartId| {
        let output = recipe.outputs.reach(*tensor, &mut look.outputs)?;
        let stored = match &output.from {
            From::Tensor(from) => look.inputs.reach(*from),
            _ => None,
        };
        let wanted = WantedPart::of(&output.tensor, *part)?;
        let place = match stored.map(|tensor| &tensor.parts) {
            Some(Parts::Whole(place)) => Some(*place).filter(|_| *part == 0),
            Some(Parts::Slices(slices)) if wanted.slice.is_some() => slices.get(*part).and_then(|own| own.place),
            _ => None,
        };
        // What has no place of its own comes last in its shard.
        let range = place.and_then(|place| place.range);
        Some((wanted.shard, range.map_or((true, (0, 0)), |range| (false, range))))
    };
    // Most lie in order, and then there is nothing to be kept of them.
    let mut last = None;
    let is_in_order = order.iter().all(|id| {
        let place = place(id);
        std::mem::replace(&mut last, place) <= place
    });
    if !is_in_order {
        order.sort_by_cached_key(place);
    }
    order
}

/// What stands at the tensor that was asked for last: those that follow it are found without a search.
struct Looking<'r> {
    outputs: Cursor<'r>,
    inputs: InputCursors<'r>,
}

impl<'r> Looking<'r> {
    fn new(recipe: &'r Recipe, inputs: &'r [Checkpoint]) -> Self {
        Self { outputs: recipe.outputs.tensors().cursor(), inputs: InputCursors::of(inputs) }
    }
}

struct Run<'r> {
    inputs: &'r [Checkpoint],
    progress: &'r Progress,
    converted: Converted,
}

impl<'r> Run<'r> {
    fn tensor(&self, from: TensorRef) -> Result<(&'r Checkpoint, Tensor)> {
        let input = self.inputs.get(from.input);
        input.and_then(|input| Some((input, input.tensor_at(from.at)?))).ok_or_else(gone)
    }

    /// Where the values of a part come from, if they are numbers that are taken as they lie.
    fn wanted(&self, look: &mut Looking<'_>, recipe: &Recipe, (n, part): PartId) -> Result<Option<Wanted<'r>>> {
        let Some(output) = recipe.outputs.reach(n, &mut look.outputs) else { return Ok(None) };
        let is_slice = WantedPart::of(&output.tensor, part).is_some_and(|part| part.slice.is_some());
        let all = match &output.from {
            From::Given(_) => return Ok(None),
            From::Tensor(from) => std::slice::from_ref(from),
            From::Mean(all) => all.as_slice(),
        };
        let mut from = Vec::with_capacity(all.len());
        for one in all {
            let tensor = look.inputs.reach(*one).ok_or_else(gone)?;
            from.push((self.inputs.get(one.input).ok_or_else(gone)?, tensor.clone()));
        }
        let is_numbers = from.iter().all(|(_, tensor)| tensor.is_numeric());
        let is_mean = matches!(output.from, From::Mean(_));
        Ok((is_numbers && !is_slice).then_some(Wanted { from, dtype: output.tensor.dtype, is_mean }))
    }

    /// Writes all parts; the checksums of their elements.
    fn write(&mut self, recipe: &Recipe, order: &[PartId], threads: usize, sink: &mut dyn Sink) -> Result<Vec<Crc32c>> {
        let mut sums = vec![Crc32c::default(); order.len()];
        let (progress, mut begun) = (self.progress, None);
        let reader = Self { inputs: self.inputs, progress, converted: Converted::default() };
        let wanted =
            |look: &mut Looking<'_>, n: usize| order.get(n).map_or(Ok(None), |id| reader.wanted(look, recipe, *id));
        let take = |made: Made<'_>| {
            let (n, sum) = match made {
                Made::Bytes(n, bytes) => {
                    if let Some(id) = order.get(n).filter(|_| begun.replace(n) != Some(n)) {
                        sink.part(*id, Incoming::Numbers)?;
                    }
                    progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    return sink.bytes(bytes);
                }
                Made::Alone(n) => {
                    let Some(id) = order.get(n) else { return Ok(()) };
                    let Some(output) = recipe.outputs.get(id.0) else { return Ok(()) };
                    (n, self.part(&output, *id, sink)?)
                }
                Made::Whole(n, whole) => {
                    if whole.overflows > 0 {
                        let output = order.get(n).and_then(|id| recipe.outputs.get(id.0));
                        let name = output.map(|output| output.tensor.name);
                        self.converted.overflows.extend(name.map(|name| (name, whole.overflows)));
                    }
                    self.converted.unchecked += usize::from(!whole.is_checked);
                    sink.end_part()?;
                    (n, whole.sum)
                }
            };
            if let Some(slot) = sums.get_mut(n) {
                *slot = sum;
            }
            Ok(())
        };
        each(order.len(), threads, || Looking::new(recipe, reader.inputs), wanted, take)?;
        Ok(sums)
    }

    /// Writes a part; the checksum of its elements.
    fn part(&mut self, output: &Output, id: PartId, sink: &mut dyn Sink) -> Result<Crc32c> {
        match &output.from {
            From::Given(bytes) => {
                sink.part(id, Incoming::Strings(vec![bytes.len() as u64]))?;
                sink.bytes(bytes)?;
                sink.end_part()?;
                Ok(Crc32c::of(bytes))
            }
            From::Mean(all) => self.mean(output, all, id, sink),
            From::Tensor(from) => {
                let part = WantedPart::of(&output.tensor, id.1).unwrap_or_default();
                let (input, tensor) = self.tensor(*from)?;
                let tensor = narrowed(tensor, id.1, &part);
                if tensor.is_numeric() {
                    return self.numbers(output, *from, &part, id, sink);
                }
                let axes = axes(&tensor, &part)?;
                let mut sum = Crc32c::default();
                let mut lengths = Vec::new();
                input.read(&tensor, &axes, &mut |string| {
                    lengths.push(string.len() as u64);
                    sum = sum.extend(string);
                    Ok(())
                })?;
                let place = match &tensor.parts {
                    Parts::Whole(place) => Some(*place),
                    Parts::Slices(slices) if part.slice.is_some() && slices.len() == 1 => {
                        slices.get(0).and_then(|own| own.place)
                    }
                    Parts::Slices(_) => None,
                };
                let stored = place.and_then(|place| input.stored(&place)).filter(|_| sink.takes_stored());
                if let Some((source, range, crc)) = stored {
                    sink.part(id, Incoming::Stored(crc))?;
                    let mut window = Window::default();
                    let mut at = range.start;
                    while at < range.end {
                        let end = at.saturating_add(1 << 20).min(range.end);
                        sink.bytes(source.slice(at..end, &mut window)?)?;
                        at = end;
                    }
                } else if tensor.dtype == DType::Variant {
                    let why = "variants are copied as they are stored, which those of a big-endian checkpoint are not";
                    return Err(Error::new(ErrorKind::Request(why.to_owned())).for_key(&tensor.name));
                } else {
                    sink.part(id, Incoming::Strings(lengths))?;
                    input.read(&tensor, &axes, &mut |string| sink.bytes(string))?;
                }
                sink.end_part()?;
                Ok(sum)
            }
        }
    }

    /// Numbers as they are, or in another dtype.
    fn numbers(
        &mut self,
        output: &Output,
        from: TensorRef,
        part: &WantedPart,
        id: PartId,
        sink: &mut dyn Sink,
    ) -> Result<Crc32c> {
        let (input, tensor) = self.tensor(from)?;
        let tensor = narrowed(tensor, id.1, part);
        sink.part(id, Incoming::Numbers)?;
        let axes = axes(&tensor, part)?;
        let mut caster = (output.tensor.dtype != tensor.dtype).then(|| Caster::new(tensor.dtype, output.tensor.dtype));
        let (mut sum, mut made) = (Crc32c::default(), Vec::new());
        let checked = input.read(&tensor, &axes, &mut |bytes| {
            self.progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let bytes = match &mut caster {
                None => bytes,
                Some(caster) => {
                    made.clear();
                    caster.cast(bytes, &mut made);
                    made.as_slice()
                }
            };
            sum = add(sum, output.tensor.dtype, bytes);
            sink.bytes(bytes)
        })?;
        if checked == Checked::Not && input.verify_own(&tensor)? == Checked::Not && part.slice.is_none() {
            self.converted.unchecked += 1;
        }
        if let Some(overflows) = caster.map(|caster| caster.overflows).filter(|n| *n > 0) {
            self.converted.overflows.push((output.tensor.name.clone(), overflows));
        }
        sink.end_part()?;
        Ok(sum)
    }

    /// The mean of several of which one is not a run of bytes.
    fn mean(&mut self, output: &Output, all: &[TensorRef], id: PartId, sink: &mut dyn Sink) -> Result<Crc32c> {
        sink.part(id, Incoming::Numbers)?;
        let from = all.iter().map(|from| self.tensor(*from)).collect::<Result<Vec<_>>>()?;
        let wanted = Wanted { from, dtype: output.tensor.dtype, is_mean: true };
        let mut holds = wanted.holds();
        let mut readers = wanted.readers(&mut holds)?;
        let (mut sum, mut overflows) = (Crc32c::default(), 0u64);
        Maker::default().make(&wanted, &mut readers, 0..wanted.elements(), |bytes, more| {
            self.progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            overflows = overflows.saturating_add(more);
            sum = add(sum, output.tensor.dtype, bytes);
            sink.bytes(bytes)
        })?;
        let is_checked = wanted.finish(&mut readers)? == Checked::Verified;
        self.converted.unchecked += usize::from(!is_checked);
        if overflows > 0 {
            self.converted.overflows.push((output.tensor.name.clone(), overflows));
        }
        sink.end_part()?;
        Ok(sum)
    }
}

/// The files of the inputs.
fn files_of(inputs: &[Checkpoint]) -> Vec<PathBuf> {
    let files = inputs.iter().flat_map(|input| {
        let parts = (0..input.num_shards()).take_while(|id| input.has_shard(*id)).map(|id| input.file(id));
        std::iter::once(input.described_by()).chain(parts)
    });
    files.collect()
}

/// The files of the inputs are as long, and as old, as they were before.
fn unchanged(before: &[(PathBuf, Option<Stat>)]) -> Result<()> {
    match before.iter().find(|(file, known)| stat(file).ok() != *known) {
        None => Ok(()),
        Some((file, _)) => {
            let why = "the input changed while it was read".to_owned();
            let help = "nothing was written; wait until it is saved, and do it again";
            Err(Error::new(ErrorKind::Request(why)).in_file(file).with_help(help))
        }
    }
}
