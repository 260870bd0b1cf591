//! Bundles too large for memory: gigabytes of pseudo-random numbers, or a million tiny tensors.
//!
//! Values are reproducible from a seed ([`values`]), so a reader's answers can be checked without keeping them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::bundle::{data_suffix, with_suffix};
use crate::entry::{Entry, Header};
use crate::table::TableBuilder;
use crate::{crc, dtype};

/// How much is generated and written at a time.
const PIECE: usize = 8 << 20;

/// A tensor of floating-point numbers to be generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BigTensor {
    /// Its key.
    pub name: String,
    /// Its type: `FLOAT`, `BFLOAT16` or `HALF`.
    pub dtype: i32,
    /// Its dimensions.
    pub shape: Vec<i64>,
    /// What its values come from.
    pub seed: u64,
}

impl BigTensor {
    /// A tensor of this name, shape and seed.
    pub fn new(name: impl Into<String>, shape: &[i64], seed: u64) -> Self {
        Self { name: name.into(), dtype: dtype::FLOAT, shape: shape.to_vec(), seed }
    }

    /// The same numbers in another type.
    #[must_use]
    pub fn of(self, dtype: i32) -> Self {
        Self { dtype, ..self }
    }

    /// Stored bytes.
    fn size(&self) -> i64 {
        self.shape.iter().product::<i64>() * if self.dtype == dtype::FLOAT { 4 } else { 2 }
    }
}

/// An endless run of floats in [-0.5, 0.5), none of them NaN.
#[derive(Clone, Debug)]
pub struct Floats {
    state: u64,
}

impl Floats {
    /// The run that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        // Spreads small seeds; xorshift must not start at zero.
        let state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { state }
    }

    /// The next two values.
    fn pair(&mut self) -> [f32; 2] {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let unit = |bits: u32| f32::from_bits(0x3f80_0000 | (bits >> 9)) - 1.5;
        [unit(self.state as u32), unit((self.state >> 32) as u32)]
    }

    /// Fills `bytes` with the next values, little end first. Only the last call may ask for an odd number of them.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let [a, b] = self.pair();
            let mut both = [0; 8];
            both[..4].copy_from_slice(&a.to_le_bytes());
            both[4..].copy_from_slice(&b.to_le_bytes());
            chunk.copy_from_slice(&both[..chunk.len()]);
        }
    }
}

/// The upper half of a float32 is a bfloat16.
fn to_bfloat16(bits: u32) -> u16 {
    (bits >> 16) as u16
}

/// A float32 as float16, rounded toward zero; what is too small for a normal number becomes zero.
fn to_half(bits: u32) -> u16 {
    let (sign, exponent) = ((bits >> 16) as u16 & 0x8000, (bits >> 23) & 0xff);
    if exponent < 113 { sign } else { sign | (((exponent - 112) << 10) | ((bits >> 13) & 0x3ff)) as u16 }
}

/// Fills `bytes` with the next values as numbers of two bytes.
fn fill_narrow(floats: &mut Floats, bytes: &mut [u8], narrow: fn(u32) -> u16) {
    for chunk in bytes.chunks_mut(4) {
        let [a, b] = floats.pair().map(|value| narrow(value.to_bits()).to_le_bytes());
        let both = [a[0], a[1], b[0], b[1]];
        chunk.copy_from_slice(&both[..chunk.len()]);
    }
}

/// The first `count` values of the tensor with this seed.
pub fn values(seed: u64, count: usize) -> Vec<f32> {
    let mut floats = Floats::new(seed);
    let mut out = Vec::with_capacity(count + 1);
    while out.len() < count {
        out.extend(floats.pair());
    }
    out.truncate(count);
    out
}

/// Writes a bundle of `tensors` under `prefix`, dealt to `shards` files in turn, and returns the bytes of data.
///
/// # Errors
///
/// What the file system says.
pub fn write_bundle(prefix: &Path, tensors: &[BigTensor], shards: usize) -> io::Result<u64> {
    if let Some(parent) = prefix.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut files = Vec::new();
    for shard in 0..shards {
        let file = File::create(with_suffix(prefix, &data_suffix(shard, shards)))?;
        files.push((BufWriter::with_capacity(1 << 20, file), 0u64));
    }
    let mut buffer = Vec::new();
    let mut rows = Vec::with_capacity(tensors.len());
    for (i, tensor) in tensors.iter().enumerate() {
        let shard = i % shards;
        let (file, end) = &mut files[shard];
        let mut entry = Entry::new(tensor.dtype, &tensor.shape);
        let size = tensor.size();
        entry.shard = shard as i32;
        entry.offset = *end as i64;
        entry.size = size;
        let mut floats = Floats::new(tensor.seed);
        let mut sum = 0;
        let mut left = size as usize;
        while left > 0 {
            let piece = left.min(PIECE);
            if buffer.len() < piece {
                buffer.resize(piece, 0);
            }
            let bytes = &mut buffer[..piece];
            match tensor.dtype {
                dtype::BFLOAT16 => fill_narrow(&mut floats, bytes, to_bfloat16),
                dtype::HALF => fill_narrow(&mut floats, bytes, to_half),
                _ => floats.fill(bytes),
            }
            sum = crc::extend(sum, bytes);
            file.write_all(bytes)?;
            left -= piece;
        }
        *end += size as u64;
        entry.crc = crc::mask(sum);
        rows.push((tensor.name.as_bytes(), entry.proto().build()));
    }
    let mut total = 0;
    for (mut file, end) in files {
        file.flush()?;
        total += end;
    }
    rows.sort_unstable_by_key(|row| row.0);
    let header = Header { num_shards: shards as i32, ..Header::default() };
    let mut table = TableBuilder::new();
    table.add("", header.proto().build());
    for (key, value) in rows {
        table.add(key, value);
    }
    fs::write(with_suffix(prefix, ".index"), table.finish())?;
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_what_floats_become() {
        assert_eq!(to_bfloat16(1.0f32.to_bits()), 0x3f80);
        assert_eq!(to_half(1.0f32.to_bits()), 0x3c00);
        assert_eq!(to_half((-0.375f32).to_bits()), 0xb600);
        assert_eq!(to_half(1e-9f32.to_bits()), 0);
    }

    #[test]
    fn filling_in_pieces_gives_the_values() {
        let mut bytes = [0; 28];
        let mut floats = Floats::new(7);
        floats.fill(&mut bytes[..16]);
        floats.fill(&mut bytes[16..]);
        let want: Vec<u8> = values(7, 7).iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(bytes, want[..]);
        assert_ne!(values(7, 7), values(8, 7));
    }
}
