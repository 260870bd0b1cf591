//! Pages about directories that TensorFlow Serving watches.

use super::Page;
use crate::analysis::Code;

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::NoVersion,
        found: "No entry of the directory has a name that is a number, or the path is a checkpoint without a SavedModel around it.",
        tensorflow: "Serving warns \"No versions of servable … found under base path\" once a second and serves nothing; its health check fails.",
        causes: &[
            "The SavedModel lies in the directory itself, not in `1/` below it.",
            "The wrong directory, or a checkpoint that was never exported.",
        ],
        next: &[
            "Move the export into a directory named by a number: `mkdir DIR/1`.",
            "`ckpt inspect DIR` shows what it is.",
        ],
    },
    Page {
        code: Code::StrayVersion,
        found: "An entry has a number for a name and is a file, a directory without SavedModel, or a Session Bundle.",
        tensorflow: "Serving takes it for a version without a look inside. If it is the highest one it is loaded before all others, fails, and is tried again.",
        causes: &[
            "A copy that has only begun.",
            "A dated file or directory, such as 20240131, beside the versions.",
            "An export older than SavedModel.",
        ],
        next: &["Copy to a name that is no number and rename when all is there.", "Move what is no version elsewhere."],
    },
    Page {
        code: Code::DuplicateVersion,
        found: "Two names are the same number: `1` and `001`.",
        tensorflow: "Serving warns and takes the name that sorts last.",
        causes: &["Two tools write versions, one of them with leading zeros."],
        next: &["Move one of them elsewhere, or give it another number."],
    },
    Page {
        code: Code::NoServeTag,
        found: "No meta graph of the SavedModel has the tags {serve} and no others.",
        tensorflow: "Serving fails: \"Could not find meta graph def matching supplied tags: { serve }\".",
        causes: &["It was exported for training or for another device: tags {serve, gpu}, {train}."],
        next: &[
            "Export it with the tag `serve`, or start the server with --saved_model_tags.",
            "`ckpt inspect DIR` shows the tags.",
        ],
    },
    Page {
        code: Code::MissingVariables,
        found: "The graph has operations that restore variables, or there are data shards of variables, and `variables/variables.index` is not there.",
        tensorflow: "`tf.saved_model.load` raises. The C++ loader and TensorFlow Serving log that there are no variables and succeed; the first request fails: \"Failed to precondition: Error while reading resource variable\".",
        causes: &["The directory `variables` was not copied, or not yet, or not all of it.", "An archive without it."],
        next: &[
            "Copy the whole directory of the export again.",
            "ckpt recover DIR -o NEW/variables   a copy of the variables with an index that is rebuilt, where only that is lost.",
        ],
    },
    Page {
        code: Code::NoDefaultSignature,
        found: "The signatures of the graph tagged `serve` are listed.",
        tensorflow: "A request that names no signature fails: \"Serving signature key \\\"serving_default\\\" not found\".",
        causes: &["The model was saved without `signatures`.", "The signature has another key."],
        next: &[
            "Clients can name a signature: `ckpt inspect DIR` shows them.",
            "Or export with signatures={'serving_default': …}.",
        ],
    },
    Page {
        code: Code::SignatureConvention,
        found: "Inputs and outputs are compared with what Serving's Classify and Regress requests need.",
        tensorflow: "Requests of that kind fail; Predict requests work.",
        causes: &[
            "An input is not called `inputs`, or an output not `classes`, `scores` or `outputs`.",
            "An output is not float32 or string.",
        ],
        next: &["Rename them in the export, or use the method tensorflow/serving/predict."],
    },
];
