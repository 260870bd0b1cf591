//! What probably happened: of one tensor from its two shapes, of the whole from what all have in common.

use std::collections::BTreeMap;

use super::{Mismatch, Restore};
use crate::analysis::rename::Rename;
use crate::analysis::roles::{Role, short_name};
use crate::escape::escaped;
use crate::tensor::Shape;

/// Fills the hints in.
pub(super) fn find(restore: &mut Restore) {
    for mismatch in &mut restore.mismatched {
        mismatch.hint = of_one(mismatch);
    }
    let mut hints = std::mem::take(&mut restore.hints);
    hints.extend(dimension(&restore.mismatched));
    let silent = restore.mismatched.iter().filter(|mismatch| mismatch.silent).count();
    if silent > 0 {
        let variables =
            if silent == 1 { "a resource variable".to_owned() } else { format!("{silent} resource variables") };
        let those = if silent == 1 { "it" } else { "them" };
        hints.push(format!(
            "TensorFlow gives {variables} a value of another shape without a word; the error comes later, where the graph computes with {those}"
        ));
    }
    // A scope in front is renamed by one rule; where several components changed, that rule finds less than all.
    let (scopes, found) = scopes_renamed(restore);
    let components = if found < restore.missing.len() { super::causes::renamed(restore) } else { None };
    if components.is_none() {
        hints.extend(scopes);
    }
    hints.extend(super::causes::find(restore));
    hints.extend(components);
    hints.extend(super::causes::leave_out(restore));
    let explained = !hints.is_empty();
    hints.extend(kinds(restore, explained));
    restore.hints = hints;
}

/// What two shapes or dtypes have to do with each other.
fn of_one(mismatch: &Mismatch) -> Option<String> {
    let (expected, found) = (&mismatch.expected, &mismatch.found);
    let dtype = (expected.dtype != found.dtype).then(|| match (expected.dtype, found.dtype) {
        (Some(want), Some(have)) => format!("{want} wanted, {have} stored"),
        _ => "another dtype".to_owned(),
    });
    let shape = relation(&expected.shape, &found.shape);
    match (shape, dtype) {
        (None, Some(_)) if expected.shape == found.shape => Some("dtype only".to_owned()),
        (None, dtype) => dtype,
        (Some(shape), Some(dtype)) => Some(format!("{shape}; {dtype}")),
        (shape, None) => shape,
    }
}

/// What has happened to a shape, `None` if nothing.
pub(super) fn relation(model: &Shape, stored: &Shape) -> Option<String> {
    let (a, b) = (model.dims()?, stored.dims()?);
    if a == b {
        return None;
    }
    let without_ones = |dims: &[i64]| dims.iter().copied().filter(|dim| *dim != 1).collect::<Vec<_>>();
    let sorted = |dims: &[i64]| {
        let mut dims = dims.to_vec();
        dims.sort_unstable();
        dims
    };
    let last = a.len().saturating_sub(1);
    let differ: Vec<usize> = a.iter().zip(b).enumerate().filter(|(_, (a, b))| a != b).map(|(at, _)| at).collect();
    Some(if a.len() == b.len() && a.iter().rev().eq(b) {
        "transposed".to_owned()
    } else if a.len() == b.len() && sorted(a) == sorted(b) {
        "the same dimensions in another order".to_owned()
    } else if a.len() != b.len() && without_ones(a) == without_ones(b) {
        if b.len() > a.len() {
            "stored with dimensions of 1 that the model does not have".to_owned()
        } else {
            "stored without dimensions of 1 that the model has".to_owned()
        }
    } else if b.len() == a.len().saturating_add(1) && b.get(1..) == Some(a) {
        let n = b.first().copied().unwrap_or(0);
        format!("stored with a leading dimension of {n}: {n} of them in one, as stacked or replicated layers are")
    } else if a.len() == b.len().saturating_add(1) && a.get(1..) == Some(b) {
        "the model has a leading dimension more".to_owned()
    } else if a.len() != b.len() {
        match (model.elements(), stored.elements()) {
            (Some(a), Some(b)) if a == b => "as many elements in other dimensions".to_owned(),
            _ => "another number of dimensions".to_owned(),
        }
    } else {
        match differ.as_slice() {
            [0] if a.len() >= 2 => "rows changed".to_owned(),
            [at] if *at == last && a.len() >= 2 => "columns changed".to_owned(),
            [0] => "size changed".to_owned(),
            [at] => format!("dimension {at} changed"),
            _ => "several dimensions changed".to_owned(),
        }
    })
}

