//! What is gathered of one weight and its slots, element by element.

use super::bound::Bound;
use super::element::Element;
use super::rule::Never;
use super::units::{NOTHING, Still, Units};

/// How the elements of a weight are gone through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// What is left of a slot behind the interval: a slot cannot be less.
    pub(super) left: f64,
    /// A slot may be less by this share, which is rounding.
    pub(super) rounding: f64,
    /// How far the weight can have moved.
    pub(super) bound: Option<Bound>,
    /// What the momentum gains for one gradient is this: of one update alone.
    pub(super) gain: Option<(f64, f64)>,
    pub(super) never: Never,
    /// Elements of a row; 0 if rows are not looked at.
    pub(super) row: u64,
    /// What shows that an element had no gradient, if something does.
    pub(super) still: Option<Still>,
}

/// Sums over the elements of a weight.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) moved: f64,
    pub(super) weight: f64,
    pub(super) weight_before: f64,
    pub(super) slot_before: f64,
    pub(super) slot_after: f64,
    /// Squares of gradients, where one update tells them.
    pub(super) gradients: f64,
    pub(super) not_finite: u64,
    /// Slots that are less than what must be left of them.
    pub(super) impossible: u64,
    pub(super) rate: f64,
    pub(super) never: u64,
    /// Whether the weight or its slot is another than before anywhere.
    pub(super) has_changed: bool,
    /// Which units had a gradient, where that is looked at.
    pub(super) units: Option<Units>,
    /// The row that is being gone through: its elements so far, and the one number that all of them have had.
    row: (u64, Option<f64>),
    /// The lowest number of a slot, and of those that fill a row alone.
    lowest: Option<f64>,
    lowest_row: Option<f64>,
}

impl Sums {
    /// Nothing yet, of a weight with these units.
    pub(super) fn of(units: Option<Units>) -> Self {
        Self { units, ..Self::default() }
    }

    pub(super) fn add(&mut self, element: Element, way: &Way) {
        let Element { weight: (before, after), slot: (old, new), .. } = element;
        if let Some(units) = &mut self.units {
            units.add(old, new);
        }
        self.has_changed |= before != Some(after) || old.to_bits() != new.to_bits();
        if !after.is_finite() || !new.is_finite() {
            self.not_finite = self.not_finite.saturating_add(1);
            self.row(f64::NAN, way);
            return;
        }
        self.weight += after * after;
        self.slot_before += old;
        self.slot_after += new;
        if old > f64::from(f32::MIN_POSITIVE) * 1e3 && new < old * way.left * (1.0 - way.rounding) {
            self.impossible = self.impossible.saturating_add(1);
        }
        if let Some((kept, per_gradient)) = way.gain {
            let gradient = (new - kept * old) / per_gradient;
            self.gradients += gradient * gradient;
        }
        if let Some(before) = before {
            let moved = (after - before).abs();
            self.moved += moved * moved;
            self.weight_before += before * before;
        }
        if let Some(bound) = &way.bound {
            self.rate = self.rate.max(bound.rate(&element));
        }
        self.row(new, way);
    }

    fn row(&mut self, slot: f64, way: &Way) {
        if way.row == 0 || way.never == Never::Unknown {
            return;
        }
        self.lowest = Some(self.lowest.map_or(slot, |lowest| lowest.min(slot)));
        let (seen, same) = self.row;
        let slot = if slot.abs() <= NOTHING { 0.0 } else { slot };
        let same = if seen == 0 || same == Some(slot) { Some(slot) } else { None };
        self.row = (seen.saturating_add(1), same);
        if self.row.0 < way.row {
            return;
        }
        self.row = (0, None);
        match (way.never, same) {
            (Never::Zero, Some(0.0)) => self.never = self.never.saturating_add(1),
            (Never::Lowest, Some(number)) => match self.lowest_row {
                Some(lowest) if number > lowest => {}
                Some(lowest) if number.to_bits() == lowest.to_bits() => self.never = self.never.saturating_add(1),
                _ => (self.lowest_row, self.never) = (Some(number), 1),
            },
            _ => {}
        }
    }

    /// Rows that have never had a gradient, after all elements.
    pub(super) fn never_trained(&self, way: &Way) -> Option<u64> {
        match way.never {
            _ if way.row == 0 => None,
            Never::Unknown => None,
            Never::Zero => Some(self.never),
            // A row of any other number has had one.
            Never::Lowest => {
                Some(if self.lowest_row.is_some() && self.lowest_row == self.lowest { self.never } else { 0 })
            }
        }
    }
}
