//! Matrices whose singular values are known.

use super::*;
use crate::analysis::stats::block;

/// What is found of a matrix of float64, in blocks as `stats` takes them.
fn of(dims: &[u64], values: &[f64]) -> Spectrum {
    let mut held = Held::new(DType::Float64, dims).unwrap();
    let mut figures = Figures::default();
    for (block, at) in values.chunks(block::BLOCK).zip((0..).step_by(block::BLOCK)) {
        held.add(Wide::Double(block));
        figures.merge(&block::figures(Wide::Double(block), at));
    }
    held.finish(&figures).unwrap()
}

fn noise(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31) - 0.5
    };
    // Sums of four are near enough to normal.
    (0..count).map(|_| next() + next() + next() + next()).collect()
}

fn near(got: Option<f64>, want: f64, by: f64) {
    let got = got.unwrap();
    assert!((got - want).abs() <= by * want.abs(), "{got} instead of {want}");
}

/// Turns the columns of a matrix in the planes of neighbours: an orthogonal map, which keeps the singular values.
fn turn_columns(values: &mut [f64], columns: usize, seed: u64) {
    let angles = noise(columns, seed);
    for row in values.chunks_exact_mut(columns) {
        for (n, angle) in angles.iter().enumerate() {
            let other = (n * 7 + 1) % columns;
            if n != other {
                let (a, b) = (row[n], row[other]);
                let (sin, cos) = (angle * 3.0).sin_cos();
                (row[n], row[other]) = (cos * a - sin * b, sin * a + cos * b);
            }
        }
    }
}

fn transposed(values: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| values.iter().copied().skip(column).step_by(columns)).collect()
}

#[test]
fn diagonals_of_any_sides_have_their_values() {
    for (rows, columns) in [(5usize, 5usize), (40, 33), (7, 50), (120, 120)] {
        let side = rows.min(columns);
        let mut values = vec![0.0; rows * columns];
        let on = |n: usize| 1.0 + (n * 31 % side) as f64;
        (0..side).for_each(|n| values[n * columns + n] = on(n));
        let got = of(&[rows as u64, columns as u64], &values);
        near(got.sigma_max, side as f64, 0.005);
        let squares: f64 = (0..side).map(|n| on(n).powi(2)).sum();
        near(got.stable_rank, squares / (side as f64).powi(2), 0.01);
        let edge = got.edge.unwrap();
        let above = (0..side).filter(|n| on(*n) > edge).count() as u64;
        assert_eq!((got.above_edge, got.missing), (Some(above), None), "{rows}×{columns}, edge {edge}");
    }
}

#[test]
fn rank_one_and_maps_that_turn_are_the_extremes_of_stable_rank() {
    let (u, v) = (noise(60, 1), noise(35, 2));
    let product: Vec<f64> = u.iter().flat_map(|u| v.iter().map(move |v| u * v)).collect();
    let got = of(&[60, 35], &product);
    let length = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
    near(got.sigma_max, length(&u) * length(&v), 1e-6);
    near(got.stable_rank, 1.0, 1e-6);
    assert_eq!(got.above_edge, Some(1));

    let mut turn = vec![0.0; 64 * 64];
    (0..64).for_each(|n| turn[n * 64 + n] = -3.0);
    turn_columns(&mut turn, 64, 5);
    let got = of(&[64, 64], &turn);
    near(got.sigma_max, 3.0, 1e-5);
    near(got.stable_rank, 64.0, 1e-4);
    assert_eq!(got.above_edge, Some(0));
}

#[test]
fn turning_transposing_and_scaling_change_nothing_else() {
    for seed in 0..6u64 {
        let (rows, columns) = ([90usize, 30, 200][seed as usize % 3], [40usize, 64, 64][seed as usize % 3]);
        let mut values = noise(rows * columns, seed + 10);
        // Three directions that no random matrix has.
        for (n, size) in [40.0, 30.0, 20.0].into_iter().enumerate() {
            values[n * columns + n] += size;
        }
        let want = of(&[rows as u64, columns as u64], &values);
        assert_eq!((want.above_edge, want.missing), (Some(3), None));
        let flat = of(&[columns as u64, rows as u64], &transposed(&values, columns));
        near(flat.sigma_max, want.sigma_max.unwrap(), 0.005);
        assert_eq!(flat.above_edge, Some(3));
        turn_columns(&mut values, columns, seed);
        let turned = of(&[rows as u64, columns as u64], &values);
        near(turned.sigma_max, want.sigma_max.unwrap(), 0.005);
        near(turned.stable_rank, want.stable_rank.unwrap(), 0.01);
        assert_eq!(turned.above_edge, Some(3));
        for size in [1e-310, 1e-200, 1e-30, 1e30, 1e200, 1e290] {
            let scaled: Vec<f64> = values.iter().map(|value| value * size).collect();
            let got = of(&[rows as u64, columns as u64], &scaled);
            near(got.sigma_max, turned.sigma_max.unwrap() * size, 1e-4);
            near(got.stable_rank, turned.stable_rank.unwrap(), 1e-4);
            near(got.edge, turned.edge.unwrap() * size, 1e-4);
            assert_eq!(got.above_edge, Some(3), "{size}");
        }
    }
}

