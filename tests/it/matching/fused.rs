//! Fused tensors: rounded ones, those of which only the index is there, and those whose parts alternate by heads.

use super::model::Random;
use super::typed::{Float, Grid, Said, Typed, compared};

/// Attention of some layers in parts, and with these in one tensor.
struct Attention {
    parts: Typed,
    fused: Typed,
}

/// How it is fused.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Of kernels: 0 with every part transposed, as other frameworks have them, or 1.
    axis: usize,
    groups: usize,
    /// How many columns query, key and value have.
    widths: [usize; 3],
    /// In which order they stand in the fused tensor.
    order: [usize; 3],
    floats: [Float; 2],
}

const PLAIN: Layout =
    Layout { axis: 0, groups: 1, widths: [8, 8, 8], order: [0, 1, 2], floats: [Float::F32, Float::F32] };

fn numbers(random: &mut Random, dims: &[usize]) -> Grid {
    let of = |value: f32| f64::from(value) * 1.000_000_012_3;
    Grid { dims: dims.to_vec(), values: random.floats(dims.iter().product()).into_iter().map(of).collect() }
}

/// Parts in the first dtype and fused ones in the second, the narrower of what was the wider.
fn attention(seed: u64, layout: Layout) -> Attention {
    let Layout { axis, groups, widths, order, floats } = layout;
    let (mut parts, mut fused) = (Typed::new(), Typed::new());
    let mut random = Random(seed);
    let both = |grid: &Grid| {
        if floats[0] == Float::F64 || floats[1] == Float::F64 { grid.clone() } else { Float::F32.stored(grid) }
    };
    for layer in 0..2 {
        for (end, their_end) in [("kernel", "weight"), ("bias", "bias")] {
            let mut one = |width: &usize| {
                let dims = if end == "kernel" { vec![10, *width] } else { vec![*width] };
                both(&numbers(&mut random, &dims))
            };
            let grids: Vec<Grid> = widths.iter().map(&mut one).collect();
            for (name, grid) in ["query", "key", "value"].iter().zip(&grids) {
                parts.push((format!("enc/layer_{layer}/attention/{name}/{end}"), grid.clone(), floats[0]));
            }
            let turned: Vec<Grid> =
                order.iter().map(|n| if axis == 0 { grids[*n].transposed() } else { grids[*n].clone() }).collect();
            let along = if end == "kernel" { axis } else { 0 };
            fused.push((format!("h.{layer}.attn.qkv.{their_end}"), Grid::joined(&turned, along, groups), floats[1]));
        }
        let kernel = both(&numbers(&mut random, &[7, 3]));
        parts.push((format!("enc/layer_{layer}/out/kernel"), kernel.clone(), floats[0]));
        fused.push((format!("h.{layer}.out.weight"), kernel.transposed(), floats[1]));
    }
    Attention { parts, fused }
}

/// Both ways: the fused ones in B, and in A.
fn both_ways(of: &Attention, index: [bool; 2]) -> [Said; 2] {
    [compared(&of.parts, &of.fused, index), compared(&of.fused, &of.parts, [index[1], index[0]])]
}

const CASTS: [[Float; 2]; 8] = [
    [Float::F32, Float::F16],
    [Float::F16, Float::F32],
    [Float::F32, Float::BF16],
    [Float::BF16, Float::F32],
    [Float::F64, Float::F32],
    [Float::F32, Float::F64],
    [Float::F64, Float::F16],
    [Float::BF16, Float::F64],
];

#[test]
fn parts_of_another_dtype_are_proved_with_their_rounding() {
    for floats in CASTS {
        for axis in [0, 1] {
            let layout = Layout { axis, floats, ..PLAIN };
            let mut of = attention(3, layout);
            for said in both_ways(&of, [false; 2]) {
                let totals = &said.totals;
                assert!(said.is_equal, "{layout:?} {totals:?}");
                assert_eq!((totals.parts, totals.cast, totals.proved), (12, 14, 14), "{layout:?}");
            }
            // One element of one part: that part differs, and no other.
            of.parts[1].1.values[5] += 0.25;
            for said in both_ways(&of, [false; 2]) {
                let totals = &said.totals;
                assert!(!said.is_equal, "{layout:?} {totals:?}");
                assert_eq!((totals.changed, totals.proved, totals.suspects), (1, 13, 0), "{layout:?} {:?}", said.pairs);
            }
        }
    }
}

