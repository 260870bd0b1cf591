//! Messages of tf.train.Checkpoint: objects of a program and of a checkpoint that do not match.

use super::rule::{ROOT, Rank, Rule};
use super::shapes::COMPARE;
use crate::analysis::Code;
use crate::analysis::explain::diagnosis::Diagnosis;
use crate::analysis::explain::pasted::{between, quoted};

pub(super) const RULES: &[Rule] = &[
    Rule {
        marks: &["Nothing except the root object matched", "Nothing to load. No dependencies"],
        read: |_| Some(only_root()),
        example: "Nothing except the root object matched",
        ..ROOT
    },
    Rule {
        marks: &["Unresolved object in checkpoint"],
        read: |text| Some(unresolved(text)),
        example: "Unresolved object in checkpoint",
        ..ROOT
    },
    Rule {
        marks: &["Unresolved slot restorations", "Unused attributes in these objects"],
        read: |_| Some(slots()),
        example: "Unresolved slot restorations",
        ..ROOT
    },
    Rule {
        marks: &["not bound to checkpointed values", "Object not assigned a value from checkpoint"],
        read: |text| Some(unbound(text)),
        example: "not bound to checkpointed values",
        ..ROOT
    },
    Rule {
        marks: &["Some objects had attributes which were not restored"],
        read: |text| Some(unbound(text)),
        example: "Some objects had attributes which were not restored",
        ..ROOT
    },
    Rule {
        marks: &["Value in checkpoint could not be found in the restored object"],
        read: |text| Some(unused(text)),
        rank: Rank::Consequence,
        example: "Value in checkpoint could not be found in the restored object",
    },
    Rule {
        marks: &["checkpoint from a legacy TF-Keras optimizer", "legacy Keras optimizer into a v2.11+"],
        read: |_| Some(legacy_optimizer()),
        example: "legacy Keras optimizer into a v2.11+",
        ..ROOT
    },
];

fn only_root() -> Diagnosis {
    Diagnosis::of_code(
        Code::RestoreMatchesNothing,
        "Nothing of the checkpoint was restored: its objects have other names than the program's.",
    )
    .means("tf.train.Checkpoint matches by the names of attributes: Checkpoint(model=m) does not fit one saved as Checkpoint(net=m).")
    .likely("It is a name-based checkpoint of a v1 Saver.")
    .next("ckpt inspect PREFIX   says which kind it is")
    .next("ckpt graph PREFIX   the names at the root")
    .with_page(Code::RestoreMatchesNothing)
}

/// The path of an object behind fixed words: it may have blanks and apostrophes, as in
/// `(root).optimizer's state 'm' for (root).w`, and ends with the line.
fn object_path(text: &str, before: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let line = rest.trim_start_matches([':', ' ']).lines().next()?.trim().trim_end_matches([':', ',']);
    let line = line.split_once(": ").map_or(line, |(path, _)| path);
    let path = if line.contains("(root)") { line } else { line.split_whitespace().next()? };
    (!path.is_empty() && path.len() < 2048).then(|| quoted(path))
}

fn unresolved(text: &str) -> Diagnosis {
    let path = object_path(text, "Unresolved object in checkpoint");
    let key = between(text, "checkpoint_key: \"", "\"");
    let is_optimizer = |name: &str| name.contains("optimizer") || name.contains("save_counter");
    let optimizer = path.as_deref().is_some_and(is_optimizer);
    let named = path.unwrap_or_else(|| "an object".into());
    let diagnosis = Diagnosis::new(
        "object-not-in-program",
        format!("The checkpoint holds {named}, and the program has nothing in that place."),
    )
    .means("assert_consumed asks that everything in the checkpoint is used. What did match was restored.");
    let diagnosis = if optimizer {
        diagnosis
            .likely("Only optimizer state or counters are left over: harmless for inference. Use .expect_partial().")
    } else {
        diagnosis.likely("The model has another structure than the saved one, or its layers are not built yet.")
    };
    diagnosis
        .next("ckpt graph PREFIX   the structure that was saved")
        .next(COMPARE)
        .certain("(root) is the object that was saved; the names behind it are attributes.")
        .code(Code::RestoreUnexpected)
        .of_tensor(key)
}

