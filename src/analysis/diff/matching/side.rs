//! One side of a comparison by contents: the tensors that take part, each with the fingerprint of its elements.
//!
//! Every byte is read once, on all cores, and checked against the checksum of the index on the way.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::Ordering;

use super::hash::{Found, Sum, sum};
use super::worth::{ENOUGH, worth};
use crate::analysis::convert::Caster;
use crate::analysis::derived::is_missing;
use crate::analysis::diff::{Depth, DiffOptions};
use crate::analysis::naming::roles::{Role, Roles};
use crate::analysis::sweep::cut::{part_length, parts};
use crate::analysis::sweep::nearby::WINDOW;
use crate::base::error::{Error, Result};
use crate::base::parallel::in_order;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::DType;
use crate::read::wire::Crc32c;

/// Elements at the beginning of a tensor by which it is judged whether its contents say something.
pub(super) const HEAD: u64 = 4096;

/// A tensor that takes part.
#[derive(Debug)]
pub(super) struct Item {
    /// Its position in the checkpoint.
    pub(super) at: usize,
    pub(super) tensor: Tensor,
    pub(super) dims: Vec<u64>,
    pub(super) count: u64,
    /// Bytes an element.
    pub(super) size: u64,
    /// Whether it must have a partner; others take part, and need none.
    pub(super) is_weight: bool,
    pub(super) data: Data,
}

/// What is known of the contents of a tensor.
#[derive(Debug)]
pub(super) enum Data {
    /// They were read.
    Read(Print),
    /// Only the index tells of them: the checksum of their bytes.
    Sum(Crc32c),
    /// They cannot be had.
    Lost(Error),
}

/// What contents come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Print {
    pub(super) sum: Sum,
    /// The checksum of the elements as they lie, where reading them made it.
    pub(super) crc: Option<Crc32c>,
    /// The same of the elements rounded to narrower floats, where the other side has such.
    pub(super) casts: Vec<(DType, Sum)>,
    /// Whether two models could have the same contents without having anything to do with each other.
    pub(super) says_nothing: bool,
}

/// One of the two checkpoints.
pub(super) struct Side<'c> {
    pub(super) checkpoint: &'c Checkpoint,
    pub(super) items: Vec<Item>,
    /// Tensors that do not take part, because they are no weights.
    pub(super) others: u64,
    /// Tensors that selectors left out.
    pub(super) left_out: u64,
    /// Bytes that were read.
    pub(super) bytes: u64,
}

impl Item {
    pub(super) fn print(&self) -> Option<&Print> {
        match &self.data {
            Data::Read(print) => Some(print),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.size)
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.tensor.name
    }
}

impl<'c> Side<'c> {
    /// The tensors that take part: those that selectors take, or else all weights. Nothing is read yet.
    pub(super) fn new(checkpoint: &'c Checkpoint, options: &DiffOptions) -> Self {
        let roles = Roles::of(checkpoint);
        let (mut items, mut others, mut left_out) = (Vec::new(), 0, 0);
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((at, tensor)) = cursor.advance() {
            let role = roles.role(at);
            // What somebody chose counts, whatever it is for.
            let is_weight = role == Role::Weight || !options.only.is_empty();
            let ignored = options.ignore.iter().any(|selector| selector.takes(tensor, role));
            if ignored || (!options.only.is_empty() && !options.only.takes(tensor, role)) {
                left_out += 1;
                continue;
            }
            let (Ok(dims), Some(size)) = (tensor.dims(), tensor.dtype.element_size()) else {
                others += 1;
                continue;
            };
            let count = tensor.elements().unwrap_or(0);
            // Not every program says of moving statistics what they are: they may be the partner of a weight.
            let could_be = matches!(role, Role::Other | Role::Average) && tensor.dtype.is_float() && !dims.is_empty();
            if count == 0 || !(is_weight || could_be) {
                others += 1;
                continue;
            }
            let data = match tensor.crc32c() {
                // Where nothing is to be read, or nothing is there, the index is all there is.
                Some(crc) if options.depth == Depth::Index || is_missing(checkpoint, tensor) => Data::Sum(crc),
                _ => Data::Read(Print::default()),
            };
            items.push(Item { at, tensor: tensor.clone(), dims, count, size, is_weight, data });
        }
        Self { checkpoint, items, others, left_out, bytes: 0 }
    }

