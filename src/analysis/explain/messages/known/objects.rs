//! What tf.train.Checkpoint, Savers and managers say of objects and names.

use super::row::{Is, ROW, Row};
use crate::analysis::explain::messages::rule::Rank;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &[
            "does not appear to be object-based",
            "not an object-based checkpoint",
            "Restoring a name-based tf.train.Saver checkpoint using the object-based restore API",
        ],
        cause: "name-based-checkpoint",
        value: &[("specified checkpoint \"", "\""), ("Checkpoint in ", " not an object")],
        otherwise: "the checkpoint",
        is: Is::Path,
        headline: "The checkpoint is name-based, and this call wants one of tf.train.Checkpoint.",
        likely: &["It was written by a Saver or an Estimator of TensorFlow 1."],
        next: &[
            "ckpt inspect PREFIX   who wrote it",
            "tf.compat.v1.train.Saver restores it; tf.train.load_checkpoint(PREFIX) reads single values",
        ],
        certain: &["Certain: it has no object graph. That damages nothing."],
        ..ROW
    },
    Row {
        marks: &["No checkpoint specified (save_path=None)", "No checkpoint specified, so no restore ops"],
        cause: "no-checkpoint-given",
        headline: "Restore was called with None, and an assertion on its result fails: nothing was restored.",
        likely: &["tf.train.latest_checkpoint found no checkpoint: another directory, or no `checkpoint` file."],
        next: &["ckpt latest DIR   what it would find, and why not", "print the path before restoring"],
        certain: &["Certain: no file was opened."],
        ..ROW
    },
    Row {
        marks: &["Forward compatibility load error"],
        cause: "newer-checkpoint",
        headline: "The checkpoint was saved by a newer TensorFlow, in a way that this one cannot restore.",
        likely: &["A class saves itself by functions that this version does not know."],
        next: &["ckpt inspect PREFIX   what is in it", "upgrade TensorFlow to the version that saved it"],
        certain: &["Certain: that bytes are damaged the message does not say."],
        ..ROW
    },
    Row {
        marks: &["not assigned a value from checkpoint", "Object not restored:"],
        cause: "object-not-restored",
        value: &[("Object not restored: ", ""), ("Object ", " not assigned")],
        otherwise: "an object of the program",
        headline: "{} got no value: the checkpoint has nothing in its place.",
        likely: &[
            "The attribute has another name than when it was saved.",
            "It is new in the program.",
            "Lists of layers were changed: they are matched by their number.",
        ],
        next: &[
            "ckpt graph PREFIX   the objects of the checkpoint and the names that lead to them",
            "ckpt validate PREFIX --against MODEL   everything that differs",
        ],
        certain: &["Certain: it keeps its initial value."],
        ..ROW
    },
    Row {
        marks: &["conflicts with path used for checkpoint state", "collides with 'save_path'"],
        cause: "state-file-collision",
        value: &[("Save path '", "'"), ("collides with 'save_path': '", "'")],
        otherwise: "that path",
        headline: "A checkpoint was to be saved under the name of its state file: {}.",
        likely: &["The prefix is called `checkpoint`, as the file that names the latest one."],
        next: &["save under another name: ckpt, model.ckpt", "ckpt inspect DIR   what is there"],
        certain: &["Certain: nothing was written by this call."],
        ..ROW
    },
    Row {
        marks: &[
            "Received multiple tensors with the same checkpoint key",
            "The same saveable will be restored with two names",
            "Two different ResourceVariable objects with the same shared_name",
        ],
        cause: "name-twice",
        headline: "Two variables of the program would have one name in the checkpoint; nothing was saved or restored.",
        likely: &[
            "Two graphs or two copies of a model in one program.",
            "One variable was passed twice, under two names.",
        ],
        next: &[
            "make the model once, or give each copy a scope or name of its own",
            "tf.train.Checkpoint(a=…, b=…)   names by attributes",
        ],
        certain: &["Certain: files are not concerned."],
        ..ROW
    },
    Row {
        marks: &["is being deleted with unrestored values"],
        cause: "unrestored-values",
        rank: Rank::Wrapper,
        headline: "A checkpoint was restored, and some of its values were never taken: the lines behind it name them.",
        likely: &[
            "Layers that are built later, or never: their values wait until the end.",
            "State of the optimizer, where a program only predicts.",
            "The model differs from the one that was saved.",
        ],
        next: &[
            "expect_partial() on the result of restore   if that is meant",
            "ckpt validate PREFIX --against MODEL   what is not used, and what is missing",
        ],
        certain: &["Certain: nothing is damaged. What was taken, is right."],
        ..ROW
    },
    Row {
        marks: &["Assignment map with scope only name"],
        cause: "assignment-map",
        value: &[("scope only name ", " should")],
        otherwise: "a scope",
        headline: "init_from_checkpoint was given a scope on one side and a variable on the other: {}.",
        likely: &["A `/` is missing at the end of a scope: {'scope/': 'other/'}."],
        next: &["ckpt validate PREFIX --against MODEL --emit assignment-map   writes the map of what fits"],
        certain: &["Certain: nothing was read."],
        ..ROW
    },
    Row {
        marks: &["incompatible with expected float_ref", "requested dtype float32_ref"],
        cause: "frozen-ref",
        headline: "A graph was made constant, but still has operations that assign to variables.",
        likely: &[
            "Freezing left Assign, AssignSub or Switch of a variable in it (batch normalization in training mode).",
        ],
        next: &[
            "freeze the graph of inference: tf.keras.backend.set_learning_phase(0) before building it",
            "ckpt ops PATH   which operations the graph has",
        ],
        certain: &["Certain: the checkpoint is not the matter."],
        ..ROW
    },
    Row {
        marks: &["Hit NotFoundError when deleting"],
        cause: "deleted-by-others",
        rank: Rank::Vague,
        value: &[("when deleting '", "'")],
        otherwise: "an old checkpoint",
        headline: "A CheckpointManager wanted to delete {}, and it was gone already.",
        likely: &[
            "Two programs keep checkpoints in one directory, each deleting those of the other.",
            "Somebody tidied the directory.",
        ],
        next: &[
            "give each program a directory of its own",
            "ckpt log DIR   which checkpoints are there and which belong together",
        ],
        certain: &["Certain: newer checkpoints are not concerned, unless two programs write them."],
        ..ROW
    },
];
