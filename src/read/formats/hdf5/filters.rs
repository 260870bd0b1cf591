//! Chunks as they were before they went through the filters: gzip, shuffle, fletcher32, LZF, scaleoffset.
//!
//! What comes out of a chunk is known before it is unpacked: no more than that is made.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::checksum::fletcher32;
use super::layout::Filter;
use super::scaleoffset;
use crate::base::error::{Error, Result};

const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER32: u16 = 3;
const NBIT: u16 = 5;
const SCALEOFFSET: u16 = 6;
/// Registered by h5py.
const LZF: u16 = 32000;

/// Why bytes that went through these filters cannot be read, if one of them is not known here.
pub(super) fn unknown(filters: &[Filter]) -> Option<String> {
    let is_known = |filter: &&Filter| match filter.id {
        DEFLATE | SHUFFLE | FLETCHER32 | LZF | SCALEOFFSET => true,
        // Of numbers that fill their bytes it takes nothing away.
        NBIT => scaleoffset::is_whole(&filter.parameters),
        _ => false,
    };
    let filter = filters.iter().find(|filter| !is_known(filter))?;
    let name = match filter.id {
        4 => "szip",
        NBIT => "nbit",
        305 => "LZO",
        307 => "bzip2",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32017 => "sz",
        32026 => "blosc2",
        id => return Some(format!("filter {id} is not read")),
    };
    Some(format!("filter {} ({name}) is not read", filter.id))
}

/// Whether every chunk has a checksum of its own.
pub(super) fn is_summed(filters: &[Filter]) -> bool {
    filters.iter().any(|filter| filter.id == FLETCHER32)
}

/// Undoes the filters, but for those that the mask says were skipped. `len` is how many bytes must come out; says
/// whether a checksum was compared.
pub(super) fn undo(filters: &[Filter], mask: u32, mut bytes: Vec<u8>, len: usize) -> Result<(Vec<u8>, bool)> {
    let mut summed = false;
    for (n, filter) in filters.iter().enumerate().rev() {
        if mask >> n.min(31) & 1 == 1 {
            continue;
        }
        bytes = match filter.id {
            // Of what a filter before it may have added: a checksum, no more.
            DEFLATE => inflate(&bytes, len.saturating_add(64))?,
            LZF => unpack_lzf(&bytes, len.saturating_add(64))?,
            SHUFFLE => unshuffle(&bytes, filter.parameters.first().map_or(1, |size| *size as usize)),
            SCALEOFFSET => scaleoffset::unpack(&bytes, &filter.parameters, len)?,
            NBIT if scaleoffset::is_whole(&filter.parameters) => bytes,
            FLETCHER32 => {
                summed = true;
                checked(bytes)?
            }
            _ => return Err(bad(unknown(filters).unwrap_or_default())),
        };
    }
    if bytes.len() != len {
        return Err(bad(format!("{} bytes come out of it, {len} belong into it", bytes.len())));
    }
    Ok((bytes, summed))
}

fn inflate(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(most.min(packed.len().saturating_mul(1040)));
    let limit = (most as u64).saturating_add(1);
    let read = ZlibDecoder::new(packed).take(limit).read_to_end(&mut bytes);
    read.map_err(|error| bad(format!("gzip: {error}")))?;
    Ok(bytes)
}

/// Bytes of the same place in their element lie together.
fn unshuffle(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len().checked_div(size).unwrap_or(0);
    if size < 2 || count < 2 {
        return bytes.to_vec();
    }
    let mut whole = vec![0; bytes.len()];
    let (elements, rest) = whole.split_at_mut(count.saturating_mul(size));
    let (planes, tail) = bytes.split_at(elements.len());
    rest.copy_from_slice(tail);
    match size {
        2 => interleave::<2>(elements, planes, count),
        4 => interleave::<4>(elements, planes, count),
        8 => interleave::<8>(elements, planes, count),
        _ => {
            for (at, plane) in planes.chunks_exact(count).enumerate() {
                for (element, byte) in elements.chunks_exact_mut(size).zip(plane) {
                    if let Some(slot) = element.get_mut(at) {
                        *slot = *byte;
                    }
                }
            }
        }
    }
    whole
}

