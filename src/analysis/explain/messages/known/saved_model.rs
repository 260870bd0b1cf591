//! What loading a SavedModel or a graph says.

use super::row::{Known, ROW};
use crate::analysis::Code;

pub(super) const ROWS: &[Known] = &[
    Known {
        marks: &[
            "/assets/…; No such file or directory",
            "/assets/…No such file or directory",
            "\\assets\\…cannot find",
            "assets/…; No such file",
        ],
        value: &[("NotFoundError: ", ";"), ("NOT_FOUND: ", ";"), ("failed: Not found: ", ";")],
        otherwise: "a file of the model",
        headline: "{} is missing: an asset of the SavedModel, such as a vocabulary.",
        means: &["Assets lie in the directory `assets` of the model; the graph knows each by its name."],
        likely: &[
            "The directory `assets` was not copied with the model.",
            "The path was written into the graph when it was saved, and the model was moved since: a table made from a path outside of tf.saved_model's assets.",
        ],
        next: &[
            "ckpt inspect DIR   lists the assets and which are missing",
            "copy the whole directory of the export; if the path is baked in, put the file back there or export again",
        ],
        codes: &[Code::MissingAsset],
        ..ROW
    },
    Known {
        marks: &[
            "has not been registered…TypeSpec",
            "The type '…' has not been registered",
            "No TypeSpec has been registered",
            "could not be loaded…type_spec_class_name",
        ],
        value: &[("The type '", "'"), ("The type ", " has not"), ("registered with name ", "")],
        otherwise: "a type",
        headline: "The model uses {}, a type of a package that must be imported before the model is loaded.",
        means: &["tf.saved_model.load looks types up by the names under which packages register them."],
        likely: &[
            "The package (tf_agents, tensorflow_probability, …) is not imported, not installed, or has renamed the type.",
        ],
        next: &[
            "import the package that the name begins with, then load the model",
            "ckpt ops DIR   what else the model needs",
        ],
        certain: &["Certain: nothing is damaged."],
        ..ROW
    },
    Known {
        marks: &["available_tags: []", "available tags: []"],
        headline: "There is no graph in this SavedModel at all.",
        means: &["The list of tags is empty: saved_model.pb was read and holds no MetaGraphDef."],
        likely: &["The file is empty, cut off, or of another kind: a frozen graph renamed saved_model.pb."],
        next: &["ckpt inspect DIR   says what the file is", "export the model again"],
        codes: &[Code::BadSavedModel],
        ..ROW
    },
    Known {
        marks: &["requires a tags= argument", "Importing a SavedModel with…requires a…tags"],
        value: &[("there are ", " MetaGraphs"), ("but there are ", "")],
        otherwise: "not one",
        headline: "The SavedModel does not hold exactly one graph, so its tags must be named: there are {}.",
        means: &[
            "0 graphs: this is no SavedModel. 2 and more: for serving, for training, for a TPU; each has a set of tags, and exactly that set must be given.",
        ],
        likely: &["A TF1 export with several graphs: {serve} and {serve, tpu}, or {train}."],
        next: &["ckpt inspect DIR   shows the tags of every graph", "tf.saved_model.load(DIR, tags=['serve'])"],
        codes: &[Code::NoServeTag],
        ..ROW
    },
    Known {
        marks: &[
            "Cannot parse file b'…saved_model.pb",
            "Cannot parse file…saved_model.pb",
            "Can't parse…as binary proto",
            "Error parsing text-format tensorflow.SavedModel",
            "Error parsing text-format",
            "Cannot parse file",
        ],
        value: &[("Cannot parse file b'", "'"), ("Cannot parse file ", ":"), ("Can't parse ", " as binary")],
        otherwise: "the file",
        headline: "{} is no graph of a SavedModel, or not a whole one.",
        means: &["Its bytes are not the message that TensorFlow expects there. That says nothing of the variables."],
        likely: &[
            "It is another file under this name: a frozen graph, a label map, a Git LFS pointer, a web page, a gzip'ed object.",
            "The copy or download stopped early.",
        ],
        next: &[
            "ckpt inspect DIR   says what the file really is, and opens what lies beside it",
            "fetch the file again, as binary; git lfs pull",
        ],
        certain: &["\"Damaged\" is one of several possibilities; the first bytes tell, and inspect looks at them."],
        codes: &[Code::BadSavedModel],
        ..ROW
    },
    Known {
        marks: &["NodeDef mentions attr"],
        value: &[("NodeDef mentions attr '", "'"), ("NodeDef mentions attr ", " not")],
        otherwise: "an attribute",
        headline: "The graph was written by a newer TensorFlow than the one that reads it: {} is not known here.",
        means: &["TensorFlow adds attributes to its ops over time; an older program refuses what it does not know."],
        next: &[
            "ckpt inspect PATH   which TensorFlow wrote it",
            "load it with that version or a newer one, or export it again with the older one",
        ],
        certain: &["Certain: the weights are not the problem. The checkpoint alone can be read by any version."],
        ..ROW
    },
    Known {
        marks: &["The specified SavedModel has no variables; no checkpoints were restored"],
        value: &[("no checkpoints were restored. File does not exist: ", "")],
        otherwise: "variables/variables.index",
        headline: "The SavedModel was loaded without variables: {} was not there.",
        means: &[
            "For a model that has none this line is normal. For any other it is the cause of what fails later: \"Attempting to use uninitialized value\", \"Error while reading resource variable\".",
        ],
        likely: &["The directory `variables` was not copied, or not yet, when the server looked."],
        next: &[
            "ckpt validate DIR --serving   whether the graph wants variables, and whether they are whole",
            "copy the whole directory under a name that is no number, then rename it",
        ],
        codes: &[Code::MissingVariables],
        ..ROW
    },
    Known {
        marks: &["Attempting to use uninitialized value"],
        value: &[("Attempting to use uninitialized value ", "")],
        otherwise: "a variable",
        is_tensor: true,
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
    Known {
        marks: &["Error while reading resource variable", "Could not find variable"],
        value: &[("Error while reading resource variable ", " from Container"), ("Could not find variable ", ".")],
        otherwise: "a variable",
        headline: "{} has no value in this process.",
        means: &[
            "The graph is there, the variable's value is not: it was never restored, or it belongs to another session or graph.",
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
    Known {
        marks: &["Op type not registered"],
        value: &[("Op type not registered '", "'"), ("Op type not registered ", " in binary")],
        otherwise: "an op",
        headline: "The program has no op {}, which the graph uses.",
        means: &["The library that brings the op is not loaded. Nothing is damaged."],
        likely: &[
            "A custom op (tensorflow_text, tensorflow_addons, tf_agents, a library of one's own): import or load it first. A stock TensorFlow Serving has none of these.",
            "PyFunc, EagerPyFunc: the graph calls Python, which no server has.",
            "The graph was written by a newer TensorFlow.",
        ],
        next: &[
            "ckpt ops DIR   which ops are not TensorFlow's, and where they stand",
            "import the package (import tensorflow_text), or tf.load_op_library(…)",
            "for a server: build it with the op, or export the model without it",
        ],
        codes: &[Code::OpCustom, Code::OpRunsHostCode],
        ..ROW
    },
    Known {
        marks: &["No OpKernel was registered to support Op"],
        value: &[
            ("No OpKernel was registered to support Op '", "'"),
            ("No OpKernel was registered to support Op ", " "),
        ],
        otherwise: "an op",
        headline: "{} runs on no device that is here.",
        means: &["The op is known; an implementation for this device is not."],
        likely: &[
            "CudnnRNN and its like: the graph was made for a GPU. The checkpoint itself is read anywhere.",
            "An op of a type that the CPU does not have (NCHW convolutions, float16).",
        ],
        next: &[
            "build the graph for the CPU (CudnnCompatibleLSTMCell, keras.layers.LSTM) and restore the same checkpoint",
            "or clear_devices=True and allow_soft_placement=True, if only the placement is at fault",
        ],
        certain: &["Certain: it is the graph, not the weights."],
        ..ROW
    },
    Known {
        marks: &[
            "GraphDef cannot be larger than 2GB",
            "Cannot serialize protocol buffer of type tensorflow.GraphDef",
            "exceeded maximum protobuf size of 2GB",
            "Cannot create a tensor proto whose content is larger than 2GB",
        ],
        headline: "The graph is larger than 2 GB: data stands in it as constants.",
        means: &[
            "A protobuf message cannot be larger. The limit is of the graph (.meta, saved_model.pb, events), not of the checkpoint, which may be of any size.",
        ],
        likely: &[
            "A whole data set or an embedding was made a constant: tf.constant(array), or a NumPy array used in an op.",
            "Ops are added to the graph in every step of a loop.",
        ],
        next: &[
            "feed the data (placeholder, tf.data from files), or make it a variable with trainable=False and an initializer that is fed",
            "saver.save(…, write_meta_graph=False) saves the variables all the same",
        ],
        certain: &["Certain: the variables are not the problem."],
        ..ROW
    },
    Known {
        marks: &["refers to an Operation not in the graph", "refers to a Tensor which does not exist"],
        value: &[("The name '", "'")],
        otherwise: "a name",
        headline: "A collection of the .meta file names {}, which is not in its graph, so TensorFlow cannot import it.",
        means: &[
            "import_meta_graph follows every name in the collections of the file; one that leads nowhere ends it with a KeyError.",
        ],
        likely: &[
            "TFLearn: its .meta names ops of a graph that was cut down while saving. The checkpoint beside it is fine.",
        ],
        next: &[
            "build the model in code and restore with tf.compat.v1.train.Saver().restore(session, PREFIX)",
            "ckpt list PREFIX   names and shapes without the .meta",
        ],
        certain: &["Certain: it is the .meta, not the weights."],
        ..ROW
    },
    Known {
        marks: &[
            "Attempting to capture an EagerTensor without building a function",
            "When eager execution is enabled, `var_list` must specify",
        ],
        headline: "A tf.compat.v1 Saver or graph was made while eager execution is on; no file is at fault.",
        likely: &["Code of TensorFlow 1 under TensorFlow 2."],
        next: &[
            "tf.compat.v1.disable_eager_execution() at the very beginning",
            "or with tf.Graph().as_default(): around the TF1 code",
            "or restore with tf.train.Checkpoint / tf.train.load_checkpoint",
        ],
        certain: &["Certain: the checkpoint was not touched."],
        ..ROW
    },
];
