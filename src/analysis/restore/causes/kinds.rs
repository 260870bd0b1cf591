//! Kinds of tensors that one side has and the other has not: averages, ranges for quantization, parts, state of an
//! optimizer, lists of strings; and one dtype in the place of another throughout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::hints::relation;
use super::super::{Hint, Mismatch, Restore};
use super::leave_out::few;
use crate::analysis::naming::roles::Role;
use crate::analysis::restore::substitution::literal;
use crate::base::escape::{escaped, shell_word};
use crate::read::tensor::DType;

/// What a moving average is called (`ExponentialMovingAverage.average_name`).
pub(super) const AVERAGE: &[u8] = b"/ExponentialMovingAverage";

/// One cause for what is missing or differs.
pub(super) fn find(restore: &Restore) -> Vec<Hint> {
    let mut causes = Vec::new();
    causes.extend(averages(restore));
    causes.extend(ranges(restore));
    causes.extend(parts(restore));
    causes.extend(strings(&restore.mismatched));
    causes
}

/// Nine in ten: what is left over may have another cause.
fn nearly_all(some: usize, all: usize) -> bool {
    some > 0 && some.saturating_mul(10) >= all.saturating_mul(9)
}

/// `all 6` or `5 of the 6`
fn share(some: usize, all: usize) -> String {
    if some == all { format!("all {all}") } else { format!("{some} of the {all}") }
}

/// Averages that the model reads and the checkpoint does not have, or the reverse.
fn averages(restore: &Restore) -> Option<Hint> {
    let stored: BTreeSet<&[u8]> = restore
        .unexpected
        .iter()
        .map(|tensor| tensor.name.as_slice())
        .chain(restore.matched.iter().map(|found| found.stored.as_slice()))
        .collect();
    let n = restore.missing.len();
    let wanted = restore
        .missing
        .iter()
        .filter(|missing| missing.name.strip_suffix(AVERAGE).is_some_and(|weight| stored.contains(weight)));
    let wanted = wanted.count();
    if nearly_all(wanted, n) {
        let text = format!(
            "{} missing are moving averages of weights that the checkpoint has: it was saved without averages. Let the \
             program read the weights themselves (Saver() instead of Saver(ema.variables_to_restore())), or restore from a \
             checkpoint that has the averages",
            share(wanted, n)
        );
        let options = averaged(restore).into_iter().map(|rule| ("--map", rule)).collect();
        return Some(Hint { text, options, ..Hint::default() });
    }
    let only_averages = restore.missing.iter().filter(|missing| {
        let average = [missing.name.as_slice(), AVERAGE].concat();
        stored.contains(average.as_slice())
    });
    let only_averages = only_averages.count();
    nearly_all(only_averages, n).then(|| {
        let text = format!(
            "the checkpoint has the moving averages of {only_averages} of the {n} missing, not the weights: read these, by \
             Saver(ema.variables_to_restore()), or as they are"
        );
        let options = vec![("--map", "s|/ExponentialMovingAverage$||".to_owned())];
        Hint { text, options, ..Hint::default() }
    })
}

/// The rule that makes averages of the weights, if nothing that fits ends as they do: a program that trains wants both.
fn averaged(restore: &Restore) -> Option<String> {
    let last = |name: &[u8]| name.rsplit(|b| *b == b'/').next().unwrap_or_default().to_vec();
    let weights = restore.missing.iter().filter_map(|missing| missing.name.strip_suffix(AVERAGE));
    let ends: BTreeSet<Vec<u8>> = weights.map(last).collect();
    let fits = restore.matched.iter().any(|found| ends.contains(&last(&found.stored)));
    if fits || ends.len() > 8 {
        return None;
    }
    let ends: Vec<String> = ends.iter().map(|end| literal(end).replace('#', "\\#")).collect();
    Some(format!("s#(^|/)({})$#&/ExponentialMovingAverage#", ends.join("|")))
}

