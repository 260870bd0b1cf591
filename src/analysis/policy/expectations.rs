//! What a policy expects of a checkpoint, held against it: one finding for each thing that is not so.

use super::compared::compared;
use super::model::{Check, Expect, Policy};
use super::words::{listed, paths_of, quoted, says};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::naming::roles::{Role, Roles, short_name};
use crate::analysis::naming::totals::Totals;
use crate::base::escape::escaped;
use crate::base::nearest::nearest;
use crate::base::progress::Progress;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::DType;

/// Tensors that a finding keeps.
const KEPT: usize = 1000;

/// What came of expectations.
#[derive(Debug, Default)]
pub(in crate::analysis) struct Outcome {
    /// What is not as expected.
    pub(in crate::analysis) findings: Vec<Finding>,
    /// How many things were expected and looked at.
    pub(in crate::analysis) checked: u64,
    /// How many of these are not so.
    pub(in crate::analysis) broken: u64,
}

/// Holds the expectations of a policy against a checkpoint. With `quick` nothing but indexes is read.
pub(in crate::analysis) fn check(
    policy: &Policy,
    checkpoint: &Checkpoint,
    quick: bool,
    progress: &Progress,
) -> Outcome {
    let expects = policy.expects_of(&paths_of(checkpoint));
    let mut outcome = Outcome::default();
    if expects.is_empty() {
        return outcome;
    }
    let mut tallies = by_listing(&expects, checkpoint);
    for expect in expects {
        let tally: Vec<Seen> = tallies.drain(..expect.checks.len().min(tallies.len())).collect();
        for ((check, line), seen) in expect.checks.iter().zip(tally) {
            if check.needs_base() {
                continue;
            }
            let says = says(policy, *line);
            let finding = verdict(expect, check, &seen, &says, checkpoint);
            outcome.checked += 1;
            outcome.broken += u64::from(finding.is_some());
            outcome.findings.extend(finding.map(|finding| about(finding, expect, checkpoint)));
        }
        for finding in compared(policy, expect, checkpoint, quick, progress, &mut outcome.checked) {
            outcome.broken += 1;
            outcome.findings.push(about(finding, expect, checkpoint));
        }
    }
    outcome
}

/// A finding of a checkpoint, with the reason of the expectation.
fn about(finding: Finding, expect: &Expect, checkpoint: &Checkpoint) -> Finding {
    let file = finding.file.clone().unwrap_or_else(|| checkpoint.described_by());
    let mut finding = finding.in_file(file);
    if let Some(reason) = &expect.reason {
        finding.message = format!("{} (why: {})", finding.message, escaped(reason.as_bytes()));
    }
    finding
}

/// What was seen of one check.
#[derive(Debug, Default)]
struct Seen {
    /// Tensors that it is about.
    about: u64,
    totals: Totals,
    /// The first of those that are to be named.
    names: Vec<Vec<u8>>,
    /// All of them.
    named: u64,
    /// The dtypes that they have.
    dtypes: Vec<DType>,
}

impl Seen {
    fn name(&mut self, tensor: &Tensor) {
        self.named += 1;
        if self.names.len() < KEPT {
            self.names.push(tensor.name.clone());
        }
        if !self.dtypes.contains(&tensor.dtype) {
            self.dtypes.push(tensor.dtype);
        }
    }

    fn add(&mut self, expect: &Expect, check: &Check, tensor: &Tensor, role: Role) {
        let takes = match check {
            Check::Present(_, selector) | Check::Absent(_, selector) => selector.takes(tensor, role),
            Check::Frozen(..) | Check::Changed(..) => return,
            Check::MaxBytes(_) | Check::MaxParameters(_) | Check::DTypes(_) => expect.selector.takes(tensor, role),
        };
        if !takes {
            return;
        }
        self.about += 1;
        self.totals.add(tensor);
        match check {
            Check::Absent(..) => self.name(tensor),
            Check::DTypes(dtypes) if !dtypes.contains(&tensor.dtype) => self.name(tensor),
            _ => {}
        }
    }
}