    /// What there is to be found on this side.
    pub(super) fn prints(&self) -> Prints {
        let read = || self.items.iter().filter(|item| item.print().is_some());
        let is_narrow = |item: &&Item| matches!(item.tensor.dtype, DType::Float16 | DType::BFloat16 | DType::Float32);
        let narrow = read().filter(is_narrow).map(|item| (item.count, item.tensor.dtype.number())).collect();
        let sums = self.items.iter().any(|item| matches!(item.data, Data::Sum(_)));
        Prints { any: read().next().is_some(), sums, narrow }
    }

    /// Reads everything once, for partners among those of the other side.
    pub(super) fn read(&mut self, theirs: &Prints, threads: usize, progress: &Progress) {
        let checkpoint = self.checkpoint;
        checkpoint.expect(self.items.iter().filter(|item| item.print().is_some()).map(|item| item.tensor.clone()));
        let mut units: Vec<(usize, Range<u64>)> = Vec::new();
        for (n, item) in self.items.iter().enumerate().filter(|(_, item)| item.print().is_some()) {
            let mut hold = ElementBuffers::default();
            let step = part_length(item.size);
            let is_cut = item.count > step
                && checkpoint.elements(&item.tensor, &mut hold).is_ok_and(|elements| elements.is_seekable());
            if is_cut {
                units.extend(parts(item.count, step).map(|run| (n, run)));
            } else {
                units.push((n, 0..item.count));
            }
            self.bytes = self.bytes.saturating_add(item.bytes());
        }
        // Parts of one tensor follow one another.
        let mut open: Option<(usize, Part)> = None;
        let mut read = Vec::new();
        let items = &self.items;
        let close = |(n, whole): (usize, Part)| Some((n, whole.close(checkpoint, items.get(n)?)));
        let work = |buffer: &mut Window, unit: usize| {
            let (n, run) = units.get(unit)?;
            let item = items.get(*n)?;
            let part = part(checkpoint, item, run.clone(), theirs, buffer);
            let bytes = run.end.saturating_sub(run.start).saturating_mul(item.size);
            progress.done.fetch_add(bytes, Ordering::Relaxed);
            Some((*n, part))
        };
        in_order(units.len(), threads.max(1), Window::default, work, |_, found: Option<(usize, Result<Part>)>| {
            let Some((n, part)) = found else { return };
            if let Some(done) = open.take_if(|(at, _)| *at != n) {
                read.extend(close(done));
            }
            open.get_or_insert_with(|| (n, Part::default())).1.join(part);
        });
        read.extend(open.and_then(close));
        for (n, data) in read {
            if let Some(item) = self.items.get_mut(n) {
                item.data = data;
            }
        }
    }
}

/// The floats that one may be rounded to.
pub(super) fn narrower(dtype: DType) -> &'static [DType] {
    match dtype {
        DType::Float32 => &[DType::Float16, DType::BFloat16],
        DType::Float64 => &[DType::Float32, DType::Float16, DType::BFloat16],
        _ => &[],
    }
}

/// What is to be found on a side.
#[derive(Debug)]
pub(super) struct Prints {
    /// Whether anything is to be found by its fingerprint.
    any: bool,
    /// Whether there are checksums of an index.
    sums: bool,
    /// Narrow floats, each with a number of elements that it occurs with.
    narrow: BTreeSet<(u64, i32)>,
}

impl Prints {
    /// Which roundings of a tensor could be there.
    fn casts(&self, item: &Item) -> impl Iterator<Item = DType> {
        narrower(item.tensor.dtype).iter().copied().filter(|dtype| self.narrow.contains(&(item.count, dtype.number())))
    }
}

/// What a part of a tensor comes to, or all parts so far.
#[derive(Default)]
struct Part {
    found: Found,
    casts: Vec<(DType, Sum)>,
    /// Checksum and length of what was read, if it is one run of bytes of a file.
    crc: Option<(Crc32c, u64)>,
    /// How much the first elements say.
    worth: u32,
    is_begun: bool,
    error: Option<Error>,
}

