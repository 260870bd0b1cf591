//! What file systems say: full, refused, not there, and what the parts of a save are called that did not come together.

use super::row::{Is, ROW, Row};
use crate::analysis::Code;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &[
            "No space left on device",
            "There is not enough space on the disk",
            "Disk quota exceeded",
            ".tempstate…File too large",
            "RESOURCE_EXHAUSTED…tempstate",
            "ResourceExhaustedError…data-0",
            "ResourceExhaustedError…tempstate",
            "[Errno 28]",
            "[Errno 122]",
        ],
        cause: "disk-full",
        page: Some(Code::InterruptedSave),
        value: &[
            ("", "; No space"),
            ("", "; File too large"),
            ("", "; Disk quota"),
            ("", ": No space"),
            ("", "; There is not enough"),
            ("No space left on device: '", "'"),
        ],
        otherwise: "the file",
        is: Is::Path,
        headline: "The disk was full while a checkpoint was being saved, or a quota or limit was reached.",
        means: &[
            "{} could not be written to its end. A save writes a temporary file first (….tempstate…) and renames it when it is whole, so the checkpoint before it is still there.",
        ],
        likely: &[
            "The disk, the quota or the limit on the size of a file is used up: old checkpoints, event files, other users.",
        ],
        next: &[
            "ckpt latest DIR --valid   the newest checkpoint that is whole: go on from that one",
            "make room outside of this directory first, then save again; touch nothing here before a later checkpoint is intact",
            "ckpt log DIR   how large each checkpoint is; max_to_keep of CheckpointManager or Saver bounds their number",
        ],
        certain: &["Certain: this save is not whole. Earlier ones are untouched unless they had the same name."],
        codes: &[Code::ShortShard],
        ..ROW
    },
    Row {
        marks: &[
            "Failed to rename:…Access is denied",
            "Failed to rename…being used by another process",
            "used by another process…rename",
            "Failed to rename:…Permission denied",
            "Failed to rename:…The process cannot access the file",
            "Failed to rename",
            ".tempstate…; Is a directory",
            "[WinError 32]",
            "[WinError 5]",
        ],
        cause: "rename-refused",
        page: Some(Code::InterruptedSave),
        value: &[
            ("Failed to rename: ", " to: "),
            ("Failed to rename ", " to "),
            ("}} ", "; Is a directory"),
            ("Error: ", "; Is a directory"),
        ],
        otherwise: "a finished file",
        is: Is::Path,
        headline: "A checkpoint was written, and then could not be renamed to its own name.",
        means: &[
            "{} is the name that it was written under. TensorFlow renames at the end; the rename was refused, so the new save lies beside the old one.",
        ],
        likely: &[
            "Windows: a virus scanner, a sync client (OneDrive, Dropbox) or another program has the old file open.",
            "Two programs save under one name: each needs a directory of its own.",
            "The old file is write-protected or belongs to another user, or a directory has its name.",
        ],
        next: &[
            "ckpt validate PREFIX   finds the save in …_temp, says whether it is whole, and how to put it in place",
            "exclude the directory from the scanner or the sync client; save under a new name each time",
        ],
        certain: &["Do not delete what lies under the temporary name: it may be the only copy of the newest save."],
        ..ROW
    },
    Row {
        marks: &["Duplicate tensor keyed by…when merging prefix", "Duplicate tensor keyed by"],
        cause: "duplicate-tensor",
        value: &[("Duplicate tensor keyed by ", " encountered"), ("Duplicate tensor keyed by ", ",")],
        otherwise: "a variable",
        is: Is::Tensor,
        headline: "Two workers saved {}: their parts cannot be one checkpoint.",
        means: &["The parts of a sharded save must not have a name in common."],
        likely: &[
            "Every worker builds the whole model and saves all of it into one directory, as if it were the only one.",
            "Parts of an older save are still in PREFIX_temp.",
        ],
        next: &[
            "let only the chief save (or give every worker its own directory)",
            "ckpt validate DIR   says what lies in PREFIX_temp; where it is a whole save, it names the ckpt recover that copies it",
        ],
        certain: &["Certain: nothing is damaged; the checkpoint before this one is untouched."],
        codes: &[Code::InterruptedSave],
        ..ROW
    },
    Row {
        marks: &[
            "allow_missing_files was set to false…did not exist",
            "MergeV2Checkpoints…part-",
            "part-…-of-….index; No such file",
            "part-…-of-….index: No such file",
            "part-…-of-… not found",
            "_temp/part-…No such file",
            "_temp\\part-…cannot find",
        ],
        page: Some(Code::InterruptedSave),
        value: &[("set to false and ", " did not exist"), ("", "; No such file"), ("", " not found")],
        otherwise: "a part",
        headline: "The parts of a save by several workers could not be put together: {} is not there.",
        means: &[
            "Each worker saves its part into PREFIX_temp, and the chief renames all parts into one checkpoint. It sees only what lies in its own file system.",
        ],
        likely: &[
            "The workers have no directory in common: each saved its part on its own disk.",
            "A worker died, or is slower than the chief waits.",
        ],
        next: &[
            "give all workers one directory that they share (NFS, gs://, s3://)",
            "ckpt recover PREFIX -o NEW --from DIR   puts the parts together that lie here and in the directories of other workers; throw nothing away before",
        ],
        ..ROW
    },
    Row {
        marks: &["Parent directory of…doesn't exist, can't save"],
        cause: "no-directory",
        value: &[("Parent directory of ", " doesn't exist")],
        otherwise: "the checkpoint",
        is: Is::Path,
        headline: "There is no directory to save {} into.",
        means: &["A Saver of TensorFlow 1 does not make the directory. Nothing was written."],
        likely: &["The path is relative to another working directory, or has a part in it that was never made."],
        next: &["os.makedirs(…, exist_ok=True) before saving   of the directory of the path"],
        certain: &["Certain: no checkpoint that was there before is touched."],
        ..ROW
    },
    Row {
        marks: &[
            "FindFirstFile failed for",
            "NewRandomAccessFile failed to Create/Open",
            "NewWriteableFile failed to Create/Open",
            "NewWritableFile failed to Create/Open",
            "NewReadOnlyMemoryRegionFromFile failed to Create/Open",
            "CreateFile failed for",
        ],
        cause: "windows-path-not-there",
        page: None,
        value: &[
            ("FindFirstFile failed for: ", " : "),
            ("failed to Create/Open: ", " : "),
            ("failed for: ", " : "),
            ("failed to Create/Open: ", ""),
            ("failed for: ", ""),
        ],
        otherwise: "a path",
        is: Is::Path,
        headline: "Windows: {} is not there as it is written.",
        means: &[
            "These are the names of Windows' own functions: the directory (FindFirstFile) or the file (NewRandomAccessFile) was not found or not allowed. Nothing was read, so nothing is known to be damaged.",
        ],
        likely: &[
            "The directory does not exist, or the path is relative to another working directory.",
            "A backslash was read as an escape: write r'C:\\run\\model' or use / in paths.",
            "The path is longer than 260 characters, or has letters outside of the code page.",
            "The .data file was not copied with the .index, or another program has it open.",
        ],
        next: &["ckpt inspect PATH   what is there", "copy every file that begins with the prefix"],
        codes: &[Code::MissingShard],
        ..ROW
    },
    Row {
        marks: &[
            "truncated block read",
            "corrupted compressed block contents",
            "corrupted block",
            "bad block type",
            "bad block contents",
            "bad entry in block",
        ],
        page: Some(Code::BlockChecksumMismatch),
        headline: "The index of the checkpoint is cut or damaged; the weights may be fine.",
        means: &[
            "The .index file is a table of names in blocks. A block ends too early, or its contents cannot be unpacked.",
        ],
        likely: &["It is cut off, or still being written: the program read it before the save was done."],
        next: &["ckpt validate PREFIX   which block, and whether one flipped bit explains it"],
        certain: &["Certain: the index is not as it was written. Of the data file the message says nothing."],
        codes: &[Code::BadBlock, Code::NotATable],
        ..ROW
    },
    Row {
        marks: &["'utf-8' codec can't decode byte", "'utf8' codec can't decode byte", "UnicodeDecodeError"],
        cause: "not-text",
        headline: "A file or a path is not UTF-8 where TensorFlow's Python reads text.",
        means: &[
            "Three places do this: the text file `checkpoint` (get_checkpoint_state, latest_checkpoint), a path (NewCheckpointReader, load), and a .meta or graph that is not whole, which TensorFlow then reads as text (import_meta_graph).",
        ],
        likely: &[
            "A file of a checkpoint was given as the state file, or the file `checkpoint` is binary: a V1 checkpoint of that name.",
            "The .meta file is cut off or damaged.",
            "Windows: the path has letters of the local code page. Move the files to a path of plain letters.",
        ],
        next: &[
            "ckpt inspect DIR   says what the file `checkpoint` is, and whether the .meta can be read",
            "give the prefix of the checkpoint, not one of its files",
        ],
        certain: &["Certain: no weight was read yet."],
        codes: &[Code::StateFileUnreadable, Code::BadSavedModel],
        ..ROW
    },
    Row {
        marks: &[
            "unsupported operand type(s) for +: 'NoneType' and 'str'",
            "Can't load save_path when it is None",
            "argument of type 'NoneType' is not iterable…checkpoint",
            "expected str, bytes or os.PathLike object, not NoneType",
            "argument must be str, bytes, or os.PathLike object, not 'NoneType'",
            "can only concatenate str (not \"NoneType\") to str",
            "must be str, not NoneType",
        ],
        cause: "path-is-none",
        headline: "A path is None: most often tf.train.latest_checkpoint found no checkpoint.",
        means: &[
            "latest_checkpoint reads only the text file `checkpoint` of the directory and answers None if that is missing or names nothing that is there.",
        ],
        likely: &["The directory is wrong or was moved, or its `checkpoint` file was not copied."],
        next: &[
            "ckpt inspect DIR   finds the checkpoints that are there, and says why TensorFlow finds none",
            "ckpt latest DIR   prints the prefix to use",
        ],
        codes: &[Code::StateFileStale, Code::StateFileMoved],
        ..ROW
    },
];
