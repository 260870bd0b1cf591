//! Messages about files: not there, not whole, not a checkpoint.

use super::Rule;
use crate::analysis::Code;
use crate::analysis::explain::Diagnosis;
use crate::analysis::explain::pasted::{argument, number, prefix, quoted, word, word_before};

pub(super) const RULES: &[Rule] = &[
    Rule { marks: &["The length checksum does not match"], read: |_| Some(string_lengths()) },
    Rule { marks: &["String lengths longer than expected offset"], read: |_| Some(string_lengths()) },
    Rule { marks: &["failed to seek to header entry", "block checksum mismatch"], read: |text| Some(block(text)) },
    Rule { marks: &["unable to parse header"], read: |text| Some(header(text)) },
    Rule { marks: &["Is a directory"], read: directory },
    Rule { marks: &["not an sstable", "bad magic number"], read: |text| Some(not_a_table(text)) },
    Rule { marks: &["file is too short to be an sstable"], read: |text| Some(too_short(text)) },
    Rule {
        marks: &["Read less bytes than requested", "Read fewer bytes than requested"],
        read: |text| Some(read_less(text)),
    },
    Rule { marks: &["No such file or directory"], read: no_shard },
    Rule {
        marks: &["Checkpoint min consumer version", "Checkpoint disallows consumer version", "below min producer"],
        read: |text| Some(version(text)),
    },
    Rule {
        marks: &["Failed to find any matching files for", "Unsuccessful TensorSliceReader constructor"],
        read: |text| Some(no_files(text)),
    },
    Rule {
        marks: &["Couldn't find 'checkpoint' file or checkpoints in given directory"],
        read: |text| Some(no_state(text)),
    },
    Rule { marks: &["The passed save_path is not a valid checkpoint"], read: |text| Some(no_checkpoint(text)) },
    Rule { marks: &["Can't load save_path when it is None"], read: |_| Some(none()) },
    Rule { marks: &["Couldn't match files for checkpoint"], read: |text| Some(stale(text)) },
    Rule { marks: &[": Checkpoint ignored", "Invalid checkpoint state loaded from"], read: |_| Some(bad_state()) },
    Rule {
        marks: &["Could not find SavedModel .pb or .pbtxt", "SavedModel file does not exist at"],
        read: |text| Some(no_saved_model(text)),
    },
    Rule { marks: &["Cannot parse proto file", "Wire format was corrupt"], read: |_| Some(bad_proto()) },
    Rule {
        marks: &[
            "Invalid size in bundle entry",
            "not parseable.",
            "Seeking to a negative position",
            "Invalid tensor shape:",
        ],
        read: |text| Some(bad_entry(text)),
    },
];

fn string_lengths() -> Diagnosis {
    Diagnosis::new("The lengths of a string tensor are not the ones that were saved.")
        .means("A string tensor stores the lengths of its strings with a checksum of their own; it does not match.")
        .likely("The data file is incomplete, changed, or of another save than the index.")
        .next("ckpt validate PREFIX   which tensors are bad, which are good")
        .next("fetch the data file again")
        .certain("That the bytes at this place are not the saved ones is certain; what happened to them is not.")
        .code(Code::StringLengthsMismatch)
}

fn block(text: &str) -> Diagnosis {
    let path = between_parens(text).unwrap_or_else(|| "PREFIX".into());
    Diagnosis::new("The index of the checkpoint is damaged; the weights may be fine.")
        .means("The .index file is a table of names in blocks. A block does not match its own checksum.")
        .likely("The .index file was damaged in a transfer or on the disk, or transferred as text.")
        .next(format!("ckpt list {path}   the names in the blocks that are whole"))
        .next("fetch the .index file again; it is small, the data file can stay")
        .certain("\"A newer version of TensorFlow\" in the message is a guess of TensorFlow, and rarely true.")
        .code(Code::BlockChecksumMismatch)
        .code(Code::IndexChecksumMismatch)
}

