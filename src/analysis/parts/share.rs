//! Whose turn it is: one process of several reads the units of its share and notes what they came to; the one that
//! makes the report is told.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::mark::Mark;
use super::record::Record;
use super::told::{Call, PartReport, WrongSet, sorted};
use crate::read::checkpoint::Checkpoint;

/// One of several processes that work on one report.
#[derive(Debug)]
pub struct Share {
    role: Role,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Role {
    /// Reads one share: which, from 1, of how many.
    Part { number: u64, of: u64 },
    /// Reads none: these have read, in their order.
    Merged { parts: Vec<PartReport> },
}

#[derive(Debug, Default)]
struct State {
    marks: Vec<Mark>,
    calls: Vec<Call>,
    asked: usize,
    looked_at: LookedAt,
    wrong: Option<WrongSet>,
}

/// How much of all that is to be read is in a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookedAt {
    /// Bytes of tensors that this process has read.
    pub bytes: u64,
    /// Bytes of tensors that all of them read.
    pub of_bytes: u64,
}

/// What is to be done with some units.
pub(in crate::analysis) enum Turn<'s> {
    /// All of them are read.
    All,
    /// Those of a share are.
    Own(Own<'s>),
    /// None is: this is what they came to, in order and without a gap.
    Told(Told<'s>),
}

/// Units, and what they came to.
pub(in crate::analysis) type Told<'s> = Vec<(Range<usize>, &'s [u8])>;

/// The units that are in a share.
pub(in crate::analysis) struct Own<'s> {
    share: &'s Share,
    call: usize,
    /// Which.
    pub(in crate::analysis) units: Range<usize>,
}

impl Share {
    /// The `number`-th (from 1) of so many shares; `None` if there is no such one.
    pub fn part(number: u64, of: u64) -> Option<Self> {
        (1..=of).contains(&number).then(|| Self { role: Role::Part { number, of }, state: Mutex::default() })
    }

    /// What all shares came to, in any order.
    ///
    /// # Errors
    /// If they are not all parts of one report, each once.
    pub fn merged(parts: Vec<PartReport>) -> Result<Self, WrongSet> {
        Ok(Self { role: Role::Merged { parts: sorted(parts)? }, state: Mutex::default() })
    }

    /// Whether this reads one share, and reports on nothing as a whole.
    pub fn is_part(&self) -> bool {
        matches!(self.role, Role::Part { .. })
    }

    /// Which share this reads, of how many; nothing where all are merged.
    pub fn number(&self) -> Option<(u64, u64)> {
        match self.role {
            Role::Part { number, of } => Some((number, of)),
            Role::Merged { .. } => None,
        }
    }

    /// Notes what a checkpoint is that is about to be read; where parts are merged, whether it is what they have read.
    pub fn look_at(&self, checkpoint: &Checkpoint) {
        let mark = Mark::of(checkpoint);
        let mut state = self.state();
        if let Role::Merged { parts } = &self.role {
            let at = state.marks.len();
            for part in parts {
                let why = match part.marks.get(at) {
                    Some(known) => Mark::difference(std::slice::from_ref(known), std::slice::from_ref(&mark)),
                    None => Some("there are more checkpoints now".to_owned()),
                };
                if let Some(why) = why {
                    state.wrong.get_or_insert(WrongSet::Changed { first: part.of_file.clone(), why });
                    break;
                }
            }
        }
        state.marks.push(mark);
    }

    /// What keeps the parts from being parts of what was looked at.
    pub fn wrong(&self) -> Option<WrongSet> {
        self.state().wrong.clone()
    }

    /// How much of all that is to be read this has read so far.
    pub fn looked_at(&self) -> LookedAt {
        self.state().looked_at
    }