/// Ranges of quantization, which a rewritten graph wants and an older checkpoint does not have.
fn ranges(restore: &Restore) -> Option<Hint> {
    let is_range = |name: &[u8]| {
        let last = name.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let quantized = memchr::memmem::find(name, b"quant").is_some();
        let ends = |end: &[u8]| last == end || last.ends_with(&[b"_", end].concat());
        quantized && [&b"min"[..], b"max", b"biased", b"local_step", b"quantized", b"step"].iter().any(|end| ends(end))
    };
    let n = restore.missing.len();
    let ranges = restore.missing.iter().filter(|missing| is_range(&missing.name)).count();
    nearly_all(ranges, n).then(|| {
        Hint::from(format!(
            "{ranges} of the {n} missing are ranges for quantization: the graph was rewritten for quantized training after \
             this checkpoint. Restore the weights only; the ranges start anew"
        ))
    })
}

/// A part's variable, and which part it is.
fn part_of(name: &[u8]) -> Option<&[u8]> {
    let at = memchr::memrchr(b'/', name)?;
    let (front, last) = (name.get(..at)?, name.get(at.saturating_add(1)..)?);
    let digits = last.strip_prefix(b"part_")?;
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(front)
}

/// Parts of partitioned variables that are asked for as variables of their own, or the reverse.
fn parts(restore: &Restore) -> Option<Hint> {
    let stored: BTreeSet<&[u8]> = restore.unexpected.iter().map(|tensor| tensor.name.as_slice()).collect();
    let wanted = restore.missing.iter().filter(|missing| part_of(&missing.name).is_some_and(|w| stored.contains(w)));
    let wanted = wanted.count();
    if wanted > 0 {
        return Some(Hint::from(format!(
            "{wanted} of the {} missing are parts of variables that the checkpoint has whole: the program takes each part for \
             a variable of its own. Use a partitioner when the variables are made (tf.compat.v1.fixed_size_partitioner), so \
             that a Saver knows them for parts",
            restore.missing.len()
        )));
    }
    let whole: BTreeSet<&[u8]> = restore.unexpected.iter().filter_map(|tensor| part_of(&tensor.name)).collect();
    let wanted = restore.missing.iter().filter(|missing| whole.contains(missing.name.as_slice())).count();
    (wanted > 0).then(|| {
        Hint::from(format!(
            "{wanted} of the {} missing are in the checkpoint in parts, as variables of their own: join them (ckpt print \
             NAME --format npy of each part), or build the model with as many parts",
            restore.missing.len()
        ))
    })
}

/// The same two dtypes in all that differs, or in most of it.
pub(super) fn one_dtype(restore: &Restore, path: &Path) -> Option<Hint> {
    let mismatched = restore.mismatched.as_slice();
    let mut pairs: BTreeMap<(String, String), (usize, usize, DType, DType)> = BTreeMap::new();
    for mismatch in mismatched {
        let (Some(model), Some(stored)) = (mismatch.expected.dtype, mismatch.found.dtype) else { continue };
        if model != stored {
            let pair = pairs.entry((model.to_string(), stored.to_string())).or_insert((0, 0, model, stored));
            pair.0 = pair.0.saturating_add(1);
            pair.1 = pair.1.saturating_add(usize::from(mismatch.expected.shape == mismatch.found.shape));
        }
    }
    let (n, same_shape, model, stored) = pairs.into_values().max_by_key(|(n, ..)| *n)?;
    let all = mismatched.len();
    if let ([one], 1) = (mismatched, same_shape) {
        let is_scope = restore
            .matched
            .iter()
            .any(|found| found.stored.strip_prefix(one.name.as_slice()).is_some_and(|rest| rest.starts_with(b"/")));
        return Some(Hint::from(single_dtype(&one.name, is_scope, (model, stored), path)));
    }
    if n < 2 || n.saturating_mul(2) < all {
        return None;
    }
    let (throughout, shapes) = match (n == all, same_shape == n) {
        (true, true) => (" throughout", format!("all {n} differ by dtype alone, every shape fits")),
        (true, false) => {
            (" throughout", format!("all {n} differ by dtype, {} by shape too", n.saturating_sub(same_shape)))
        }
        (false, _) => ("", format!("{n} of the {all} that differ differ so")),
    };
    let convert = if model.is_float() && stored.is_float() {
        format!(": ckpt convert {} -o NEW --cast {model}", shell_word(path))
    } else {
        String::new()
    };
    Some(Hint::from(format!(
        "the checkpoint is {stored}{throughout} where the model wants {model}: {shapes}. TensorFlow converts nothing while \
         restoring: build the variables as {stored} and cast them after, or convert the checkpoint{convert}"
    )))
}