/// One number that differs everywhere: a layer's size, a vocabulary, a number of classes.
fn dimension(mismatched: &[Mismatch]) -> Option<String> {
    let mut pairs: BTreeMap<(i64, i64), Vec<&Mismatch>> = BTreeMap::new();
    for mismatch in mismatched {
        let (Some(a), Some(b)) = (mismatch.expected.shape.dims(), mismatch.found.shape.dims()) else { continue };
        if a.len() != b.len() {
            continue;
        }
        let mut own: Vec<(i64, i64)> = a.iter().zip(b).filter(|(a, b)| a != b).map(|(a, b)| (*a, *b)).collect();
        own.dedup();
        // Transposed and the like is another story.
        if let [pair] = own.as_slice() {
            pairs.entry(*pair).or_default().push(mismatch);
        }
    }
    let total = mismatched.len();
    let ((model, stored), tensors) = pairs.into_iter().max_by_key(|(_, tensors)| tensors.len())?;
    if tensors.len() < 2 && total > 1 || tensors.is_empty() {
        return None;
    }
    let weights = tensors.iter().filter(|mismatch| mismatch.role == Role::Weight).count();
    let of = if tensors.len() == total && total == 1 {
        "one number differs".to_owned()
    } else if tensors.len() == total {
        format!("the same number differs in all {total} ({weights} weights and their optimizer state)")
    } else {
        format!("the same number differs in {} of {total}", tensors.len())
    };
    let of = if weights == tensors.len() {
        of.replace(&format!(" ({weights} weights and their optimizer state)"), "")
    } else {
        of
    };
    let names: Vec<String> =
        tensors.iter().filter(|m| m.role == Role::Weight).map(|m| escaped(&m.name).into_owned()).collect();
    let likely = likely_dimension(&tensors, &names, stored);
    Some(format!("{of}: the model has {model} where the checkpoint has {stored}. {likely}"))
}

/// What a number is the size of, as far as names and places tell.
fn likely_dimension(tensors: &[&Mismatch], names: &[String], stored: i64) -> String {
    let has =
        |words: &[&str]| names.iter().any(|name| words.iter().any(|word| name.to_ascii_lowercase().contains(word)));
    let rows = tensors.iter().any(|mismatch| {
        let (a, b) =
            (mismatch.expected.shape.dims().unwrap_or_default(), mismatch.found.shape.dims().unwrap_or_default());
        a.len() >= 2 && a.first() != b.first()
    });
    let columns = tensors.iter().any(|mismatch| {
        let (a, b) =
            (mismatch.expected.shape.dims().unwrap_or_default(), mismatch.found.shape.dims().unwrap_or_default());
        a.len() >= 2 && a.last() != b.last()
    });
    let setting = if has(&["hiddenlayer"]) && columns {
        "The Estimator was built with other hidden_units than the ones that this checkpoint was trained with"
    } else if has(&["embedding", "vocab", "lookup"]) && rows && !columns {
        "The vocabulary has another size than the one that this checkpoint was trained with"
    } else if has(&["logits", "head", "classifier", "output", "predictions"]) && columns && !rows {
        "The model has another number of classes or outputs than the one that was trained"
    } else if has(&["embedding", "vocab", "lookup"]) && has(&["logits", "softmax", "output", "projection", "decoder"]) {
        "The vocabulary has another size: the rows of the embedding and the columns of what it is decoded with"
    } else if rows && columns {
        "A layer has another size than in the model that was trained: what it puts out and what the next one takes in"
    } else {
        "The model was built with another size than the one that was trained"
    };
    format!("{setting}: build it with {stored} to restore everything")
}