/// The file of "Unable to read file (P.index)".
fn between_parens(text: &str) -> Option<String> {
    Some(argument(prefix(word(text, "Unable to read file (")?.trim_matches(|c| c == '(' || c == ')'))))
}

fn header(text: &str) -> Diagnosis {
    let path = between_parens(text).unwrap_or_else(|| "PREFIX".into());
    Diagnosis::new("The first entry of the index, its header, cannot be read.")
        .likely("The .index file is another kind of table, or was written by another program.")
        .next(format!("ckpt inspect {path}   what the file looks like"))
        .next("fetch the .index file again")
        .code(Code::BadHeader)
}

fn directory(text: &str) -> Option<Diagnosis> {
    let path = word_before(text, "; Is a directory")?;
    let diagnosis =
        Diagnosis::new(format!("{} is a directory; TensorFlow wants the prefix of a checkpoint in it.", quoted(path)))
            .means(
                "A prefix is the path of the files without .index, .data-… or .meta: for example DIR/model.ckpt-200.",
            )
            .likely("The directory of a training run or of a SavedModel was given as it is.")
            .next(format!("ckpt inspect {}   what is in it, and the prefix of the newest checkpoint", argument(path)))
            .next("in Python: tf.train.latest_checkpoint(DIR); for a SavedModel: DIR/variables/variables");
    Some(diagnosis)
}

fn not_a_table(text: &str) -> Diagnosis {
    let path = word(text, "Unable to open table file");
    let shard = path.is_some_and(|path| path.contains(".data-"));
    let diagnosis = match path {
        Some(path) => Diagnosis::new(format!("{} is not the index of a checkpoint.", quoted(path))),
        None => Diagnosis::new("The file that TensorFlow opened is not the index of a checkpoint."),
    };
    let diagnosis = diagnosis.means("An index ends in a fixed number; this file ends in something else.");
    let diagnosis = if shard {
        diagnosis.likely("A data shard was given: leave .data-… off, TensorFlow wants the prefix.")
    } else {
        diagnosis
            .likely("A wrong file was given: TensorFlow wants the prefix, without .index, .data-… or .meta.")
            .likely("The file is a Git LFS pointer, a web page, or of another format (.h5, .keras, PyTorch).")
            .likely("The download stopped early: the number stands at the very end.")
    };
    let argument = path.map_or_else(|| "PATH".into(), |path| argument(path.trim_end_matches(':')));
    diagnosis
        .next(format!("ckpt inspect {argument}   says what the file looks like"))
        .next("git lfs pull, or download the files again")
        .certain("\"A different restore operator\" in the message is meant for formats before 2016.")
        .code(Code::NotATable)
}

fn too_short(text: &str) -> Diagnosis {
    let path = word(text, "Unable to open table file").map_or_else(|| "PATH".into(), argument);
    Diagnosis::new("The file that TensorFlow took for an index has fewer than 48 bytes.")
        .means("48 bytes is the size of the end mark of an index; most often the file is empty.")
        .likely("A full disk or a killed process while saving: the file was created but not written.")
        .likely("A download or copy that failed at its very beginning.")
        .next(format!("ckpt inspect {path}   says what is there and which other checkpoints are whole"))
        .next("go on from the checkpoint before this one, or fetch the file again")
        .certain("Certain: nothing of the names can be recovered from this file.")
        .code(Code::NotATable)
}

fn read_less(text: &str) -> Diagnosis {
    let path = word(text, "TensorBundle at").map_or_else(|| "PREFIX".into(), argument);
    Diagnosis::new("A data file ends before the tensor that should be in it.")
        .means("The index says where each tensor lies; at that place the .data file has no more bytes.")
        .likely("The download or copy of the .data file is incomplete: compare sizes.")
        .likely("The .data file is a Git LFS pointer of some 130 bytes.")
        .likely("Index and data are of different saves.")
        .next(format!("ckpt inspect {path}   the sizes that the files have and should have"))
        .next("fetch the .data file again; for Git LFS: git lfs pull")
        .certain("Certain: the file is too short. Tensors in front of its end can still be good.")
        .code(Code::ShortShard)
        .code(Code::ForeignShard)
}

