//! The step of a checkpoint: which tensor holds it, and what the number in the name counts.
//!
//! Savers before TensorFlow 2 put the step into the name and into `global_step`. `tf.train.Checkpoint.save` and
//! `CheckpointManager` put the number of saves there instead (`python/checkpoint/checkpoint.py`, `save_counter`), and
//! what is a step then lies in a variable of the program or of its optimizer.

use super::own_counter::{self, Own, Told};
use crate::analysis::derived::{derived, is_missing};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::forensics::Derived;
use crate::analysis::naming::roles::{SCOPES, short_name};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::{Checked, DType};

/// What is known of how far training had come.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// The step: from the name where that counts steps, else from a tensor.
    pub step: Option<u64>,
    /// The number in the name where it counts saves.
    pub save: Option<u64>,
    /// The number in the name where it is neither of them: an epoch, or whatever the program chose.
    pub number: Option<u64>,
    /// The tensor that holds the step, as it is called in the program.
    pub tensor: Option<String>,
    /// Whether the step is only likely: nothing but its place and its name say that this tensor counts steps.
    pub likely: bool,
    /// Whether the number in the name counts epochs.
    pub epochs: bool,
    pub(in crate::analysis) finding: Option<Finding>,
}

/// Who counts in a tensor, the one to be believed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counts {
    /// `tf.compat.v1.train.get_or_create_global_step`: savers take the number in the name from it.
    Global,
    /// A variable of the program.
    Program,
    /// The optimizer's own count of updates.
    Optimizer,
}

/// A number and what it rests on, if it was derived from its checksum.
struct Value {
    number: u64,
    derived: Option<Derived>,
}

/// No run takes more steps; a larger number is another one with the same checksum.
pub(in crate::analysis) const MOST_STEPS: u64 = 1 << 31;

const SAVE_COUNTER: &[u8] = b"save_counter";

impl Step {
    /// Looks for the step. Reads a tensor of one element or two.
    pub fn of(checkpoint: &Checkpoint) -> Self {
        let named = checkpoint.origin().prefix.step();
        let mut candidates: Vec<(Counts, usize, Tensor)> = Vec::new();
        let (mut counter, mut own) = (None, Vec::new());
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            if tensor.elements() != Some(1) {
                continue;
            }
            let name = short_name(&tensor.name);
            if name == SAVE_COUNTER {
                counter = Some(tensor.clone());
            } else if let Some(counts) = counts(name, tensor.dtype) {
                candidates.push((counts, name.len(), tensor.clone()));
            } else if own_counter::may_count(tensor) && own.len() <= own_counter::MOST_READ {
                own.push(tensor.clone());
            }
        }
        candidates.sort_by(|a, b| (a.0, a.1, &a.2.name).cmp(&(b.0, b.1, &b.2.name)));
        let save = named.filter(|named| {
            counter.and_then(|tensor| value(checkpoint, &tensor)).is_some_and(|value| value.number == *named)
        });
        let by_name = named.filter(|_| save.is_none());
        match chosen(checkpoint, &candidates, by_name) {
            Some(stored) => Self::judge(named, save, Some(stored)),
            None => Self::of_own(checkpoint, &own, Self::judge(named, save, None)),
        }
    }

    /// The step by a tensor that the program calls as it likes, where no other holds it.
    fn of_own(checkpoint: &Checkpoint, tensors: &[Tensor], known: Self) -> Self {
        // So many numbers are state of something else.
        if tensors.len() > own_counter::MOST_READ {
            return known;
        }
        let read = |tensor: &Tensor| {
            let name = short_name(&tensor.name).to_vec();
            let value = value(checkpoint, tensor).filter(|value| value.derived.is_none())?;
            Some(Own { name, is_float: tensor.dtype.is_float(), number: value.number })
        };
        let own: Vec<Own> = tensors.iter().filter_map(read).collect();
        let Some((found, told)) = own_counter::told(&own, known.step, checkpoint.is_object_based()) else {
            return known;
        };
        let tensor = Some(escaped(&found.name).into_owned());
        match told {
            Told::Named => Self { tensor, ..known },
            Told::Epoch => Self { step: None, number: known.step, epochs: true, tensor: None, ..known },
            Told::Likely => {
                let number = known.step.filter(|named| *named != found.number);
                Self { step: Some(found.number), number, tensor, likely: true, ..known }
            }
        }
    }

    fn judge(named: Option<u64>, save: Option<u64>, stored: Option<(Counts, String, Value)>) -> Self {
        let Some((counts, tensor, value)) = stored else {
            return Self { step: named.filter(|_| save.is_none()), save, ..Self::default() };
        };
        let number = value.number;
        let differs = named.is_some_and(|named| named != number);
        let derived = value.derived.map(|derived| {
            let assumption = derived.assumption().map_or_else(String::new, |text| format!(" {text}"));
            let message =
                format!("the data of the step is missing; by the checksum of {tensor} it is {number}{assumption}");
            Finding::new(Code::DerivedValue, message)
        });
        // A run that never counted says nothing against the number in the name.
        if save.is_none() && differs && number == 0 && counts == Counts::Optimizer {
            return Self { step: named, ..Self::default() };
        }
        // Only a saver that is given the global step promises that it is the number in the name.
        let promised = save.is_none() && counts == Counts::Global;
        let finding = match named {
            _ if derived.is_some() => derived,
            Some(named) if promised && differs => {
                let message = format!("the name says step {named}, the tensor {tensor} says {number}");
                Some(Finding::new(Code::StepDisagrees, message))
            }
            _ => None,
        };
        Self {
            step: named.filter(|_| promised).or(Some(number)),
            save,
            number: named.filter(|_| save.is_none() && differs && !promised),
            tensor: Some(tensor),
            finding,
            ..Self::default()
        }
    }

    /// In words: `save 4, step 7500`.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        words.extend(self.save.map(|save| format!("save {save}")));
        words.extend(self.step.map(|step| match &self.tensor {
            Some(tensor) if self.likely => format!("probably step {step}, by {tensor}"),
            _ => format!("step {step}"),
        }));
        let numbered = |n| if self.epochs { format!("epoch {n}") } else { format!("{n} in its name") };
        words.extend(self.number.map(numbered));
        words
    }

    /// The step in the name against the one that was read.
    pub(in crate::analysis) fn disagreement(&self) -> Option<&Finding> {
        self.finding.as_ref().filter(|finding| finding.code == Code::StepDisagrees)
    }
}

