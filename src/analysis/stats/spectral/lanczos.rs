//! The largest eigenvalue of a symmetric matrix that is known by its products with vectors.
//!
//! Power iteration, of which every step is kept: Lanczos' recurrence takes as many products and finds the largest value
//! in the span of all of them, where plain power iteration needs hundreds of products for the crowded end of a random
//! matrix. Vectors are not made orthogonal again: the values at the end of the spectrum are right without it, and only
//! come more than once (Paige, 1971).

/// Products at most. A random matrix of 4,096 columns takes about 60.
pub(super) const MOST: usize = 300;

/// The change that one more product makes to the vector that was found, relative to its value, at which it is good after
/// [`enough`] products: an eigenvalue is then as near as that, a singular value twice as near.
pub(super) const NEAR: f64 = 2e-3;

/// The same at which it is good after any number of products. That the value is near an eigenvalue does not say that it
/// is near the largest: of two that are close together the first vector may have had little of the larger one, which
/// comes up in the products that this needs more than the other.
pub(super) const CLOSE: f64 = 1e-4;

/// Products between two looks at what has been found.
const LOOK: usize = 4;

/// What was found of the largest eigenvalue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Largest {
    /// The value; never above the largest eigenvalue, but for rounding.
    pub(super) value: f64,
    /// There is an eigenvalue as near as this.
    pub(super) error: f64,
    /// Whether that is near enough.
    pub(super) converged: bool,
}

/// The largest eigenvalue of a matrix with no negative ones, of `columns` columns; `product` multiplies a vector by it.
/// Squares of its elements must be float64, as those of squares of float32 are.
pub(super) fn largest(columns: usize, mut product: impl FnMut(&[f64], &mut [f64])) -> Largest {
    let mut now = start(columns);
    let mut before = vec![0.0; columns];
    let mut next = vec![0.0; columns];
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let (mut last, enough) = (0.0, enough(columns));
    let mut found = Largest { value: 0.0, error: f64::INFINITY, converged: false };
    for step in 1..=MOST {
        product(&now, &mut next);
        let alpha = dot(&now, &next);
        for ((to, now), before) in next.iter_mut().zip(&now).zip(&before) {
            *to -= alpha * now + last * before;
        }
        diagonal.push(alpha);
        let beta = dot(&next, &next).sqrt();
        let is_over = beta <= alpha.abs() * f64::EPSILON || !beta.is_finite();
        if is_over || step % LOOK == 0 || step >= columns {
            let (value, share) = top(&diagonal, &beside);
            let error = beta * share;
            let needed = if step >= enough { NEAR } else { CLOSE };
            found = Largest { value, error, converged: error <= needed * value };
            // Nothing but zeros is its own answer.
            found.converged |= value == 0.0 && beta == 0.0;
            if found.converged || is_over {
                return found;
            }
        }
        beside.push(beta);
        for value in &mut next {
            *value /= beta;
        }
        std::mem::swap(&mut before, &mut now);
        std::mem::swap(&mut now, &mut next);
        last = beta;
    }
    found
}

/// Products after which the value is within 2 % of the largest eigenvalue, the singular value so within 1 %, for 999 of 1,000
/// first vectors whatever the matrix: `1.648·√n·exp(-√ε·(2k-1))` is the share for which it is not (Kuczyński and
/// Woźniakowski, 1992). For nearly all matrices it is much nearer.
fn enough(columns: usize) -> usize {
    #[expect(clippy::cast_precision_loss, reason = "a logarithm is taken")]
    let odds = (1.648 * (columns as f64).sqrt() / 1e-3).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 26 to about 50")]
    let products = (odds / (2.0 * 0.02f64.sqrt()) + 0.5).ceil() as usize;
    products
}

/// A vector of length 1 that no matrix is likely to be blind to.
fn start(columns: usize) -> Vec<f64> {
    let mut noise = noise();
    let mut vector: Vec<f64> = (0..columns).map(|_| noise()).collect();
    let length = dot(&vector, &vector).sqrt();
    for value in &mut vector {
        *value /= length;
    }
    vector
}

