//! What optimizers' own counts say of a run, checkpoint after checkpoint: from indexes alone.
//!
//! Weights have a clock (the step in the name or in a tensor), optimizers have one of their own. As long as nothing
//! happens both go on by the same number, or by numbers of one ratio where gradients are accumulated. An optimizer that
//! is created anew begins at 0.

use super::age::OptimizerAge;
use crate::analysis::survey::step::Step;

/// What a checkpoint says of time.
#[derive(Clone, Debug, Default)]
pub(in crate::analysis) struct Point {
    /// How far the weights are.
    pub(in crate::analysis) clock: Option<u64>,
    /// Whether that counts steps by what the checkpoint holds; the number in a name may count anything.
    pub(in crate::analysis) is_step: bool,
    /// How far each optimizer is.
    pub(in crate::analysis) ages: Vec<OptimizerAge>,
    /// Whether all slots are zero; `None` if there are none that can be told.
    pub(in crate::analysis) is_fresh: Option<bool>,
}

/// What happened to one optimizer between two checkpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    /// Its scope, as in [`OptimizerAge::scope`].
    pub scope: String,
    /// Updates that its slots have seen in between: all of them, or those since it was created anew.
    pub updates: Option<u64>,
    /// That it was created anew in between.
    pub reset: bool,
}

/// What happened between two checkpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Between {
    /// Each optimizer that both have.
    pub optimizers: Vec<Since>,
    /// How many steps the clock of the weights went on, if both have one and it did.
    pub steps: Option<u64>,
    /// That the clock of the weights went back: from where.
    pub went_back: Option<u64>,
    /// Whether time passed at all, as far as anything tells.
    pub passed: Option<bool>,
}

impl Between {
    /// Whether any optimizer was created anew.
    pub fn is_reset(&self) -> bool {
        self.optimizers.iter().any(|since| since.reset)
    }
}

impl Point {
    /// What one checkpoint says.
    pub(in crate::analysis) fn of(step: &Step, ages: &[OptimizerAge], is_fresh: Option<bool>) -> Self {
        // A step that is the optimizer's own count is no second clock.
        let is_own = step.tensor.as_deref().is_some_and(|tensor| ages.iter().any(|age| age.by == tensor));
        let number = step.number.or(step.step.filter(|_| step.tensor.is_none() && !is_own));
        let (clock, is_step) = match step.step {
            Some(counted) if !is_own && step.tensor.is_some() => (Some(counted), true),
            _ => (number.filter(|_| !step.epochs), false),
        };
        Self { clock, is_step, ages: ages.to_vec(), is_fresh }
    }
}

/// A run, as far as it has been told.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Story {
    last: Option<Point>,
    /// Updates, and steps of the clock, of intervals in which nothing happened.
    pace: Option<(u64, u64)>,
    /// The most updates between two checkpoints.
    longest: u64,
}

impl Story {
    /// What happened between the checkpoint before and this one. `None` for the first.
    pub(in crate::analysis) fn next(&mut self, point: &Point) -> Option<Between> {
        let before = self.last.replace(point.clone())?;
        let clocks = before.clock.zip(point.clock);
        let steps = clocks.and_then(|(a, b)| b.checked_sub(a)).filter(|steps| *steps > 0);
        let mut between = Between { steps, ..Between::default() };
        between.went_back = clocks.filter(|(a, b)| b < a).map(|(a, _)| a);
        for age in &point.ages {
            let Some(earlier) = before.ages.iter().find(|earlier| earlier.scope == age.scope) else { continue };
            let since =
                self.since((earlier, age), (before.clock, point.clock), &mut between, point.is_fresh == Some(true));
            between.optimizers.push(since);
        }
        let is_new = before.is_fresh == Some(false) && point.is_fresh == Some(true);
        if is_new && between.optimizers.is_empty() && point.ages.is_empty() {
            between.optimizers.push(Since { scope: String::new(), updates: Some(0), reset: true });
        }
        let went_on = between.optimizers.iter().any(|since| since.reset || since.updates.is_some_and(|n| n > 0));
        let is_told = clocks.is_some() || !between.optimizers.is_empty();
        between.passed = is_told.then_some(went_on || clocks.is_some_and(|(a, b)| a != b));
        Some(between)
    }

