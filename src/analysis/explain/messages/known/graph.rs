//! What graphs say: ops that are not there, names that lead nowhere, sizes and modes.

use super::row::{Is, ROW, Row};
use crate::analysis::Code;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["NodeDef mentions attr", "NodeDef expected inputs", "Unrecognized data type"],
        cause: "newer-tensorflow",
        value: &[("NodeDef mentions attr '", "'"), ("NodeDef mentions attr ", " not")],
        otherwise: "an attribute",
        headline: "The graph was written by a newer TensorFlow than the one that reads it: {} is not known here.",
        means: &["TensorFlow adds attributes to its ops over time; an older program refuses what it does not know."],
        likely: &[
            "It was exported or trained with a later version than the one that is installed here, or that the server has.",
        ],
        next: &[
            "ckpt inspect PATH   which TensorFlow wrote it",
            "load it with that version or a newer one, or export it again with the older one",
        ],
        certain: &["Certain: the weights are not the problem. The checkpoint alone can be read by any version."],
        ..ROW
    },
    Row {
        marks: &["Op type not registered"],
        page: Some(Code::OpCustom),
        value: &[("Op type not registered '", "'"), ("Op type not registered ", " in binary")],
        otherwise: "an op",
        headline: "The program has no op {}, which the graph uses.",
        means: &["The library that brings the op is not loaded. Nothing is damaged."],
        likely: &["PyFunc, EagerPyFunc: the graph calls Python, which no server has."],
        next: &[
            "ckpt ops DIR   which ops are not TensorFlow's, and where they stand",
            "import the package (import tensorflow_text), or tf.load_op_library(…)",
            "for a server: build it with the op, or export the model without it",
        ],
        codes: &[Code::OpRunsHostCode],
        ..ROW
    },
    Row {
        marks: &["No OpKernel was registered to support Op"],
        cause: "no-kernel",
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
    Row {
        marks: &[
            "GraphDef cannot be larger than 2GB",
            "Cannot serialize protocol buffer of type tensorflow.GraphDef",
            "exceeded maximum protobuf size of 2GB",
            "Cannot create a tensor proto whose content is larger than 2GB",
        ],
        cause: "graph-too-large",
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
    Row {
        marks: &["refers to a Tensor which does not exist"],
        cause: "name-not-in-graph",
        value: &[("The name '", "' refers")],
        otherwise: "that name",
        headline: "The graph has no tensor {}.",
        means: &[
            "get_tensor_by_name, a feed or a fetch asked for it. A tensor is called OPERATION:0; the graph that was loaded has no such operation, or the operation has fewer outputs.",
        ],
        likely: &[
            "The graph was imported under a name: import_graph_def(…, name='') keeps the names as they are, without it they begin with import/.",
            "The layer is called otherwise: a scope in front, or a number behind (dense_1), as names are counted up in one program.",
            "Another graph is the default one: the tensor was asked for before import_meta_graph, or of another tf.Graph.",
            "If import_meta_graph itself raised it: a collection of the .meta names an output that its graph does not have (missing-node).",
        ],
        next: &[
            "ckpt inspect DIR   inputs and outputs of the signatures, with the names of their tensors",
            "[op.name for op in graph.get_operations()]   the names that the graph has",
        ],
        certain: &[
            "Certain: no checkpoint was touched; names of variables in a checkpoint are another thing than names of tensors in a graph.",
        ],
        codes: &[Code::MissingNode],
        ..ROW
    },
    Row {
        marks: &["refers to an Operation, not a Tensor"],
        cause: "tensor-name-without-output",
        value: &[("The name '", "' refers")],
        otherwise: "that name",
        headline: "{} is an operation; its tensor is called so with :0 behind it.",
        means: &["An operation may have several outputs, numbered from 0; get_tensor_by_name wants one of them."],
        likely: &["The name was copied from op.name or from a viewer of graphs, which show operations."],
        next: &["get_tensor_by_name(NAME + ':0')", "or graph.get_operation_by_name, for the operation itself"],
        certain: &["Certain: the graph has it, and nothing else is wrong with the name."],
        ..ROW
    },
    Row {
        marks: &["refers to an Operation not in the graph"],
        cause: "name-not-in-graph",
        value: &[("The name '", "' refers")],
        otherwise: "that name",
        headline: "The graph has no operation {}.",
        means: &[
            "If import_meta_graph raised it, a collection of the .meta names an operation that its graph does not have (missing-node), and TensorFlow cannot import it. If the program asked for it (get_operation_by_name), the name is another one in this graph.",
        ],
        likely: &[
            "TFLearn: its .meta names ops of a graph that was cut down while saving. The checkpoint beside it is fine.",
            "The graph was imported under a name: import_graph_def(…, name='') keeps the names as they are.",
            "The layer is called otherwise: a scope in front, or a number behind, as names are counted up in one program.",
        ],
        next: &[
            "ckpt validate PREFIX   says whether a collection of the .meta names what is not there",
            "[op.name for op in graph.get_operations()]   the names that the graph has",
            "build the model in code and restore with tf.compat.v1.train.Saver().restore(session, PREFIX)",
        ],
        certain: &["Certain: it is the graph, not the weights."],
        codes: &[Code::MissingNode],
        ..ROW
    },
    Row {
        marks: &[
            "When eager execution is enabled, `var_list` must specify",
            "Attempting to capture an EagerTensor without building a function",
            "is not supported when eager execution is enabled",
            "not compatible with eager execution",
        ],
        cause: "saver-in-eager-mode",
        headline: "A tf.compat.v1 Saver or graph was made while eager execution is on; no file is at fault.",
        means: &["TensorFlow 2 runs at once; Savers, sessions and placeholders belong to graphs of TensorFlow 1."],
        likely: &["Code of TensorFlow 1 under TensorFlow 2."],
        next: &[
            "tf.compat.v1.disable_eager_execution() at the very beginning",
            "or with tf.Graph().as_default(): around the TF1 code",
            "or restore with tf.train.Checkpoint / tf.train.load_checkpoint",
        ],
        certain: &["Certain: the checkpoint was not touched."],
        ..ROW
    },
    Row {
        marks: &["No variables to save"],
        cause: "no-variables",
        headline: "A Saver was made while the graph has no variables.",
        means: &["It looks at the default graph at that moment; variables that are made later are not its."],
        likely: &[
            "The Saver is made before the model, or the model is in another tf.Graph.",
            "Variables of TensorFlow 2 or Keras are not in the collections of a graph.",
        ],
        next: &[
            "make the Saver behind the model, in the same graph",
            "ckpt list PREFIX   the names that a checkpoint has",
        ],
        certain: &["Certain: no checkpoint was touched."],
        ..ROW
    },
    Row {
        marks: &["_CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint"],
        cause: "name-based-checkpoint",
        rank: crate::analysis::explain::messages::rule::Rank::Vague,
        headline: "The checkpoint is name-based: it was written by a Saver of TensorFlow 1, not by tf.train.Checkpoint.",
        means: &[
            "The object graph is no variable: TensorFlow asks for it first, and an old checkpoint has none. It then matches by the names of variables. If the restore failed, the cause stands in the other lines of the message.",
        ],
        likely: &["The names in the program are others than those in the checkpoint (Keras layers, another scope)."],
        next: &[
            "ckpt list PREFIX   the names that it has",
            "ckpt validate PREFIX --against MODEL   everything that differs; MODEL: a .meta, a SavedModel, a checkpoint",
            "tf.compat.v1.train.Saver restores it; tf.train.Checkpoint reads it by names, with limits",
        ],
        certain: &["Certain: it has no object graph. That alone damages nothing."],
        ..ROW
    },
    Row {
        marks: &["Inconsistent references when loading the checkpoint into this object graph"],
        cause: "shared-objects",
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
    Row {
        marks: &[
            "object has no attribute 'shape'",
            "object has no attribute 'bias'",
            "object has no attribute 'weight'",
            "object has no attribute 'adam_m'",
            "object has no attribute 'adam_v'",
            "object has no attribute 'global_step'",
            "object has no attribute 'squad'",
            "object has no attribute 'lamb_m'",
        ],
        cause: "conversion-script",
        value: &[("AttributeError: '", "' object"), ("'", "' object has no attribute")],
        otherwise: "the model",
        is: Is::Words,
        headline: "A conversion script met a variable of the checkpoint that {} has no place for.",
        means: &[
            "load_tf_weights_in_… walks every name of the checkpoint through attributes of the model. A name that it does not know ends it.",
        ],
        likely: &[
            "The checkpoint holds optimizer state (adam_m, adam_v, global_step) or another head than the script expects: it was fine-tuned.",
            "It is a checkpoint of another model type (BertForPreTraining for one of classification).",
        ],
        next: &[
            "ckpt list PREFIX --by role   what is weight, what is optimizer state, what is a head",
            "skip those names in the script, or use the class of the head that was trained",
            "convert from the checkpoint of pretraining",
        ],
        certain: &["Certain: the checkpoint was read; nothing in it is damaged."],
        ..ROW
    },
];