#[test]
fn an_overflow_is_that_of_its_part_alone() {
    for floats in [[Float::F32, Float::F16], [Float::F16, Float::F32]] {
        let mut of = attention(4, Layout { floats, ..PLAIN });
        // The second element of the key in both: infinite where it is narrow.
        of.parts[1].1.values[1] = 1e6;
        of.fused[0].1.values[(8 + 1) * 10] = 1e6;
        for said in both_ways(&of, [false; 2]) {
            assert_eq!((said.totals.suspects, said.totals.proved), (1, 14), "{floats:?} {:?}", said.totals);
        }
    }
}

#[test]
fn a_constant_part_is_one_where_its_names_say_so() {
    let mut of = attention(5, PLAIN);
    // The bias of the key is zeros, as that of some models is.
    of.parts[4].1.values.fill(0.0);
    of.fused[1].1.values[8..16].fill(0.0);
    for said in both_ways(&of, [false; 2]) {
        assert!(said.is_equal, "{:?}", said.totals);
        assert_eq!((said.totals.parts, said.totals.constants, said.totals.proved), (12, 1, 13));
    }
}

#[test]
fn a_fused_tensor_is_found_by_its_checksum() {
    let f32s = [Float::F32; 2];
    for (axis, widths, order, floats) in [
        (0, [8, 8, 8], [0, 1, 2], f32s),
        (1, [8, 8, 8], [0, 1, 2], f32s),
        (0, [8, 4, 4], [0, 1, 2], f32s),
        (1, [8, 4, 4], [2, 0, 1], f32s),
        (1, [10, 10, 10], [1, 0, 2], f32s),
        (0, [8, 8, 8], [0, 1, 2], [Float::F32, Float::F16]),
        (1, [8, 8, 8], [0, 1, 2], [Float::F32, Float::BF16]),
        (1, [8, 4, 4], [0, 1, 2], [Float::F64, Float::F32]),
    ] {
        let layout = Layout { axis, widths, order, floats, ..PLAIN };
        let mut of = attention(6, layout);
        for said in both_ways(&of, [false, true]) {
            let totals = &said.totals;
            assert!(said.is_equal, "{layout:?} {totals:?} {:?}", said.pairs);
            assert_eq!((totals.parts, totals.by_checksum, totals.proved), (12, 14, 0), "{layout:?}");
            assert_eq!(totals.cast, if floats == f32s { 0 } else { 14 }, "{layout:?}");
            assert!(totals.tries > 0 && totals.tries < 1000, "{layout:?} {}", totals.tries);
        }
        of.parts[2].1.values[7] += 0.25;
        for said in both_ways(&of, [false, true]) {
            assert!(!said.is_equal, "{layout:?}");
            assert_eq!(said.totals.parts, 9, "{layout:?} {:?}", said.pairs);
        }
    }
}

#[test]
fn parts_of_an_index_are_found_in_rounded_and_uneven_wholes() {
    let f32s = [Float::F32; 2];
    for (axis, widths, floats) in [
        (0, [8, 8, 8], f32s),
        (1, [8, 4, 4], f32s),
        (0, [8, 4, 4], [Float::F16, Float::F32]),
        (1, [8, 8, 8], [Float::BF16, Float::F32]),
    ] {
        let layout = Layout { axis, widths, floats, ..PLAIN };
        for said in both_ways(&attention(7, layout), [true, false]) {
            assert!(said.is_equal, "{layout:?} {:?}", said.totals);
            assert_eq!((said.totals.parts, said.totals.by_checksum), (12, 14), "{layout:?}");
        }
    }
}

