//! What Keras, h5py and TensorFlow.js say of weight files.

use super::row::{Known, ROW};

const COMPARE: &str =
    "compare the layers with those of the file: model.summary(), h5ls -r FILE; for a checkpoint ckpt list PREFIX";

pub(super) const ROWS: &[Known] = &[
    Known {
        marks: &[
            "file signature not found",
            "Unable to find a valid file signature",
            "Unable to open file (file signature",
            "unable to open file (file signature",
        ],
        value: &[("name = '", "'")],
        otherwise: "the file",
        headline: "{} is no HDF5 file, whatever its ending.",
        means: &["Every HDF5 file begins with the same eight bytes; these are others."],
        likely: &[
            "A Git LFS pointer, a web page or an error that a download saved under this name.",
            "A Keras 3 archive (.keras) or a TensorFlow checkpoint with the ending .h5.",
            "An empty file of a save that ended early, or one that went through a text conversion (it begins with EF BF BD).",
        ],
        next: &["ckpt inspect {}   what the file really is", "fetch it again, as binary; git lfs pull"],
        certain: &["Certain: not a byte of weights was read."],
        ..ROW
    },
    Known {
        marks: &["truncated file: eof", "truncated file"],
        value: &[("stored_eof = ", ""), ("stored_eoa = ", "")],
        otherwise: "more",
        headline: "The HDF5 file is cut off: it should have {} bytes.",
        means: &["An HDF5 file says in its header how long it is; this one is shorter."],
        likely: &[
            "The download or copy stopped early, or the disk was full while saving.",
            "The program that writes it is still at it, or was killed: HDF5 is whole only when it was closed.",
        ],
        next: &["compare the size with the original, and fetch it again", "use an earlier save"],
        certain: &["Certain: the end is missing. What lies before it may still be whole."],
        ..ROW
    },
    Known {
        marks: &[
            "Unable to open file…No such file or directory",
            "unable to open file…No such file",
            "No file or directory found at",
            "File not found: filepath=",
        ],
        value: &[("name = '", "'"), ("found at ", ""), ("filepath=", "")],
        otherwise: "the file",
        headline: "There is no {}.",
        likely: &[
            "The path is relative to another working directory, or the ending is another one (.h5, .keras, .weights.h5).",
            "A checkpoint of TensorFlow has no file of its own name: model.save_weights('ckpt') writes ckpt.index and ckpt.data-….",
        ],
        next: &["ckpt inspect {}   what is near"],
        ..ROW
    },
    Known {
        marks: &[
            "SavedModel file does not exist at…h5",
            "SavedModel file does not exist at…hdf5",
            "SavedModel file does not exist at…keras",
            "SavedModel file does not exist at:…h5/{saved_model",
        ],
        value: &[("does not exist at: ", "/{"), ("does not exist at ", "/{")],
        otherwise: "the file",
        headline: "{} is missing. Keras took the path for a SavedModel because there is no such file.",
        means: &[
            "load_model looks whether the path is an HDF5 file; where there is none it goes on to SavedModels, and that is what the message speaks of.",
        ],
        likely: &["The path or the working directory is wrong, or the file was not saved or copied."],
        next: &["ckpt inspect {}   what is near", "print(os.getcwd(), os.listdir()) in the program"],
        certain: &["Certain: no directory is at fault."],
        ..ROW
    },
    Known {
        marks: &[
            "Layer '…' expected…variables, but received",
            "expected…variables, but received…variables during loading",
            "was never built and thus it doesn't have any variables",
        ],
        value: &[("Layer '", "'")],
        otherwise: "a layer",
        headline: "{} has another number of variables in the model than in the file.",
        means: &["Keras 3 pairs layers by their place in the model and then loads their variables in order."],
        likely: &[
            "The layer is not built yet, so it has no variables: call the model once, or build(input_shape), before load_weights.",
            "The model has another structure than the one that was saved, or layers in another order.",
        ],
        next: &[COMPARE, "load_weights(FILE, skip_mismatch=True) loads what fits and warns of the rest"],
        ..ROW
    },
    Known {
        marks: &["Skipping variable loading for optimizer"],
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
    Known {
        marks: &[
            "Shape mismatch in layer #",
            "Weight expects shape…Received saved weight with shape",
            "Layer weight shape…not compatible with provided weight shape",
        ],
        value: &[("(named ", ")"), ("layer named ", "")],
        otherwise: "a layer",
        headline: "A weight of {} has another shape in the model than in the file.",
        means: &["Keras loads by order (or by name with by_name=True) and never reshapes."],
        likely: &[
            "Another number of classes: a new head. Load with by_name=True, skip_mismatch=True, or give the new layer a name of its own.",
            "Another input size, vocabulary or width than in training.",
            "Layers in another order: the weights of one layer meet another.",
        ],
        next: &[COMPARE],
        ..ROW
    },
    Known {
        marks: &[
            "You are trying to load a weight file containing",
            "Layer count mismatch when loading weights from file",
            "The layer expects…weights, but the saved weights have",
            "expects…weight(s), but the saved weights have…elements",
            "Weight count mismatch for layer",
        ],
        headline: "The file has another number of layers or weights than the model.",
        means: &["load_weights pairs the layers with weights in order; their numbers must be the same."],
        likely: &[
            "Another architecture, or include_top on one side only.",
            "The model is not built yet: layers without an input shape have no weights.",
            "The file is of a model in a model (a nested or TimeDistributed layer counts as one).",
        ],
        next: &[COMPARE, "load_weights(FILE, by_name=True, skip_mismatch=True) takes what has the same name and shape"],
        ..ROW
    },
    Known {
        marks: &["axes don't match array"],
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
    Known {
        marks: &["Provided weight data has no target variable"],
        value: &[("no target variable: ", "")],
        otherwise: "a weight",
        is_tensor: true,
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
    Known {
        marks: &[
            "object has no attribute 'shape'",
            "object has no attribute 'bias'",
            "object has no attribute 'kernel'",
            "object has no attribute 'adam_m'",
            "object has no attribute 'global_step'",
            "object has no attribute 'squad'",
        ],
        value: &[("AttributeError: '", "'"), ("'", "' object has no attribute")],
        otherwise: "the model",
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