fn no_shard(text: &str) -> Option<Diagnosis> {
    let path = word_before(text, "; No such file or directory")
        .or_else(|| word_before(text, ": No such file or directory"))?;
    if !path.contains(".data-") {
        return None;
    }
    let diagnosis = Diagnosis::new(format!("The data file {} is missing.", quoted(path)))
        .means("The index was found, so the path is right; the weights lie in files beside it that are not there.")
        .likely("Only the .index file was copied or downloaded.")
        .likely("The files were renamed: all files of a checkpoint must have the same prefix.")
        .next(format!("ckpt inspect {}   lists the files that belong together", argument(prefix(path))))
        .next("copy every file that begins with the prefix")
        .certain("TensorFlow wraps this as \"a Variable name … that is missing\"; no variable is missing.")
        .code(Code::MissingShard);
    Some(diagnosis)
}

fn version(text: &str) -> Diagnosis {
    let asks = number(text, "min consumer version");
    let diagnosis = match asks {
        Some(asks) => Diagnosis::new(format!("The checkpoint demands a TensorFlow that reads format version {asks}.")),
        None => Diagnosis::new("The checkpoint and this TensorFlow refuse each other's versions."),
    };
    diagnosis
        .means("A checkpoint says which readers may read it; all TensorFlow up to 2.21 reads version 1.")
        .likely("It was written by a newer TensorFlow, or its header was damaged or edited.")
        .next("restore with the TensorFlow that wrote it, or a newer one")
        .next("ckpt list PREFIX   reads the names in any case")
        .code(Code::VersionRefused)
}

fn no_files(text: &str) -> Diagnosis {
    let path = word(text, "matching files for");
    let named = path.map_or_else(|| "that prefix".to_owned(), quoted);
    let diagnosis = Diagnosis::new(format!("There is no checkpoint at {named}."))
        .means("TensorFlow looked for that path with .index behind it, and for a file of just that name.");
    let diagnosis = match path {
        Some(path) if path.contains(['[', ']', '*', '?']) => {
            diagnosis.likely("The path holds [ ] * or ?: TensorFlow takes them for a pattern. Rename the directory.")
        }
        Some(path) if prefix(path) != path || path.strip_suffix(".meta").is_some() => {
            diagnosis.likely("A file was given instead of the prefix: leave .index, .data-… or .meta off.")
        }
        _ => diagnosis,
    };
    diagnosis
        .likely("The step at the end is missing or wrong: model.ckpt instead of model.ckpt-200.")
        .likely("The working directory is another one than the path assumes.")
        .likely("The directory was moved: its `checkpoint` file may hold old absolute paths.")
        .next(format!("ckpt inspect {}   lists the checkpoints in the directory", path.map_or("DIR".into(), parent)))
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved)
}

/// The directory of a path, as an argument.
fn parent(path: &str) -> String {
    let dir = path.rsplit_once(['/', '\\']).map_or(".", |(dir, _)| if dir.is_empty() { "/" } else { dir });
    match argument(dir).as_str() {
        "PREFIX" => "DIR".to_owned(),
        dir => dir.to_owned(),
    }
}

fn no_state(text: &str) -> Diagnosis {
    let dir = word(text, "in given directory").map_or_else(|| "DIR".into(), argument);
    Diagnosis::new("The directory has no `checkpoint` file that leads to a checkpoint.")
        .means("TensorFlow reads the newest checkpoint's name from the text file `checkpoint`; it looks for no other files.")
        .likely("The `checkpoint` file was not copied with the other files.")
        .likely("It names another directory, because this one was moved, or a checkpoint that was deleted.")
        .next(format!("ckpt inspect {dir}   finds the checkpoints that are there"))
        .next("give the prefix itself: DIR/model.ckpt-200")
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved)
}

