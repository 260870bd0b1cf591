//! Messages about files: not there, not whole, not a checkpoint.

use super::rule::{ROOT, Rank, Rule};
use crate::analysis::Code;
use crate::analysis::explain::diagnosis::Diagnosis;
use crate::analysis::explain::misgiven::{misgiven, pattern};
use crate::analysis::explain::pasted::{member, number, path_before, prefix, quoted, rest_of_line, word};

pub(super) const RULES: &[Rule] = &[
    Rule {
        marks: &["The length checksum does not match"],
        read: |_| Some(string_lengths()),
        example: "The length checksum does not match",
        ..ROOT
    },
    Rule {
        marks: &["String lengths longer than expected offset"],
        read: |_| Some(string_lengths()),
        example: "String lengths longer than expected offset",
        ..ROOT
    },
    Rule {
        marks: &["failed to seek to header entry", "block checksum mismatch"],
        read: |text| Some(block(text)),
        example: "block checksum mismatch",
        ..ROOT
    },
    Rule {
        marks: &["unable to parse header"],
        read: |text| Some(header(text)),
        example: "unable to parse header",
        ..ROOT
    },
    Rule {
        marks: &["Is a directory"],
        read: directory,
        example: "Unable to open table file run: FAILED_PRECONDITION: run; Is a directory",
        ..ROOT
    },
    Rule {
        marks: &["not an sstable", "bad magic number"],
        read: |text| Some(not_a_table(text)),
        example: "not an sstable (bad magic number)",
        ..ROOT
    },
    Rule {
        marks: &["file is too short to be an sstable"],
        read: |text| Some(too_short(text)),
        example: "file is too short to be an sstable",
        ..ROOT
    },
    Rule {
        marks: &["Read less bytes than requested", "Read fewer bytes than requested"],
        read: |text| Some(read_less(text)),
        example: "Read less bytes than requested",
        ..ROOT
    },
    Rule {
        marks: &["No such file or directory", "not found [Op:MergeV2Checkpoints]"],
        read: no_shard,
        example: "m.data-00000-of-00001; No such file or directory",
        ..ROOT
    },
    Rule {
        marks: &["Checkpoint min consumer version", "Checkpoint disallows consumer version", "below min producer"],
        read: |text| Some(version(text)),
        example: "Checkpoint min consumer version",
        ..ROOT
    },
    Rule {
        marks: &["Failed to find any matching files for", "Unsuccessful TensorSliceReader constructor"],
        read: |text| Some(no_files(text)),
        example: "Failed to find any matching files for",
        ..ROOT
    },
    Rule {
        marks: &["Couldn't find 'checkpoint' file or checkpoints in given directory"],
        read: |text| Some(no_state(text)),
        example: "Couldn't find 'checkpoint' file or checkpoints in given directory",
        ..ROOT
    },
    Rule {
        marks: &["The passed save_path is not a valid checkpoint"],
        read: |text| Some(no_checkpoint(text)),
        example: "The passed save_path is not a valid checkpoint",
        ..ROOT
    },
    Rule {
        marks: &["Couldn't match files for checkpoint"],
        read: |text| Some(stale(text)),
        example: "Couldn't match files for checkpoint",
        ..ROOT
    },
    Rule {
        marks: &[
            ": Checkpoint ignored",
            "Invalid checkpoint state loaded from",
            "CheckpointState\" has no field named",
        ],
        read: |text| Some(bad_state(text)),
        example: ": Checkpoint ignored",
        ..ROOT
    },
    Rule {
        marks: &["Could not find SavedModel .pb or .pbtxt", "SavedModel file does not exist at"],
        read: |text| Some(no_saved_model(text)),
        example: "SavedModel file does not exist at",
        ..ROOT
    },
    Rule {
        marks: &[
            "Invalid size in bundle entry",
            "not parseable.",
            "Seeking to a negative position",
            "Invalid tensor shape:",
        ],
        read: |text| Some(bad_entry(text)),
        example: "Invalid size in bundle entry",
        ..ROOT
    },
    Rule {
        marks: &["Error when restoring from checkpoint or SavedModel"],
        read: |text| Some(keras_path(text)),
        rank: Rank::Wrapper,
        example: "Error when restoring from checkpoint or SavedModel",
    },
];