#[test]
fn of_rounded_parts_an_index_of_wider_ones_tells_nothing() {
    for index in [[false, true], [true, false]] {
        let floats = if index[1] { [Float::F16, Float::F32] } else { [Float::F32, Float::F16] };
        for said in both_ways(&attention(8, Layout { floats, ..PLAIN }), index) {
            assert!(!said.is_equal && said.is_trouble, "{index:?} {:?}", said.totals);
            assert_eq!((said.totals.alone, said.totals.changed), ([0; 2], 0), "{index:?}");
        }
    }
}

#[test]
fn layers_in_one_tensor_of_an_index() {
    let mut random = Random(9);
    let (mut parts, mut all) = (Typed::new(), Vec::new());
    for layer in 0..11 {
        let grid = Float::F32.stored(&numbers(&mut random, &[1, 5, 6]));
        let flat = Grid { dims: vec![5, 6], values: grid.values.clone() };
        parts.push((format!("blocks.{layer}.mlp.weight"), flat, Float::F32));
        all.push(grid);
    }
    let fused = vec![("stack/mlp/kernel".to_owned(), Grid::joined(&all, 0, 1), Float::F32)];
    for said in both_ways(&Attention { parts, fused }, [false, true]) {
        assert!(said.is_equal, "{:?}", said.totals);
        assert_eq!((said.totals.parts, said.totals.tries), (11, 1));
    }
}

#[test]
fn parts_that_alternate_by_heads() {
    for (axis, groups, widths, floats) in [
        (0, 2, [8, 8, 8], [Float::F32; 2]),
        (0, 4, [8, 8, 8], [Float::F32, Float::F16]),
        (1, 4, [8, 8, 8], [Float::F32; 2]),
        (0, 2, [8, 4, 4], [Float::F64, Float::F64]),
        (1, 4, [8, 4, 4], [Float::BF16, Float::F32]),
        (0, 8, [8, 8, 8], [Float::F32; 2]),
    ] {
        let layout = Layout { axis, groups, widths, floats, ..PLAIN };
        let mut of = attention(10, layout);
        for said in both_ways(&of, [false; 2]) {
            let totals = &said.totals;
            assert!(said.is_equal, "{layout:?} {totals:?} {:?}", said.pairs);
            assert_eq!((totals.parts, totals.proved), (12, 14), "{layout:?}");
            let parts = said.pairs.iter().filter(|(_, in_groups, _)| *in_groups == groups as u64);
            assert_eq!(parts.count(), 12, "{layout:?} {:?}", said.pairs);
        }
        // Two heads of one part in each other's place.
        let of_head = widths[0] / groups;
        for row in of.parts[0].1.values.chunks_mut(widths[0]) {
            let (x, y) = row.split_at_mut(of_head);
            x.swap_with_slice(&mut y[..of_head]);
        }
        for said in both_ways(&of, [false; 2]) {
            assert!(!said.is_equal && said.totals.proved < 14, "{layout:?}");
        }
    }
}

#[test]
fn heads_of_an_index() {
    for (axis, groups, widths, floats) in [
        (0, 2, [8, 8, 8], [Float::F32; 2]),
        (1, 4, [8, 8, 8], [Float::F32; 2]),
        (0, 2, [8, 4, 4], [Float::F64, Float::F64]),
        (1, 4, [8, 4, 4], [Float::F32; 2]),
        (0, 8, [8, 8, 8], [Float::F32; 2]),
        (0, 4, [8, 8, 8], [Float::F32, Float::F16]),
        (1, 2, [8, 8, 8], [Float::BF16, Float::F32]),
    ] {
        let layout = Layout { axis, groups, widths, floats, ..PLAIN };
        // Of two dtypes only the wider one can be rounded.
        let indexes: &[[bool; 2]] = match floats {
            [Float::F32, Float::F16] => &[[false, true]],
            [Float::BF16, _] => &[[true, false]],
            _ => &[[false, true], [true, false]],
        };
        for index in indexes {
            let mut of = attention(12, layout);
            for said in both_ways(&of, *index) {
                let totals = &said.totals;
                assert!(said.is_equal, "{layout:?} {index:?} {totals:?} {:?}", said.pairs);
                assert_eq!((totals.parts, totals.by_checksum), (12, 14), "{layout:?} {index:?}");
                let parts = said.pairs.iter().filter(|(_, in_groups, _)| *in_groups == groups as u64);
                assert_eq!(parts.count(), 12, "{layout:?} {index:?} {:?}", said.pairs);
                assert!(totals.tries < 10_000, "{layout:?} {}", totals.tries);
            }
            // One number of a key.
            of.parts[2].1.values[7] += 0.25;
            for said in both_ways(&of, *index) {
                assert!(!said.is_equal, "{layout:?} {index:?}");
                assert_eq!(said.totals.parts, 9, "{layout:?} {index:?} {:?}", said.pairs);
            }
        }
    }
}