/// The same noise every time (`SplitMix64`): from 0.5 to 1.5 on either side, so that nothing is nearly missing.
pub(super) fn noise() -> impl FnMut() -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0);
        let size = 0.5 + f64::from(high >> 1) / f64::from(1u32 << 31);
        if high & 1 == 0 { size } else { -size }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_wide, a_rest) = a.as_chunks::<8>();
    let (b_wide, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0f64; 8];
    for (a, b) in a_wide.iter().zip(b_wide) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.into_iter().sum::<f64>() + rest
}

/// The largest eigenvalue of a symmetric tridiagonal matrix, and the size of the last component of its eigenvector of
/// length 1.
fn top(diagonal: &[f64], beside: &[f64]) -> (f64, f64) {
    // All pivots of `x - T`, from the last to the first, are positive exactly where x is above all eigenvalues.
    let above = |x: f64| {
        let mut pivot = f64::INFINITY;
        let mut outer = beside.iter().rev();
        for (n, alpha) in diagonal.iter().rev().enumerate() {
            let beta = if n == 0 { 0.0 } else { outer.next().copied().unwrap_or(0.0) };
            pivot = (x - alpha) - beta * (beta / pivot);
            if pivot <= 0.0 || pivot.is_nan() {
                return false;
            }
        }
        true
    };
    let widest = beside.iter().fold(0f64, |most, beta| most.max(beta.abs()));
    let mut low = diagonal.iter().fold(0f64, |most, alpha| most.max(*alpha));
    let mut high = low + 2.0 * widest;
    high += high * 4.0 * f64::EPSILON;
    while high - low > 4.0 * f64::EPSILON * high {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if above(middle) { high = middle } else { low = middle }
    }
    // From the last component to the first each is the one after it times a pivot: they grow, so this is stable.
    let (mut pivot, mut component, mut squares) = (f64::INFINITY, 1f64, 1f64);
    let mut beta = 0.0;
    for (alpha, next) in diagonal.iter().rev().zip(beside.iter().rev()) {
        pivot = (high - alpha) - beta * (beta / pivot);
        component *= pivot / next;
        squares += component * component;
        beta = *next;
    }
    (high, if squares.is_finite() { squares.sqrt().recip() } else { 0.0 })
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
mod tests {
    use super::*;

    fn of_diagonal(values: &[f64]) -> Largest {
        largest(values.len(), |v, into| into.iter_mut().zip(v).zip(values).for_each(|((to, v), d)| *to = v * d))
    }

    #[test]
    fn diagonals_have_their_largest_value() {
        for values in [&[3.0][..], &[0.0, 7.0], &[5.0; 40], &[1e-100, 3e-100], &[1.0, 1e12, 1e6], &[0.0, 0.0, 1e-9]] {
            let most = values.iter().copied().fold(0.0, f64::max);
            let got = of_diagonal(values);
            assert!(got.converged && (got.value - most).abs() <= NEAR * most, "{values:?}: {got:?}");
        }
        let ramp: Vec<f64> = (1..=5000u16).map(f64::from).collect();
        let got = of_diagonal(&ramp);
        assert!(got.converged && (got.value - 5000.0).abs() <= 5.0, "{got:?}");
    }

    #[test]
    fn zeros_are_known_and_what_cannot_be_found_is_not_said_to_be() {
        assert_eq!(of_diagonal(&[0.0; 9]), Largest { value: 0.0, error: 0.0, converged: true });
        let got = largest(4, |_, into| into.fill(f64::NAN));
        assert!(!got.converged);
        let got = largest(4, |_, into| into.fill(f64::INFINITY));
        assert!(!got.converged);
    }

    #[test]
    fn a_tridiagonal_matrix_has_its_largest_eigenvalue_and_vector() {
        // Second differences: 2 + 2 cos(π/(n+1)), with sines as components.
        let n = 30;
        let (value, last) = top(&vec![2.0; n], &vec![1.0; n - 1]);
        let angle = std::f64::consts::PI / (n as f64 + 1.0);
        assert!((value - (2.0 + 2.0 * angle.cos())).abs() < 1e-12, "{value}");
        let want = (angle * n as f64).sin() / (n as f64 / 2.0 + 0.5).sqrt();
        assert!((last - want).abs() < 1e-6, "{last} {want}");
        assert!((top(&[4.0], &[]).1 - 1.0).abs() < 1e-12);
    }
}