/// Scopes that have another name, with the `--map`s that repair them, and how many tensors these find.
fn scopes_renamed(restore: &Restore) -> (Vec<String>, usize) {
    const LOOKED_AT: usize = 2000;
    const PARTNERS: usize = 32;
    let mut by_last: BTreeMap<(Vec<u8>, String), Vec<&[u8]>> = BTreeMap::new();
    let spec = |dtype: Option<crate::tensor::DType>, shape: &Shape| {
        format!("{}{shape}", dtype.map(|dtype| dtype.to_string()).unwrap_or_default())
    };
    let last = |name: &[u8]| short_name(name).rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    for tensor in &restore.unexpected {
        let key = (last(&tensor.name), spec(tensor.spec.dtype, &tensor.spec.shape));
        by_last.entry(key).or_default().push(&tensor.name);
    }
    let mut votes: BTreeMap<(Vec<u8>, Vec<u8>), usize> = BTreeMap::new();
    for missing in restore.missing.iter().take(LOOKED_AT) {
        let key = (last(&missing.name), spec(missing.spec.dtype, &missing.spec.shape));
        for other in by_last.get(&key).into_iter().flatten().take(PARTNERS) {
            if let Some(prefixes) = prefixes(other, &missing.name) {
                *votes.entry(prefixes).or_default() += 1;
            }
        }
    }
    let mut best: Vec<_> = votes.into_iter().collect();
    best.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    let mut left: BTreeMap<&[u8], &super::Spec> =
        restore.missing.iter().map(|missing| (missing.name.as_slice(), &missing.spec)).collect();
    let mut hints = Vec::new();
    for ((stored, model), _) in best.into_iter().take(8) {
        let rule = format!("s|^{}|{}|", literal(&stored), replacement(&model));
        let Ok(rename) = Rename::parse(&rule) else { continue };
        let repaired: Vec<Vec<u8>> = restore
            .unexpected
            .iter()
            .filter(|tensor| {
                let renamed = rename.apply(&tensor.name);
                renamed.as_ref() != tensor.name && left.get(renamed.as_ref()).is_some_and(|spec| **spec == tensor.spec)
            })
            .map(|tensor| rename.apply(&tensor.name).into_owned())
            .collect();
        // One tensor may have the name and shape of another by chance.
        if repaired.len() < 2.min(restore.missing.len()) {
            continue;
        }
        let all = left.len();
        for name in &repaired {
            left.remove(name.as_slice());
        }
        let rule = escaped(rule.as_bytes()).into_owned();
        hints.push(format!("--map '{rule}' finds {} of the {all} missing", repaired.len()));
        if hints.len() == 3 || left.is_empty() {
            break;
        }
    }
    (hints, restore.missing.len().saturating_sub(left.len()))
}

/// What stands before the parts that two names have in common at their ends, with a slash behind it.
fn prefixes(stored: &[u8], model: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (a, b): (Vec<&[u8]>, Vec<&[u8]>) =
        (stored.split(|c| *c == b'/').collect(), model.split(|c| *c == b'/').collect());
    let common = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let head = |parts: &[&[u8]]| {
        let kept = parts.get(..parts.len().saturating_sub(common)).unwrap_or_default();
        let mut joined = kept.join(&b'/');
        if !joined.is_empty() {
            joined.push(b'/');
        }
        joined
    };
    let (stored, model) = (head(&a), head(&b));
    (common > 0 && stored != model).then_some((stored, model))
}