/// All checks, in one run over the tensors.
fn by_listing(expects: &[&Expect], checkpoint: &Checkpoint) -> Vec<Seen> {
    let checks: Vec<(&Expect, &Check)> =
        expects.iter().flat_map(|expect| expect.checks.iter().map(|(check, _)| (*expect, check))).collect();
    let asks = |(expect, check): &(&Expect, &Check)| match check {
        Check::Present(_, selector) | Check::Absent(_, selector) => selector.asks_roles(),
        _ => expect.selector.asks_roles(),
    };
    let roles = checks.iter().any(asks).then(|| Roles::of(checkpoint));
    let mut all: Vec<Seen> = checks.iter().map(|_| Seen::default()).collect();
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        let role = roles.as_ref().map_or(Role::Other, |roles| roles.role(at));
        for ((expect, check), seen) in checks.iter().zip(&mut all) {
            seen.add(expect, check, tensor, role);
        }
    }
    all
}

fn verdict(expect: &Expect, check: &Check, seen: &Seen, says: &str, checkpoint: &Checkpoint) -> Option<Finding> {
    let of = || match expect.tensors.as_slice() {
        [] => String::new(),
        terms => format!(" of {}", quoted(&terms.join(" "))),
    };
    let too_large = |code, found: u64, most: u64, what: &str| {
        let message = format!("{found} {what}{} are more than the {most} that {says} allows", of());
        let finding = Finding::new(code, message);
        Finding { expected: Some(format!("at most {most}")), found: Some(found.to_string()), ..finding }
    };
    let finding = match check {
        Check::Present(text, _) if seen.about == 0 => {
            let mut message = format!("{says} expects {}, and no tensor of that name is there", quoted(text));
            if text.contains(['*', '?', '[', ':', ' ', '!']) {
                message = format!("{says} expects {}, and no tensor matches it", quoted(text));
            }
            if !checkpoint.damage().is_empty() {
                message.push_str("; a part of the index could not be read, it may have been there");
            }
            let finding = Finding::new(Code::ExpectPresent, message);
            match near(text, checkpoint) {
                Some(near) => finding.with_help(format!("there is {near}")),
                None => finding,
            }
        }
        Check::Absent(text, _) if seen.about > 0 => {
            let message = format!("{says} expects no {}, and there {}", quoted(text), are(seen));
            with_tensors(Finding::new(Code::ExpectAbsent, message), seen)
        }
        Check::MaxBytes(_) | Check::MaxParameters(_) | Check::DTypes(_)
            if seen.about == 0 && !expect.tensors.is_empty() =>
        {
            let message = format!(
                "{says} expects {} to have {}, and no tensor matches",
                quoted(&expect.tensors.join(" ")),
                check.name()
            );
            Finding::new(Code::ExpectPresent, message)
        }
        Check::MaxBytes(most) if seen.totals.bytes > *most => {
            too_large(Code::ExpectBudget, seen.totals.bytes, *most, "bytes")
        }
        Check::MaxParameters(most) if seen.totals.parameters > *most => {
            too_large(Code::ExpectBudget, seen.totals.parameters, *most, "parameters")
        }
        Check::DTypes(allowed) if seen.named > 0 => {
            let names = |dtypes: &[DType]| dtypes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let (allowed, has) = (names(allowed), names(&seen.dtypes));
            let message = format!("{says} allows {allowed}, and there {}, with {has}", are(seen));
            let finding =
                Finding { expected: Some(allowed), found: Some(has), ..Finding::new(Code::ExpectDType, message) };
            with_tensors(finding, seen)
        }
        _ => return None,
    };
    Some(finding)
}

/// "are 12 tensors: a, b, c and 9 more".
fn are(seen: &Seen) -> String {
    let names = listed(seen.names.iter().map(Vec::as_slice), seen.named);
    if seen.named == 1 { format!("is {names}") } else { format!("are {} tensors: {names}", seen.named) }
}

fn with_tensors(finding: Finding, seen: &Seen) -> Finding {
    match seen.names.as_slice() {
        [only] => finding.for_tensor(only),
        names => Finding { explains: names.to_vec(), ..finding },
    }
}

/// A name that is close.
fn near(text: &str, checkpoint: &Checkpoint) -> Option<String> {
    let names = checkpoint.tensors().iter().map(|tensor| short_name(&tensor.name).to_vec());
    let near = nearest(text.as_bytes(), names, 1);
    near.first().map(|name| escaped(name).into_owned())
}