/// Layers with a fused bias and a kernel in the first, their parts in the second; `bias` says which of a layer's are zero.
fn biased(seed: u64, groups: usize, numbered: impl Fn(usize) -> usize, zero: [bool; 3]) -> Attention {
    let (mut fused, mut parts) = (Typed::new(), Typed::new());
    let mut random = Random(seed);
    for layer in 0..5 {
        let mut one = |zero: &bool| {
            let grid = Float::F32.stored(&numbers(&mut random, &[16]));
            if *zero { Grid { values: vec![0.0; 16], ..grid } } else { grid }
        };
        let grids: Vec<Grid> = zero.iter().map(&mut one).collect();
        fused.push((format!("h.{layer}.qkv_bias"), Grid::joined(&grids, 0, groups), Float::F32));
        for (name, grid) in ["query", "key", "value"].iter().zip(grids) {
            parts.push((format!("layer_{}/{name}_bias", numbered(layer)), grid, Float::F32));
        }
        let kernel = Float::F32.stored(&numbers(&mut random, &[4, 6]));
        fused.push((format!("h.{layer}.mlp_w"), kernel.clone(), Float::F32));
        parts.push((format!("layer_{}/mlp_w", numbered(layer)), kernel, Float::F32));
    }
    Attention { parts, fused }
}

#[test]
fn constant_parts_go_to_the_layer_whose_number_theirs_is() {
    let mut of = biased(13, 1, |layer| layer + 9, [true; 3]);
    of.parts[3].1.values[0] += 1.0;
    let said = compared(&of.fused, &of.parts, [false; 2]);
    // Whether `h.3` is paired with `layer_12`.
    let number = |name: &str| name.split(['.', '_', '/']).find_map(|word| word.parse::<usize>().ok());
    let fits = |a: &str, b: &str| number(a).map(|layer| layer + 9) == number(b);
    let wrong: Vec<_> = said.partners.iter().filter(|(a, b)| a.ends_with("bias") && !fits(a, b)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn constant_parts_among_heads_are_in_their_places_and_prove_nothing() {
    for groups in [1, 2, 4] {
        for zero in [[false, true, false], [false, false, true], [false, true, true]] {
            let of = biased(14, groups, |layer| layer, zero);
            let constants = 5 * zero.iter().filter(|zero| **zero).count() as u64;
            for (said, by_checksum) in [
                (compared(&of.fused, &of.parts, [false, true]), 20),
                (compared(&of.fused, &of.parts, [false; 2]), 0),
                (compared(&of.parts, &of.fused, [false; 2]), 0),
            ] {
                let totals = &said.totals;
                assert!(said.is_equal, "{groups} {zero:?} {totals:?} {:?}", said.pairs);
                assert_eq!(
                    (totals.parts, totals.constants, totals.by_checksum),
                    (15, constants, by_checksum),
                    "{zero:?}"
                );
                let parts = said.pairs.iter().filter(|(_, in_groups, _)| *in_groups == groups as u64);
                assert_eq!(parts.count(), 15, "{groups} {zero:?} {:?}", said.pairs);
            }
        }
    }
}