    /// Everything that this share came to, at the end of a run; what changed while it was read is an error.
    ///
    /// # Errors
    /// If a checkpoint is no more what it was when it was opened.
    pub fn report(&self) -> Result<PartReport, WrongSet> {
        let (number, of) = self.number().unwrap_or((1, 1));
        let state = self.state();
        for mark in &state.marks {
            if let Some(why) = mark.change() {
                return Err(WrongSet::Changed { first: "the beginning of this part".to_owned(), why });
            }
        }
        let (marks, calls) = (state.marks.clone(), state.calls.clone());
        Ok(PartReport { of_file: String::new(), number, of, marks, calls })
    }

    /// Whether all that the parts came to has been asked for.
    ///
    /// # Errors
    /// What keeps them from being parts of this report.
    pub fn finish(&self) -> Result<(), WrongSet> {
        let state = self.state();
        if let Some(wrong) = &state.wrong {
            return Err(wrong.clone());
        }
        let Role::Merged { parts } = &self.role else { return Ok(()) };
        for part in parts {
            let file = part.of_file.clone();
            if part.marks.len() != state.marks.len() {
                return Err(WrongSet::Changed { first: file, why: "there were more checkpoints then".to_owned() });
            }
            if part.calls.len() != state.asked {
                return Err(WrongSet::Damaged { file, why: "it answers other questions".to_owned() });
            }
        }
        Ok(())
    }

    /// Says of units, by what they weigh, which are to be read now.
    fn turn(&self, what: &str, units: usize, weight: &dyn Fn(usize) -> u64) -> Turn<'_> {
        let all: u64 = (0..units).fold(0, |sum, unit| sum.saturating_add(weight(unit)));
        let weighted = all.saturating_add(units as u64);
        let mut state = self.state();
        let call = state.asked;
        state.asked += 1;
        match &self.role {
            Role::Part { number, of } => {
                let own = own(*number, *of, call as u64, units, weighted, weight);
                let bytes = own.clone().fold(0, |sum: u64, unit| sum.saturating_add(weight(unit)));
                let LookedAt { bytes: sofar, of_bytes } = state.looked_at;
                state.looked_at =
                    LookedAt { bytes: sofar.saturating_add(bytes), of_bytes: of_bytes.saturating_add(all) };
                let what = what.to_owned();
                state.calls.push(Call { what, units, weight: weighted, own: own.clone(), record: Vec::new() });
                Turn::Own(Own { share: self, call, units: own })
            }
            Role::Merged { parts } => match told(parts, call, what, units, weighted) {
                Ok(told) => Turn::Told(told),
                Err(wrong) => {
                    state.wrong.get_or_insert(wrong);
                    // Nothing that follows is shown.
                    Turn::Told(Vec::new())
                }
            },
        }
    }

    /// What a part says of units is not what can be said of them.
    pub(in crate::analysis) fn misfit(share: Option<&Self>, units: &Range<usize>) {
        let Some(share) = share else { return };
        let why = format!("what it says of the units {} to {}", units.start, units.end);
        share.state().wrong.get_or_insert(WrongSet::Damaged { file: "a part".to_owned(), why });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'s> Turn<'s> {
    /// What is to be done with units, of which this is the number and the bytes of each.
    pub(in crate::analysis) fn of(
        share: Option<&'s Share>,
        what: &str,
        units: usize,
        weight: impl Fn(usize) -> u64,
    ) -> Self {
        share.map_or(Self::All, |share| share.turn(what, units, &weight))
    }
}

impl Own<'_> {
    /// What the units came to.
    pub(in crate::analysis) fn note(self, record: Record) {
        if let Some(call) = self.share.state().calls.get_mut(self.call) {
            call.record = record.into_bytes();
        }
    }
}

