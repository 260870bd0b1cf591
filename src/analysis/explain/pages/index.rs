//! Pages about the index: the table, the header, the entries, the slices.

use super::Page;
use crate::analysis::Code;

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::NotATable,
        found: "An index ends in a 48-byte footer with a fixed magic number; here the file is shorter, or ends in something else.",
        tensorflow: "Raises DataLossError: \"not an sstable (bad magic number)\" or \"file is too short to be an sstable\".",
        causes: &[
            "The copy or download stopped early: the footer is the last thing in the file.",
            "Another kind of file under this name: a Git LFS pointer, a web page, an HDF5 or PyTorch file.",
            "A data shard was given where the prefix belongs.",
        ],
        next: &[
            "Give the prefix, without `.index` or `.data-…`; `ckpt inspect PATH` says what the file looks like.",
            "ckpt recover PREFIX -o NEW   a copy with an index that is rebuilt, where a .meta or a saved_model.pb says what it had.",
            "Fetch the file again and compare its size with the source; for Git LFS run `git lfs pull`.",
        ],
    },
    Page {
        code: Code::IndexChecksumMismatch,
        found: "The checksum behind the block of handles at the end of the index is compared with the block.",
        tensorflow: "Raises DataLossError: \"block checksum mismatch\"; it can open nothing.",
        causes: &["A damaged disk, memory or transfer.", "A file that was edited, or transferred as text."],
        next: &[
            "Fetch the index again; it is small. The data shards may be fine.",
            "ckpt recover PREFIX -o NEW   a copy with an index that is rebuilt, where the .meta, the saved_model.pb or the index of another step says what it had.",
        ],
    },
    Page {
        code: Code::BlockChecksumMismatch,
        found: "Every block of the index ends in a checksum of its own; this one differs.",
        tensorflow: "Says so only of the first block (\"failed to seek to header entry\"). It skips any other one: its tensors vanish from lists and are \"not found in checkpoint\".",
        causes: &["A damaged disk, memory or transfer.", "A file that was edited, or transferred as text."],
        next: &[
            "Fetch the index again; it is small, the data can stay. Where one changed bit explains the block, its finding is single-bit-flip and names it.",
            "`ckpt list PREFIX` shows the tensors of all other blocks; `ckpt recover PREFIX -o NEW` copies them, and what a .meta or a saved_model.pb says of the others.",
        ],
    },
    Page {
        code: Code::BadBlock,
        found: "A block's checksum is right or missing, but its entries run past its end or cannot be unpacked.",
        tensorflow: "Raises DataLossError (\"bad entry in block\", \"bad block contents\") for the first block, and silently skips others.",
        causes: &["The file was written by a program with a fault.", "The file was made to do harm."],
        next: &["Ask where the file comes from; do not load it.", "Save the checkpoint again with TensorFlow."],
    },
    Page {
        code: Code::KeysOutOfOrder,
        found: "The names in the index are compared with their neighbours; TensorFlow writes them in increasing order of their bytes.",
        tensorflow: "Does not notice: it lists all names but searches by halves, so some are \"not found in checkpoint\".",
        causes: &["An index written or edited by another program."],
        next: &["Write the checkpoint again with the program that made it, sorted, or with TensorFlow."],
    },
    Page {
        code: Code::HeaderMissing,
        found: "The first entry of a bundle's index, under the empty name, is its header; there is none.",
        tensorflow: "Does not notice: it takes the first tensor's entry for the header, and that tensor disappears.",
        causes: &["A legacy V1 checkpoint or another LevelDB table under this name.", "An index that was edited."],
        next: &["`ckpt inspect PATH` says what the file is.", "Save the checkpoint again."],
    },
    Page {
        code: Code::BadHeader,
        found: "The header is there, but is not a message that can be decoded, or counts an impossible number of shards.",
        tensorflow: "Raises DataLossError: \"unable to parse header\".",
        causes: &[
            "Damage that the block's checksum does not show: the file was written like this.",
            "Another program's table.",
        ],
        next: &["Fetch the index again, or save the checkpoint again."],
    },
    Page {
        code: Code::VersionRefused,
        found: "The header's version fields are compared with those of TensorFlow 2.21 (version 1).",
        tensorflow: "Raises InvalidArgumentError: \"Checkpoint min consumer version … above current version …\" or \"Checkpoint disallows consumer version\".",
        causes: &["A newer TensorFlow wrote the file in a newer format.", "A damaged or edited header."],
        next: &["Restore with the TensorFlow that wrote it.", "`ckpt inspect PREFIX` shows the version fields."],
    },
    Page {
        code: Code::BadEntry,
        found: "The entry of a tensor is not a message that can be decoded.",
        tensorflow: "Raises DataLossError: \"Entry for key … not parseable\"; listing such a checkpoint ends the Python process.",
        causes: &["The index was written by another program.", "The file was edited or made to do harm."],
        next: &["The other tensors can be read: `ckpt list PREFIX`.", "Save the checkpoint again with TensorFlow."],
    },
    Page {
        code: Code::BadDType,
        found: "The number of the element type is unknown, or one that cannot be stored (resource, reference types).",
        tensorflow: "Listing raises \"does not correspond to a valid tensorflow::DataType\"; reading a reference type ends the process.",
        causes: &["A newer TensorFlow with a new type wrote it.", "A damaged or hostile index."],
        next: &["Try the newest TensorFlow.", "Fetch the index again and compare."],
    },
    Page {
        code: Code::BadShape,
        found: "A dimension is negative, there are more than 254 of them, or their product does not fit 63 bits.",
        tensorflow: "Raises DataLossError: \"Invalid tensor shape\"; listing such a checkpoint ends the Python process.",
        causes: &["An index written by another program.", "The file was made to do harm."],
        next: &["Do not load it in a process that matters.", "Save the checkpoint again."],
    },
    Page {
        code: Code::BadSize,
        found: "The stored size is compared with the elements of the shape times the bytes of the type; for strings, with one byte an element.",
        tensorflow: "Raises DataLossError: \"Invalid size in bundle entry\".",
        causes: &[
            "An index that was edited: a shape or type was changed without the data.",
            "Another program's fault.",
        ],
        next: &["`ckpt list PREFIX NAME --format json` shows what is stored.", "Save the checkpoint again."],
    },
    Page {
        code: Code::BadRange,
        found: "An offset or size is negative or overflows, or the shard's number is not one that the header counts.",
        tensorflow: "Raises InvalidArgumentError (\"Seeking to a negative position\"), or looks for a shard that does not exist and raises NotFoundError.",
        causes: &["An index that was edited or joined from others by hand.", "The file was made to do harm."],
        next: &["Save the checkpoint again; the other tensors can be read."],
    },
    Page {
        code: Code::OverlappingTensors,
        found: "The ranges of all tensors are sorted by shard and offset; two of them have bytes in common.",
        tensorflow: "Does not notice: both names read the same bytes.",
        causes: &[
            "A program that shares equal tensors on purpose.",
            "A fault of the program that wrote it, or a hostile file.",
        ],
        next: &["If both match their checksums they are meant to be equal; otherwise save the checkpoint again."],
    },
    Page {
        code: Code::UnreferencedBytes,
        found: "The ranges of all tensors do not cover the shard.",
        tensorflow: "Ignores those bytes.",
        causes: &[
            "The writer aligned tensors: then the bytes are zeros and fewer than the alignment.",
            "The index belongs to another save, or entries were removed from it.",
            "Something was appended to the shard.",
        ],
        next: &["If the shard is longer than it should be, compare it with its source."],
    },
    Page {
        code: Code::SliceMissing,
        found: "A partitioned variable lists its slices; one of them has no entry of its own.",
        tensorflow: "Raises NotFoundError (\"Key … not found in checkpoint\") when the variable, or that part, is read.",
        causes: &["A save by several workers was not merged completely.", "An index that was edited."],
        next: &[
            "Look for `_temp` directories of the same save beside it, and keep them.",
            "Use the checkpoint before this one.",
        ],
    },
    Page {
        code: Code::SliceDisagrees,
        found: "A slice has another type than its variable, or reaches beyond its shape.",
        tensorflow: "Raises InternalError when the variable is read: \"Mismatching ranks\" or \"Extent in dimension … out of bounds\".",
        causes: &["Checkpoints of different runs were merged.", "An index that was edited."],
        next: &["`ckpt list PREFIX NAME --format json` shows the slices.", "Save the checkpoint again."],
    },
    Page {
        code: Code::SlicesOverlap,
        found: "Two slices of a partitioned variable cover the same elements.",
        tensorflow: "Raises InternalError when the variable is read: \"Overlapping slices: existing slice = …\".",
        causes: &["Checkpoints with different partitioning were merged under the same names."],
        next: &["Save the checkpoint again from one run."],
    },
    Page {
        code: Code::SlicesIncomplete,
        found: "The slices of a partitioned variable together have fewer elements than its shape. A note where the name says that it is the slot of one part (`…/part_0/…`): savers write those so.",
        tensorflow: "Raises InvalidArgumentError: \"Does not have sufficient slices for partitioned tensor\" if the whole is asked for; a restore that asks only for slices that exist works.",
        causes: &[
            "The slot of one part of a partitioned variable: normal, nothing is missing.",
            "A part of a save by several workers was not merged, or only a part of the variable was saved.",
        ],
        next: &[
            "Restore with the partitioning of the save; a slot of one part is restored by the part that it belongs to.",
            "If it is no such slot: look for `_temp` directories of the same save, or use the checkpoint before this one.",
        ],
    },
];