    fn since(
        &mut self,
        (earlier, age): (&OptimizerAge, &OptimizerAge),
        clocks: (Option<u64>, Option<u64>),
        between: &mut Between,
        is_fresh: bool,
    ) -> Since {
        let (a, b) = (earlier.updates, age.updates);
        let since = |updates, reset| Since { scope: age.scope.clone(), updates, reset };
        if earlier.at_least || age.at_least {
            // A power that was 0 and is none any more was begun anew.
            let is_reset = earlier.at_least && !age.at_least && b < a;
            return since(if is_reset { Some(b) } else { None }, is_reset);
        }
        let Some(made) = b.checked_sub(a) else {
            // With no other clock, a run that went back to an earlier checkpoint is further than one that begins.
            let is_back = between.went_back.is_some() || (between.steps.is_none() && b > self.longest && !is_fresh);
            if is_back && between.went_back.is_none() {
                between.went_back = Some(a);
            }
            return since(if is_back { None } else { Some(b) }, !is_back);
        };
        let expected = between.steps.and_then(|steps| match self.pace {
            Some((updates, of)) => steps.checked_mul(updates).filter(|n| n % of == 0).map(|n| n / of),
            None => Some(steps),
        });
        // Both counts have been in one ratio since the beginning: gradients are accumulated.
        let product = |count: u64, clock: Option<u64>| u128::from(count) * u128::from(clock.unwrap_or(0));
        let is_steady = a > 0 && between.steps.is_some() && product(a, clocks.1) == product(b, clocks.0);
        // Created anew at the checkpoint before, or behind it: it is no older than the interval.
        let is_reset = a > 0
            && !is_steady
            && expected.is_some_and(|expected| {
                let is_short = made.saturating_mul(20) < expected.saturating_mul(19);
                is_short && b <= expected && (b == expected || self.pace.is_some())
            });
        if is_reset {
            return since(Some(b), true);
        }
        self.longest = self.longest.max(made);
        if let Some(steps) = between.steps.filter(|_| made > 0) {
            let divisor = gcd(made, steps);
            self.pace.get_or_insert((made / divisor, steps / divisor));
        }
        since(Some(made), false)
    }

    /// Updates a step of the clock, where intervals told it.
    pub(in crate::analysis) fn pace(&self) -> Option<(u64, u64)> {
        self.pace
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(clock: Option<u64>, updates: u64) -> Point {
        let age = OptimizerAge {
            scope: String::new(),
            updates,
            at_least: false,
            by: "optimizer/iterations".to_owned(),
            betas: None,
            learning_rate: None,
        };
        Point { clock, is_step: true, ages: vec![age], is_fresh: None }
    }

    /// Updates of each interval, with `!` where the optimizer was created anew and `<` where time went back.
    fn told(points: &[(Option<u64>, u64)]) -> Vec<String> {
        let mut story = Story::default();
        let between = points.iter().filter_map(|(clock, updates)| story.next(&point(*clock, *updates)));
        between
            .map(|between| {
                let since = &between.optimizers[0];
                let updates = since.updates.map_or_else(|| "?".to_owned(), |n| n.to_string());
                let marks = (if since.reset { "!" } else { "" }, if between.went_back.is_some() { "<" } else { "" });
                format!("{updates}{}{}", marks.0, marks.1)
            })
            .collect()
    }

    fn clocked(points: &[(u64, u64)]) -> Vec<String> {
        told(&points.iter().map(|(clock, updates)| (Some(*clock), *updates)).collect::<Vec<_>>())
    }

    #[test]
    fn optimizers_that_are_created_anew() {
        assert_eq!(clocked(&[(100, 100), (200, 200), (300, 300)]), ["100", "100"]);
        assert_eq!(clocked(&[(100, 100), (200, 200), (300, 50)]), ["100", "50!"]);
        // Right at a checkpoint: the count is the same as a run before.
        assert_eq!(clocked(&[(100, 100), (200, 100), (300, 200)]), ["100!", "100"]);
        assert_eq!(clocked(&[(50, 50), (150, 100)]), ["100!"]);
        assert_eq!(clocked(&[(100, 100), (200, 200), (400, 200)]), ["100", "200!"]);
        // In the middle of an interval, with a count that is higher than the one before.
        assert_eq!(clocked(&[(10, 10), (20, 20), (120, 60)]), ["10", "60!"]);
        assert_eq!(clocked(&[(100, 100), (200, 0)]), ["0!"]);
    }

    #[test]
    fn other_paces_are_no_resets() {
        // Gradients of four steps are accumulated; a few steps of mixed precision are skipped.
        assert_eq!(clocked(&[(100, 25), (200, 50), (300, 75)]), ["25", "25"]);
        assert_eq!(clocked(&[(100, 98), (200, 196), (300, 296)]), ["98", "100"]);
        assert_eq!(clocked(&[(0, 0), (100, 100), (200, 200)]), ["100", "100"]);
        assert_eq!(clocked(&[(100, 50), (200, 100), (300, 150)]), ["50", "50"]);
        // Two updates a step.
        assert_eq!(clocked(&[(100, 200), (200, 400)]), ["200"]);
    }

    #[test]
    fn without_another_clock() {
        let saves = |counts: &[u64]| told(&counts.iter().map(|count| (None, *count)).collect::<Vec<_>>());
        assert_eq!(saves(&[100, 200, 300]), ["100", "100"]);
        assert_eq!(saves(&[100, 200, 300, 100, 200]), ["100", "100", "100!", "100"]);
        assert_eq!(saves(&[100, 200, 300, 250]), ["100", "100", "?<"]);
        assert_eq!(clocked(&[(100, 100), (200, 200), (150, 150)]), ["100", "?<"]);
    }
}
