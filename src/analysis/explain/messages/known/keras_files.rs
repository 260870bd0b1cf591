//! What Keras says when it leaves weights out, refuses a file, or cannot make a model of it.

use super::row::{Is, ROW, Row};
use crate::analysis::explain::messages::rule::Rank;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["not supported with the native Keras format", "are not supported with the native Keras format"],
        cause: "keras-native-arguments",
        value: &[("Keras format: ", "")],
        otherwise: "an argument",
        headline: "Saving or loading a .keras file takes no such argument: {}.",
        means: &[
            "options, save_format, include_optimizer, save_traces and signatures belong to HDF5 files and SavedModels.",
        ],
        likely: &["The call was written for .h5 files or SavedModels, and the path now ends in .keras."],
        next: &["leave the argument out", "model.export(DIR)   for a SavedModel with signatures"],
        certain: &["Certain: the file was not looked into."],
        ..ROW
    },
    Row {
        marks: &[
            "Skipping loading of weights for layer",
            "Skipping loading weights for layer",
            "Skipping loading top-level weights",
        ],
        cause: "keras-skipped",
        rank: Rank::Vague,
        value: &[("(named ", ")")],
        otherwise: "a layer",
        headline: "Keras left out {}, as skip_mismatch tells it to: its weights keep their initial values.",
        likely: &[
            "A new head of another size: that is as it should be.",
            "Layers of the body among them: another architecture, or another order of layers.",
        ],
        next: &[
            "count the warnings: each is a layer that is random now",
            "ckpt validate PATH --against MODEL.keras --skip-mismatch   all of them at once",
        ],
        certain: &["Certain: what was skipped was not loaded."],
        ..ROW
    },
    Row {
        marks: &["Could not load weights in object", "Could not load assets in object"],
        cause: "keras-object-skipped",
        rank: Rank::Wrapper,
        value: &[(" in object ", ". Skipping")],
        otherwise: "an object",
        headline: "Keras could not load {} and went on without it, as skip_mismatch tells it to.",
        likely: &[
            "Shapes or numbers of variables differ: the reason stands behind it on the line.",
            "The layer was not built.",
        ],
        next: &["ckpt validate PATH --against MODEL.keras --skip-mismatch   everything that does not fit"],
        certain: &["Certain: what was skipped keeps its initial values."],
        ..ROW
    },
    Row {
        marks: &[
            "Invalid filepath extension for saving",
            "expected a `.keras` extension",
            "expected a `.weights.h5` extension",
            "must end in `.weights.json`",
            "looks like an HDF5 file. Omit the",
        ],
        cause: "keras-extension",
        value: &[("filepath=", " "), ("filepath (", ")")],
        otherwise: "the name",
        headline: "Keras decides by the ending of the name, and {} has another one than this call takes.",
        likely: &[
            "model.save takes .keras (or .h5), save_weights takes .weights.h5 (.weights.json with max_shard_size); folders are written by model.export.",
            "The code was written for Keras 2, where a name without an ending was a SavedModel or a checkpoint.",
        ],
        next: &[
            "model.save('m.keras'), model.save_weights('m.weights.h5'), model.export('m')",
            "ckpt inspect PATH   what a file of an old program is",
        ],
        certain: &["Certain: nothing was written."],
        ..ROW
    },
    Row {
        marks: &[
            "Not allowed: H5 file",
            "Not allowed: H5 dataset",
            "Not allowed: archive member",
            "Not allowed: ZIP member",
            "Refusing to load npz weight",
            "HDF5 dataset too large to load safely",
            "Malformed HDF5 dataset shape",
        ],
        cause: "keras-refuses",
        headline: "Keras refuses the file for safety: a data set in it lies elsewhere (external, virtual), or says that it is far larger than its bytes.",
        likely: &[
            "Compressed or sparse data sets by another program than Keras, which no Keras writes.",
            "A file that was made to exhaust memory or to read other files.",
        ],
        next: &[
            "ckpt inspect PATH and ckpt list PATH   what is in it, in bounded memory",
            "ask who made the file; write it again with model.save",
        ],
        certain: &["Certain: Keras stopped before it read the values."],
        ..ROW
    },
    Row {
        marks: &["not found in any of the shards"],
        cause: "keras-shard-missing",
        value: &[("Key '", "' not found")],
        otherwise: "such key",
        headline: "The list of shards of the weights leads to no {}.",
        likely: &[
            "A shard (…_00001.weights.h5) was not copied with the .weights.json.",
            "The files are of different saves.",
            "The model has a layer that the file does not.",
        ],
        next: &["ckpt validate PATH   PATH: the .weights.json; which shards are missing"],
        certain: &["Certain: it was looked for in all shards that are there."],
        ..ROW
    },
    Row {
        marks: &["Skipping nested container at"],
        cause: "keras-nested",
        value: &[("container at '", "'")],
        otherwise: "a container",
        headline: "Keras found no weights for the layers in {}, and left them at their initial values.",
        likely: &[
            "The file was saved by a Keras that did not save layers in nested lists and dictionaries.",
            "The attribute has another name in this program.",
        ],
        next: &[
            "ckpt list PATH --names   what the file has",
            "load the file with the Keras that wrote it (ckpt inspect PATH), and save it again",
        ],
        certain: &["Certain: those layers were not loaded."],
        ..ROW
    },
    Row {
        marks: &["`by_name` only supports loading legacy"],
        cause: "keras-by-name",
        headline: "load_weights(by_name=True) is for files of Keras 2 that end in .h5 or .hdf5.",
        likely: &["The file is a .weights.h5 or .keras of Keras 3, which matches by the paths of layers."],
        next: &[
            "model.load_weights(PATH, skip_mismatch=True)   leaves out what does not fit",
            "ckpt inspect PATH   which Keras wrote it",
        ],
        certain: &["Certain: nothing was loaded."],
        ..ROW
    },
    Row {
        marks: &["Error when creating the weights of optimizer", "Your optimizer uses slots. Slots cannot be restored"],
        cause: "keras-optimizer-lost",
        rank: Rank::Vague,
        headline: "The weights of the model were loaded, the state of its optimizer was not: it begins anew.",
        likely: &[
            "The optimizer is of another version of Keras, or counts other variables (frozen or new layers).",
            "A SavedModel of Keras 2, whose slots are not restored.",
        ],
        next: &[
            "ckpt inspect PATH   whether the file has the state of an optimizer",
            "go on with a warm-up, or load in the version that wrote it",
        ],
        certain: &["Certain: weights are not concerned."],
        ..ROW
    },
    Row {
        marks: &["No training configuration found in"],
        cause: "keras-not-compiled",
        rank: Rank::Vague,
        headline: "The model was loaded, but not compiled: the file has no loss, metrics and optimizer.",
        likely: &["It was saved with include_optimizer=False, before compile, or by export."],
        next: &["model.compile(…)   before fit or evaluate; predict works as it is"],
        certain: &["Certain: weights are not concerned."],
        ..ROW
    },
    Row {
        marks: &[
            "cannot be saved because the input shape",
            "cannot be saved either because the input shape",
            "requires the model to be a Functional model or a Sequential",
            "because the input shapes have not been set",
        ],
        cause: "keras-not-saved",
        headline: "The model could not be saved whole: Keras does not know its layers or its input.",
        likely: &[
            "A subclassed model, whose layers are code: HDF5 cannot hold it.",
            "The model has not seen an input yet.",
        ],
        next: &["model.save_weights(PATH)   saves the weights alone", "call the model once on data before saving"],
        certain: &["Certain: nothing was written."],
        ..ROW
    },
    Row {
        marks: &["name 'tf' is not defined", "name 'K' is not defined"],
        cause: "lambda-globals",
        rank: Rank::Vague,
        headline: "A Lambda layer of the loaded model uses a name that its Python code does not bring along.",
        likely: &["Keras saves the code of a lambda, but not the imports around it."],
        next: &[
            "build the model in code and load the weights alone: model.load_weights(PATH)",
            "pass custom_objects={'tf': tf} to load_model",
            "ckpt ops PATH   which layers hold Python code",
        ],
        certain: &["Certain: the weights are not the matter."],
        ..ROW
    },
    Row {
        marks: &["appears to be a SavedModel directory, but checkpoint either doesn't exist"],
        cause: "keras-saved-model-weights",
        value: &[("filepath ", " appears")],
        otherwise: "the path",
        is: Is::Path,
        headline: "load_weights was given a SavedModel, and finds no checkpoint in its variables.",
        likely: &["variables/variables.index or its data was not copied.", "The directory is no SavedModel of Keras."],
        next: &[
            "ckpt inspect PATH   what is there and what is missing",
            "load_weights(PATH/variables/variables)   its checkpoint, if it is whole",
        ],
        certain: &["Certain: nothing was loaded."],
        ..ROW
    },
    Row {
        marks: &["lacks the TF-Keras metadata file", "lacks the Keras metadata file", "Cannot parse keras metadata"],
        cause: "keras-metadata",
        value: &[("SavedModel at ", " ")],
        otherwise: "the path",
        is: Is::Dir,
        headline: "The SavedModel has no description by Keras, so load_model cannot make its layers.",
        likely: &[
            "It was written by tf.saved_model.save or export, not by model.save.",
            "keras_metadata.pb was not copied.",
        ],
        next: &[
            "tf.saved_model.load(PATH)   loads its functions; keras.layers.TFSMLayer(PATH) makes a layer of it",
            "ckpt validate PATH --against MODEL   whether its variables fit a model that is built in code",
        ],
        certain: &["Certain: variables are not concerned."],
        ..ROW
    },
    Row {
        marks: &[
            "Unable to restore object of class",
            "could not be initialized:",
            "because the call function was not serialized",
        ],
        cause: "keras-revive",
        value: &[("object of class '", "'")],
        otherwise: "a layer or model",
        headline: "Keras could not make {} from its SavedModel: its class is not known in this program.",
        likely: &[
            "A class of one's own that is not registered or imported.",
            "Its name is that of a layer of Keras.",
            "get_config is missing, or the layer was not built when it was saved.",
        ],
        next: &[
            "import the class and register it: @keras.saving.register_keras_serializable()",
            "custom_objects={…} for load_model",
            "tf.saved_model.load(PATH)   loads it without classes",
        ],
        certain: &["Certain: variables are not concerned."],
        ..ROW
    },
];
