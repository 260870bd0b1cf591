//! What saving and loading SavedModels says, in TensorFlow, TensorFlow Hub and Serving.

use super::row::{Is, ROW, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["Got an incompatible argument to `tags`"],
        cause: "tags",
        value: &[("SavedModel at ", " ")],
        otherwise: "the path",
        is: Is::Dir,
        headline: "The SavedModel has one graph, with other tags than were asked for.",
        likely: &["tags=['serve'] was left over, or the model was saved for training."],
        next: &["ckpt inspect PATH   its tags", "tf.saved_model.load(PATH)   without tags"],
        certain: &["Certain: variables were not read."],
        ..ROW
    },
    Row {
        marks: &["is not supported by this version of TensorFlow. (The object you are loading"],
        cause: "newer-type",
        headline: "The SavedModel holds a type that this TensorFlow does not know: it was saved by a newer one.",
        likely: &["A class of specification that was added later."],
        next: &["ckpt inspect PATH   which TensorFlow wrote it", "upgrade to that"],
        certain: &["Certain: variables are not concerned."],
        ..ROW
    },
    Row {
        marks: &["You may be trying to save on a different device"],
        cause: "io-device",
        headline: "TensorFlow tried to write where the computation runs, and there is no such directory there.",
        likely: &["A TPU or a remote worker has no access to the disk of this machine."],
        next: &[
            "tf.saved_model.SaveOptions(experimental_io_device='/job:localhost'), the same for CheckpointOptions",
            "save to a bucket that the workers reach",
        ],
        certain: &["Certain: nothing was written."],
        ..ROW
    },
    Row {
        marks: &["from non-whitelisted namespaces to SavedModel"],
        cause: "custom-op-namespace",
        headline: "The model has ops of a package of its own, and saving refuses them until they are named.",
        likely: &["A custom op, Namespace>Op: whoever loads the model needs its library."],
        next: &[
            "tf.saved_model.SaveOptions(namespace_whitelist=['NAMESPACE'])",
            "ckpt ops PATH   which ops a model has that no stock server knows",
        ],
        certain: &["Certain: nothing was written."],
        ..ROW
    },
    Row {
        marks: &["already exists, and isn't empty. Please choose a different export directory"],
        cause: "export-exists",
        value: &[("Export directory ", " already")],
        otherwise: "it",
        is: Is::Dir,
        headline: "The directory to export into is not empty: {}.",
        likely: &["An earlier export lies there."],
        next: &["export into a new number: BASE/1, BASE/2", "ckpt inspect DIR   what lies there"],
        certain: &["Certain: nothing was overwritten."],
        ..ROW
    },
    Row {
        marks: &["which is unsupported or not reachable from root"],
        cause: "untracked-capture",
        headline: "A function of the model uses a variable or table that is no attribute of the model, so it cannot be saved.",
        likely: &["A global variable, or one that was made in the function.", "A table that is held by nothing."],
        next: &["make it an attribute of the module: self.table = …", "save again"],
        certain: &["Certain: nothing was written."],
        ..ROW
    },
    Row {
        marks: &["SavedModel Fingerprint Error", "could not be deserialized as fingerprint"],
        cause: "fingerprint",
        headline: "The fingerprint.pb of the SavedModel cannot be read, or is not there.",
        likely: &["Models before TensorFlow 2.12 have none.", "It was not copied, or is a Git LFS pointer."],
        next: &["ckpt inspect PATH   whether model and fingerprint belong together", "the model loads without it"],
        certain: &["Certain: the model loads all the same."],
        ..ROW
    },
    Row {
        marks: &["contains neither 'saved_model.pb' nor 'saved_model.pbtxt'"],
        cause: "hub-cache",
        value: &[("unknown type. '", "'")],
        otherwise: "a cache",
        is: Is::Dir,
        headline: "TensorFlow Hub keeps models in {}, and what lies there is not whole.",
        likely: &[
            "A download that was interrupted: the directory is there, the model is not.",
            "The cache lies in /tmp, and the system tidied it.",
        ],
        next: &[
            "move that directory away, and load again",
            "TFHUB_CACHE_DIR=DIR   a place that is not tidied",
            "ckpt inspect DIR   what is there",
        ],
        certain: &["Certain: nothing was loaded."],
        ..ROW
    },
    Row {
        marks: &["does not appear to be a valid module", "unsupported handle format"],
        cause: "hub-handle",
        headline: "TensorFlow Hub cannot make sense of {}.",
        likely: &[
            "A handle of Hub 1 (hub.Module) for Hub 2, or the reverse.",
            "No network, or a page in place of the model: tfhub.dev leads to Kaggle now.",
        ],
        next: &[
            "hub.load(HANDLE) or hub.KerasLayer(HANDLE) for TensorFlow 2",
            "fetch the model and give its directory; ckpt inspect DIR says whether it is whole",
        ],
        certain: &["Certain: nothing was loaded."],
        ..ROW
    },
    Row {
        marks: &["to have an absolute path or URI; got base_path()"],
        cause: "relative-base-path",
        value: &[("base_path()=", "")],
        otherwise: "it",
        is: Is::Dir,
        headline: "TensorFlow Serving wants an absolute path: base_path {} is relative.",
        likely: &["model_base_path or a line of models.config has no / in front."],
        next: &[
            "--model_base_path=/models/NAME, as it is called in the container",
            "ckpt validate DIR --serving   what a server would find",
        ],
        certain: &["Certain: no model was opened."],
        ..ROW
    },
    Row {
        marks: &["specified in either feed_devices or fetch_devices was not found in the Graph"],
        cause: "tensor-not-in-graph",
        value: &[("Tensor ", ",")],
        otherwise: "such tensor",
        headline: "The graph has no {}, which was to be fed or fetched.",
        likely: &[
            "Another name: an input in place of serving_default_input, a scope more or less.",
            "The signature and the graph are of different saves.",
        ],
        next: &["ckpt inspect PATH   the tensors behind each input and output"],
        certain: &["Certain: variables are not concerned."],
        ..ROW
    },
];
