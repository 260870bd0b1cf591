//! What TensorFlow Lite says.

use super::row::{ROW, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["Cannot set tensor:"],
        cause: "lite-input",
        headline: "The interpreter of TensorFlow Lite was given an input of another shape or type than the model has.",
        likely: &["No batch dimension, another size of image, float64 or uint8 for float32."],
        next: &[
            "interpreter.get_input_details()   shape and type of each input",
            "interpreter.resize_tensor_input and allocate_tensors, for another batch",
        ],
        certain: &["Certain: the model was read."],
        ..ROW
    },
    Row {
        marks: &["op missing attribute; Variable constant folding"],
        cause: "lite-variables",
        headline: "The converter met a variable that it could not make a constant.",
        likely: &[
            "The function writes variables, or its variables are no attributes of the model.",
            "The SavedModel has no values: its variables were not there when it was loaded.",
        ],
        next: &[
            "ckpt validate PATH   whether variables are whole",
            "converter.experimental_enable_resource_variables = True",
        ],
        certain: &["Certain: no file was written."],
        ..ROW
    },
    Row {
        marks: &["Only support at least one signature key", "No 'serving_default' in the SavedModel's SignatureDefs"],
        cause: "lite-no-signature",
        headline: "The SavedModel has no signature that the converter could take.",
        likely: &["It was saved without signatures=…, from functions without an input_signature."],
        next: &[
            "ckpt inspect PATH   its signatures and functions",
            "tf.saved_model.save(m, DIR, signatures=m.f.get_concrete_function(…))",
        ],
        certain: &["Certain: variables are not concerned."],
        ..ROW
    },
    Row {
        marks: &["SavedModels with assets/ directory are not supported"],
        cause: "lite-assets",
        headline: "The converter takes no SavedModel with assets, such as vocabularies.",
        likely: &["A table is initialized from a file."],
        next: &["convert a function without the preprocessing", "ckpt inspect PATH   its assets"],
        certain: &["Certain: no file was written."],
        ..ROW
    },
    Row {
        marks: &["Please freeze the graph using freeze_graph.py", "Unable to parse input file '"],
        cause: "lite-graph",
        headline: "The converter wants a frozen graph, and the file is none.",
        likely: &[
            "The graph has variables, whose values are in a checkpoint.",
            "The file is no GraphDef: a SavedModel, a text form, a Git LFS pointer.",
        ],
        next: &[
            "ckpt inspect PATH   what the file is, and whether its weights are inside",
            "tf.lite.TFLiteConverter.from_saved_model(DIR)",
        ],
        certain: &["Certain: no file was written."],
        ..ROW
    },
];
