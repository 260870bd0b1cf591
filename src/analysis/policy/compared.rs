//! Frozen and changed tensors of a policy: a comparison with the base, by what `diff` expects.

use std::ops::ControlFlow;

use super::model::{Check, Expect, Policy};
use super::words::{listed, paths_of, quoted, says};
use crate::analysis::diff::{Comparison, Depth, DiffOptions, Expectation, Expected, Expecting};
use crate::analysis::finding::{Code, Finding};
use crate::base::error::Result;
use crate::base::escape::Escaped;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Choice};

impl Policy {
    /// What a comparison is to expect of its second side.
    pub fn of_comparison(&self, second: &Checkpoint) -> Vec<Expecting> {
        self.expects_of(&paths_of(second)).into_iter().flat_map(|expect| expecting(self, expect)).collect()
    }
}

/// What one table expects of a comparison.
fn expecting(policy: &Policy, expect: &Expect) -> Vec<Expecting> {
    let one = |(check, line): &(Check, usize)| {
        let (expected, text, selector) = match check {
            Check::Frozen(text, selector) => (Expected::Same, text, selector),
            Check::Changed(text, selector) => (Expected::Changed, text, selector),
            _ => return None,
        };
        let by = Some(says(policy, *line));
        Some(Expecting { expected, text: text.clone(), selector: selector.clone(), by })
    };
    expect.checks.iter().filter_map(one).collect()
}

/// Compares a checkpoint with the base of an expectation, if that has one; adds how many expectations were looked at.
pub(super) fn compared(
    policy: &Policy,
    expect: &Expect,
    checkpoint: &Checkpoint,
    quick: bool,
    progress: &Progress,
    checked: &mut u64,
) -> Vec<Finding> {
    let expectations = expecting(policy, expect);
    let Some(base) = expect.base.as_ref().filter(|_| !expectations.is_empty()) else { return Vec::new() };
    *checked += expectations.len() as u64;
    let base_name = Escaped(base.as_os_str().as_encoded_bytes()).to_string();
    let threads = checkpoint.threads_for(checkpoint.tensors().len());
    let run = |base: &Checkpoint, depth, expectations| -> Result<Vec<Expectation>> {
        let options = DiffOptions { depth, expectations, threads, ..DiffOptions::default() };
        let comparison = Comparison::new(base, checkpoint, &options)?;
        Ok(comparison.each(progress, |_| (), |(), _| ControlFlow::Continue(())).0.expectations)
    };
    let found = Checkpoint::open(base, Choice::default(), checkpoint.limits()).and_then(|base| {
        // What indexes tell is enough, but where they do not.
        let found = run(&base, Depth::Index, expectations.clone())?;
        if quick || found.iter().all(|expectation| expectation.unjudged == 0) {
            return Ok(found);
        }
        run(&base, Depth::Values, expectations.clone())
    });
    match found {
        Ok(found) => found.iter().filter_map(|one| finding(one, &base_name)).collect(),
        Err(error) => {
            let by = says(policy, expect.line);
            let help = error.help().map_or_else(String::new, |help| format!("; {help}"));
            let message =
                format!("{by} expects frozen or changed tensors, and the base cannot be opened: {error}{help}");
            vec![Finding::new(Code::ExpectUndecided, message).in_file(base)]
        }
    }
}

fn finding(one: &Expectation, base: &str) -> Option<Finding> {
    if one.holds() {
        return None;
    }
    let (code, wish) = match one.expected {
        Expected::Same => (Code::ExpectFrozen, format!("the same as in {base}")),
        Expected::Changed => (Code::ExpectChanged, format!("other than in {base}")),
    };
    let by = one.by.as_deref().unwrap_or("the policy");
    let what = quoted(&one.selector);
    if one.matched == 0 {
        return Some(Finding::new(code, format!("{by} expects {what} to be {wish}, and no tensor matches it")));
    }
    if one.broken == 0 {
        let message = format!(
            "{by} expects {what} to be {wish}: {} of {} tensors could not be compared",
            one.unjudged, one.matched
        );
        return Some(Finding::new(Code::ExpectUndecided, message));
    }
    let names = listed(one.examples.iter().map(|(name, _)| &**name), one.broken);
    let mut message =
        format!("{by} expects {what} to be {wish}: {} of {} tensors are not: {names}", one.broken, one.matched);
    if one.unjudged > 0 {
        message = format!("{message}; {} could not be compared", one.unjudged);
    }
    let mut all: Vec<Vec<u8>> = one.examples.iter().map(|(name, _)| name.to_vec()).collect();
    let only = (all.len() == 1).then(|| all.pop()).flatten();
    Some(Finding { tensor: only, explains: all, ..Finding::new(code, message) })
}
