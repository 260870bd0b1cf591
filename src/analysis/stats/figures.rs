//! What is known of some elements, and how two parts become one.

use std::cmp::Ordering;

use super::moments::Moments;

/// A number of a tensor as it is: a 64-bit integer has more digits than a float64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Of an integer type.
    Int(i64),
    /// Of an unsigned integer type.
    UInt(u64),
    /// Of a floating-point type, or the magnitude of a complex number.
    Float(f64),
}

impl Number {
    /// As a float64; of a long integer, the nearest one.
    #[expect(clippy::cast_precision_loss, reason = "this is what the caller asks for")]
    pub fn value(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::UInt(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    fn integer(self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(value.into()),
            Self::UInt(value) => Some(value.into()),
            Self::Float(_) => None,
        }
    }

    /// Which of two numbers is less; integers are compared as integers.
    pub fn compare(self, other: Self) -> Ordering {
        match (self.integer(), other.integer()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.value().total_cmp(&other.value()),
        }
    }
}

/// How many elements are of a kind, and which is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    /// How many.
    pub count: u64,
    /// The number of the first one, counted in C order.
    pub first: Option<u64>,
}

impl Spots {
    pub(super) fn add(&mut self, at: u64) {
        self.merge(Self { count: 1, first: Some(at) });
    }

    fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Elements that are not finite. Complex ones with a NaN in either part count as NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NonFinite {
    pub(super) nan: Spots,
    pub(super) positive: Spots,
    pub(super) negative: Spots,
}

/// Statistics of some elements, which merge with those of others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many elements.
    pub elements: u64,
    /// How many of them are zero, of either sign.
    pub zeros: u64,
    /// Least and greatest finite element.
    pub(super) extremes: Option<(Number, Number)>,
    pub(super) moments: Moments,
    /// Nearly every tensor has none of these.
    pub(super) apart: Option<Box<NonFinite>>,
}

impl Figures {
    pub(super) fn of_finite(elements: u64, zeros: u64, extremes: (Number, Number), moments: Moments) -> Self {
        Self { elements, zeros, extremes: Some(extremes), moments, apart: None }
    }

    pub(super) fn set_apart(&mut self, apart: NonFinite) {
        self.apart = (apart != NonFinite::default()).then(|| Box::new(apart));
    }

    /// Takes the elements of another part in.
    pub fn merge(&mut self, other: &Self) {
        self.elements = self.elements.saturating_add(other.elements);
        self.zeros = self.zeros.saturating_add(other.zeros);
        self.extremes = match (self.extremes, other.extremes) {
            (Some((a, b)), Some((c, d))) => {
                let least = if c.compare(a).is_lt() { c } else { a };
                Some((least, if d.compare(b).is_gt() { d } else { b }))
            }
            (a, b) => a.or(b),
        };
        self.moments.merge(&other.moments);
        if let Some(theirs) = &other.apart {
            let ours = self.apart.get_or_insert_default();
            ours.nan.merge(theirs.nan);
            ours.positive.merge(theirs.positive);
            ours.negative.merge(theirs.negative);
        }
    }

    /// Makes integers of extremes that were compared as floats, which held them exactly.
    #[expect(clippy::cast_possible_truncation, reason = "integers of 32 bits and fewer")]
    pub(super) fn into_integers(mut self) -> Self {
        let integer = |number| match number {
            Number::Float(value) => Number::Int(value as i64),
            other => other,
        };
        self.extremes = self.extremes.map(|(least, greatest)| (integer(least), integer(greatest)));
        self
    }

    /// NaNs.
    pub fn nan(&self) -> Spots {
        self.apart.as_ref().map(|apart| apart.nan).unwrap_or_default()
    }

    /// Positive infinities.
    pub fn positive_infinity(&self) -> Spots {
        self.apart.as_ref().map(|apart| apart.positive).unwrap_or_default()
    }

    /// Negative infinities.
    pub fn negative_infinity(&self) -> Spots {
        self.apart.as_ref().map(|apart| apart.negative).unwrap_or_default()
    }