fn string_lengths() -> Diagnosis {
    Diagnosis::of_code(Code::StringLengthsMismatch, "The lengths of a string tensor are not the ones that were saved.")
        .means("A string tensor stores the lengths of its strings with a checksum of their own; it does not match.")
        .next("ckpt validate PREFIX   which tensors are bad, which are good")
        .certain("That the bytes at this place are not the saved ones is certain; what happened to them is not.")
        .with_page(Code::StringLengthsMismatch)
}

/// The file of "Unable to read file (P.index)".
fn in_parentheses(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("Unable to read file (")?;
    rest.split_once(')').map(|(path, _)| path)
}

fn block(text: &str) -> Diagnosis {
    Diagnosis::of_code(Code::BlockChecksumMismatch, "The index of the checkpoint is damaged; the weights may be fine.")
        .means("The .index file is a table of names in blocks. A block does not match its own checksum.")
        .next("ckpt validate PREFIX   which block, and whether one flipped bit explains it")
        .with_page(Code::BlockChecksumMismatch)
        .certain("\"A newer version of TensorFlow\" in the message is a guess of TensorFlow, and rarely true.")
        .code(Code::IndexChecksumMismatch)
        .of_path(in_parentheses(text))
}

fn header(text: &str) -> Diagnosis {
    Diagnosis::of_code(Code::BadHeader, "The first entry of the index, its header, cannot be read.")
        .next("ckpt inspect PREFIX   what the file looks like")
        .with_page(Code::BadHeader)
        .of_path(in_parentheses(text))
}

fn directory(text: &str) -> Option<Diagnosis> {
    // Of a save this is a name that is taken, which has a row of its own.
    let opened = rest_of_line(text, "Unable to open table file");
    let path = opened.or_else(|| path_before(text, "; Is a directory")).filter(|path| !path.contains(".tempstate"))?;
    let diagnosis = Diagnosis::new(
        "directory-as-prefix",
        format!("{} is a directory; TensorFlow wants the prefix of a checkpoint in it.", quoted(path)),
    )
    .means("A prefix is the path of the files without .index, .data-… or .meta: for example DIR/model.ckpt-200.")
    .likely("The directory of a training run or of a SavedModel was given as it is.")
    .next("ckpt inspect DIR   what is in it, and the prefix of the newest checkpoint")
    .next("ckpt latest DIR   that prefix alone, for scripts")
    .next("in Python: tf.train.latest_checkpoint(DIR); of a SavedModel the prefix is variables/variables in it")
    .certain("Certain: nothing in the directory was looked at.");
    Some(diagnosis.of_dir(Some(path)))
}

/// The path of "Unable to open table file P: …", and of a reader's "Could not open P: …".
fn table_file(text: &str) -> Option<&str> {
    rest_of_line(text, "Unable to open table file").or_else(|| rest_of_line(text, "Could not open "))
}

fn not_a_table(text: &str) -> Diagnosis {
    let path = table_file(text);
    if let Some(given) = path.filter(|path| member(path).is_none_or(|(_, end)| end != ".index")).and_then(misgiven) {
        return given.code(Code::NotATable);
    }
    let headline = match path {
        Some(path) => format!("{} is not the index of a checkpoint, or not a whole one.", quoted(path)),
        None => "The file that TensorFlow opened is not the index of a checkpoint, or not a whole one.".to_owned(),
    };
    Diagnosis::of_code(Code::NotATable, headline)
        .means("An index ends in a fixed number; this file ends in something else.")
        .next("ckpt inspect PATH   says what the file is: cut off, a Git LFS pointer, a web page, another format")
        .with_page(Code::NotATable)
        .certain("\"A different restore operator\" in the message is meant for formats before 2016.")
        .of_path(path)
}

fn too_short(text: &str) -> Diagnosis {
    let path = table_file(text);
    Diagnosis::of_code(
        Code::NotATable,
        "The file that TensorFlow took for an index has fewer than 48 bytes; most often it is empty.",
    )
    .means("48 bytes is the size of the end mark of an index.")
    .likely("A full disk or a killed process while saving: the file was created but not written.")
    .next("ckpt inspect PATH   says what is there and which other checkpoints are whole")
    .with_page(Code::NotATable)
    .certain("Certain: nothing of the names can be recovered from this file.")
    .of_path(path)
}

fn read_less(text: &str) -> Diagnosis {
    Diagnosis::of_code(Code::ShortShard, "A data file ends before the tensor that should be in it.")
        .means("The index says where each tensor lies; at that place the .data file has no more bytes.")
        .likely("The .data file is a Git LFS pointer of some 130 bytes.")
        .next("ckpt inspect PREFIX   the sizes that the files have and should have")
        .with_page(Code::ShortShard)
        .certain("Certain: the file is too short. Tensors in front of its end can still be good.")
        .code(Code::ForeignShard)
        .of_path(word(text, "TensorBundle at"))
}