#[test]
fn random_matrices_are_as_at_initialization() {
    for seed in 0..150u64 {
        let (rows, columns) = [(4, 4), (64, 32), (27, 64), (5, 300), (100, 100)][seed as usize % 5];
        let got = of(&[rows, columns], &noise((rows * columns) as usize, seed * 977 + 3));
        assert_eq!((got.above_edge, got.missing), (Some(0), None), "{rows}×{columns}, seed {seed}: {got:?}");
        let share = got.sigma_max.unwrap() / got.edge.unwrap();
        assert!(share > 0.5 || rows < 10, "{rows}×{columns}: {share}");
    }
}

#[test]
fn all_axes_but_the_last_are_rows() {
    let values = noise(3 * 3 * 8 * 16, 4);
    let folded = of(&[3, 3, 8, 16], &values);
    assert_eq!((folded.rows, folded.columns), (72, 16));
    assert_eq!(folded, of(&[72, 16], &values));
}

#[test]
fn what_has_no_singular_values_says_why() {
    let why = |dims: &[u64], values: &[f64]| {
        let got = of(dims, values);
        (got.missing, got.sigma_max, got.stable_rank, got.edge, got.above_edge)
    };
    let nothing = |missing| (Some(missing), None, None, None, None);
    assert_eq!(why(&[0, 7], &[]), nothing(Missing::Empty));
    assert_eq!(why(&[u64::MAX, u64::MAX, 0], &[]), nothing(Missing::Empty));
    assert_eq!(why(&[0, u64::MAX, u64::MAX], &[]), nothing(Missing::Empty));
    assert_eq!(why(&[u64::MAX, u64::MAX], &[]), nothing(Missing::TooLarge));
    assert_eq!(why(&[2, 2], &[1.0, f64::NAN, 0.0, 2.0]), nothing(Missing::NotFinite));
    assert_eq!(why(&[2, 2], &[1.0, f64::NEG_INFINITY, 0.0, 2.0]), nothing(Missing::NotFinite));
    assert_eq!(why(&[2, 2], &[f64::MAX, f64::MAX, f64::MAX, 1.0]), nothing(Missing::Overflow));
    assert_eq!(why(&[2, 3], &[0.0; 6]), (Some(Missing::Zero), Some(0.0), None, None, None));
    assert_eq!(why(&[1, 1], &[0.0]), (Some(Missing::Zero), Some(0.0), None, None, None));
    let (missing, sigma, ..) = why(&[1, 1], &[-7.0]);
    assert_eq!(missing, Some(Missing::TooNarrow));
    near(sigma, 7.0, 1e-12);
    let (missing, sigma, rank, ..) = why(&[1, 5], &[3.0, 0.0, 4.0, 0.0, 0.0]);
    assert_eq!(missing, Some(Missing::TooNarrow));
    near(sigma, 5.0, 1e-12);
    near(rank, 1.0, 1e-12);
    let (missing, sigma, rank, edge, above) = why(&[8, 8], &[0.5; 64]);
    assert_eq!((missing, edge, above), (Some(Missing::Constant), None, None));
    near(sigma, 4.0, 1e-9);
    near(rank, 1.0, 1e-9);
    let alike: Vec<f64> = (0..64u32).map(|n| 1.0 + f64::from(n % 5) * 1e-8).collect();
    assert_eq!(why(&[8, 8], &alike).0, Some(Missing::Alike));
    for (dtype, dims) in [(DType::Complex64, &[3u64, 3][..]), (DType::Complex128, &[2, 2, 2])] {
        assert_eq!(Held::new(dtype, dims).unwrap().left_out, Some(Missing::Complex));
    }
    assert!(Held::new(DType::Float32, &[9]).is_none() && Held::new(DType::Float32, &[]).is_none());
    // What was not all read is not told.
    assert!(Held::new(DType::Float32, &[1 << 12, 1 << 13]).unwrap().finish(&Figures::default()).is_none());
}

#[test]
fn parts_and_blocks_of_any_size_come_to_the_same() {
    let mut values = noise(40 * 24, 8);
    for (n, value) in values.iter_mut().enumerate() {
        *value *= [0.0, 1e-80, 1.0, 1e-250, 1e100][n * 5 / 960];
    }
    let want = of(&[40, 24], &values);
    near(want.sigma_max, of(&[8, 24], &values[32 * 24..]).sigma_max.unwrap(), 1e-3);
    for step in [1, 7, 100, 959] {
        let mut whole = Held::new(DType::Float64, &[40, 24]).unwrap();
        for part in values.chunks(step) {
            let mut held = Held::new(DType::Float64, &[40, 24]).unwrap();
            held.add(Wide::Double(part));
            whole.merge(held);
        }
        let figures = block::figures(Wide::Double(&values), 0);
        let got = whole.finish(&figures).unwrap();
        near(got.sigma_max, want.sigma_max.unwrap(), 1e-6);
        assert_eq!((got.above_edge, got.missing), (want.above_edge, want.missing), "{step}");
    }
}
