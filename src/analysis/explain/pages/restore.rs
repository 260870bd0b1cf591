//! Pages about restores: `validate --against`.

use super::Page;
use crate::analysis::Code;

/// What shows all differences where `TensorFlow` names the first.
const COMPARE: &str =
    "ckpt validate PREFIX --against MODEL   everything that differs; MODEL: a .meta, a SavedModel, a checkpoint";

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::RestoreShapeMismatch,
        found: "The shape of the tensor is compared with the variable that takes it, or with the full shape of a partitioned one.",
        tensorflow: "Raises: \"Assign requires shapes of both tensors to match\" (ref variables of v1), \"shape in shape_and_slice spec … does not match\" (partitioned ones, all of Estimator's), \"Received incompatible tensor with shape\" (TF2, Keras).",
        causes: &[
            "The model is built with other settings than it was trained with: hidden_units, a vocabulary, a number of classes.",
            "A pretrained model gets a new head.",
            "A matrix of another framework or layer type, transposed.",
        ],
        next: &[
            COMPARE,
            "If one number differs everywhere, build the model with the stored one.",
            "Leave the variable out of the restore: `--emit assignment-map` writes the map of what fits.",
        ],
    },
    Page {
        code: Code::RestoreSilentShape,
        found: "The variable is a resource variable in a graph, whose assignment does not compare shapes.",
        tensorflow: "Restores without an error; the variable takes the checkpoint's shape. The error comes later, for example \"Matrix size-incompatible\", or not at all.",
        causes: &["As for restore-shape-mismatch; only the kind of variable keeps TensorFlow silent."],
        next: &["Treat it as an error: the model computes with values that were trained for another one."],
    },
    Page {
        code: Code::RestoreDTypeMismatch,
        found: "The dtype of the tensor is compared with the one that the restore asks for.",
        tensorflow: "Raises InvalidArgumentError: \"tensor_name = …; expected dtype … does not equal original dtype …\". It never converts.",
        causes: &[
            "A variable was created with another dtype: from a NumPy array of float64, or with mixed precision in one of the two.",
            "A counter such as global_step has another integer type, or is a float.",
        ],
        next: &[
            "ckpt list PREFIX NAME   the type in the checkpoint",
            COMPARE,
            "Build the variable with the stored type and convert it after restoring.",
        ],
    },
    Page {
        code: Code::RestoreMisplaced,
        found: "Of files of Keras it is known which data set each variable takes. The names of layers and variables on both sides are compared with that; names that Keras counted (dense_3) count as an order.",
        tensorflow: "Nothing: load_weights of Keras goes by the order of layers (.h5) or by their classes and order (.weights.h5, .keras), and looks at shapes only.",
        causes: &[
            "Two layers of the same shape were exchanged, or one was put in before others of its kind.",
            "Another use of scale and center, or of trainable, which changes the order of the variables.",
        ],
        next: &[
            "`--by-name` for an .h5: what load_weights(by_name=True) would do.",
            "Give the model the order of layers that was saved, or load into a copy of the saved model and take the weights layer by layer: model.get_layer(NAME).set_weights(…).",
        ],
    },
    Page {
        code: Code::RestoreMissing,
        found: "What the model wants is looked up: by name, or by the path of its object.",
        tensorflow: "By name: NotFoundError, \"Key … not found in checkpoint\". By object: nothing; the variable keeps its value, and only assert_existing_objects_matched and assert_consumed say so.",
        causes: &[
            "It is called otherwise there: another scope in front, biases for bias, a `model/` more or less, another attribute of an object.",
            "The checkpoint is of another model, or of another version of it: the program has layers more, or is trained otherwise.",
        ],
        next: &[
            "ckpt list PREFIX '**/*LASTPART*'   names that are alike",
            COMPARE,
            "Try the `--map` that the report proposes, or leave it out on purpose: `--ignore NAME`.",
        ],
    },
    Page {
        code: Code::RestoreNoValue,
        found: "The object graph of the checkpoint has the object, without any attribute.",
        tensorflow: "Binds it, restores nothing, and even assert_existing_objects_matched passes.",
        causes: &["The object had no variable yet when it was saved: a layer that was not built."],
        next: &["Build the model before it is saved: call it once."],
    },
    Page {
        code: Code::RestoreMatchesNothing,
        found: "No tensor of the checkpoint has a place in the model; a counter of saves does not count.",
        tensorflow: "By name it raises; tf.train.Checkpoint.restore returns normally, and every variable keeps its first value.",
        causes: &[
            "The attribute at the root has another name: Checkpoint(net=…) against Checkpoint(model=…).",
            "It was saved from the model itself (save_weights) and is restored one level higher, or the reverse.",
            "They are two different models.",
        ],
        next: &[
            "Read what the report says of the roots.",
            "Call assert_nontrivial_match() or assert_consumed() in the program.",
        ],
    },
    Page {
        code: Code::RestoreRaises,
        found: "The rules of the restore are followed to the error.",
        tensorflow: "Raises the error of the message.",
        causes: &[
            "Bytes that are damaged or missing.",
            "State of an optimizer of Keras before 2.11 for one of a later Keras.",
        ],
        next: &["`ckpt explain 'MESSAGE'` reads it."],
    },
    Page {
        code: Code::RestoreUnexpected,
        found: "What the restore does not read is counted, by kind. A warning if weights are among it, a note otherwise.",
        tensorflow: "By name nothing; by object a warning when the program ends (\"Value in checkpoint could not be found\"), and assert_consumed fails.",
        causes: &[
            "State of an optimizer, where the model is for inference.",
            "Weights of layers that the model does not have.",
        ],
        next: &["Harmless if it is what you meant: `.expect_partial()` silences the warning."],
    },
    Page {
        code: Code::RestoreUndetermined,
        found: "What would decide it could not be read: the object graph (`--quick`, or damage), a lost block of the index, names that the graph computes.",
        tensorflow: "Does what it does; this program does not know what.",
        causes: &["`--quick` with objects that are shared.", "A damaged checkpoint."],
        next: &["Run without `--quick`.", "Repair or replace what is damaged first; the other findings say what."],
    },
];