fn no_shard(text: &str) -> Option<Diagnosis> {
    let path = path_before(text, "; No such file or directory")
        .or_else(|| path_before(text, ": No such file or directory"))
        .or_else(|| rest_of_line(text, "No such file or directory: "))?;
    if !path.contains(".data-") || path.contains(".tempstate") {
        return None;
    }
    let diagnosis = Diagnosis::of_code(Code::MissingShard, format!("The data file {} is missing.", quoted(path)))
        .means("The index was found, so the path is right; the weights lie in files beside it that are not there.")
        .next("ckpt validate PREFIX   looks for the shard under other names too, by its size and checksums")
        .with_page(Code::MissingShard)
        .certain("TensorFlow wraps this as \"a Variable name … that is missing\"; no variable is missing.");
    Some(diagnosis.of_path(Some(path)))
}

fn version(text: &str) -> Diagnosis {
    let headline = match number(text, "min consumer version") {
        Some(asks) => format!("The checkpoint demands a TensorFlow that reads format version {asks}."),
        None => "The checkpoint and this TensorFlow refuse each other's versions.".to_owned(),
    };
    Diagnosis::of_code(Code::VersionRefused, headline)
        .means("A checkpoint says which readers may read it; all TensorFlow up to 2.21 reads version 1.")
        .next("ckpt list PREFIX   reads the names in any case")
        .with_page(Code::VersionRefused)
}

/// What is said of a prefix at which TensorFlow found nothing.
fn nothing_at(headline: String, path: Option<&str>) -> Diagnosis {
    let diagnosis = Diagnosis::new("no-checkpoint", headline)
        .means("TensorFlow looked for that path with .index behind it, and for a file of just that name. It says nothing about the content of any file.")
        .likely("The step at the end is missing or another one: model.ckpt instead of model.ckpt-200.")
        .likely("The working directory is another one than the path assumes.")
        .likely("The directory was moved: its `checkpoint` file may hold old absolute paths.")
        .likely("Only the .data file is there: without the .index nothing can be found in it.");
    let diagnosis = match path {
        // `saver.py`, `BaseSaverBuilder._build_internal`: filename="model".
        Some("model") => diagnosis.likely("`model` is the path that a Saver's operations have of themselves: the program ran save/restore_all or save/Assign as an operation, in place of saver.restore with a path."),
        Some(path) if path.contains('\\') => {
            diagnosis.likely("A backslash was read as an escape, or means nothing on this system: write r'…' or use /.")
        }
        Some(path) if path.contains(' ') => {
            diagnosis.likely("The path has a blank in it: a script that does not quote it passes on a part.")
        }
        Some(path) if path.contains("://") => {
            diagnosis.likely("The bucket needs credentials, or this TensorFlow has no file system for the scheme.")
        }
        _ => diagnosis,
    };
    diagnosis
        .next("ckpt inspect DIR   lists the checkpoints in the directory")
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved)
        .of_path(path)
}

fn no_files(text: &str) -> Diagnosis {
    let path = rest_of_line(text, "matching files for");
    if let Some(told) = path.and_then(|path| pattern(path).or_else(|| misgiven(path))) {
        return told;
    }
    if let Some(path) =
        path.filter(|path| path.ends_with("variables/variables") || path.ends_with("variables\\variables"))
    {
        return Diagnosis::of_code(
            Code::MissingVariables,
            format!("The variables of the SavedModel are not there: {} has no index.", quoted(path)),
        )
        .means("The graph was found and read; TensorFlow looked for its values in the directory `variables` beside it.")
        .next("ckpt validate DIR --serving   which files are missing")
        .with_page(Code::MissingVariables)
        .of_path(Some(path));
    }
    let headline = match path {
        Some(path) => format!("There is no checkpoint at {}.", quoted(path)),
        None => "There is no checkpoint at the prefix that was given.".to_owned(),
    };
    nothing_at(headline, path)
}

