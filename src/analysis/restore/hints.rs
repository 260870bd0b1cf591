//! What probably happened: of one tensor from its two shapes, of the whole from what all have in common.

use std::collections::BTreeMap;

use super::{Mismatch, Restore};
use crate::analysis::naming::roles::Role;
use crate::base::escape::escaped;
use crate::read::tensor::{DType, Shape};

/// What two shapes or dtypes have to do with each other.
pub(super) fn of_one(mismatch: &Mismatch) -> Option<String> {
    let (expected, found) = (&mismatch.expected, &mismatch.found);
    // Where the model says none, any is right.
    let differs = expected.dtype.is_some() && expected.dtype != found.dtype;
    let dtype = differs.then(|| match (expected.dtype, found.dtype) {
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
pub(super) fn dimension(mismatched: &[Mismatch]) -> Option<String> {
    let mut pairs: BTreeMap<(i64, i64), Vec<&Mismatch>> = BTreeMap::new();
    // How many strings there are is no size of a layer.
    let numbers = |mismatch: &&Mismatch| mismatch.expected.dtype != Some(DType::String);
    for mismatch in mismatched.iter().filter(numbers) {
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
    // State of an optimizer alone: another optimizer, and no size of the model.
    if tensors.iter().all(|mismatch| matches!(mismatch.role, Role::Slot | Role::Optimizer)) {
        return None;
    }
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
    // The rows of an embedding are a vocabulary, whatever decodes it is called.
    let embeds = |mismatch: &&Mismatch| {
        let (a, b) =
            (mismatch.expected.shape.dims().unwrap_or_default(), mismatch.found.shape.dims().unwrap_or_default());
        a.len() == 2 && a.first() != b.first() && a.last() == b.last() && is_embedding(&escaped(&mismatch.name))
    };
    let embeds = tensors.iter().copied().filter(|mismatch| mismatch.role == Role::Weight).any(|one| embeds(&one));
    let setting = if has(&["hiddenlayer"]) && columns {
        "The Estimator was built with other hidden_units than the ones that this checkpoint was trained with"
    } else if embeds && !columns {
        "The vocabulary has another size than the one that this checkpoint was trained with"
    } else if has(&["logits", "head", "classifier", "output", "predictions"]) && columns && !rows {
        "The model has another number of classes or outputs than the one that was trained"
    } else if embeds {
        "The vocabulary has another size: the rows of the embedding and the columns of what it is decoded with"
    } else if rows && columns {
        "A layer has another size than in the model that was trained: what it puts out and what the next one takes in"
    } else {
        "The model was built with another size than the one that was trained"
    };
    format!("{setting}: build it with {stored} to restore everything")
}

/// Whether a name is that of an embedding, as people call them.
fn is_embedding(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words =
        |part: &str| matches!(part, "emb" | "embs" | "wte" | "word" | "words" | "token" | "tokens" | "item" | "user");
    let parts = name.split(['/', '.', '_', ':', '-']);
    ["embed", "vocab", "lookup"].iter().any(|word| name.contains(word)) || parts.into_iter().any(words)
}

/// Resource variables take a value of any shape.
pub(super) fn silent(mismatched: &[Mismatch]) -> Option<String> {
    let silent = mismatched.iter().filter(|mismatch| mismatch.silent).count();
    let variables = if silent == 1 { "a resource variable".to_owned() } else { format!("{silent} resource variables") };
    let those = if silent == 1 { "it" } else { "them" };
    (silent > 0).then(|| {
        format!(
            "TensorFlow gives {variables} a value of another shape without a word; the error comes later, where the graph \
             computes with {those}"
        )
    })
}

/// Two models that have nothing to do with each other, and kinds of checkpoints that do not fit.
pub(super) fn kinds(restore: &Restore, explained: bool, solid: usize) -> Vec<String> {
    let mut hints = Vec::new();
    let keys = |name: &[u8]| name.ends_with(b"/.ATTRIBUTES/VARIABLE_VALUE");
    let objects = restore.unexpected.iter().any(|tensor| keys(&tensor.name));
    let wants_objects = restore.missing.iter().any(|missing| keys(&missing.name));
    let nothing = restore.matches_nothing() || (solid == 0 && restore.mismatched.is_empty());
    // Names that were not seen are not missed.
    if !explained
        && restore.undetermined.is_none()
        && nothing
        && !restore.missing.is_empty()
        && !restore.unexpected.is_empty()
    {
        hints.push(if objects == wants_objects {
            let what = if restore.matched.is_empty() { "nothing" } else { "no weight" };
            format!("{what} of the checkpoint has a place in the model: these are two different models, or one of them is named differently throughout")
        } else if objects {
            "the checkpoint is object-based, the model goes by names, and no name is common to both".to_owned()
        } else {
            "the checkpoint is name-based, the model goes by objects, and no name is common to both".to_owned()
        });
    }
    let raises = |text: &str| restore.raises.iter().any(|raise| raise.message.contains(text));
    if raises("legacy TF-Keras optimizer") && !explained {
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
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(model: &[i64], stored: &[i64]) -> String {
        relation(&Shape::new(model), &Shape::new(stored)).unwrap_or_default()
    }

    #[test]
    fn embeddings_are_known_by_their_names() {
        for name in ["emb/word", "net/embeddings", "bert/word_embeddings", "wte", "user_lookup", "m/token/table"] {
            assert!(is_embedding(name), "{name}");
        }
        for name in ["dense/kernel", "password/w", "remember/w", "tokenizer_free/w", "users/w"] {
            assert!(!is_embedding(name), "{name}");
        }
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
}