impl Part {
    fn join(&mut self, next: Result<Self>) {
        let next = match next {
            Ok(next) => next,
            Err(error) => {
                self.error.get_or_insert(error);
                return;
            }
        };
        self.found.sum = self.found.sum.plus(next.found.sum);
        self.found.others = self.found.others.saturating_add(next.found.others);
        if !self.is_begun {
            let Self { casts, crc, worth, .. } = next;
            (self.casts, self.crc, self.worth, self.is_begun) = (casts, crc, worth, true);
            return;
        }
        for ((_, sum), (_, more)) in self.casts.iter_mut().zip(next.casts) {
            *sum = sum.plus(more);
        }
        self.crc = match (self.crc, next.crc) {
            (Some((crc, len)), Some((other, more))) => Some((crc.then(other, more), len.saturating_add(more))),
            _ => None,
        };
    }

    fn close(self, checkpoint: &Checkpoint, item: &Item) -> Data {
        if let Some(error) = self.error {
            return Data::Lost(error);
        }
        let crc = self.crc.filter(|(_, len)| item.tensor.bytes() == Some(*len)).map(|(crc, _)| crc);
        if let Some(crc) = crc
            && let Err(error) = checkpoint.compare_sum(&item.tensor, crc)
        {
            return Data::Lost(error);
        }
        // That of the file; elements are little-endian.
        let crc = crc.filter(|_| !checkpoint.is_big_endian());
        let Found { sum, others } = self.found;
        // Behind a beginning of zeros stands what is told by how much of it there is.
        let says_nothing = others < HEAD && self.worth < ENOUGH;
        Data::Read(Print { sum, crc, casts: self.casts, says_nothing })
    }
}

/// Reads some elements of a tensor.
fn part(checkpoint: &Checkpoint, item: &Item, run: Range<u64>, theirs: &Prints, buffer: &mut Window) -> Result<Part> {
    let dtype = item.tensor.dtype;
    let named = |error: Error| error.for_key(&item.tensor.name);
    let mut hold = ElementBuffers::default();
    let casts = theirs.casts(item).map(|cast| (cast, Sum::default())).collect();
    let mut part = Part { casts, ..Part::default() };
    let mut first = Vec::new();
    if run.start > 0 {
        let mut buffers = ElementBuffers::default();
        let mut elements = checkpoint.elements(&item.tensor, &mut buffers)?.without_sums();
        elements.read(0..HEAD.min(item.count), buffer).map_err(named)?;
        (part.worth, first) = judged(item, buffer);
    }
    let mut elements = checkpoint.elements(&item.tensor, &mut hold)?;
    // Nothing to compare it with, on neither side.
    if item.tensor.crc32c().is_none() && !theirs.sums {
        elements = elements.without_sums();
    }
    let step = (WINDOW / item.size.max(1)).max(1);
    let mut narrow = Vec::new();
    let mut at = run.start;
    while at < run.end {
        let end = at.saturating_add(step).min(run.end);
        elements.read(at..end, buffer).map_err(named)?;
        if at == 0 {
            (part.worth, first) = judged(item, buffer);
        }
        if theirs.any || part.worth < ENOUGH {
            let found = sum(dtype, buffer, &first);
            part.found.sum = part.found.sum.plus(found.sum);
            part.found.others = part.found.others.saturating_add(found.others);
        }
        for (cast, sums) in &mut part.casts {
            narrow.clear();
            Caster::new(dtype, *cast).cast(buffer, &mut narrow);
            *sums = sums.plus(sum(*cast, &narrow, &[]).sum);
        }
        at = end;
    }
    if elements.is_seekable() {
        part.crc = elements.sum().map(|(_, len, crc)| (crc, len));
    } else {
        elements.finish().map_err(named)?;
    }
    Ok(part)
}

/// How much the first elements of a tensor say, and the very first.
fn judged(item: &Item, bytes: &[u8]) -> (u32, Vec<u8>) {
    let beginning = |elements: u64| {
        let len = usize::try_from(elements.saturating_mul(item.size)).unwrap_or(usize::MAX);
        bytes.get(..len.min(bytes.len())).unwrap_or_default()
    };
    (worth(item.tensor.dtype, beginning(HEAD)), beginning(1).to_vec())
}
