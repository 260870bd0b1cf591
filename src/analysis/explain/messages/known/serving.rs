//! What TensorFlow Serving says.

use super::row::{Is, ROW, Row};
use crate::analysis::Code;
use crate::analysis::explain::messages::rule::Rank;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["No versions of servable", "Unable to find a numerical version path", "No numerical version"],
        page: Some(Code::NoVersion),
        value: &[("found under base path ", ". Did you"), ("base path ", ". Did you"), ("base path ", "")],
        otherwise: "the base path",
        is: Is::Dir,
        headline: "TensorFlow Serving finds no version below {}: no entry has a whole number for a name.",
        means: &["A server loads BASE/1, BASE/2, …: the highest number. Other names are skipped without a word."],
        likely: &[
            "The path leads to the version itself: one level too deep.",
            "The version is called v1, 1.0 or latest: it must be a whole number.",
            "In a container: the directory was not mounted there, or is empty.",
        ],
        next: &["ckpt validate DIR --serving   what a server would find there, and the command that mends it"],
        certain: &["Certain: the server has not opened any model yet."],
        ..ROW
    },
    Row {
        marks: &["Could not find base path"],
        page: None,
        cause: "no-base-path",
        value: &[("Could not find base path ", " for servable"), ("Could not find base path ", "")],
        otherwise: "the base path",
        is: Is::Dir,
        headline: "There is no {} on the server's machine.",
        means: &["The path is looked up where the server runs: in its container, not on the host."],
        likely: &[
            "The directory is not mounted (docker run -v HOST_DIR:/models/NAME), or MODEL_NAME or --model_base_path says another one.",
            "A bucket that the server has no access to.",
        ],
        next: &["ckpt validate DIR --serving   on the directory that should be there", "docker exec CONTAINER ls DIR"],
        codes: &[Code::NoVersion],
        ..ROW
    },
    Row {
        marks: &["Servable not found for request"],
        cause: "not-loaded",
        rank: Rank::Consequence,
        value: &[("Servable not found for request: ", "\""), ("Servable not found for request: ", "")],
        otherwise: "the model",
        headline: "The server has not loaded what was asked for: {}.",
        means: &["Either nothing is served under this name and version, or it has not been loaded, or loading failed."],
        likely: &[
            "The request has another model name than --model_name.",
            "Loading failed: the reason stands further up in the server's log.",
            "Specific(…): only the latest version is served, unless version_policy says otherwise.",
        ],
        next: &[
            "curl http://HOST:8501/v1/models/MODEL_NAME   the state of each version",
            "ckpt validate DIR --serving   whether the model would load",
        ],
        codes: &[Code::NoVersion],
        ..ROW
    },
    Row {
        marks: &[
            "Specified file path does not appear to contain a SavedModel bundle",
            "does not appear to contain a SavedModel",
            "does not appear to contain a…SavedModel bundle",
        ],
        page: Some(Code::StrayVersion),
        value: &[("Specified file path: ", "")],
        otherwise: "the version's directory",
        is: Is::Dir,
        headline: "The server takes a directory for a version that holds no SavedModel.",
        means: &[
            "Any entry with a number for a name is a version. It must have saved_model.pb in it, not one level deeper.",
        ],
        likely: &[
            "The export lies one level deeper: 1/my_model/saved_model.pb.",
            "It holds checkpoints (.index, .data), which a server cannot load.",
        ],
        next: &["ckpt validate DIR --serving   what each version is"],
        codes: &[Code::BadSavedModel],
        ..ROW
    },
    Row {
        marks: &["Serving signature key…not found", "Serving signature name…not found"],
        page: Some(Code::NoDefaultSignature),
        value: &[("Serving signature key \"", "\""), ("Serving signature name: \"", "\"")],
        otherwise: "that was asked for",
        headline: "The model has no signature {}.",
        next: &["ckpt inspect DIR --signatures   the signatures that there are"],
        certain: &["Certain: the model was loaded; the request names what it does not have."],
        ..ROW
    },
];