/// Text as a regular expression that matches it. Only what means something outside of brackets gets a backslash: people
/// read it.
pub(in crate::analysis) fn literal(text: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(text).chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as the replacement of a substitution.
pub(in crate::analysis) fn replacement(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace('\\', "\\\\").replace('&', "\\&").replace('|', "\\|")
}

/// Two models that have nothing to do with each other, and kinds of checkpoints that do not fit.
fn kinds(restore: &Restore, explained: bool) -> Vec<String> {
    let mut hints = Vec::new();
    let keys = |name: &[u8]| name.ends_with(b"/.ATTRIBUTES/VARIABLE_VALUE");
    let objects = restore.unexpected.iter().any(|tensor| keys(&tensor.name));
    let wants_objects = restore.missing.iter().any(|missing| keys(&missing.name));
    if !explained && restore.matches_nothing() && !restore.missing.is_empty() && !restore.unexpected.is_empty() {
        hints.push(if objects == wants_objects {
            "nothing of the checkpoint has a place in the model: these are two different models, or one of them is named differently throughout".to_owned()
        } else if objects {
            "the checkpoint is object-based, the model goes by names, and no name is common to both".to_owned()
        } else {
            "the checkpoint is name-based, the model goes by objects, and no name is common to both".to_owned()
        });
    }
    let raises = |text: &str| restore.raises.iter().any(|raise| raise.message.contains(text));
    if raises("legacy TF-Keras optimizer") {
        hints.push(
            "the checkpoint has slots of an optimizer of Keras before 2.11: use tf.keras.optimizers.legacy, or restore \
             the model alone, tf.train.Checkpoint(model=model)"
                .to_owned(),
        );
        return hints;
    }
    if raises("not supported.") {
        hints.push(
            "TensorFlow does not cut or join slices of this dtype: restore with the partitions that were saved; \
             ckpt print NAME --format npy reads such a tensor whole"
                .to_owned(),
        );
    }
    let state = [Role::Slot, Role::Optimizer, Role::Counter];
    let of_optimizer = restore.missing.iter().any(|missing| matches!(missing.role, Role::Slot | Role::Optimizer));
    if of_optimizer
        && restore.missing.iter().all(|missing| state.contains(&missing.role))
        && restore.mismatched.is_empty()
    {
        let present = state.into_iter().filter(|role| restore.missing.iter().any(|missing| missing.role == *role));
        let ignore: Vec<String> = present.map(|role| format!("--ignore role:{}", role.name())).collect();
        hints.push(format!(
            "all that is missing is state of the optimizer: the checkpoint was saved without it, or with another optimizer; \
             what inference needs is there ({})",
            ignore.join(" ")
        ));
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(model: &[i64], stored: &[i64]) -> String {
        relation(&Shape::new(model), &Shape::new(stored)).unwrap_or_default()
    }

    #[test]
    fn shapes_are_compared() {
        assert_eq!(of(&[2, 3], &[3, 2]), "transposed");
        assert_eq!(of(&[2, 3, 4], &[3, 2, 4]), "the same dimensions in another order");
        assert!(of(&[3], &[3, 1]).starts_with("stored with dimensions of 1"));
        assert!(of(&[3, 1], &[3]).starts_with("stored without dimensions of 1"));
        assert!(of(&[3, 4], &[8, 3, 4]).starts_with("stored with a leading dimension of 8"));
        assert_eq!(of(&[5, 4], &[7, 4]), "rows changed");
        assert_eq!(of(&[5, 4], &[5, 6]), "columns changed");
        assert_eq!(of(&[10], &[20]), "size changed");
        assert_eq!(of(&[6], &[2, 3]), "as many elements in other dimensions");
        assert_eq!(of(&[2, 3], &[2, 3]), "");
    }

    #[test]
    fn rules_of_awkward_names_match_them() {
        for (stored, model) in [("a.b|c/", "x&y\\z|/"), ("layer-1/", "{n}/"), ("(s)^$*", "plain/")] {
            let rule = format!("s|^{}|{}|", literal(stored.as_bytes()), replacement(model.as_bytes()));
            let renamed = Rename::parse(&rule).unwrap();
            let name = format!("{stored}w");
            assert_eq!(renamed.apply(name.as_bytes()).as_ref(), format!("{model}w").as_bytes(), "{rule}");
        }
    }

    #[test]
    fn prefixes_of_renamed_scopes() {
        let pair = |a: &str, b: &str| {
            prefixes(a.as_bytes(), b.as_bytes())
                .map(|(a, b)| (String::from_utf8(a).unwrap(), String::from_utf8(b).unwrap()))
        };
        assert_eq!(pair("old/a/w", "new/a/w"), Some(("old/".to_owned(), "new/".to_owned())));
        assert_eq!(pair("a/w", "net/a/w"), Some((String::new(), "net/".to_owned())));
        assert_eq!(pair("a/w", "a/w"), None);
        assert_eq!(pair("a/w", "a/v"), None);
    }
}
