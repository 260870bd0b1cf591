//! What file systems say: full, refused, not there, and what the parts of a save are called that did not come together.

use super::row::{Known, ROW};
use crate::analysis::Code;

pub(super) const ROWS: &[Known] = &[
    Known {
        marks: &[
            "No space left on device",
            "There is not enough space on the disk",
            "Disk quota exceeded",
            "RESOURCE_EXHAUSTED…tempstate",
            "ResourceExhaustedError…data-0",
            "ResourceExhaustedError…tempstate",
        ],
        value: &[("ResourceExhaustedError: ", ";"), ("RESOURCE_EXHAUSTED: ", ";")],
        otherwise: "the file",
        headline: "The disk was full while a checkpoint was being saved.",
        means: &[
            "{} could not be written to its end. A save writes a temporary file first (….tempstate…) and renames it when it is whole, so the checkpoint before it is still there.",
        ],
        likely: &["The disk or the quota is used up: old checkpoints, event files, other users."],
        next: &[
            "ckpt latest DIR --valid   the newest checkpoint that is whole: go on from that one",
            "make room outside of this directory first, then save again; the .tempstate files of this save are not whole, but touch nothing before a later checkpoint is intact",
            "ckpt log DIR   how large each checkpoint is; max_to_keep of CheckpointManager or Saver bounds their number",
        ],
        certain: &["Certain: this save is not whole. Earlier ones are untouched unless they had the same name."],
        codes: &[Code::InterruptedSave, Code::ShortShard],
        ..ROW
    },
    Known {
        marks: &[
            "Failed to rename:…Access is denied",
            "Failed to rename…being used by another process",
            "used by another process…rename",
            "Failed to rename:…Permission denied",
            "Failed to rename:…The process cannot access the file",
            "Failed to rename",
        ],
        value: &[("Failed to rename: ", " to: "), ("Failed to rename ", " to ")],
        otherwise: "a finished file",
        headline: "A checkpoint was written to its end, and then could not be renamed.",
        means: &[
            "{} is whole. TensorFlow writes under a temporary name and renames at the end; the rename was refused, so the new save lies beside the old one.",
        ],
        likely: &[
            "Windows: a virus scanner, a sync client (OneDrive, Dropbox) or another program has the old file open.",
            "Two programs save under one name: each needs a directory of its own.",
            "The old file is write-protected, or belongs to another user.",
        ],
        next: &[
            "ckpt validate PREFIX   finds the save in …_temp, says whether it is whole, and how to put it in place",
            "exclude the directory from the scanner or the sync client; save under a new name each time",
        ],
        certain: &["Do not delete the …_temp directory before that: it may be the only copy of the newest save."],
        codes: &[Code::InterruptedSave],
        ..ROW
    },
    Known {
        marks: &[
            "MergeV2Checkpoints…part-",
            "part-…-of-….index; No such file",
            "part-…-of-….index: No such file",
            "_temp/part-…No such file",
        ],
        value: &[("NotFoundError: ", ";"), ("NOT_FOUND: ", ";")],
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
            "ckpt validate DIR   says which parts lie here; collect the others from the workers before anything is deleted",
        ],
        codes: &[Code::InterruptedSave],
        ..ROW
    },
    Known {
        marks: &["Duplicate tensor keyed by…when merging prefix", "Duplicate tensor keyed by"],
        value: &[("Duplicate tensor keyed by ", " encountered"), ("Duplicate tensor keyed by ", ",")],
        otherwise: "a variable",
        is_tensor: true,
        headline: "Two workers saved {}: their parts cannot be one checkpoint.",
        means: &["The parts of a sharded save must not have a name in common."],
        likely: &[
            "Every worker builds the whole model and saves all of it into one directory, as if it were the only one.",
            "Parts of an older save are still in PREFIX_temp.",
        ],
        next: &[
            "let only the chief save (or give every worker its own directory)",
            "when no save is running, move what lies in PREFIX_temp elsewhere; ckpt validate DIR says first what it is",
        ],
        certain: &["Certain: nothing is damaged; the checkpoint before this one is untouched."],
        codes: &[Code::InterruptedSave],
    },
    Known {
        marks: &[
            "FindFirstFile failed for",
            "NewRandomAccessFile failed to Create/Open",
            "NewWriteableFile failed to Create/Open",
            "NewReadOnlyMemoryRegionFromFile failed to Create/Open",
            "CreateFile failed for",
        ],
        value: &[("FindFirstFile failed for: ", " :"), ("failed to Create/Open: ", " :"), ("failed for: ", " :")],
        otherwise: "a path",
        headline: "Windows: {} is not there as it is written.",
        means: &[
            "These are the names of Windows' own functions: the directory (FindFirstFile) or the file (NewRandomAccessFile) was not found. Nothing was read, so nothing is known to be damaged.",
        ],
        likely: &[
            "The directory does not exist, or the path is relative to another working directory.",
            "A backslash was read as an escape: write r'C:\\run\\model' or use / in paths.",
            "The path is longer than 260 characters, or has letters outside of the code page.",
            "The .data file was not copied with the .index, or another program has it open.",
        ],
        next: &["ckpt inspect {}   what is there", "copy every file that begins with the prefix"],
        codes: &[Code::MissingShard],
        ..ROW
    },
    Known {
        marks: &[
            "truncated block read",
            "corrupted compressed block contents",
            "corrupted block",
            "bad block type",
            "bad block contents",
            "bad entry in block",
        ],
        headline: "The index of the checkpoint is cut or damaged; the weights may be fine.",
        means: &[
            "The .index file is a table of names in blocks. A block ends too early, or its contents cannot be unpacked.",
        ],
        likely: &[
            "The .index file was damaged or cut in a transfer or on the disk.",
            "It is still being written: the program read it before the save was done.",
        ],
        next: &[
            "ckpt validate PREFIX   which block, and whether one flipped bit explains it",
            "ckpt list PREFIX   the names in the blocks that are whole",
            "fetch the .index file again; it is small, the data can stay",
        ],
        certain: &["Certain: the index is not as it was written. Of the data file the message says nothing."],
        codes: &[Code::BadBlock, Code::BlockChecksumMismatch],
        ..ROW
    },
    Known {
        marks: &["'utf-8' codec can't decode byte", "'utf8' codec can't decode byte", "UnicodeDecodeError"],
        headline: "A file or a path is not UTF-8 where TensorFlow's Python reads text.",
        means: &[
            "Two places do this: the text file `checkpoint` (get_checkpoint_state, latest_checkpoint), and the path itself (NewCheckpointReader, load).",
        ],
        likely: &[
            "A file of a checkpoint was given as the state file, or the file `checkpoint` is binary: a V1 checkpoint of that name.",
            "Windows: the path has letters of the local code page. Move the files to a path of plain letters.",
        ],
        next: &[
            "ckpt inspect DIR   says what the file `checkpoint` is",
            "give the prefix of the checkpoint, not one of its files",
        ],
        certain: &["Certain: no weight was read yet."],
        codes: &[Code::StateFileUnreadable],
        ..ROW
    },
    Known {
        marks: &[
            "unsupported operand type(s) for +: 'NoneType' and 'str'",
            "argument of type 'NoneType' is not iterable…checkpoint",
            "expected str, bytes or os.PathLike object, not NoneType",
        ],
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
