//! What a path is that TensorFlow was given where it wants another kind: one of the files of a set, a file of another
//! format, a pattern, a path of another machine.

use super::diagnosis::Diagnosis;
use super::pasted::{member, quoted};

/// What a path is that TensorFlow was given where it wants a prefix; `None` if it may well be one.
pub fn misgiven(path: &str) -> Option<Diagnosis> {
    let shown = quoted(path);
    if let Some((stem, file)) = member(path) {
        let stem = quoted(stem);
        return Some(
            Diagnosis::new("member-as-prefix", format!("{shown} was given where TensorFlow wants the prefix: give {stem}."))
                .means(format!(
                    "The path ends in {file}. TensorFlow does not say so: an index is read as an empty checkpoint of the old format, in which every name is missing; a data file or a .meta is \"not an sstable\"."
                ))
                .likely("A path of a file was passed on, from a file dialog or a listing of the directory.")
                .next(format!("restore from {stem}: no file has this name, and that is right"))
                .next("ckpt validate PREFIX   whether the set is whole")
                .certain("Certain: with this path no variable is found, whatever is in the files.")
                .of_path(Some(path)),
        );
    }
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if name == "checkpoint" {
        return Some(
            Diagnosis::new("state-file-as-prefix", format!("{shown} is the text file that names the newest checkpoint, not a checkpoint."))
                .means("TensorFlow wants the prefix that stands in that file behind model_checkpoint_path.")
                .likely("The name of the state file was taken for that of the checkpoint. Old programs did save weights under this very name; then it is a binary file.")
                .next("tf.train.latest_checkpoint(DIR)   the prefix that it names")
                .next("ckpt latest DIR   the same, if it is really there")
                .of_path(Some(path)),
        );
    }
    let kinds: &[(&[&str], &str, &str)] = &[
        (&[".h5", ".hdf5"], "an HDF5 file of Keras", "model.load_weights(PATH) or keras.models.load_model(PATH)"),
        (&[".keras"], "an archive of Keras 3", "keras.models.load_model(PATH)"),
        (
            &[".pb", ".pbtxt"],
            "a graph",
            "tf.saved_model.load(DIR) for a SavedModel; a frozen graph has its weights in itself, and nothing to restore",
        ),
        (&[".safetensors"], "a safetensors file", "safetensors.safe_open(PATH, 'np')"),
        (&[".npz", ".npy"], "a NumPy file", "numpy.load(PATH)"),
        (
            &[".tflite"],
            "a model of TensorFlow Lite",
            "tf.lite.Interpreter(PATH); its weights cannot be restored into a program",
        ),
    ];
    let (_, what, call) = kinds.iter().find(|(ends, ..)| ends.iter().any(|end| name.ends_with(end)))?;
    Some(
        Diagnosis::new("other-format-as-prefix", format!("{shown} is by its name {what}, and was given where TensorFlow wants the prefix of a checkpoint."))
            .means("A checkpoint of TensorFlow is a set of files, PREFIX.index and PREFIX.data-…; this is one file of another kind.")
            .next("ckpt inspect PATH   what the file really is")
            .next((*call).to_owned())
            .of_path(Some(path)),
    )
}

/// What TensorFlow makes of characters in a path that mean something to it.
pub(super) fn pattern(path: &str) -> Option<Diagnosis> {
    let signs: Vec<String> = ['*', '?', '['].iter().filter(|c| path.contains(**c)).map(char::to_string).collect();
    if signs.is_empty() {
        return None;
    }
    let shown = quoted(path);
    Some(
        Diagnosis::new("path-is-a-pattern", format!("TensorFlow took {shown} for a pattern, because of the {} in it, and found nothing that fits it.", signs.join(" ")))
            .means("TensorFlow reads a prefix as a glob: [ab] stands for a or b, * and ? for anything. A directory whose name has such a character is never found under its own name.")
            .likely("The directory was named for its settings (`run[lr=0.1]`), or the shell did not replace a * in quotes.")
            .next("ckpt inspect PREFIX   what lies there: ckpt takes the path as it is written")
            .next("rename the directory, or give the path through a link without such characters: ln -s")
            .certain("That TensorFlow takes it for a pattern is certain; whether the files are there, ckpt inspect says.")
            .of_path(Some(path)),
    )
}
