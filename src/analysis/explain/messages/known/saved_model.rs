//! What loading a SavedModel says.

use super::row::{Is, ROW, Row};
use crate::analysis::Code;
use crate::analysis::explain::messages::rule::Rank;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &[
            "assets/…; No such file or directory",
            "assets/…No such file or directory",
            "assets\\…cannot find",
            "assets.extra/…No such file",
        ],
        page: Some(Code::MissingAsset),
        value: &[("", "; No such file"), ("", ": No such file")],
        otherwise: "a file of the model",
        is: Is::Path,
        headline: "{} is missing: an asset of the SavedModel, such as a vocabulary.",
        means: &["Assets lie in the directory `assets` of the model; the graph knows each by its name."],
        likely: &[
            "The path was written into the graph when it was saved, and the model was moved since: a table made from a path outside of tf.saved_model's assets.",
        ],
        next: &[
            "ckpt validate DIR   lists the assets that are missing",
            "if the path is baked in, put the file back there or export again",
        ],
        ..ROW
    },
    Row {
        marks: &[
            "The type '…' has not been registered",
            "has not been registered…TypeSpec",
            "No TypeSpec has been registered",
            "could not be loaded…type_spec_class_name",
        ],
        page: Some(Code::UnregisteredType),
        value: &[
            ("The type '", "'"),
            ("The type ", " has not"),
            ("registered with name '", "'"),
            ("registered with name ", ""),
        ],
        otherwise: "a type",
        headline: "The model uses {}, a type of a package that must be imported before the model is loaded.",
        means: &["tf.saved_model.load looks types up by the names under which packages register them."],
        next: &["ckpt inspect DIR   names the types and their packages"],
        certain: &["Certain: nothing is damaged."],
        ..ROW
    },
    Row {
        marks: &[
            "but there are 0 MetaGraphs",
            "there are 0 MetaGraphs",
            "available_tags: []",
            "with available tags '[]'",
            "available tag sets: []",
        ],
        cause: "saved-model-without-graph",
        page: Some(Code::BadSavedModel),
        headline: "There is no graph in this SavedModel at all: saved_model.pb is empty, or is another file.",
        means: &[
            "TensorFlow reads any bytes as a message as long as no field contradicts it; an empty file is a SavedModel with 0 graphs. Tags have nothing to do with it.",
        ],
        likely: &["The file is empty: a full disk, a save that was killed, a copy that only made the name."],
        next: &["ckpt inspect DIR   says what the file is"],
        certain: &["Certain: no tags would help."],
        ..ROW
    },
    Row {
        marks: &[
            "requires a `tags=` argument",
            "requires a tags= argument",
            "requires a…tags…argument if there is more than one MetaGraph",
        ],
        cause: "choose-tags",
        page: None,
        value: &[("but there are ", " MetaGraphs"), ("there are ", " MetaGraphs")],
        otherwise: "several",
        headline: "The SavedModel holds {} graphs, so the tags of one of them must be named.",
        means: &[
            "One is for serving, others for training or for a TPU; each has a set of tags, and exactly that set must be given.",
        ],
        likely: &["A TF1 export with several graphs: {serve} and {serve, tpu}, or {train}."],
        next: &[
            "ckpt inspect DIR   shows the tags of every graph",
            "tf.saved_model.load(DIR, tags=['serve'])   or the tags that you want",
        ],
        certain: &["Certain: nothing is damaged."],
        codes: &[Code::NoServeTag],
        ..ROW
    },
    Row {
        marks: &["Could not find meta graph def matching supplied tags", "could not be found in SavedModel"],
        page: Some(Code::NoServeTag),
        value: &[
            ("supplied tags: { ", " }"),
            ("associated with tags '", "' could not"),
            ("associated with tags ", " could not"),
            ("supplied tags: {", "}"),
        ],
        otherwise: "that were asked for",
        headline: "The SavedModel has no graph with exactly the tags {}.",
        means: &[
            "A SavedModel can hold several graphs, each with a set of tags; the set must be the same, not only contained.",
        ],
        next: &[
            "ckpt inspect DIR   shows the tags of every graph",
            "tf.saved_model.load(DIR, tags=[…])   with those tags; a server: --saved_model_tags",
        ],
        certain: &["Certain: nothing is damaged."],
        ..ROW
    },
    Row {
        marks: &[
            "Cannot parse file b'…saved_model.pb",
            "Cannot parse file…saved_model.pb",
            "Can't parse…as binary proto",
            "Error parsing text-format",
            "Cannot parse proto file",
            "Cannot parse file",
            "Wire format was corrupt",
            "Error parsing message with type 'tensorflow.",
            "tensorflow.SavedModel\" has no field named",
            "GraphDef\" has no field named",
        ],
        page: Some(Code::BadSavedModel),
        value: &[
            ("Cannot parse file b'", "'"),
            ("Cannot parse proto file ", ""),
            ("Cannot parse file ", ":"),
            ("Can't parse ", " as binary"),
        ],
        otherwise: "the file",
        is: Is::Path,
        headline: "{} is no graph of a SavedModel, or not a whole one.",
        means: &["Its bytes are not the message that TensorFlow expects there. That says nothing of the variables."],
        likely: &["It went through a transfer or an editor that changes bytes, or is still being written."],
        next: &["ckpt inspect PATH   says what the file really is, and opens what lies beside it"],
        certain: &["\"Damaged\" is one of several possibilities; the first bytes tell, and inspect looks at them."],
        ..ROW
    },
    Row {
        marks: &["Error parsing message", "Wrong wire type in tag", "DecodeError: Truncated message"],
        page: Some(Code::BadSavedModel),
        rank: Rank::Vague,
        headline: "A graph (saved_model.pb, .meta, a frozen graph) is not what TensorFlow expects there, or not whole.",
        means: &["The bytes are not the message that was asked for. That says nothing of the variables."],
        next: &["ckpt inspect PATH   says what the file really is"],
        ..ROW
    },
    Row {
        marks: &["The specified SavedModel has no variables; no checkpoints were restored"],
        page: Some(Code::MissingVariables),
        rank: Rank::Vague,
        value: &[("File does not exist: ", "")],
        otherwise: "variables/variables.index",
        is: Is::Path,
        headline: "The SavedModel was loaded without variables: {} was not there.",
        means: &[
            "For a model that has none this line is normal. For any other it is the cause of what fails later: \"Attempting to use uninitialized value\", \"Error while reading resource variable\".",
        ],
        likely: &["The directory was being copied when the server looked."],
        next: &[
            "ckpt validate DIR --serving   whether the graph wants variables, and whether they are whole",
            "copy the whole directory under a name that is no number, then rename it",
        ],
        ..ROW
    },
    Row {
        marks: &["Attempting to use uninitialized value"],
        cause: "uninitialized-variable",
        rank: Rank::Consequence,
        value: &[("Attempting to use uninitialized value ", " ")],
        otherwise: "a variable",
        is: Is::Tensor,
        headline: "{} has no value: nothing was restored into it, and nothing initialized it.",
        likely: &[
            "A SavedModel whose variables were not there when it was loaded: look further up for \"has no variables; no checkpoints were restored\".",
            "A Saver that was made before this variable, or of a list that leaves it out.",
            "A new variable (an optimizer's slot, a new head) that the checkpoint does not have: run its initializer.",
        ],
        next: &[
            "ckpt validate DIR --serving   for a model that is served",
            "ckpt validate PREFIX --against MODEL   which variables the checkpoint does not have",
        ],
        codes: &[Code::MissingVariables, Code::RestoreMissing],
        ..ROW
    },
    Row {
        marks: &["Error while reading resource variable", "Could not find variable", "could not find variable"],
        cause: "uninitialized-variable",
        rank: Rank::Consequence,
        value: &[
            ("Error while reading resource variable ", " from Container"),
            ("Could not find variable ", ". This"),
            ("Could not find variable ", " "),
            ("could not find variable ", " "),
        ],
        otherwise: "a variable",
        is: Is::Tensor,
        headline: "{} has no value in this process.",
        means: &[
            "The graph is there, the variable's value is not: it was never restored or initialized, or it belongs to another session or graph.",
        ],
        likely: &[
            "The SavedModel was loaded without its variables: the index was missing, and loading succeeded all the same.",
            "Keras in TF1 style: the model was loaded in another graph or session than the one that predicts (a web server's thread).",
        ],
        next: &[
            "ckpt validate DIR --serving   whether the variables are there and whole",
            "keep the graph and the session of load_model, and use both in every thread",
        ],
        codes: &[Code::MissingVariables],
        ..ROW
    },
];
