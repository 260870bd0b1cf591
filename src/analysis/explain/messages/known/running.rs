//! What running and building a graph says of names and shapes, where no file is at fault.

use super::row::{ROW, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["Cannot feed value of shape"],
        cause: "feed-shape",
        value: &[("for Tensor '", "'"), ("for Tensor ", ","), ("for tensor ", ",")],
        otherwise: "an input",
        headline: "The program feeds another shape than {} takes.",
        means: &["The graph fixes the shapes of its inputs; no file of a checkpoint has part in this."],
        likely: &[
            "The images have another size or another order of axes (NHWC, NCHW) than the model was exported for.",
            "The batch dimension is missing: add one axis in front.",
            "The input was exported with a fixed batch size.",
        ],
        next: &["ckpt inspect MODEL --signatures   the inputs of the model with their shapes"],
        certain: &["Certain: this is said before anything is restored into that input or computed from it."],
        ..ROW
    },
    Row {
        marks: &["FeedInputs: unable to find feed output", "FetchOutputs node", "cannot be interpreted as a Tensor"],
        cause: "name-not-in-graph",
        value: &[
            ("unable to find feed output ", ""),
            ("FetchOutputs node ", ":"),
            ("Fetch argument '", "' cannot"),
            ("Cannot interpret feed_dict key as Tensor: The name '", "'"),
        ],
        otherwise: "that name",
        headline: "The graph has no tensor {}, which a feed or a fetch asks for.",
        means: &["A tensor is called OPERATION:0; the graph that was loaded has no such operation."],
        likely: &[
            "The layer is called otherwise: a scope in front, or a number behind (dense_1), as names are counted up in one program.",
            "The graph was frozen or optimized, which drops and renames operations, or it is another export.",
            "It was imported by import_graph_def, which puts import/ in front of every name.",
        ],
        next: &[
            "ckpt inspect MODEL   inputs and outputs of the signatures, with the names of their tensors",
            "[op.name for op in graph.get_operations()]   the names that the graph has",
        ],
        certain: &["Certain: no checkpoint was touched."],
        ..ROW
    },
    Row {
        marks: &["Trying to share variable", "but specified shape…and found shape"],
        cause: "variable-built-twice",
        value: &[("share variable ", ", but")],
        otherwise: "a variable",
        headline: "The program builds {} twice, with two shapes: no checkpoint was read.",
        means: &["tf.compat.v1.get_variable hands out the variable that is there, and this one has another shape."],
        likely: &[
            "Several cells or layers share one scope: [cell] * n repeats one object; make a new one for each.",
            "The graph of an earlier run is still there (a notebook): tf.compat.v1.reset_default_graph().",
            "The model is built for training and for inference in one graph, with other sizes.",
        ],
        next: &["ckpt list PREFIX   the shape that a checkpoint has, to tell which of the two was meant"],
        certain: &["Certain: the error is raised while the model is built."],
        ..ROW
    },
    Row {
        marks: &["Dimension…in both shapes must be equal, but are", "Shapes must be equal rank, but are"],
        cause: "shapes-in-graph",
        value: &[("Shapes are ", "")],
        otherwise: "two shapes",
        headline: "Two shapes that the graph puts together differ: {}.",
        means: &[
            "TensorFlow compares shapes when an op is added. If the op is an Assign, one of them is the variable, the other the value that is put into it.",
        ],
        likely: &[
            "A weight of another framework in its own order of axes: kernels are HWIO in TensorFlow and OIHW in PyTorch, dense matrices are transposed.",
            "The model is built with other settings than the weights were trained with (a number of classes, a vocabulary).",
            "The graph is a frozen one that was imported with an input of another shape.",
        ],
        next: &[
            "ckpt list PATH   the shapes that a checkpoint or a weights file has",
            "ckpt validate PREFIX --against MODEL   everything that differs, if it comes from a restore",
        ],
        certain: &["Certain: the two shapes; which of them is the file's, the traceback tells."],
        ..ROW
    },
    Row {
        marks: &[
            "The two structures don't have the same nested structure",
            "Could not find matching concrete function to call",
        ],
        cause: "call-structure",
        headline: "A function of the model is called with other arguments than it was saved with.",
        means: &[
            "A SavedModel keeps each function for the arguments it was traced with: their number, names, nesting, dtypes and shapes.",
        ],
        likely: &[
            "A dictionary or a list is given where single tensors were, or the reverse.",
            "training=… or mask=… is given otherwise than by position, or as a tensor.",
            "Another dtype (float64 of NumPy), or a fixed batch size.",
        ],
        next: &[
            "ckpt inspect MODEL --signatures   what every function takes",
            "model.signatures['serving_default'](NAME=tensor)   takes tensors by name",
        ],
        certain: &["Certain: the variables are loaded by then."],
        ..ROW
    },
];
