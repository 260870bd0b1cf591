//! Loops over many numbers, compiled for the widest instructions that the processor has when the program runs.
//!
//! The binary must start on every x86-64 processor, so it is compiled for the oldest, whose vectors are half as wide.
//! Here is the one place that asks the processor what it can do. A loop that wants the answer is a [`Kernel`]: plain
//! Rust over slices and arrays of lanes, which the compiler turns into vectors. No instruction is named anywhere, and
//! multiplications and additions are never fused, so a kernel gives the same bits on every processor.
//!
//! What is read lies in the second-level cache when a kernel looks at it, so the widest registers pay: AVX-512 does
//! twice what AVX2 does (docs/performance.md).

/// A loop that is worth compiling three times.
pub trait Kernel {
    /// What it finds.
    type Output;

    /// Runs it. To be marked `#[inline(always)]`: only what is inlined is compiled for the wide instructions.
    fn run(self) -> Self::Output;
}

/// Runs a kernel with the widest instructions that the processor has.
pub fn widest<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "the compiler cannot see what the processor was asked")]
    // SAFETY: the only condition for calling a safe function with target features is that the processor has them, and
    // it has just said so.
    unsafe {
        if has_avx512() {
            return with_avx512(kernel);
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return with_avx2(kernel);
        }
    }
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn with_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sum<'v>(&'v [f32]);

    impl Kernel for Sum<'_> {
        type Output = [f64; 8];

        #[expect(clippy::inline_always, reason = "only what is inlined is compiled for the wide instructions")]
        #[inline(always)]
        fn run(self) -> [f64; 8] {
            let mut lanes = [0f64; 8];
            for chunk in self.0.as_chunks::<8>().0 {
                for (lane, value) in lanes.iter_mut().zip(chunk) {
                    *lane += f64::from(*value) * 0.1;
                }
            }
            lanes
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let values: Vec<f32> = (0..1000u16).map(|n| f32::from(n).sin()).collect();
        let want = Sum(&values).run().map(f64::to_bits);
        assert_eq!(widest(Sum(&values)).map(f64::to_bits), want);
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "the compiler cannot see what the processor was asked")]
        // SAFETY: the processor has just said that it has these features.
        unsafe {
            if std::arch::is_x86_feature_detected!("avx2") {
                assert_eq!(with_avx2(Sum(&values)).map(f64::to_bits), want);
            }
            if has_avx512() {
                assert_eq!(with_avx512(Sum(&values)).map(f64::to_bits), want);
            }
        }
    }
}
