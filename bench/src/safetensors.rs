//! Safetensors files, as other programs lay out the weights of a bundle: other names, matrices transposed.
//!
//! Specification: the README of the safetensors project, "Format".

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::Result;

/// Copies matrices of float32 that lie one behind the other, every second one transposed.
pub fn rearrange(from: &Path, to: &Path, (rows, columns): (usize, usize)) -> Result<()> {
    let bytes = rows * columns * 4;
    let count = usize::try_from(std::fs::metadata(from)?.len())? / bytes;
    let is_transposed = |n: usize| n % 2 == 1;
    let mut header = String::from("{");
    for n in 0..count {
        let (a, b) = if is_transposed(n) { (columns, rows) } else { (rows, columns) };
        let comma = if n > 0 { "," } else { "" };
        let (start, end) = (n * bytes, (n + 1) * bytes);
        write!(
            header,
            r#"{comma}"blocks.{n}.weight":{{"dtype":"F32","shape":[{a},{b}],"data_offsets":[{start},{end}]}}"#
        )?;
    }
    header.push('}');
    let mut input = BufReader::with_capacity(1 << 20, File::open(from)?);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(to)?);
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    let (mut matrix, mut other) = (vec![0; bytes], vec![0; bytes]);
    for n in 0..count {
        input.read_exact(&mut matrix)?;
        if is_transposed(n) {
            transpose(&matrix, &mut other, columns);
            out.write_all(&other)?;
        } else {
            out.write_all(&matrix)?;
        }
    }
    Ok(out.flush()?)
}

fn transpose(matrix: &[u8], other: &mut [u8], columns: usize) {
    let (from, _) = matrix.as_chunks::<4>();
    let (to, _) = other.as_chunks_mut::<4>();
    let rows = from.len() / columns;
    for (at, value) in from.iter().enumerate() {
        to[at % columns * rows + at / columns] = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::transpose;

    #[test]
    fn rows_become_columns() {
        let matrix: Vec<u8> = (0..6u8).flat_map(|n| [n; 4]).collect();
        let mut other = vec![0; 24];
        transpose(&matrix, &mut other, 3);
        assert_eq!(other.iter().step_by(4).copied().collect::<Vec<u8>>(), [0, 3, 1, 4, 2, 5]);
    }
}
