//! What restores of objects, and of shapes and types, say beyond what has a reading of its own.

use super::row::{Known, ROW};
use crate::analysis::Code;

const COMPARE: &str =
    "ckpt validate PREFIX --against MODEL   everything that differs; MODEL: a .meta, a SavedModel, a checkpoint";

pub(super) const ROWS: &[Known] = &[
    Known {
        marks: &["_CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint"],
        headline: "The checkpoint is name-based: it was written by a Saver of TensorFlow 1, not by tf.train.Checkpoint.",
        means: &[
            "The object graph is no variable: TensorFlow asks for it first, and an old checkpoint has none. It then matches by the names of variables. If the restore failed, the cause stands in the other lines of the message.",
        ],
        likely: &["The names in the program are others than those in the checkpoint (Keras layers, another scope)."],
        next: &[
            "ckpt list PREFIX   the names that it has",
            COMPARE,
            "tf.compat.v1.train.Saver restores it; tf.train.Checkpoint reads it by names, with limits",
        ],
        certain: &["Certain: it has no object graph. That alone damages nothing."],
        ..ROW
    },
    Known {
        marks: &["Some objects had attributes which were not restored"],
        headline: "Objects of the program have values that the checkpoint does not hold.",
        means: &[
            "assert_existing_objects_matched or the end of the program lists each with the attribute that kept its first value.",
        ],
        likely: &[
            "New layers or variables, or attributes that were renamed since the save.",
            "The checkpoint is name-based and these names are not in it.",
        ],
        next: &[COMPARE, "ckpt graph PREFIX   the structure that was saved"],
        codes: &[Code::RestoreMissing, Code::RestoreNoValue],
        ..ROW
    },
    Known {
        marks: &["Inconsistent references when loading the checkpoint into this object graph"],
        headline: "Two objects of the program are one in the checkpoint, or the reverse.",
        means: &[
            "A layer that is used in two places must be shared in both; here the places lead to different objects. Values may have gone to the wrong one.",
        ],
        likely: &[
            "A model that shared a layer (tied embeddings) was rebuilt without sharing it, or with it.",
            "Two checkpoints' objects under one name.",
        ],
        next: &["ckpt graph PREFIX   shows which paths lead to one object", "make the program share what was shared"],
        ..ROW
    },
    Known {
        marks: &["Expected to restore a tensor of type"],
        value: &[("tensor_name = ", ";"), ("tensor_name = ", "")],
        otherwise: "a variable",
        is_tensor: true,
        headline: "{} has another type in the model than in the checkpoint.",
        means: &["TensorFlow never converts types while restoring. (This is the wording of older versions.)"],
        likely: &[
            "float64 against float32, int64 against int32: the variable was created with another dtype.",
            "Mixed precision, if one of them is half or bfloat16.",
        ],
        next: &[
            "ckpt list PREFIX {}   the type in the checkpoint",
            COMPARE,
            "build the variable with the stored type and convert it after restoring",
        ],
        codes: &[Code::RestoreDTypeMismatch],
        ..ROW
    },
    Known {
        marks: &[
            "Tensor's shape…is not compatible with supplied shape",
            "Shapes…and…are incompatible",
            "Shapes…and…are not compatible",
            "Dimensions must be equal, but are",
        ],
        value: &[("Tensor's shape ", " is not"), ("Shapes ", " are")],
        otherwise: "a shape",
        headline: "A variable has another shape in the model than in the checkpoint: {}.",
        means: &["TensorFlow reshapes nothing. The message does not name the variable; --against does."],
        likely: &[
            "Another number of classes or units, another vocabulary, another size of the model.",
            "A pretrained model gets a new head: then leave that variable out of the restore.",
        ],
        next: &[COMPARE],
        codes: &[Code::RestoreShapeMismatch],
        ..ROW
    },
];
