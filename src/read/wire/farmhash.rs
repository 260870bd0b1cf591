//! `FarmHash`'s `Fingerprint64`, which ties a SavedModel's `fingerprint.pb` to its `variables.index`.
//!
//! TensorFlow: `CreateFingerprintDef` in `cc/saved_model/fingerprinting.cc`; the algorithm is farmhashna's 64-bit one,
//! whose results never change between releases. All arithmetic is modulo 2^64, all words are little-endian.
#![expect(clippy::many_single_char_names, reason = "the algorithm's own names")]

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// The fingerprint of `bytes`.
pub fn fingerprint64(bytes: &[u8]) -> u64 {
    match bytes.len() {
        0..=16 => up_to_16(bytes),
        17..=32 => up_to_32(bytes),
        33..=64 => up_to_64(bytes),
        _ => longer(bytes),
    }
}

/// The word at `at`; 0 outside, where no caller looks.
fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u64::from_le_bytes(*word))
}

/// The half word at `at`; 0 outside, where no caller looks.
fn half(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |half| u64::from(u32::from_le_bytes(*half)))
}

/// The word that ends `before` bytes before the end.
fn last(bytes: &[u8], before: usize) -> u64 {
    word(bytes, bytes.len().saturating_sub(before))
}

fn shift_mix(value: u64) -> u64 {
    value ^ (value >> 47)
}

fn mix(u: u64, v: u64, multiplier: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(multiplier));
    shift_mix((v ^ a).wrapping_mul(multiplier)).wrapping_mul(multiplier)
}

/// A sum that wraps.
fn sum<const N: usize>(terms: [u64; N]) -> u64 {
    terms.into_iter().fold(0, u64::wrapping_add)
}

fn multiplier(bytes: &[u8]) -> u64 {
    K2.wrapping_add((bytes.len() as u64).wrapping_mul(2))
}

fn up_to_16(bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    let m = multiplier(bytes);
    match bytes {
        [] => K2,
        [first, .., end] | [first @ end] if bytes.len() < 4 => {
            let middle = bytes.get(bytes.len() >> 1).copied().unwrap_or_default();
            let y = u64::from(*first) | u64::from(middle) << 8;
            let z = len.wrapping_add(u64::from(*end) << 2);
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K0)).wrapping_mul(K2)
        }
        _ if bytes.len() < 8 => {
            let end = half(bytes, bytes.len().saturating_sub(4));
            mix(len.wrapping_add(half(bytes, 0) << 3), end, m)
        }
        _ => {
            let a = word(bytes, 0).wrapping_add(K2);
            let b = last(bytes, 8);
            let c = b.rotate_right(37).wrapping_mul(m).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(m);
            mix(c, d, m)
        }
    }
}

fn up_to_32(bytes: &[u8]) -> u64 {
    let m = multiplier(bytes);
    let a = word(bytes, 0).wrapping_mul(K1);
    let b = word(bytes, 8);
    let c = last(bytes, 8).wrapping_mul(m);
    let d = last(bytes, 16).wrapping_mul(K2);
    let y = sum([a.wrapping_add(b).rotate_right(43), c.rotate_right(30), d]);
    mix(y, sum([a, b.wrapping_add(K2).rotate_right(18), c]), m)
}

fn up_to_64(bytes: &[u8]) -> u64 {
    let m = multiplier(bytes);
    let a = word(bytes, 0).wrapping_mul(K2);
    let b = word(bytes, 8);
    let c = last(bytes, 8).wrapping_mul(m);
    let d = last(bytes, 16).wrapping_mul(K2);
    let y = sum([a.wrapping_add(b).rotate_right(43), c.rotate_right(30), d]);
    let z = mix(y, sum([a, b.wrapping_add(K2).rotate_right(18), c]), m);
    let e = word(bytes, 16).wrapping_mul(m);
    let f = word(bytes, 24);
    let g = y.wrapping_add(last(bytes, 32)).wrapping_mul(m);
    let h = z.wrapping_add(last(bytes, 24)).wrapping_mul(m);
    let y = sum([e.wrapping_add(f).rotate_right(43), g.rotate_right(30), h]);
    mix(y, sum([e, f.wrapping_add(a).rotate_right(18), g]), m)
}

