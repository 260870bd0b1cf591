//! Units that had no gradient between two checkpoints: indexes of the last axis of a kernel, of which no slot gained
//! anything.

use super::rule::{Measure, Rule};

/// More than this are not the units of a layer, and are not counted.
const MOST: u64 = 1 << 20;

/// Squares of gradients below this are none: Adafactor adds less than it to each.
pub(super) const NOTHING: f64 = 1e-28;

/// How the slot of an element shows that there was no gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Still {
    /// It began empty and still is.
    Empty,
    /// Nothing was added to it.
    Same,
    /// It fell as far as it forgets: it is not above `left` of what it was, but for a share of rounding.
    Fallen { left: f64, rounding: f64 },
}

impl Still {
    /// What tells it by a rule, if the slot `left` so much in the interval. A momentum tells nothing: its gradients have
    /// signs.
    pub(super) fn of(measure: &Measure, is_new: bool, left: Option<f64>, rounding: f64) -> Option<Self> {
        match measure.rule {
            _ if is_new => measure.begins_at_zero.then_some(Self::Empty),
            Rule::Forgets { .. } | Rule::Decays => left.map(|left| Self::Fallen { left, rounding }),
            Rule::Sums => Some(Self::Same),
            Rule::Largest | Rule::First { .. } => None,
        }
    }

    fn holds(self, old: f64, new: f64) -> bool {
        match self {
            Self::Empty => new.abs() <= NOTHING,
            Self::Same => new.to_bits() == old.to_bits(),
            Self::Fallen { left, rounding } => new <= (old * left).mul_add(1.0 + rounding, NOTHING),
        }
    }
}

/// The units of one weight, while its elements pass in their order.
#[derive(Clone, Debug)]
pub(super) struct Units {
    still: Still,
    has_gradient: Vec<bool>,
    at: usize,
}

impl Units {
    /// Of a weight of at least two axes, the last of which has more than one index. `None` if it has no units, or more
    /// than are kept.
    pub(super) fn new(still: Still, dims: &[i64]) -> Option<Self> {
        let [_, .., last] = dims else { return None };
        let units = u64::try_from(*last).ok().filter(|units| (2..=MOST).contains(units))?;
        Some(Self { still, has_gradient: vec![false; usize::try_from(units).ok()?], at: 0 })
    }

    /// The slot of the next element, before and after; what is not finite counts as a gradient.
    pub(super) fn add(&mut self, old: f64, new: f64) {
        if let Some(has_gradient) = self.has_gradient.get_mut(self.at) {
            *has_gradient |= !self.still.holds(old, new);
        }
        self.at = self.at.saturating_add(1);
        if self.at >= self.has_gradient.len() {
            self.at = 0;
        }
    }

    /// How many had none, of how many.
    pub(super) fn dead(&self) -> (u64, u64) {
        let dead = self.has_gradient.iter().filter(|has| !**has).count();
        (dead as u64, self.has_gradient.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(still: Still, slots: &[(f64, f64)]) -> (u64, u64) {
        let mut units = Units::new(still, &[2, 3]).unwrap();
        for (old, new) in slots {
            units.add(*old, *new);
        }
        units.dead()
    }

    #[test]
    fn a_unit_is_dead_if_no_element_of_it_had_a_gradient() {
        let fallen = Still::Fallen { left: 0.5, rounding: 1e-5 };
        // The second unit gains in its second row, the third in none.
        let slots = [(1.0, 0.6), (1.0, 0.5), (1.0, 0.5), (1.0, 0.6), (1.0, 0.6), (1.0, 0.500_001)];
        assert_eq!(dead(fallen, &slots), (1, 3));
        assert_eq!(dead(Still::Same, &[(1.0, 1.0); 6]), (3, 3));
        assert_eq!(dead(Still::Same, &[(1.0, 1.1), (1.0, 1.0), (1.0, 1.0)]), (2, 3));
        assert_eq!(dead(Still::Empty, &[(0.0, 0.0), (0.0, 0.1), (0.0, f64::NAN)]), (1, 3));
    }

    #[test]
    fn vectors_and_what_is_too_wide_have_no_units() {
        for dims in [&[][..], &[3], &[3, 1], &[3, 0], &[3, -1], &[1, i64::MAX]] {
            assert!(Units::new(Still::Same, dims).is_none(), "{dims:?}");
        }
    }
}