    /// How many elements are finite.
    pub fn finite(&self) -> u64 {
        let apart = [self.nan(), self.positive_infinity(), self.negative_infinity()];
        self.elements.saturating_sub(apart.iter().map(|spots| spots.count).sum())
    }

    /// The number of the first element that is not finite.
    pub fn first_non_finite(&self) -> Option<u64> {
        let apart = [self.nan(), self.positive_infinity(), self.negative_infinity()];
        apart.iter().filter_map(|spots| spots.first).min()
    }

    /// The least element that is not NaN, as `np.nanmin`; `None` if there is none.
    pub fn least(&self) -> Option<Number> {
        let infinite = |spots: Spots, value| (spots.count > 0).then_some(Number::Float(value));
        infinite(self.negative_infinity(), f64::NEG_INFINITY)
            .or(self.finite_least())
            .or(infinite(self.positive_infinity(), f64::INFINITY))
    }

    /// The greatest element that is not NaN, as `np.nanmax`.
    pub fn greatest(&self) -> Option<Number> {
        let infinite = |spots: Spots, value| (spots.count > 0).then_some(Number::Float(value));
        infinite(self.positive_infinity(), f64::INFINITY)
            .or(self.finite_greatest())
            .or(infinite(self.negative_infinity(), f64::NEG_INFINITY))
    }

    /// The least finite element.
    pub fn finite_least(&self) -> Option<Number> {
        self.extremes.map(|(least, _)| least)
    }

    /// The greatest finite element.
    pub fn finite_greatest(&self) -> Option<Number> {
        self.extremes.map(|(_, greatest)| greatest)
    }

    /// The largest absolute value of a finite element.
    pub fn largest(&self) -> Option<f64> {
        self.extremes.map(|(least, greatest)| least.value().abs().max(greatest.value().abs()))
    }

    /// Arithmetic mean of the finite elements.
    pub fn mean(&self) -> Option<f64> {
        match self.extremes {
            // Sums round; a mean of equal numbers does not.
            Some((least, greatest)) if least == greatest => Some(least.value()),
            _ => self.moments.mean(),
        }
    }

    /// Standard deviation of the finite elements, as a whole population, like `np.std`.
    pub fn deviation(&self) -> Option<f64> {
        match self.extremes {
            Some((least, greatest)) if least == greatest => Some(0.0),
            _ => self.moments.deviation(),
        }
    }

    /// L2 norm of the finite elements; 0 if there are none.
    pub fn norm(&self) -> f64 {
        self.moments.norm()
    }

    /// The value that all elements have, if there are at least two; NaN is like nothing.
    pub fn constant(&self) -> Option<Number> {
        let (least, greatest) = (self.least()?, self.greatest()?);
        (self.elements > 1 && self.nan().count == 0 && least == greatest).then_some(least)
    }

    /// Whether there are elements, and all are zero.
    pub fn is_all_zero(&self) -> bool {
        self.elements > 0 && self.zeros == self.elements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_compare_as_integers() {
        assert!(Number::UInt(u64::MAX).compare(Number::UInt(u64::MAX - 1)).is_gt());
        assert!(Number::Int(-1).compare(Number::UInt(u64::MAX)).is_lt());
        assert!(Number::Float(0.5).compare(Number::Int(1)).is_lt());
    }

    #[test]
    fn infinities_are_extremes_and_nothing_else() {
        let extremes = (Number::Float(-2.0), Number::Float(3.0));
        let mut figures = Figures::of_finite(2, 0, extremes, Moments::about(-2.0, 2, 5.0, 25.0, 0));
        figures.elements = 4;
        let mut apart = NonFinite::default();
        apart.positive.add(3);
        apart.nan.add(1);
        figures.set_apart(apart);
        assert_eq!((figures.least(), figures.greatest()), (Some(extremes.0), Some(Number::Float(f64::INFINITY))));
        assert_eq!((figures.finite(), figures.mean(), figures.first_non_finite()), (2, Some(0.5), Some(1)));
        assert_eq!(figures.constant(), None);
    }
}
