//! The public reports of "Checksum does not match" that give both numbers, and what can be told from those alone.

use super::{
    ascii_word, crc_of_zeros, invert_u32, is_all_zero, scalar_from_crc, single_bit, single_bit_from_end, text_fragment,
    zero_length_for,
};
use crate::read::tensor::DType;

/// Where, stored, computed, and how many zeros were read.
const ZEROS: &[(&str, u32, u32, u64)] = &[
    ("YangZeyu95/unofficial-implement-of-openpose#33", 2_112_521_139, 4_004_437_628, 1024),
    ("EricZgw/PyramidBox#22", 2_973_489_966, 4_004_437_628, 1024),
    ("Yang7879/AttSets#1", 769_046_061, 1_925_235_876, 65_536),
    ("ZhuiyiTechnology/t5-pegasus#13", 592_068_290, 517_592_881, 2_359_296),
];

/// Where, stored, computed: nothing to be told from the numbers.
const OPEN: &[(&str, u32, u32)] = &[
    ("imcaspar/gpt2-ml#76", 2_098_457_901, 3_401_360_046),
    ("EricZgw/PyramidBox#19", 189_470_084, 1_055_297_358),
    ("MaybeShewill-CV/lanenet-lane-detection#277", 320_002_251, 794_792_994),
    ("charlesq34/pointnet#159", 3_218_031_918, 599_589_009),
    ("AhmetHamzaEmra/Intelegent_Lock#3", 411_918_014, 2_088_034_305),
    ("AhmetHamzaEmra/Intelegent_Lock#3", 2_789_654_764, 1_471_532_794),
    ("AhmetHamzaEmra/Intelegent_Lock#3", 519_988_316, 349_520_506),
    ("cyj907/unsupervised-detail-layer#5", 26_150_082, 1_746_058_966),
    ("openai/gpt-2#245", 1_096_252_745, 1_479_428_755),
    ("tensorflow/hub#111", 1_387_380_197, 2_093_217_975),
    ("ljx43031/DeepMTT-algorithm#4", 1_240_919_041, 1_237_829_738),
    ("a script that computes BLEU", 3_858_684_078, 2_123_116_135),
    ("tensorflow/tensorflow#39033", 3_880_206_044, 1_782_481_297),
];

#[test]
fn holes_in_public_reports() {
    for (report, _, computed, len) in ZEROS {
        assert_eq!(crc_of_zeros(*len), *computed, "{report}");
        let zeros = zero_length_for(*computed, 1 << 32).unwrap();
        assert_eq!(zeros.len, *len, "{report}");
        assert!(zeros.odds < 1e-6, "{report}: {}", zeros.odds);
        assert!(is_all_zero(DType::Float32, *len, *computed));
    }
}

// axcelerateai/urdu-handwriting-recognition-using-deep-learning#5, and a laboratory's list of frequent errors.
#[test]
fn git_lfs_pointers_in_public_reports() {
    for (stored, value) in [(2_612_891_094, "2696"), (1_214_729_159, "0")] {
        assert_eq!(ascii_word(4_272_926_173).unwrap().suggests, Some("a Git LFS pointer"));
        assert_eq!(text_fragment(4_272_926_173).unwrap().bytes, b"vers");
        assert_eq!(scalar_from_crc(DType::Int32, stored).unwrap().text(), value);
    }
}

// tensorflow/hub#305: one bit, with 86,649 bytes of the tensor behind it.
#[test]
fn a_flipped_bit_in_a_public_report() {
    let (behind, _, odds) = single_bit_from_end(4_061_069_822, 2_733_927_205).unwrap();
    assert_eq!(behind, 86_649);
    assert!((6_100.0..6_300.0).contains(&(1.0 / odds)), "1 : {}", 1.0 / odds);
}

#[test]
fn nothing_is_claimed_where_the_numbers_say_nothing() {
    for (report, stored, computed) in OPEN {
        let zeros = zero_length_for(*computed, 1 << 32);
        assert!(zeros.is_none_or(|z| z.odds > 0.01), "{report}: {zeros:?}");
        let bit = single_bit_from_end(*stored, *computed);
        assert!(bit.is_none_or(|(.., odds)| odds > 0.01), "{report}: {bit:?}");
        assert_eq!(text_fragment(*computed), None, "{report}");
    }
}

// A bit flipped at byte 500,000 of a shard, in a tensor of 401,408 bytes: what TensorFlow 2.21 printed.
#[test]
fn a_bit_that_was_flipped_on_purpose() {
    let flip = single_bit(3_515_559_797, 802_878_701, 401_408).unwrap();
    assert_eq!((flip.bit, flip.unique), (0, true));
    assert!((1_300.0..1_400.0).contains(&(1.0 / flip.odds)));
    // Element 24,262 of the tensor, which therefore starts at 402,952.
    assert_eq!((flip.byte / 4, 500_000 - flip.byte), (24_262, 402_952));
}

#[test]
fn counters_and_schedules_without_their_data() {
    let text = |dtype, bytes: &[u8]| scalar_from_crc(dtype, crc32c::crc32c(bytes)).unwrap().text();
    assert_eq!(text(DType::Int64, &200u64.to_le_bytes()), "200");
    assert_eq!(text(DType::Float32, &6.349_535_3e-10f32.to_le_bytes()), "6.3495353e-10");
    assert_eq!(text(DType::Float32, &0.817_832_2f32.to_le_bytes()), "0.8178322");
    assert_eq!(invert_u32(crc32c::crc32c(b"vers")), *b"vers");
}
