//! The proof: both tensors are read, and one is compared with the other in the order that is claimed, bit for bit.

use super::arrange::{arranged, each_arranged, is_so};
use super::side::{HEAD, Item};
use super::walk::Walk;
use super::worth::{ENOUGH, worth};
use crate::analysis::convert::Caster;
use crate::base::error::{Error, Result};
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Elements};
use crate::read::storage::Window;
use crate::read::tensor::DType;

/// Bytes of a tensor that are held at a time; a thread holds two such, and a few small ones.
pub(super) const MOST: u64 = 8 << 20;

/// A tensor with its checkpoint.
pub(super) type At<'t> = (&'t Checkpoint, &'t Item);

/// What was compared.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// Which of the walks hold.
    pub(super) holds: Vec<bool>,
    /// Finite values that the cast made infinite.
    pub(super) overflows: u64,
}

/// Memory of a thread.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) source: Window,
    pub(super) result: Window,
    run: Window,
    /// Elements that were put in order.
    pub(super) put: Vec<u8>,
}

/// Whether the walks make `result` of `source`; of what is of another dtype, once both are in `cast`.
///
/// # Errors
/// What cannot be read.
pub(super) fn prove(
    source: At<'_>,
    result: At<'_>,
    cast: Option<DType>,
    walks: &[Walk],
    hold: &mut Buffers,
) -> Result<Proof> {
    let (from, to) = (source.1.tensor.dtype, result.1.tensor.dtype);
    let mut proof = Proof { holds: vec![false; walks.len()], overflows: 0 };
    if from != to && cast.is_none() {
        return Ok(proof);
    }
    let dtype = cast.unwrap_or(to);
    let size = dtype.element_size().unwrap_or(1);
    if source.1.bytes().max(result.1.bytes()) <= MOST {
        proof.overflows = whole(source, cast, &mut hold.source)?;
        proof.overflows += whole(result, cast, &mut hold.result)?;
        for (holds, walk) in proof.holds.iter_mut().zip(walks) {
            *holds = is_so(walk, &hold.source, &hold.result, size, &mut hold.put);
        }
        return Ok(proof);
    }
    for (n, walk) in walks.iter().enumerate() {
        if let Some(overflows) = in_pieces(source, result, cast, walk, hold)? {
            // The others of so large a tensor would cost a reading each.
            proof.overflows = overflows;
            if let Some(holds) = proof.holds.get_mut(n) {
                *holds = true;
            }
            break;
        }
    }
    Ok(proof)
}

/// All elements of a tensor, in the dtype that is wanted; says how many overflowed.
pub(super) fn whole((checkpoint, item): At<'_>, cast: Option<DType>, into: &mut Window) -> Result<u64> {
    let mut buffers = ElementBuffers::default();
    let mut elements = checkpoint.elements(&item.tensor, &mut buffers)?.without_sums();
    elements.read(0..item.count, into).map_err(|error| error.for_key(&item.tensor.name))?;
    Ok(in_dtype(item.tensor.dtype, cast, into))
}

/// Rounds elements where they are not in the dtype that is wanted, and gives NaN one form.
fn in_dtype(from: DType, cast: Option<DType>, bytes: &mut Window) -> u64 {
    let Some(to) = cast else { return 0 };
    let mut overflows = 0;
    if from != to {
        let mut caster = Caster::new(from, to);
        let mut narrow = Vec::with_capacity(bytes.len() / 2);
        caster.cast(bytes, &mut narrow);
        overflows = caster.overflows;
        bytes.clear();
        bytes.extend_from_slice(&narrow);
    }
    match to {
        DType::Float16 => one_nan(bytes, 0x7c00),
        DType::BFloat16 => one_nan(bytes, 0x7f80),
        DType::Float32 => {
            for element in bytes.as_chunks_mut::<4>().0 {
                if u32::from_le_bytes(*element) & 0x7fff_ffff > 0x7f80_0000 {
                    *element = 0x7fc0_0000u32.to_le_bytes();
                }
            }
        }
        _ => {}
    }
    overflows
}

fn one_nan(bytes: &mut [u8], infinite: u16) {
    for element in bytes.as_chunks_mut::<2>().0 {
        if u16::from_le_bytes(*element) & 0x7fff > infinite {
            *element = (infinite | 1).to_le_bytes();
        }
    }
}

/// Compares what does not fit in memory; says how many overflowed, or nothing if the walk does not hold.
fn in_pieces(
    source: At<'_>,
    result: At<'_>,
    cast: Option<DType>,
    walk: &Walk,
    hold: &mut Buffers,
) -> Result<Option<u64>> {
    let size = cast.unwrap_or(result.1.tensor.dtype).element_size().unwrap_or(1);
    let mut order = Vec::new();
    pieces(source, result, cast, walk, hold, &mut |over, source, result, _| {
        is_so(over, source, result, size, &mut order)
    })
}

/// What is done with a piece: the walk, the elements of both, the number of the first in the result. Whether to go on.
type Each<'e> = dyn FnMut(&Walk, &[u8], &[u8], u64) -> bool + 'e;

