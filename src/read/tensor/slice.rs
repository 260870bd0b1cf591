//! A rectangular part of a tensor, as partitioned variables store them.
//!
//! Source: `tensorflow/core/framework/tensor_slice.{proto,cc}`. What stands in the file decides the key under which a
//! slice lies: an explicit extent over a whole dimension and an absent one are different slices there.

use std::fmt;

/// The part of one dimension that a slice takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// First index.
    pub start: i64,
    /// Number of indexes; `None` for the whole dimension, which is not the same as its length spelled out.
    pub length: Option<i64>,
}

/// One extent a dimension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorSlice(pub Vec<Extent>);

impl TensorSlice {
    /// Start and length in every dimension of a tensor with `dims`; `None` if the slice does not fit them.
    pub fn resolve(&self, dims: &[i64]) -> Option<Vec<(u64, u64)>> {
        if self.0.len() != dims.len() {
            return None;
        }
        self.0.iter().zip(dims).map(|(extent, &dim)| extent.resolve(dim)).collect()
    }
}

impl Extent {
    fn resolve(self, dim: i64) -> Option<(u64, u64)> {
        let dim = u64::try_from(dim).ok()?;
        let Some(length) = self.length else {
            return (self.start == 0).then_some((0, dim));
        };
        let (start, length) = (u64::try_from(self.start).ok()?, u64::try_from(length).ok()?);
        (length > 0 && start.checked_add(length)? <= dim).then_some((start, length))
    }
}

/// As TensorFlow writes it in `shape_and_slices`: `0,3:-`.
impl fmt::Display for TensorSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, extent) in self.0.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { ":" })?;
            match extent.length {
                None => f.write_str("-")?,
                Some(length) => write!(f, "{},{length}", extent.start)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_resolves_only_where_it_fits() {
        let slice = |extents: &[(i64, Option<i64>)]| {
            TensorSlice(extents.iter().map(|&(start, length)| Extent { start, length }).collect())
        };
        assert_eq!(slice(&[(0, Some(2)), (0, None)]).resolve(&[3, 4]), Some(vec![(0, 2), (0, 4)]));
        assert_eq!(slice(&[(2, Some(2))]).resolve(&[3]), None);
        assert_eq!(slice(&[(1, None)]).resolve(&[3]), None);
        assert_eq!(slice(&[(0, Some(0))]).resolve(&[3]), None);
        assert_eq!(slice(&[(i64::MAX, Some(i64::MAX))]).resolve(&[3]), None);
        assert_eq!(slice(&[(0, None)]).resolve(&[3, 4]), None);
        assert_eq!(slice(&[(0, Some(3)), (0, None)]).to_string(), "0,3:-");
    }
}
