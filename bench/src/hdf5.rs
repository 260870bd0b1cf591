//! HDF5 files as Keras has h5py write them: a superblock of version 0, data sets that lie in one piece, no filters.
//!
//! Specification: "HDF5 File Format Specification Version 3.0", II.A (superblock), III (groups), IV.A (headers).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use ckpt_synth::big::values;

const NOWHERE: u64 = u64::MAX;
/// Children of a node of the group's tree, and half of the members of a node of symbols: all are in one.
const TREE_K: u16 = 16;
const LEAF_K: u16 = 1024;
/// Bytes of the header of a data set.
const HEADER: u64 = 128;

/// Writes matrices of float32 of these sides, each from a seed, as members of the root group.
pub fn write(path: &Path, (rows, columns): (u64, u64), seeds: &[u64]) -> Result<()> {
    let names: Vec<String> = (0..seeds.len()).map(|n| format!("kernel_{n:06}")).collect();
    let name_at = |n: usize| 8 + 16 * n as u64;
    let bytes = rows * columns * 4;
    // One behind the other: superblock, header of the root, heap, its names, tree, symbols, headers, data.
    let (root, heap) = (96, 136);
    let heap_data = heap + 32;
    let heap_len = name_at(names.len());
    let tree = heap_data + heap_len;
    let symbols = tree + 24 + 16 * u64::from(TREE_K) * 2 + 8;
    let headers = symbols + 8 + 40 * 2 * u64::from(LEAF_K);
    let data = headers + HEADER * names.len() as u64;
    let end = data + bytes * names.len() as u64;

    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut head = Bytes(b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0".to_vec());
    head.u16(LEAF_K).u16(TREE_K).u32(0).u64(0).u64(NOWHERE).u64(end).u64(NOWHERE);
    head.u64(0).u64(root).u32(1).u32(0).u64(tree).u64(heap);
    head.u16(1).u16(1).u32(1).u32(24).u32(0).u16(0x11).u16(16).u32(0).u64(tree).u64(heap);
    head.raw(b"HEAP\0\0\0\0").u64(heap_len).u64(1).u64(heap_data);
    head.raw(&[0; 8]);
    for name in &names {
        head.raw(name.as_bytes()).pad(16, name.len());
    }
    let last = names.len().checked_sub(1).map_or(0, name_at);
    head.raw(b"TREE\0\0").u16(1).u64(NOWHERE).u64(NOWHERE).u64(0).u64(symbols).u64(last);
    head.0.resize(usize::try_from(symbols)?, 0);
    head.raw(b"SNOD\x01\0").u16(u16::try_from(names.len())?);
    for n in 0..names.len() {
        head.u64(name_at(n)).u64(headers + HEADER * n as u64).u64(0).u64(0).u64(0);
    }
    head.0.resize(usize::try_from(headers)?, 0);
    for n in 0..names.len() as u64 {
        head.u16(1).u16(4).u32(1).u32(112).u32(0);
        // Two dimensions; float32; in one piece; a fill value that is none.
        head.u16(1).u16(24).u32(0).raw(&[1, 2, 0, 0, 0, 0, 0, 0]).u64(rows).u64(columns);
        head.u16(3).u16(24).u32(0).raw(&[0x11, 0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]);
        head.u32(0);
        head.u16(8).u16(24).u32(0).raw(&[3, 1]).u64(data + n * bytes).u64(bytes).raw(&[0; 6]);
        head.u16(5).u16(8).u32(0).raw(&[2, 2, 2, 0, 0, 0, 0, 0]);
    }
    out.write_all(&head.0)?;
    for seed in seeds {
        let numbers = values(*seed, usize::try_from(rows * columns)?);
        for number in numbers {
            out.write_all(&number.to_le_bytes())?;
        }
    }
    Ok(out.flush()?)
}

/// Little-endian bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(&mut self, number: u16) -> &mut Self {
        self.raw(&number.to_le_bytes())
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.raw(&number.to_le_bytes())
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.raw(&number.to_le_bytes())
    }

    fn pad(&mut self, to: usize, len: usize) -> &mut Self {
        self.0.resize(self.0.len() + to.saturating_sub(len), 0);
        self
    }
}