/// Hands pieces of both tensors on, with the walk that leads from the one to the other and the number of the first element
/// in the result, while `each` says so; says how many values overflowed, or nothing if it was broken off.
pub(super) fn pieces(
    source: At<'_>,
    result: At<'_>,
    cast: Option<DType>,
    walk: &Walk,
    hold: &mut Buffers,
    each: &mut Each<'_>,
) -> Result<Option<u64>> {
    let widest = source.1.size.max(result.1.size).max(1);
    let most = usize::try_from(MOST / widest).unwrap_or(usize::MAX);
    let mut overflows = 0;
    for (range, piece) in walk.pieces(most) {
        let Some((runs, over)) = piece.gathered() else { return Ok(None) };
        // Formats that hand elements out in one order only begin anew for every piece.
        let (mut first, mut second) = (ElementBuffers::default(), ElementBuffers::default());
        let mut from = Reader::new(source, &mut first)?;
        let mut to = Reader::new(result, &mut second)?;
        hold.source.clear();
        for run in runs {
            from.read(run, &mut hold.run)?;
            hold.source.extend_from_slice(&hold.run);
        }
        to.read(range.start as u64..range.end as u64, &mut hold.result)?;
        overflows += in_dtype(source.1.tensor.dtype, cast, &mut hold.source);
        overflows += in_dtype(result.1.tensor.dtype, cast, &mut hold.result);
        if !each(&over, &hold.source, &hold.result, range.start as u64) {
            return Ok(None);
        }
    }
    Ok(Some(overflows))
}

/// Hands pieces of one tensor on, with the walk over each; says how many values overflowed.
pub(super) fn pieces_of(
    source: At<'_>,
    cast: Option<DType>,
    walk: &Walk,
    hold: &mut Buffers,
    each: &mut dyn FnMut(&Walk, &[u8]),
) -> Result<u64> {
    let most = usize::try_from(MOST / source.1.size.max(1)).unwrap_or(usize::MAX);
    let mut overflows = 0;
    for (_, piece) in walk.pieces(most) {
        let Some((runs, over)) = piece.gathered() else {
            return Err(Error::malformed("tensor", "too large to be read"));
        };
        let mut buffers = ElementBuffers::default();
        let mut from = Reader::new(source, &mut buffers)?;
        hold.source.clear();
        for run in runs {
            from.read(run, &mut hold.run)?;
            hold.source.extend_from_slice(&hold.run);
        }
        overflows += in_dtype(source.1.tensor.dtype, cast, &mut hold.source);
        each(&over, &hold.source);
    }
    Ok(overflows)
}

/// Finite values of a stretch of a tensor that a cast makes infinite.
pub(super) fn overflows_of(source: At<'_>, to: DType, walk: &Walk, hold: &mut Buffers) -> Result<u64> {
    let from = source.1.tensor.dtype;
    let mut caster = Caster::new(from, to);
    let (mut put, mut narrow) = (Vec::new(), Vec::new());
    pieces_of(source, None, walk, hold, &mut |over, bytes| {
        narrow.clear();
        if arranged(over, bytes, from.element_size().unwrap_or(1), &mut put).is_some() {
            caster.cast(&put, &mut narrow);
        }
    })?;
    Ok(caster.overflows)
}

/// Whether a stretch of a tensor holds what any model could have: few numbers that say little, or one alone.
pub(super) fn stretch_says_nothing(of: At<'_>, walk: &Walk, hold: &mut Buffers) -> Result<bool> {
    let dtype = of.1.tensor.dtype;
    let size = of.1.size;
    let (mut head, mut is_one, mut put) = (Vec::new(), true, Vec::new());
    let most = usize::try_from(HEAD.saturating_mul(size)).unwrap_or(usize::MAX);
    pieces_of(of, None, walk, hold, &mut |over, bytes| {
        each_arranged(over, bytes, size, &mut put, &mut |put| {
            head.extend_from_slice(put.get(..put.len().min(most - head.len())).unwrap_or_default());
            let first = head.get(..usize::try_from(size).unwrap_or(1)).unwrap_or_default();
            is_one &= put.chunks_exact(first.len().max(1)).all(|element| element == first);
        });
    })?;
    let is_short = walk.len() as u64 <= HEAD;
    Ok(is_one || (is_short && worth(dtype, &head) < ENOUGH))
}

/// Runs of a tensor.
struct Reader<'h> {
    elements: Elements<'h>,
    name: &'h [u8],
}

impl<'h> Reader<'h> {
    fn new((checkpoint, item): At<'h>, hold: &'h mut ElementBuffers) -> Result<Self> {
        let elements = checkpoint.elements(&item.tensor, hold)?.without_sums();
        Ok(Self { elements, name: &item.tensor.name })
    }

    fn read(&mut self, run: std::ops::Range<u64>, into: &mut Window) -> Result<(), Error> {
        self.elements.read(run, into).map_err(|error| error.for_key(self.name))
    }
}
