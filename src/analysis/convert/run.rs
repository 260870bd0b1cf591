//! Carrying out a recipe: bytes are checked on their way, what was written is read again, and then it gets its name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::cast::{Caster, add_to};
use super::options::{OutFormat, Target};
use super::recipe::{From, Output, Recipe, TensorRef};
use super::sums::add;
use crate::analysis::survey::state_file::state_lines;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Choice, ElementBuffers, Parts, Tensor};
use crate::read::container::{Header, HeaderPart, Incoming, PartId, Sink};
use crate::read::storage::{NewFile, Staged, Stat, canonical, names, stat};
use crate::read::tensor::{Axis, Checked, DType};
use crate::read::wire::Crc32c;

/// What `tf.train.latest_checkpoint` reads.
const STATE_FILE: &str = "checkpoint";

/// Elements of a mean that are summed at a time.
const MEAN_AT_ONCE: u64 = 128 << 10;

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
    let mut sink = target.sink(staged.dir(), recipe.num_shards);
    let headers: Vec<Header> = recipe.outputs.iter().map(|output| output.header.clone()).collect();
    let order = sink.begin(&headers)?;
    let total = headers.iter().map(Header::bytes).fold(0, u64::saturating_add);
    progress.total.fetch_add(total.saturating_mul(2), Ordering::Relaxed);
    let mut run = Run { inputs, progress, converted: Converted::default() };
    let mut sums: BTreeMap<PartId, Crc32c> = BTreeMap::new();
    for id in ordered(order, recipe, inputs) {
        let Some(output) = recipe.outputs.get(id.0) else { continue };
        sums.insert(id, run.part(output, id, &mut *sink)?);
    }
    let mut files = sink.finish()?;
    // What is compared comes from memory while the disk is still at work.
    let (staged_files, is_synced) = (files.clone(), &staged);
    std::thread::scope(|scope| {
        let sync = scope.spawn(move || is_synced.sync(&staged_files));
        let verified = verify(&staged, target, &files, recipe, &sums, limits, progress);
        let synced = sync.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
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
    let placed = staged.commit(&files, &outdated, target.force)?;
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

/// What lies under the output's name is not replaced unless that is said, and an input never.
fn refuse_taken(target: &Target, inputs: &[(PathBuf, Option<Stat>)]) -> Result<()> {
    let at =
        |why: &str, name: &str| Error::new(ErrorKind::Request(why.to_owned())).in_file(&target.directory().join(name));
    let taken = members(target);
    let inputs: BTreeSet<PathBuf> = inputs.iter().filter_map(|(file, _)| canonical(file)).collect();
    let is_input =
        |name: &&String| canonical(&target.directory().join(name)).is_some_and(|file| inputs.contains(&file));
    if let Some(name) = taken.iter().find(is_input) {
        let error = at("this is a file of the input, which is never written to", name);
        return Err(error.with_help("give the output another name"));
    }
    match taken.first().filter(|_| !target.force) {
        Some(name) => Err(at("it is there already, and is not replaced without --force", name)),
        None => Ok(()),
    }
}

/// The files that lie under the output's name.
fn members(target: &Target) -> Vec<String> {
    let name = target.name();
    let is_member = |file: &String| match target.format {
        OutFormat::Bundle => {
            file.strip_prefix(&name).is_some_and(|rest| rest == ".index" || rest.starts_with(".data-"))
        }
        OutFormat::Safetensors => {
            let stem = name.strip_suffix(".safetensors").unwrap_or(&name);
            let of_set = file.strip_prefix(stem).is_some_and(|rest| {
                rest == ".safetensors.index.json"
                    || (rest.starts_with('-') && rest.contains("-of-") && rest.ends_with(".safetensors"))
            });
            *file == name || of_set
        }
        OutFormat::Npz | OutFormat::Npy => *file == name,
    };
    let mut found = names(&target.directory()).unwrap_or_default();
    found.retain(|file| is_member(file) || (target.state_file && file == STATE_FILE));
    // Those by which the others are found come first.
    let finds_others = |file: &String| [".index", ".json"].iter().any(|end| file.ends_with(end));
    found.sort_by_key(|file| !finds_others(file));
    found
}

/// Files of what is replaced that have no successor.
fn outdated(target: &Target, files: &[String]) -> Vec<String> {
    let mut members = if target.force { members(target) } else { Vec::new() };
    members.retain(|file| !files.contains(file));
    members
}

/// Parts of one shard in the order in which they lie in the input: a copy that changes nothing has the same places.
fn ordered(mut order: Vec<PartId>, recipe: &Recipe, inputs: &[Checkpoint]) -> Vec<PartId> {
    let place = |(tensor, part): &PartId| {
        let output = recipe.outputs.get(*tensor)?;
        let wanted = output.header.parts.get(*part)?;
        let from = match &output.from {
            From::Tensor(TensorRef { input, at }) => inputs.get(*input).and_then(|input| input.tensor_at(*at)),
            _ => None,
        };
        let stored = from.and_then(|tensor| match &tensor.parts {
            Parts::Whole(place) => Some(*place),
            Parts::Slices(slices) => slices.get(*part).filter(|_| wanted.slice.is_some())?.place,
        });
        // What has no place of its own comes last in its shard.
        let range = stored.and_then(|place| place.range);
        Some((wanted.shard, range.map_or((true, (0, 0)), |range| (false, range))))
    };
    if recipe.keeps_places {
        order.sort_by_key(place);
    }
    order
}

struct Run<'r> {
    inputs: &'r [Checkpoint],
    progress: &'r Progress,
    converted: Converted,
}

impl<'r> Run<'r> {
    fn tensor(&self, from: TensorRef) -> Result<(&'r Checkpoint, Tensor)> {
        let input = self.inputs.get(from.input);
        input
            .and_then(|input| Some((input, input.tensor_at(from.at)?)))
            .ok_or_else(|| Error::malformed("recipe", "a tensor that no input has"))
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
                let (input, tensor) = self.tensor(*from)?;
                let part = output.header.parts.get(id.1).cloned().unwrap_or_default();
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
                    Parts::Slices(slices) if part.slice.is_some() => slices.get(id.1).and_then(|slice| slice.place),
                    Parts::Slices(_) => None,
                };
                let stored = place.and_then(|place| input.stored(&place)).filter(|_| sink.takes_stored());
                if let Some((source, range, crc)) = stored {
                    sink.part(id, Incoming::Stored(crc))?;
                    let mut window = Vec::new();
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
        part: &HeaderPart,
        id: PartId,
        sink: &mut dyn Sink,
    ) -> Result<Crc32c> {
        let (input, tensor) = self.tensor(from)?;
        sink.part(id, Incoming::Numbers)?;
        let axes = axes(&tensor, part)?;
        let mut caster = (output.header.dtype != tensor.dtype).then(|| Caster::new(tensor.dtype, output.header.dtype));
        let mut sum = Crc32c::default();
        let checked = input.read(&tensor, &axes, &mut |bytes| {
            self.progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            let bytes = match &mut caster {
                Some(caster) => caster.cast(bytes),
                None => bytes,
            };
            sum = add(sum, output.header.dtype, bytes);
            sink.bytes(bytes)
        })?;
        if checked == Checked::Not && input.verify_own(&tensor)? == Checked::Not && part.slice.is_none() {
            self.converted.unchecked += 1;
        }
        if let Some(overflows) = caster.map(|caster| caster.overflows).filter(|n| *n > 0) {
            self.converted.overflows.push((output.header.name.clone(), overflows));
        }
        sink.end_part()?;
        Ok(sum)
    }

    /// The mean of several, in float64.
    fn mean(&mut self, output: &Output, all: &[TensorRef], id: PartId, sink: &mut dyn Sink) -> Result<Crc32c> {
        sink.part(id, Incoming::Numbers)?;
        let tensors = all.iter().map(|from| self.tensor(*from)).collect::<Result<Vec<_>>>()?;
        let mut holds: Vec<ElementBuffers> = tensors.iter().map(|_| ElementBuffers::default()).collect();
        let mut readers = Vec::new();
        for ((input, tensor), hold) in tensors.iter().zip(&mut holds) {
            readers.push((tensor, input.elements(tensor, hold)?));
        }
        let count = output.header.shape.elements().unwrap_or(0);
        let mut caster = Caster::new(DType::Float64, output.header.dtype);
        let (mut sums, mut window, mut sum) = (Vec::new(), Vec::new(), Crc32c::default());
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 checkpoints")]
        let of = all.len() as f64;
        let mut at = 0;
        while at < count {
            let end = at.saturating_add(MEAN_AT_ONCE).min(count);
            sums.clear();
            sums.resize(usize::try_from(end.saturating_sub(at)).unwrap_or(0), 0.0);
            for (tensor, elements) in &mut readers {
                elements.read(at..end, &mut window).map_err(|error| error.for_key(&tensor.name))?;
                add_to(&mut sums, tensor.dtype, &window);
            }
            for value in &mut sums {
                *value /= of;
            }
            let bytes = caster.cast_wide(&sums);
            self.progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            sum = add(sum, output.header.dtype, bytes);
            sink.bytes(bytes)?;
            at = end;
        }
        for (tensor, elements) in &mut readers {
            elements.finish().map_err(|error| error.for_key(&tensor.name))?;
        }
        if caster.overflows > 0 {
            self.converted.overflows.push((output.header.name.clone(), caster.overflows));
        }
        sink.end_part()?;
        Ok(sum)
    }
}

/// The region that a part takes.
fn axes(tensor: &Tensor, part: &HeaderPart) -> Result<Vec<Axis>> {
    let dims = tensor.dims().map_err(|error| error.for_key(&tensor.name))?;
    let Some(slice) = &part.slice else { return Ok(dims.iter().map(|dim| Axis::all(*dim)).collect()) };
    let extents = tensor.shape.dims().and_then(|dims| slice.resolve(dims));
    let bad = || Error::malformed("slice", format!("{slice} is none of {}", tensor.shape)).for_key(&tensor.name);
    Ok(extents.ok_or_else(bad)?.into_iter().map(|(start, count)| Axis { start, step: 1, count }).collect())
}

/// Opens what was written, and compares all of it with what was given to be written.
fn verify(
    staged: &Staged,
    target: &Target,
    files: &[String],
    recipe: &Recipe,
    sums: &BTreeMap<PartId, Crc32c>,
    limits: &Limits,
    progress: &Progress,
) -> Result<()> {
    // The file by which the others are found comes last; a bundle is found by its prefix.
    let name = match target.format {
        OutFormat::Bundle => target.name(),
        _ => files.last().cloned().unwrap_or_default(),
    };
    let wrong = |why: String| {
        let help = "this is a fault of the disk or of this program: nothing was put in place";
        Error::malformed("what was written", why).in_file(&target.path).with_help(help)
    };
    let path = staged.dir().join(name);
    let written = Checkpoint::open(&path, Choice::default(), limits).map_err(|error| wrong(error.to_string()))?;
    if written.tensors().len() != recipe.outputs.len() || !written.damage().is_empty() {
        let found = written.tensors().len();
        return Err(wrong(format!("it has {found} tensors, and {} were written", recipe.outputs.len())));
    }
    for (n, output) in recipe.outputs.iter().enumerate() {
        let header = &output.header;
        // The only tensor of a .npy file is named after the file.
        let tensor = if target.format == OutFormat::Npy { written.tensor_at(0) } else { written.tensor(&header.name) };
        let is_it = |tensor: &Tensor| tensor.dtype == header.dtype && tensor.shape == header.shape;
        let shown = || String::from_utf8_lossy(&header.name).into_owned();
        let tensor = tensor.filter(is_it).ok_or_else(|| wrong(format!("{} is not in it", shown())))?;
        for (at, part) in header.parts.iter().enumerate() {
            let mut sum = Crc32c::default();
            let read = written.read(&tensor, &axes(&tensor, part)?, &mut |bytes| {
                progress.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                sum = add(sum, tensor.dtype, bytes);
                Ok(())
            });
            read.map_err(|error| wrong(error.to_string()))?;
            if sums.get(&(n, at)) != Some(&sum) {
                return Err(wrong(format!("{} reads back as something else", shown())));
            }
        }
    }
    Ok(())
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