fn no_state(text: &str) -> Diagnosis {
    let dir = rest_of_line(text, "in given directory");
    let named = dir.map_or_else(|| "The directory".to_owned(), quoted);
    Diagnosis::new("no-state-file", format!("{named} has no `checkpoint` file that leads to a checkpoint."))
        .means("TensorFlow reads the newest checkpoint's name from the text file `checkpoint`; it looks for no other files.")
        .likely("The `checkpoint` file was not copied with the other files.")
        .likely("It names another directory, because this one was moved, or a checkpoint that was deleted.")
        .next("ckpt inspect DIR   finds the checkpoints that are there")
        .next("give the prefix itself: DIR/model.ckpt-200")
        .code(Code::StateFileStale)
        .code(Code::StateFileMoved)
        .of_dir(dir)
}

fn no_checkpoint(text: &str) -> Diagnosis {
    let path = rest_of_line(text, "not a valid checkpoint:");
    if let Some(told) = path.and_then(|path| pattern(path).or_else(|| misgiven(path))) {
        return told;
    }
    let named = path.map_or_else(|| "The path".to_owned(), quoted);
    nothing_at(format!("{named} leads to no checkpoint."), path)
}

fn stale(text: &str) -> Diagnosis {
    let path = rest_of_line(text, "files for checkpoint");
    let named = path.map_or_else(String::new, |path| format!(" {}", quoted(path)));
    Diagnosis::of_code(
        Code::StateFileStale,
        format!("The `checkpoint` file names a checkpoint{named} that is not there."),
    )
    .means("TensorFlow then returns None and most programs start training from scratch.")
    .with_page(Code::StateFileStale)
    .code(Code::StateFileMoved)
    .of_path(path)
}

fn bad_state(text: &str) -> Diagnosis {
    let file = path_before(text, ": Checkpoint ignored").map(|file| file.trim_start_matches("WARNING:tensorflow:"));
    let dir = file.and_then(|file| file.strip_suffix("checkpoint")).map(|dir| dir.trim_end_matches(['/', '\\']));
    let dir = dir.or_else(|| rest_of_line(text, "Invalid checkpoint state loaded from"));
    Diagnosis::of_code(
        Code::StateFileUnreadable,
        "The text file `checkpoint` cannot be read, so TensorFlow knows no checkpoint in this directory.",
    )
    .next("ckpt inspect DIR   lists the checkpoints that are there")
    .with_page(Code::StateFileUnreadable)
    .of_dir(dir)
}

fn no_saved_model(text: &str) -> Diagnosis {
    let path = rest_of_line(text, "export directory path:").or_else(|| rest_of_line(text, "does not exist at:"));
    let path = path.map(|path| path.split_once("/{").map_or(path, |(dir, _)| dir));
    let path = path.map(|path| {
        path.split_once(['\\', '/']).filter(|(_, rest)| rest.starts_with('{')).map_or(path, |(dir, _)| dir)
    });
    let named = path.map_or_else(|| "The directory".to_owned(), quoted);
    Diagnosis::new(
        "no-saved-model",
        format!("{named} is no SavedModel: there is neither saved_model.pb nor saved_model.pbtxt in it, or no such directory."),
    )
    .likely("It holds checkpoints: those restore with tf.train.Checkpoint or a Saver, not with saved_model.load.")
    .likely("It is the directory above: SavedModels of a server lie in numbered directories below it, 1/.")
    .likely("The download is incomplete, or the path is misspelt.")
    .next("ckpt inspect DIR   says what the directory is")
    .code(Code::BadSavedModel)
    .of_dir(path)
}

fn bad_entry(text: &str) -> Diagnosis {
    let key = word(text, "entry: key").or_else(|| word(text, "Entry for key")).or_else(|| word(text, "tensor shape:"));
    Diagnosis::of_code(
        Code::BadEntry,
        "The index of the checkpoint contradicts itself: TensorFlow did not write it like this.",
    )
    .next("ckpt validate PREFIX   lists every entry that is wrong")
    .with_page(Code::BadEntry)
    .certain("The index's checksums do not find this: they match what was written.")
    .code(Code::BadSize)
    .code(Code::BadRange)
    .code(Code::BadShape)
    .of_tensor(key)
}

fn keras_path(text: &str) -> Diagnosis {
    let path = text.split_once("or SavedModel at ").and_then(|(_, rest)| rest.split_once(": ")).map(|(path, _)| path);
    let path = path.map(prefix);
    Diagnosis::new("restore-failed", "A restore failed; the cause stands further on in the message.")
        .likely("The number at the end is missing: path/to/ckpt instead of path/to/ckpt-1.")
        .next("ckpt inspect PREFIX   names the checkpoints that are near")
        .of_path(path)
}
