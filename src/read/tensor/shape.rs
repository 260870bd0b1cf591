//! The shape of a tensor, and how many elements it has.

use std::fmt;
use std::sync::Arc;

/// Cheap to clone: shapes repeat, and an index of a million tensors keeps each of them once.
///
/// Dimensions as a file gives them: possibly unknown (−1), possibly impossible. [`Shape::elements`] tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape(Option<Arc<[i64]>>);

impl Shape {
    /// A shape with these dimensions; none for a scalar.
    pub fn new(dims: impl Into<Arc<[i64]>>) -> Self {
        Self(Some(dims.into()))
    }

    /// The shape of a scalar.
    pub fn scalar() -> Self {
        Self::new([])
    }

    /// A shape of unknown rank.
    pub fn unknown_rank() -> Self {
        Self(None)
    }

    /// The dimensions, `None` if the rank is unknown.
    pub fn dims(&self) -> Option<&[i64]> {
        self.0.as_deref()
    }

    /// The number of dimensions, `None` if unknown.
    pub fn rank(&self) -> Option<usize> {
        self.dims().map(<[i64]>::len)
    }

    /// The number of elements; `None` if a dimension is unknown or negative, or the product does not fit 63 bits.
    ///
    /// The product is taken from the first dimension on, as TensorFlow does it: one that overflows before it meets a
    /// zero is refused there too.
    pub fn elements(&self) -> Option<u64> {
        self.dims()?
            .iter()
            .try_fold(1i64, |product, dim| product.checked_mul(*dim).filter(|_| *dim >= 0))
            .map(i64::cast_unsigned)
    }
}

/// As TensorFlow's C++ code prints it: `[2,3]`, a scalar `[]`, unknown dimensions `?`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(dims) = self.dims() else { return f.pad("<unknown>") };
        let dims: Vec<String> = dims.iter().map(|d| if *d == -1 { "?".to_owned() } else { d.to_string() }).collect();
        f.pad(&format!("[{}]", dims.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_counted_or_refused() {
        assert_eq!(Shape::scalar().elements(), Some(1));
        assert_eq!(Shape::new([2, 0, 3]).elements(), Some(0));
        assert_eq!(Shape::new([1 << 40, 0, 1 << 40]).elements(), Some(0));
        assert_eq!(Shape::new([2, 3]).elements(), Some(6));
        assert_eq!(Shape::new([1 << 40, 1 << 40]).elements(), None);
        assert_eq!(Shape::new([1 << 40, 1 << 40, 0]).elements(), None);
        assert_eq!(Shape::new([2, -1]).elements(), None);
        assert_eq!(Shape::new([0, -1]).elements(), None);
        assert_eq!(Shape::unknown_rank().elements(), None);
    }
}
