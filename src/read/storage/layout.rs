//! Names that TensorFlow gives to the files of a SavedModel (`python/saved_model/constants.py`).

use std::path::{Path, PathBuf};

/// The binary form; TensorFlow prefers it.
pub const SAVED_MODEL_PB: &str = "saved_model.pb";

/// The text form.
pub const SAVED_MODEL_PBTXT: &str = "saved_model.pbtxt";

/// The chunked form.
pub const SAVED_MODEL_CPB: &str = "saved_model.cpb";

/// Any of these files makes a directory a SavedModel; of several the first counts.
pub const SAVED_MODEL_FILES: [&str; 3] = [SAVED_MODEL_PB, SAVED_MODEL_PBTXT, SAVED_MODEL_CPB];

/// The file that makes `dir` a SavedModel; `.pb` wins over `.pbtxt`, as in TensorFlow's loader.
pub fn saved_model_file(dir: &Path) -> Option<PathBuf> {
    SAVED_MODEL_FILES.into_iter().map(|name| dir.join(name)).find(|file| super::is_file(file))
}