/// What to do where one tensor alone has another dtype. As a selector, its name takes its slots too (`is_scope`), if it
/// is no glob.
fn single_dtype(name: &[u8], is_scope: bool, (model, stored): (DType, DType), path: &Path) -> String {
    let name = escaped(name);
    let convert = if model.is_float() && stored.is_float() {
        let selector = match name.char_indices().last().filter(|_| is_scope) {
            Some((at, last)) => format!("{}[{last}]", name.get(..at).unwrap_or_default()),
            None => name.to_string(),
        };
        let cast = shell_word(Path::new(&format!("{model}={selector}")));
        format!(", or convert the checkpoint: ckpt convert {} -o NEW --cast {cast}", shell_word(path))
    } else {
        String::new()
    };
    format!(
        "{name} alone differs, by its dtype: {stored} in the checkpoint, {model} in the model. TensorFlow converts nothing \
         while restoring: build the variable as {stored} and cast it after{convert}"
    )
}

/// The same change of layout in all that differs: transposed kernels, dimensions of 1, stacked layers.
pub(super) fn layout(mismatched: &[Mismatch]) -> Option<Hint> {
    let relation = |mismatch: &Mismatch| relation(&mismatch.expected.shape, &mismatch.found.shape);
    let first = relation(mismatched.first()?)?;
    let n = mismatched.len();
    if n < 2 || mismatched.iter().any(|mismatch| relation(mismatch).as_ref() != Some(&first)) {
        return None;
    }
    let why = match first.as_str() {
        "transposed" => {
            "all of them are transposed: the checkpoint was converted from a library that keeps kernels the other way round \
             (PyTorch has [out, in]), or is on its way there. Transpose them while converting; as they are, even those \
             that fit because they are square would be wrong"
        }
        "the same dimensions in another order" => {
            "all of them have their dimensions in another order, as kernels of other libraries have (PyTorch has [out, in, \
             height, width]). Transpose them while converting"
        }
        text if text.contains("dimensions of 1") => {
            "all of them differ in dimensions of 1 alone: the values are the same, and tf.reshape makes one of the other"
        }
        _ => return None,
    };
    Some(Hint::from(format!("{n} tensors differ alike; {why}")))
}

/// Lists of strings of another length: labels, vocabularies, file names that were kept as variables.
fn strings(mismatched: &[Mismatch]) -> Option<Hint> {
    let strings: Vec<&Mismatch> = mismatched
        .iter()
        .filter(|m| m.expected.dtype == Some(DType::String) && m.found.dtype == m.expected.dtype)
        .collect();
    let first = strings.first()?;
    let (model, stored) = (first.expected.shape.elements()?, first.found.shape.elements()?);
    let names = few(strings.iter().map(|mismatch| mismatch.name.as_slice()));
    let (lists, each) = if strings.len() == 1 { ("a list", "") } else { ("lists", "the first: ") };
    Some(Hint::from(format!(
        "{names}: {lists} of strings of another length ({each}{stored} stored, {model} in the model): labels or a \
         vocabulary that changed. Give the model the file that it was trained with, or leave the list out and let the \
         program fill it"
    )))
}

/// What is missing is state of an optimizer and nothing else.
pub(super) fn optimizer(restore: &Restore) -> Option<Hint> {
    let state = [Role::Slot, Role::Optimizer, Role::Counter];
    let missing = || restore.missing.iter().filter(|missing| !super::super::is_save_counter(&missing.name));
    let of_optimizer = missing().any(|missing| matches!(missing.role, Role::Slot | Role::Optimizer));
    if !of_optimizer || !missing().all(|missing| state.contains(&missing.role)) || !restore.mismatched.is_empty() {
        return None;
    }
    let present = state.into_iter().filter(|role| missing().any(|missing| missing.role == *role));
    let options = present.map(|role| ("--ignore", format!("role:{}", role.name()))).collect();
    let text = "all that is missing is state of the optimizer: the checkpoint was saved without it, or with another \
                optimizer; what inference needs is there";
    Some(Hint { text: text.to_owned(), options, ..Hint::default() })
}
