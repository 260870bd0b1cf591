//! A step that the program counts under a name of its own: `it`, `steps_done`, `n_iter`.
//!
//! No name is promised, so it is told by structure: a whole number that is not trained and is the one in the checkpoint's
//! name, or the only one that is called as counters are, or the only one that a `tf.train.Checkpoint` holds at its root.
//! What numbers are kept for besides (seeds, sizes, epochs) is left out.

use crate::read::checkpoint::Tensor;
use crate::read::tensor::DType;

/// A number that may count steps.
#[derive(Debug)]
pub(super) struct Own {
    /// As the program calls it.
    pub(super) name: Vec<u8>,
    /// Floats are losses, rates and sums as often as counters.
    pub(super) is_float: bool,
    /// Its value.
    pub(super) number: u64,
}

/// What one of them counts, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Steps: it is the number in the name.
    Named,
    /// Epochs: it is called so, and is the number in the name.
    Epoch,
    /// Steps, most likely: no other number is called as a counter, or there is no other.
    Likely,
}

/// No more numbers than these are read.
pub(super) const MOST_READ: usize = 32;

/// Words in names of what counts steps.
const COUNTS: &[&str] = &[
    "step",
    "steps",
    "iter",
    "iters",
    "iteration",
    "iterations",
    "it",
    "itr",
    "update",
    "updates",
    "counter",
    "frames",
    "timestep",
    "timesteps",
    "niter",
    "nsteps",
];

/// Words in names of other numbers.
const OTHERS: &[&str] = &[
    "seed", "size", "vocab", "len", "length", "tracked", "version", "patience", "best", "rank", "dim", "dims", "id",
    "index", "hash", "classes", "layers", "width", "height", "depth", "max", "min", "wait", "every", "decay", "warmup",
    "until", "total", "capacity", "head", "tail", "cursor", "seen", "state", "key", "offset", "save", "saves", "last",
    "eval", "lr", "rate", "per", "interval", "period", "target", "buffer", "day", "time", "start",
];

/// Whether a tensor holds one whole number, as counters do.
pub(super) fn may_count(tensor: &Tensor) -> bool {
    let is_number =
        matches!(tensor.dtype, DType::Int64 | DType::Int32 | DType::UInt64 | DType::UInt32 | DType::Float32);
    is_number && tensor.shape.rank() == Some(0)
}

/// Words of the last component of a name: `numSteps_done` has `num`, `steps` and `done`.
fn words(name: &[u8]) -> Vec<String> {
    let name = name.strip_suffix(b":0").unwrap_or(name);
    let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    let (mut words, mut was_lower) = (vec![String::new()], false);
    for byte in last {
        let starts = byte.is_ascii_uppercase() && was_lower;
        was_lower = byte.is_ascii_lowercase();
        if !byte.is_ascii_alphanumeric() || starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| byte.is_ascii_alphanumeric()) {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn has(words: &[String], of: &[&str]) -> bool {
    words.iter().any(|word| of.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit())))
}

fn is_epoch(words: &[String]) -> bool {
    has(words, &["epoch", "epochs"])
}

/// Which of these counts, if that can be told. `named` is the number in the name where it does not count saves;
/// `is_object_based` says that names are attributes of `tf.train.Checkpoint`.
pub(super) fn told(candidates: &[Own], named: Option<u64>, is_object_based: bool) -> Option<(&Own, Told)> {
    let described: Vec<(&Own, Vec<String>)> = candidates.iter().map(|own| (own, words(&own.name))).collect();
    let open = |words: &[String]| !has(words, OTHERS) && !is_epoch(words);
    let mut same = described.iter().filter(|(own, _)| Some(own.number) == named);
    let same: Vec<_> = same.by_ref().filter(|(_, words)| !has(words, OTHERS)).collect();
    if let [(own, words)] = same.as_slice() {
        return Some((own, if is_epoch(words) { Told::Epoch } else { Told::Named }));
    }
    if !same.is_empty() {
        return None;
    }
    let whole: Vec<_> = described.iter().filter(|(own, _)| !own.is_float).collect();
    let mut called = whole.iter().copied().filter(|(_, words)| open(words) && has(words, COUNTS));
    if let (Some((own, _)), None) = (called.next(), called.next()) {
        return Some((own, Told::Likely));
    }
    match whole.as_slice() {
        [(own, words)] if named.is_none() && is_object_based && !own.name.contains(&b'/') && open(words) => {
            Some((own, Told::Likely))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(of: &[(&str, u64)], named: Option<u64>, is_object_based: bool) -> Option<(String, Told)> {
        let own = |(name, number): &(&str, u64)| {
            let (name, is_float) = name.strip_prefix("float ").map_or((*name, false), |name| (name, true));
            Own { name: name.as_bytes().to_vec(), is_float, number: *number }
        };
        let candidates: Vec<Own> = of.iter().map(own).collect();
        let (own, told) = told(&candidates, named, is_object_based)?;
        Some((String::from_utf8_lossy(&own.name).into_owned(), told))
    }

    #[test]
    fn the_step_by_structure() {
        let some = |name: &str, told| Some((name.to_owned(), told));
        assert_eq!(found(&[("it", 10_000)], None, true), some("it", Told::Likely));
        assert_eq!(found(&[("global_batch", 10_000)], None, true), some("global_batch", Told::Likely));
        assert_eq!(found(&[("global_batch", 10_000)], None, false), None);
        assert_eq!(found(&[("n_iter", 7700), ("seed", 42)], Some(7700), true), some("n_iter", Told::Named));
        assert_eq!(found(&[("epoch", 3), ("numSteps", 900)], None, true), some("numSteps", Told::Likely));
        assert_eq!(found(&[("Variable", 900)], Some(900), false), some("Variable", Told::Named));
        assert_eq!(found(&[("float iteration", 900)], Some(900), false), some("iteration", Told::Named));
        assert_eq!(found(&[("epoch", 10), ("a/updates", 5000)], Some(10), false), some("epoch", Told::Epoch));
        assert_eq!(found(&[("trainer/update_count", 64)], None, true), some("trainer/update_count", Told::Likely));
        for others in [
            &[("vocab_size", 32_000)][..],
            &[("float iteration", 900)],
            &[("steps/0", 1), ("steps/1", 2)],
            &[("episode", 3), ("level", 7)],
            &[("actor/it", 3), ("critic/it", 3)],
            &[("bn/num_batches_tracked", 321)],
            &[("epoch", 4)],
            &[("best_step", 4)],
        ] {
            assert_eq!(found(others, None, true), None, "{others:?}");
        }
        assert_eq!(found(&[("a", 5), ("b", 5)], Some(5), false), None);
        assert_eq!(found(&[("level", 7)], Some(5), true), None);
    }
}