/// The state while 64 bytes after 64 bytes go in.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    /// Takes 64 bytes; the last ones go in with another multiplier and another scale.
    fn take(&mut self, chunk: &[u8], multiplier: u64, scale: u64) {
        let Self { mut x, y, z, v, w } = *self;
        x = sum([x, y, v.0, word(chunk, 8)]).rotate_right(37).wrapping_mul(multiplier);
        let mut y = sum([y, v.1, word(chunk, 48)]).rotate_right(42).wrapping_mul(multiplier);
        x ^= w.1.wrapping_mul(scale);
        y = sum([y, v.0.wrapping_mul(scale), word(chunk, 40)]);
        let z = z.wrapping_add(w.0).rotate_right(33).wrapping_mul(multiplier);
        let v = weak(chunk, 0, v.1.wrapping_mul(multiplier), x.wrapping_add(w.0));
        let w = weak(chunk, 32, z.wrapping_add(w.1), y.wrapping_add(word(chunk, 16)));
        *self = Self { x: z, y, z: x, v, w };
    }
}

/// Mixes the 32 bytes at `at` into `a` and `b`.
fn weak(bytes: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let [p, q, r, s] = [0, 8, 16, 24].map(|step: usize| word(bytes, at.saturating_add(step)));
    let a = a.wrapping_add(p);
    let b = sum([b, a, s]).rotate_right(21);
    let c = a;
    let a = sum([a, q, r]);
    (a.wrapping_add(s), sum([b, a.rotate_right(44), c]))
}

fn longer(bytes: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let y = SEED.wrapping_mul(K1).wrapping_add(113);
    let z = shift_mix(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2);
    let x = SEED.wrapping_mul(K2).wrapping_add(word(bytes, 0));
    let mut state = State { x, y, z, v: (0, 0), w: (0, 0) };
    // The last 64 bytes are taken in any case, so that a chunk that ends with the input is left to them.
    let before_last = bytes.get(..bytes.len().saturating_sub(1)).unwrap_or_default();
    for chunk in before_last.chunks_exact(64) {
        state.take(chunk, K1, 1);
    }
    let m = K1.wrapping_add((state.z & 0xff) << 1);
    let rest = (bytes.len() as u64).wrapping_sub(1) & 63;
    state.w.0 = state.w.0.wrapping_add(rest);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    state.take(bytes.last_chunk::<64>().map_or(bytes, |chunk| chunk), m, 9);
    let State { x, y, z, v, w } = state;
    // `take` leaves x and z swapped, as the algorithm does.
    let a = sum([mix(v.0, w.0, m), shift_mix(y).wrapping_mul(K0), z]);
    mix(a, mix(v.1, w.1, m).wrapping_add(x), m)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `tensorflow.python.saved_model` computed; one of each length class.
    #[test]
    fn known_answers() {
        for (text, want) in [
            (String::new(), 11_160_318_154_034_397_263),
            ("a".to_owned(), 12_917_804_110_809_363_939),
            ("hello".to_owned(), 13_009_744_463_427_800_296),
            ("0123456789abcdef".to_owned(), 6_105_018_409_752_412_263),
            ("0123456789abcdef".repeat(3), 17_999_916_114_761_978_493),
            ("x".repeat(100), 6_590_480_085_648_050_719),
        ] {
            assert_eq!(fingerprint64(text.as_bytes()), want, "{} bytes", text.len());
        }
    }

    /// What `tf.raw_ops.Fingerprint(method="farmhash64")` of TensorFlow 2.21 computed, across every seam.
    #[test]
    fn known_answers_at_every_seam() {
        for (len, want) in [
            (1, 5_161_771_770_385_946_686),
            (2, 17_154_875_738_782_307_681),
            (3, 11_329_638_001_114_605_061),
            (4, 5_237_606_666_489_610_278),
            (7, 11_625_987_239_661_172_107),
            (8, 16_856_177_258_838_078_184),
            (16, 12_624_104_961_953_007_349),
            (17, 11_412_818_404_308_016_935),
            (32, 15_361_415_439_139_436_803),
            (33, 12_572_931_277_890_325_926),
            (64, 1_955_988_458_552_136_940),
            (65, 16_708_298_173_552_890_146),
            (127, 15_687_556_588_008_494_385),
            (128, 529_776_243_786_112_373),
            (129, 16_882_785_790_820_455_951),
            (192, 15_023_010_604_158_348_825),
            (193, 7_460_189_650_783_734_784),
            (1000, 13_373_618_832_715_232_462),
        ] {
            let bytes: Vec<u8> = (0..len).map(|i: u32| u8::try_from((i * i + 7 * i + len) % 251).unwrap()).collect();
            assert_eq!(fingerprint64(&bytes), want, "{len} bytes");
        }
    }
}