/// What the parts say of a call, if it is the one that they answer.
fn told<'p>(parts: &'p [PartReport], call: usize, what: &str, units: usize, weight: u64) -> Result<Told<'p>, WrongSet> {
    let bad = |part: &PartReport, why: &str| WrongSet::Damaged { file: part.of_file.clone(), why: why.to_owned() };
    let mut told = Vec::with_capacity(parts.len());
    for part in parts {
        let known = part.calls.get(call).ok_or_else(|| bad(part, "it ends early"))?;
        if known.what != what || known.units != units || known.weight != weight {
            return Err(bad(part, "it answers another question"));
        }
        if !known.own.is_empty() {
            told.push((known.own.clone(), known.record.as_slice(), part));
        }
    }
    told.sort_by_key(|(own, ..)| own.start);
    let mut next = 0;
    for (own, _, part) in &told {
        if own.start != next {
            return Err(bad(part, "its share is not the one of its number"));
        }
        next = own.end;
    }
    match told.last() {
        _ if next == units => {}
        Some((.., part)) => return Err(bad(part, "its share is not the one of its number")),
        None => return Err(WrongSet::Damaged { file: "every part".to_owned(), why: "no unit is in any".to_owned() }),
    }
    Ok(told.into_iter().map(|(own, record, _)| (own, record)).collect())
}

/// The units of a share: those whose middle lies in it. With each call the shares move on, so that of many small things
/// not all go to one process.
fn own(number: u64, of: u64, call: u64, units: usize, all: u64, weight: &dyn Fn(usize) -> u64) -> Range<usize> {
    // The golden section: multiples of it are spread evenly.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let moved = (u128::from(call.wrapping_mul(STEP)) * u128::from(of)) >> 64;
    let mine = u128::from(number.saturating_sub(1)) + u128::from(of) - moved;
    let mine = mine % u128::from(of.max(1));
    let (mut sofar, mut own) = (0u64, 0..0);
    for unit in 0..units {
        let weight = weight(unit).saturating_add(1);
        let middle = sofar.saturating_add(weight / 2);
        sofar = sofar.saturating_add(weight);
        let share = u128::from(middle) * u128::from(of) / u128::from(all.max(1));
        let share = share.min(u128::from(of).saturating_sub(1));
        if share == mine {
            own = if own.is_empty() { unit..unit + 1 } else { own.start..unit + 1 };
        } else if share > mine {
            break;
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(of: u64, call: u64, weights: &[u64]) -> Vec<Range<usize>> {
        let all = weights.iter().map(|weight| weight + 1).sum();
        (1..=of).map(|number| own(number, of, call, weights.len(), all, &|unit| weights[unit])).collect()
    }

    #[test]
    fn every_unit_is_in_one_share_and_shares_are_equal() {
        for (count, of, call) in [(0, 1, 0), (1, 1, 9), (1, 7, 0), (10, 3, 1), (256, 2, 0), (256, 7, 5), (3, 64, 2)] {
            let weights: Vec<u64> = vec![8 << 20; count];
            let mut all = shares(of, call, &weights);
            let count_of = usize::try_from(of).unwrap();
            assert!(all.iter().all(|own| own.len() <= count / count_of + 1), "{all:?}");
            all.retain(|own| !own.is_empty());
            all.sort_by_key(|own| own.start);
            let units: Vec<usize> = all.into_iter().flatten().collect();
            assert_eq!(units, (0..count).collect::<Vec<_>>(), "{count} {of} {call}");
        }
        let whole = u64::MAX / 2 - 2;
        assert_eq!(shares(2, 0, &[whole, 0, 0, whole]), [0..2, 2..4]);
    }

    #[test]
    fn single_things_go_to_different_processes() {
        let mut whose: Vec<usize> =
            (0..8).map(|call| shares(8, call, &[5]).iter().position(|own| own.len() == 1).unwrap()).collect();
        whose.sort_unstable();
        whose.dedup();
        assert!(whose.len() >= 6, "{whose:?}");
    }

    #[test]
    fn there_is_no_share_but_those_from_one_on() {
        assert!(Share::part(0, 3).is_none() && Share::part(4, 3).is_none() && Share::part(1, 0).is_none());
        assert_eq!(Share::part(3, 3).unwrap().number(), Some((3, 3)));
    }
}