fn unused(text: &str) -> Diagnosis {
    const SAYS: &str = "could not be found in the restored object:";
    let mut paths: Vec<String> = Vec::new();
    for (at, _) in text.match_indices(SAYS) {
        if let Some(path) = text.get(at..).and_then(|rest| object_path(rest, SAYS))
            && !paths.contains(&path)
        {
            paths.push(path);
        }
    }
    let of_optimizer = |path: &String| {
        path.contains("optimizer") || path.contains("save_counter") || path.contains("keras_api.metrics")
    };
    let optimizer = !paths.is_empty() && paths.iter().all(of_optimizer);
    let weight = paths.iter().find(|path| !of_optimizer(path));
    let (what, had) = match paths.as_slice() {
        [] => ("A value of the checkpoint".to_owned(), "had no place in the program and was not restored"),
        [only] => (format!("A value of the checkpoint ({only})"), "had no place in the program and was not restored"),
        many => {
            let first = weight.or(many.first()).cloned().unwrap_or_default();
            (
                format!("{} values of the checkpoint ({first}, …)", many.len()),
                "had no place in the program and were not restored",
            )
        }
    };
    let diagnosis = Diagnosis::new("value-without-place", format!("{what} {had}."))
        .means("This is a warning, printed when the program ends. What did match was restored.");
    let diagnosis = if optimizer {
        diagnosis.likely("They are optimizer state or counters: harmless for inference. .expect_partial() silences it.")
    } else {
        diagnosis
            .likely("Layers that are created later, or not at all: weights that the program never got.")
            .likely("Optimizer state, if the names say so: harmless for inference.")
    };
    diagnosis
        .next(COMPARE)
        .next("status.assert_existing_objects_matched()   fails if a variable of the program was not restored")
        .code(Code::RestoreUnexpected)
        .code(Code::GraphOrphan)
}

fn slots() -> Diagnosis {
    Diagnosis::new("value-without-place", "State of the optimizer in the checkpoint was not restored.")
        .means("Adam and others keep values for each variable; those of some variables were not asked for.")
        .likely("The program has no optimizer or another one: harmless for inference.")
        .next("use .expect_partial(), or assert_existing_objects_matched() instead of assert_consumed()")
        .next("ckpt list PREFIX role:slot   what is stored")
        .code(Code::RestoreUnexpected)
}

fn unbound(text: &str) -> Diagnosis {
    let mut names: Vec<&str> = Vec::new();
    for part in text.split("<tf.Variable '").skip(1) {
        if let Some((name, _)) = part.split_once('\'') {
            let name = name.trim_end_matches(":0");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let what = match names.as_slice() {
        [] => "Variables of the program are".to_owned(),
        [only] => format!("{} of the program is", quoted(only)),
        [first, rest @ ..] => format!("{} and {} more of the program are", quoted(first), rest.len()),
    };
    let keeps = if names.len() == 1 { "keeps its first value" } else { "keep their first values" };
    Diagnosis::of_code(Code::RestoreMissing, format!("{what} not in the checkpoint and {keeps}."))
        .means("These objects were not saved, or under other attribute names. What did match was restored.")
        .likely("The checkpoint is name-based, and these names are not in it.")
        .next("ckpt graph PREFIX   the structure that was saved")
        .with_page(Code::RestoreMissing)
        .code(Code::RestoreNoValue)
        .of_tensor(names.first().copied())
}

fn legacy_optimizer() -> Diagnosis {
    Diagnosis::new(
        "legacy-optimizer",
        "The checkpoint holds the state of an optimizer of Keras before 2.11, the program has a newer one.",
    )
    .means("Keras rewrote its optimizers in 2.11; they store their state in another way.")
    .likely("The checkpoint was trained with an older TensorFlow, or with an optimizer of keras.optimizers.legacy.")
    .next("use tf.keras.optimizers.legacy.Adam (or the like), or restore the model without its optimizer")
    .next("ckpt list PREFIX role:slot   what is stored")
    .certain("Certain: the weights of the model are not the problem.")
    .code(Code::RestoreRaises)
}
