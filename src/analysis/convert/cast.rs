//! Floats in other dtypes, rounded as NumPy and `ml_dtypes` round them: to the nearest, ties to even.

use half::{bf16, f16};

use crate::read::tensor::DType;

/// Turns elements of one float dtype into those of another.
#[derive(Debug)]
pub(super) struct Caster {
    from: DType,
    to: DType,
    out: Vec<u8>,
    /// Finite values that are infinite in the other dtype.
    pub(super) overflows: u64,
}

impl Caster {
    pub(super) fn new(from: DType, to: DType) -> Self {
        Self { from, to, out: Vec::new(), overflows: 0 }
    }

    /// The same elements, little-endian as those given.
    pub(super) fn cast(&mut self, bytes: &[u8]) -> &[u8] {
        self.out.clear();
        match self.from {
            DType::Float64 => each::<8>(bytes, |b| self.add_wide(f64::from_le_bytes(b))),
            DType::Float32 => each::<4>(bytes, |b| self.add(f32::from_le_bytes(b))),
            DType::Float16 => each::<2>(bytes, |b| self.add(f16::from_le_bytes(b).to_f32())),
            DType::BFloat16 => each::<2>(bytes, |b| self.add(bf16::from_le_bytes(b).to_f32())),
            _ => {}
        }
        &self.out
    }

    /// The same elements from float64, as means are.
    pub(super) fn cast_wide(&mut self, values: &[f64]) -> &[u8] {
        self.out.clear();
        for value in values {
            self.add_wide(*value);
        }
        &self.out
    }

    fn add_wide(&mut self, value: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
        let narrow = value as f32;
        match self.to {
            DType::Float64 => self.out.extend(value.to_le_bytes()),
            DType::Float16 => {
                let cast = f16::from_f64(value);
                self.overflows += u64::from(value.is_finite() && cast.is_infinite());
                self.out.extend(cast.to_le_bytes());
            }
            // bfloat16 is made of float32, by ml_dtypes too: rounded twice.
            _ => {
                self.overflows += u64::from(value.is_finite() && narrow.is_infinite());
                let before = self.overflows;
                self.add(narrow);
                self.overflows = before + u64::from(self.overflows > before && narrow.is_finite());
            }
        }
    }

    fn add(&mut self, value: f32) {
        let is_infinite = match self.to {
            DType::Float64 => {
                self.out.extend(f64::from(value).to_le_bytes());
                false
            }
            DType::Float32 => {
                self.out.extend(value.to_le_bytes());
                false
            }
            DType::Float16 => {
                let cast = f16::from_f32(value);
                self.out.extend(cast.to_le_bytes());
                cast.is_infinite()
            }
            _ => {
                let cast = bf16::from_f32(value);
                self.out.extend(cast.to_le_bytes());
                cast.is_infinite()
            }
        };
        self.overflows += u64::from(value.is_finite() && is_infinite);
    }
}

fn each<const N: usize>(bytes: &[u8], mut take: impl FnMut([u8; N])) {
    let (elements, _) = bytes.as_chunks::<N>();
    for element in elements {
        take(*element);
    }
}

/// Elements of a float dtype as float64, added to what is there.
pub(super) fn add_to(sums: &mut [f64], dtype: DType, bytes: &[u8]) {
    match dtype {
        DType::Float64 => add_each::<8>(sums, bytes, f64::from_le_bytes),
        DType::Float32 => add_each::<4>(sums, bytes, |b| f64::from(f32::from_le_bytes(b))),
        DType::Float16 => add_each::<2>(sums, bytes, |b| f64::from(f16::from_le_bytes(b))),
        DType::BFloat16 => add_each::<2>(sums, bytes, |b| f64::from(bf16::from_le_bytes(b))),
        _ => {}
    }
}

/// In lockstep, so that the compiler adds several at a time.
fn add_each<const N: usize>(sums: &mut [f64], bytes: &[u8], value: impl Fn([u8; N]) -> f64) {
    let (elements, _) = bytes.as_chunks::<N>();
    for (sum, element) in sums.iter_mut().zip(elements) {
        *sum += value(*element);
    }
}