fn no_checkpoint(text: &str) -> Diagnosis {
    let path = word(text, "not a valid checkpoint:");
    let named = path.map_or_else(|| "The path".to_owned(), quoted);
    Diagnosis::new(format!("{named} leads to no checkpoint."))
        .means("No .index file begins with it. The message says nothing about the content of any file.")
        .likely("The step is missing (model.ckpt instead of model.ckpt-200), or the directory is another one.")
        .likely("Only the .data file is there: without the .index nothing can be found in it.")
        .next(format!("ckpt inspect {}   lists the checkpoints in the directory", path.map_or("DIR".into(), parent)))
}

fn none() -> Diagnosis {
    Diagnosis::new("The path of the checkpoint is None: tf.train.latest_checkpoint found nothing.")
        .means("It reads only the text file `checkpoint` of the directory, and checks whether that .index exists.")
        .likely("The directory is wrong or was moved, or the `checkpoint` file was not copied.")
        .next("ckpt inspect DIR   finds the checkpoints that are there")
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved)
}

fn stale(text: &str) -> Diagnosis {
    let path = word(text, "files for checkpoint").map_or_else(String::new, |path| format!(" {}", quoted(path)));
    Diagnosis::new(format!("The `checkpoint` file names a checkpoint{path} that is not there."))
        .means("TensorFlow then returns None and most programs start training from scratch.")
        .likely("The directory was moved and the file holds an absolute path, or the newest checkpoint was deleted.")
        .next("ckpt inspect DIR   lists what is there")
        .next("replace the path in the `checkpoint` file by the name alone")
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved)
}

fn bad_state() -> Diagnosis {
    Diagnosis::new("The text file `checkpoint` cannot be read, so TensorFlow knows no checkpoint in this directory.")
        .likely("It is empty after a crash or a full disk, was edited, or is a Git LFS pointer.")
        .next("ckpt inspect DIR   lists the checkpoints that are there")
        .next("write it again: one line  model_checkpoint_path: \"model.ckpt-200\"")
        .code(Code::StateFileUnreadable)
}

fn no_saved_model(text: &str) -> Diagnosis {
    let path = word(text, "export directory path:").or_else(|| word(text, "does not exist at:"));
    let dir = path.map_or_else(|| "DIR".into(), argument);
    Diagnosis::new("The directory is no SavedModel: it has neither saved_model.pb nor saved_model.pbtxt.")
        .likely("It holds checkpoints: those restore with tf.train.Checkpoint or a Saver, not with saved_model.load.")
        .likely("It is the directory above: SavedModels of a server lie in numbered directories, DIR/1.")
        .likely("The download is incomplete, or the path is misspelt.")
        .next(format!("ckpt inspect {dir}   says what the directory is"))
        .code(Code::BadSavedModel)
}

fn bad_proto() -> Diagnosis {
    Diagnosis::new("The graph file (saved_model.pb or .meta) cannot be decoded.")
        .likely("The copy or download is incomplete, or the file is a Git LFS pointer or a web page.")
        .next("ckpt inspect DIR   says what the file looks like; the variables can be read without it")
        .next("fetch the file again")
        .code(Code::BadSavedModel)
}

fn bad_entry(text: &str) -> Diagnosis {
    let key = word(text, "entry: key").or_else(|| word(text, "Entry for key")).or_else(|| word(text, "tensor shape:"));
    Diagnosis::new("The index of the checkpoint contradicts itself: TensorFlow did not write it like this.")
        .likely("The index was edited or written by another program, or the file was made to do harm.")
        .next("ckpt validate PREFIX   lists every entry that is wrong")
        .next("save the checkpoint again with TensorFlow")
        .certain("The index's checksums do not find this: they match what was written.")
        .code(Code::BadEntry)
        .code(Code::BadSize)
        .code(Code::BadRange)
        .code(Code::BadShape)
        .of_tensor(key)
}