/// The first candidate that has a value, or that has the number in the name. Several optimizers tell one step only if
/// they agree on it.
fn chosen(
    checkpoint: &Checkpoint,
    candidates: &[(Counts, usize, Tensor)],
    named: Option<u64>,
) -> Option<(Counts, String, Value)> {
    const TRIED: usize = 8;
    for group in candidates.chunk_by(|a, b| a.0 == b.0) {
        let mut values = group.iter().take(TRIED).filter_map(|(counts, _, tensor)| {
            let name = escaped(short_name(&tensor.name)).into_owned();
            Some((*counts, name, value(checkpoint, tensor)?))
        });
        let Some(first) = values.next() else { continue };
        if first.0 == Counts::Optimizer {
            return values.all(|(.., value)| value.number == first.2.number).then_some(first);
        }
        let is_named = |of: &Value| Some(of.number) == named;
        return if is_named(&first.2) { Some(first) } else { values.find(|(.., of)| is_named(of)).or(Some(first)) };
    }
    None
}

/// Whether an optimizer of Keras counts its updates in a scalar of this name.
pub(in crate::analysis) fn is_optimizer_count(name: &[u8], dtype: DType) -> bool {
    dtype.is_integer() && counts(name, dtype) == Some(Counts::Optimizer)
}

/// Who counts in a scalar of this name.
fn counts(name: &[u8], dtype: DType) -> Option<Counts> {
    let name = name.strip_suffix(b":0").unwrap_or(name);
    let (scope, last) = match name.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (name.get(..slash)?, name.get(slash.checked_add(1)?..)?),
        None => (&[][..], name),
    };
    // TFLearn counts in float32 (`tflearn/helpers/trainer.py`).
    if dtype == DType::Float32 {
        return match numberless(last) {
            b"Global_Step" => Some(Counts::Program),
            b"Training_step" => Some(Counts::Optimizer),
            _ => None,
        };
    }
    if !matches!(dtype, DType::Int64 | DType::Int32) {
        return None;
    }
    if last == b"global_step" && !is_optimizer(scope) {
        return Some(if scope.is_empty() { Counts::Global } else { Counts::Program });
    }
    match last {
        b"train_step" | b"training_step" | b"_train_step_counter" | b"train_step_counter" | b"Global_Step" => {
            Some(Counts::Program)
        }
        b"step" | b"steps" | b"train_steps" | b"training_steps" if scope.is_empty() => Some(Counts::Program),
        // `OptimizerV2` tracks `iter`, Keras since 2.11 `_iterations`; name-based checkpoints have `Adam/iter`.
        b"iter" | b"iterations" | b"_iterations" | b"iteration" if is_optimizer(scope) => Some(Counts::Optimizer),
        // Keras 3 writes the variables of an optimizer in order, and its count is the first.
        b"0" if [&b"/vars"[..], b"/_variables"]
            .iter()
            .any(|end| scope.strip_suffix(*end).is_some_and(is_optimizer)) =>
        {
            Some(Counts::Optimizer)
        }
        _ => None,
    }
}