/// The same for usual sizes, all planes at once.
fn interleave<const N: usize>(elements: &mut [u8], planes: &[u8], count: usize) {
    let mut plane = planes.chunks_exact(count);
    let planes: [&[u8]; N] = std::array::from_fn(|_| plane.next().unwrap_or_default());
    let (elements, _) = elements.as_chunks_mut::<N>();
    for (n, element) in elements.iter_mut().enumerate() {
        *element = std::array::from_fn(|at| planes.get(at).and_then(|plane| plane.get(n)).copied().unwrap_or(0));
    }
}

fn checked(mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let at = bytes.len().checked_sub(4).ok_or_else(|| bad("no room for its checksum".to_owned()))?;
    let sum = bytes.split_off(at);
    let want = sum.iter().rev().fold(0u32, |sum, byte| sum << 8 | u32::from(*byte));
    let got = fletcher32(&bytes);
    // Libraries before 1.6.3 wrote the two halves with swapped bytes.
    let swapped = (got & 0x00ff_00ff) << 8 | (got >> 8 & 0x00ff_00ff);
    if want == got || want == swapped {
        return Ok(bytes);
    }
    let why = format!("checksum mismatch: stored {want:#010x}, computed {got:#010x} (fletcher32)");
    Err(bad(why).with_help("these bytes are not the ones that were saved"))
}

/// Marc Lehmann's LZF: runs of bytes, and copies of what came before.
fn unpack_lzf(packed: &[u8], most: usize) -> Result<Vec<u8>> {
    let short = || bad("LZF: it ends within a step".to_owned());
    let mut bytes = Vec::new();
    let mut input = packed.iter();
    while let Some(control) = input.next() {
        let control = usize::from(*control);
        if control < 32 {
            let run = input.as_slice().get(..=control).ok_or_else(short)?;
            bytes.extend_from_slice(run);
            input.nth(control);
        } else {
            let mut len = control >> 5;
            if len == 7 {
                len = len.saturating_add(usize::from(*input.next().ok_or_else(short)?));
            }
            let low = usize::from(*input.next().ok_or_else(short)?);
            let back = ((control & 0x1f) << 8 | low).saturating_add(1);
            let from = bytes.len().checked_sub(back).ok_or_else(|| bad("LZF: a copy of nothing".to_owned()))?;
            for at in from..from.saturating_add(len).saturating_add(2) {
                bytes.push(bytes.get(at).copied().unwrap_or(0));
            }
        }
        if bytes.len() > most {
            return Err(bad(format!("LZF: more than {most} bytes come out of it")));
        }
    }
    Ok(bytes)
}

fn bad(why: String) -> Error {
    Error::malformed("HDF5 chunk", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_bytes_come_back_for_every_size() {
        for size in 1..=9usize {
            let bytes: Vec<u8> = (0..size * 5 + 3).map(|n| u8::try_from(n).unwrap()).collect();
            let count = bytes.len() / size;
            let mut planes: Vec<u8> =
                (0..size).flat_map(|at| (0..count).map(move |n| n * size + at)).map(|n| bytes[n]).collect();
            planes.extend(&bytes[count * size..]);
            assert_eq!(unshuffle(&planes, size), bytes, "{size}");
        }
    }

    #[test]
    fn lzf_copies_what_came_before_even_while_it_is_written() {
        // "ab", then seven bytes from two back.
        assert_eq!(unpack_lzf(&[1, b'a', b'b', 5 << 5, 1], 100).unwrap(), b"ababababa");
        assert!(unpack_lzf(&[0x20, 9], 100).is_err());
        assert!(unpack_lzf(&[5, b'a'], 100).is_err());
        assert!(unpack_lzf(&[0, b'a', 7 << 5, 255, 0], 100).is_err());
    }
}
