//! By which of its ways Keras loads a file: the end of its name decides.

use std::path::Path;

use super::listed::How;
use super::loading::Loading;
use super::objects::{KerasProgram, Objects};
use super::saved::Saved;
use super::{by_path, listed};
use crate::analysis::restore::Raise;

/// Which of its ways a Keras takes, by the name of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Path,
    Lists,
    /// It refuses the ending.
    Refused,
    /// It takes for HDF5 what is none.
    Unreadable,
}

/// The way of a file.
pub(super) fn way(file: &Path, program: KerasProgram) -> Way {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Keras compares letter by letter: `.H5` is no `.h5`.
    let ends = |end: &str| name.ends_with(end);
    match program {
        _ if ends(".keras") || ends(".weights.h5") => Way::Path,
        KerasProgram::Keras3 if ends(".weights.json") => Way::Path,
        _ if ends(".h5") || ends(".hdf5") => Way::Lists,
        KerasProgram::Keras3 => Way::Refused,
        KerasProgram::Keras2 if ends(".json") => Way::Unreadable,
        // Whatever is no checkpoint of TensorFlow is opened as HDF5.
        KerasProgram::Keras2 => Way::Lists,
    }
}

/// Loads a file into a model.
pub(super) fn load(
    objects: &Objects,
    saved: &Saved,
    file: &Path,
    program: KerasProgram,
    how: How,
    way: Way,
) -> Loading {
    let refused =
        |message: String| Loading { raise: Some(Raise { class: "ValueError", message }), ..Loading::default() };
    let shown = file.display();
    match way {
        Way::Path if how.by_name && program == KerasProgram::Keras3 => {
            refused(format!("`by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: {shown}"))
        }
        Way::Path => by_path::load(objects, saved, program, how.skips),
        Way::Lists => listed::load(objects, saved, program, how),
        Way::Unreadable if how.skips && !how.by_name => refused(listed::SKIPS_BY_NAME.to_owned()),
        Way::Unreadable => {
            let message = "Unable to synchronously open file (file signature not found)".to_owned();
            Loading { raise: Some(Raise { class: "OSError", message }), ..Loading::default() }
        }
        Way::Refused => refused(format!(
            "File format not supported: filepath={shown}. Keras 3 only supports V3 `.keras` files, `.weights.h5` files, legacy \
             H5 format files (`.h5` extension), or Orbax checkpoints."
        )),
    }
}
