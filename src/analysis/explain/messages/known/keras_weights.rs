//! What Keras says of layers and weights that do not fit each other.

use super::row::{Is, ROW, Row};
use crate::analysis::explain::messages::rule::Rank;

const COMPARE: &str = "compare the layers with those of the file: model.summary(), ckpt list PATH";

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &[
            "model that has not yet been built",
            "subclassed Model which has not created its variables yet",
            "You must build the layer before accessing `",
            "object has no attribute 'kernel'",
            "object has no attribute 'embeddings'",
            "object has no attribute 'gamma'",
            "Weights for model…have not yet been created",
            "was never built and thus it doesn't have any variables",
            "but received 0 variables during loading",
        ],
        cause: "keras-unbuilt",
        value: &[
            ("AttributeError: '", "' object"),
            ("Weights for model ", " have not"),
            ("Layer '", "'"),
            ("'", "' object has no attribute"),
        ],
        otherwise: "the model or layer",
        headline: "{} is not built yet: it has no variables that weights could go into.",
        means: &["A layer of Keras makes its variables when it sees the shape of its input for the first time."],
        likely: &[
            "The model has no Input and was not called before load_weights.",
            "A layer's variables are asked for (layer.kernel) before the first call.",
            "A subclassed model: its layers are built in call, or never, if build does not make them.",
            "The file was written by a model that was not built, and has no values for the layer.",
        ],
        next: &["call the model once on data, or model.build(input_shape), before loading", COMPARE],
        certain: &["Certain: nothing is known to be damaged."],
        ..ROW
    },
    Row {
        marks: &[
            "Layer '…' expected…variables, but received",
            "expected…variables, but received…variables during loading",
        ],
        cause: "keras-layer-variables",
        value: &[("Layer '", "' expected")],
        otherwise: "a layer",
        headline: "{} has another number of variables in the model than in the file.",
        means: &["Keras 3 pairs layers by their place in the model and then loads their variables in order."],
        likely: &[
            "The layer has other settings than the one that was saved (use_bias, center and scale of a normalization).",
            "The model has another structure than the one that was saved, or layers in another order.",
            "The layer is not built yet, so it has no variables: call the model once before load_weights.",
        ],
        next: &[COMPARE, "load_weights(PATH, skip_mismatch=True)   loads what fits and warns of the rest"],
        ..ROW
    },
    Row {
        marks: &["Skipping variable loading for optimizer"],
        cause: "keras-optimizer-variables",
        rank: Rank::Consequence,
        value: &[("for optimizer '", "'")],
        otherwise: "the optimizer",
        headline: "The state of {} was not loaded; the weights were.",
        means: &[
            "A warning: the optimizer has another number of variables than the saved one. Most often it is not built yet, and has only its counter.",
        ],
        likely: &[
            "The model was compiled but not trained: the optimizer makes its slots at the first step (optimizer.build(model.trainable_variables) makes them now).",
            "Another optimizer, or other trainable variables.",
        ],
        next: &["harmless for inference; to go on training, build the optimizer before loading"],
        ..ROW
    },
    Row {
        marks: &[
            "Layer count mismatch when loading weights from file",
            "You are trying to load a weight file containing",
            "The layer expects…weights, but the saved weights have",
            "expects…weight(s), but the saved weights have…elements",
            "expects…weights, but the saved weights have…elements",
            "Weight count mismatch for layer",
            "Weight count mismatch for top-level weights",
            "with a weight list of length…but the layer was expecting",
        ],
        cause: "keras-layer-count",
        value: &[
            ("Model expected ", " saved layers"),
            ("weight file containing ", " layers."),
            ("weight list of length ", " weights."),
            ("The layer expects ", " elements"),
            ("mismatch for layer ", ". Layer"),
            ("However the new layer ", " elements"),
        ],
        otherwise: "the numbers differ",
        headline: "The file has another number of layers or weights than the model ({}).",
        means: &["load_weights pairs the layers that have weights in order; their numbers must be the same."],
        likely: &[
            "Another architecture, or include_top on one side only.",
            "The model is not built yet: layers without an input shape have no weights.",
            "The file is of a model in a model (a nested or TimeDistributed layer counts as one).",
        ],
        next: &[
            COMPARE,
            "load_weights(PATH, by_name=True, skip_mismatch=True)   takes what has the same name and shape",
        ],
        ..ROW
    },
    Row {
        marks: &["axes don't match array"],
        cause: "keras-axes",
        headline: "A weight has another number of dimensions than the layer that Keras converts it for.",
        means: &[
            "Keras transposes kernels of older files (Theano's order, Keras 1); this one does not have the dimensions it expects: layer and weight do not belong together.",
        ],
        likely: &[
            "The layers of the model are in another order than in the file, often by a nested model or by Keras versions.",
            "A file of another architecture.",
        ],
        next: &[COMPARE, "load with the Keras that saved it, and save again"],
        ..ROW
    },
    Row {
        marks: &["Provided weight data has no target variable"],
        cause: "tensorflow-js-names",
        value: &[("no target variable: ", "")],
        otherwise: "a weight",
        is: Is::Tensor,
        headline: "TensorFlow.js: the model has no variable for {}.",
        means: &["The weights in the .bin files go by names, and the topology in model.json makes other names."],
        likely: &[
            "model.json and the weight files are of different conversions.",
            "Layers were renamed, or a scope stands in front (`model/`, `sequential_1/`).",
            "strict loading of a model with a new head.",
        ],
        next: &[
            "convert again, and copy all files together",
            "model.loadWeights(weights, false) skips what has no place",
        ],
        ..ROW
    },
    Row {
        marks: &["objects could not be loaded"],
        cause: "keras-objects",
        rank: Rank::Wrapper,
        headline: "Keras could not load the weights of some layers; the rest of the message is about the first of them.",
        means: &["The first of the layers is named with the reason; the others stand in the list at the end."],
        likely: &["Layers have other sizes, or another order, than in the saved model."],
        next: &[COMPARE],
        ..ROW
    },
];