/// A name without the number that makes it unlike others: `Global_Step_1`.
fn numberless(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|byte| *byte == b'_').map(|at| name.split_at(at)) {
        Some((front, number)) if number.len() > 1 && number.iter().skip(1).all(u8::is_ascii_digit) => front,
        _ => name,
    }
}

/// Whether the last component of a scope is what optimizers are called.
fn is_optimizer(scope: &[u8]) -> bool {
    let last = scope.rsplit(|byte| *byte == b'/').next().unwrap_or(scope).to_ascii_lowercase();
    let plain: &[u8] = &last;
    let end =
        plain.iter().rposition(|byte| !byte.is_ascii_digit() && *byte != b'_').map_or(0, |at| at.saturating_add(1));
    let plain = plain.get(..end).unwrap_or(plain);
    last.windows(5).any(|window| window == b"optim")
        || SCOPES.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(plain))
}

/// The value of a counter: what was saved, or what its checksum says where its data is missing.
fn value(checkpoint: &Checkpoint, tensor: &Tensor) -> Option<Value> {
    if is_missing(checkpoint, tensor) {
        let derived = derived(checkpoint, tensor)?;
        let number = match derived.dtype {
            DType::Float32 => whole(f32::from_le_bytes(*derived.bytes.first_chunk()?))?,
            _ => u64::try_from(derived.integer()?).ok()?,
        };
        return (number <= MOST_STEPS).then_some(Value { number, derived: Some(derived) });
    }
    let mut bytes = Vec::new();
    let checked = checkpoint.read_all(tensor, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    if !matches!(checked, Ok(Checked::Verified)) {
        return None;
    }
    let number = match tensor.dtype {
        DType::Int64 => u64::try_from(i64::from_le_bytes(bytes.try_into().ok()?)).ok()?,
        DType::Int32 => u64::try_from(i32::from_le_bytes(bytes.try_into().ok()?)).ok()?,
        DType::UInt64 => u64::from_le_bytes(bytes.try_into().ok()?),
        DType::UInt32 => u64::from(u32::from_le_bytes(bytes.try_into().ok()?)),
        DType::Float32 => whole(f32::from_le_bytes(bytes.try_into().ok()?))?,
        _ => return None,
    };
    Some(Value { number, derived: None })
}

/// A float that counts: whole, not negative, and small enough that the next one differs by one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(value: f32) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..=16_777_216.0).contains(&value)).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_count() {
        let of = |name: &str| counts(name.as_bytes(), DType::Int64);
        assert_eq!(of("global_step"), Some(Counts::Global));
        assert_eq!(of("global_step:0"), Some(Counts::Global));
        assert_eq!(of("agent/global_step"), Some(Counts::Program));
        for name in ["step", "train_step", "agent/_train_step_counter"] {
            assert_eq!(of(name), Some(Counts::Program), "{name}");
        }
        for name in
            ["optimizer/iter", "optimizer/_iterations", "model/_optimizer/iter", "training/Adam/iter", "SGD_1/iter"]
        {
            assert_eq!(of(name), Some(Counts::Optimizer), "{name}");
        }
        assert_eq!(of("optimizer/vars/0"), Some(Counts::Optimizer));
        assert_eq!(of("optimizer/_variables/0"), Some(Counts::Optimizer));
        for name in ["save_counter", "optimizer/vars/1", "dense/vars/0", "data/iter", "env/step", "epoch"] {
            assert_eq!(of(name), None, "{name}");
        }
        assert_eq!(counts(b"Global_Step", DType::Float32), Some(Counts::Program));
        assert_eq!(counts(b"optimizer/_variables/0", DType::Float32), None);
    }

    #[test]
    fn what_the_number_in_the_name_counts() {
        let stored = |counts, number| Some((counts, "t".to_owned(), Value { number, derived: None }));
        let words = |step: Step| step.words().join(", ");
        assert_eq!(words(Step::judge(Some(4), Some(4), stored(Counts::Optimizer, 7500))), "save 4, step 7500");
        assert_eq!(words(Step::judge(Some(4), Some(4), None)), "save 4");
        assert_eq!(words(Step::judge(Some(200), None, None)), "step 200");
        assert_eq!(words(Step::judge(Some(10), None, stored(Counts::Optimizer, 1000))), "step 1000, 10 in its name");
        assert_eq!(words(Step::judge(Some(10), None, stored(Counts::Optimizer, 0))), "step 10");
        let disagrees = Step::judge(Some(10), None, stored(Counts::Global, 12));
        assert_eq!((disagrees.step, disagrees.disagreement().is_some()), (Some(10), true));
        assert!(Step::judge(Some(4), Some(4), stored(Counts::Global, 12)).disagreement().is_none());
    }
}
