//! Pages about the data: shards and the bytes of tensors.

use super::Page;
use crate::analysis::Code;

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::MissingShard,
        found: "The header of the index counts the data shards; a file of that name is not there. Files under other names, and what interrupted saves left, are tried by size and checksums.",
        tensorflow: "Opens the checkpoint and lists every name; reading a tensor of that shard raises NotFoundError: \"….data-00000-of-00001; No such file or directory\".",
        causes: &[
            "Only the `.index` was copied or downloaded.",
            "The file was renamed, by hand or by a browser: the prefix must be the same for all of them.",
            "The shard is too large for the repository or was left out by .gitignore.",
            "A save ended before its files were renamed: the shard lies in a `_temp` directory.",
        ],
        next: &[
            "ckpt recover PREFIX -o NEW   a whole copy, where the data lies under another name; --from DIR looks in other places.",
            "Otherwise copy every file that begins with the prefix; `ckpt inspect PREFIX` lists the set.",
        ],
    },
    Page {
        code: Code::ShortShard,
        found: "The index places tensors behind the end of the shard.",
        tensorflow: "Raises OutOfRangeError: \"Read less bytes than requested\" for those tensors; reading several of them can end the Python process.",
        causes: &[
            "A download or copy that stopped early.",
            "A full disk while saving.",
            "Index and shard of different saves.",
        ],
        next: &[
            "Fetch the shard again; it must have at least the expected bytes.",
            "ckpt recover PREFIX -o NEW   a copy of the tensors that are still whole, or of all where --from DIR has the rest.",
        ],
    },
    Page {
        code: Code::ForeignShard,
        found: "The first bytes of the shard are those of a Git LFS pointer, a web page or another file format.",
        tensorflow: "Reads it as weights: \"Read less bytes than requested\" or \"Checksum does not match\".",
        causes: &[
            "The repository was cloned without Git LFS, or downloaded as a zip.",
            "The download gave a login or error page.",
        ],
        next: &[
            "`git lfs install`, then `git lfs pull` in the repository.",
            "Otherwise download the file itself and compare its size.",
        ],
    },
    Page {
        code: Code::SurplusShard,
        found: "Beside the shards that the index counts lies one with another number; or data lies in the directory whose index is not there.",
        tensorflow: "Never reads it.",
        causes: &[
            "A checkpoint with more shards was overwritten by one with fewer.",
            "Files of two saves were mixed.",
            "The .index was left out of a copy or a download.",
        ],
        next: &[
            "Nothing has to be done for the checkpoint beside it: TensorFlow does not read it.",
            "Keep it until it is known what it is: it may be the only copy of another save's data, whose index was overwritten or lies elsewhere.",
        ],
    },
    Page {
        code: Code::ShardCountMismatch,
        found: "The names say `-of-N` with another N than the header of the index counts.",
        tensorflow: "Looks for the names that the index implies and raises NotFoundError.",
        causes: &["Index and shards of different saves under one prefix.", "Shards that were renamed by hand."],
        next: &["Find the index that was saved with these shards: its time of change is nearly theirs."],
    },
    Page {
        code: Code::ShardChecksumMismatch,
        found: "With `--quick`, on a store that keeps the CRC-32C of objects (Google Cloud Storage; Amazon S3 where the object was uploaded with one of all of its bytes): the checksums of the tensors, put together with zeros between them, are not that of the shard.",
        tensorflow: "Raises DataLossError for the tensors that differ: \"Checksum does not match\".",
        causes: &[
            "Index and shard of different saves, in one place by a copy that was interrupted or done twice.",
            "The shard was damaged before it was uploaded.",
            "A program that leaves other bytes than zeros between tensors; TensorFlow does not.",
        ],
        next: &[
            "`ckpt validate PREFIX` without `--quick` reads the shard, and says which tensors differ and why.",
            "Upload both files again from where the checkpoint was saved.",
        ],
    },
    Page {
        code: Code::SwappedShards,
        found: "The tensors of a shard that do not match their checksums match them in the file of another shard.",
        tensorflow: "Reads the wrong bytes: \"Checksum does not match\", or \"Read less bytes than requested\".",
        causes: &["Shards that were renamed by hand or by a download tool."],
        next: &[
            "ckpt recover PREFIX -o NEW   a copy in which every tensor has its own bytes.",
            "Or exchange the names of the two files, by way of a third name, then run `ckpt validate PREFIX` again.",
        ],
    },
    Page {
        code: Code::MispairedData,
        found: "The sizes fit and tensors differ. Other indexes of the directory, and of its `_temp` directories, have the checksums of these bytes, or other files have the bytes of these checksums; where neither is at hand, so much of what can differ between two saves differs that no damage is likelier.",
        tensorflow: "Raises DataLossError: \"Checksum does not match\" for the first of these tensors that it reads. What both saves have alike is restored.",
        causes: &[
            "The index of one step lies beside the data of another: files of two saves under one name.",
            "Two programs save into one directory under one name.",
            "A copy was taken while a save replaced the files.",
        ],
        next: &[
            "Where the finding names the index or the data of the same save, use that pair; `ckpt recover PREFIX -o NEW` makes it, where the data is at hand.",
            "Otherwise fetch index and data of one step again. Until then no tensor of this pair can be trusted, not even one that matches.",
        ],
    },
    Page {
        code: Code::TensorChecksumMismatch,
        found: "The CRC-32C of the tensor's bytes is computed and compared with the one in the index.",
        tensorflow: "Raises DataLossError: \"Checksum does not match: stored … vs. calculated on the restored bytes …\".",
        causes: &[
            "An incomplete download of the right size, a damaged disk, or memory with a fault.",
            "Index and data of different saves, if most tensors differ.",
        ],
        next: &[
            "`ckpt explain 'MESSAGE'` tells from the two numbers whether zeros, text or one changed bit were read.",
            "ckpt recover PREFIX -o NEW   a copy with the tensors that can be had; --from DIR takes the others from another copy.",
            "Fetch the shard again. The tensors that match are good, as long as nothing speaks for another save: `ckpt validate PREFIX` says so.",
        ],
    },
    Page {
        code: Code::HoleOfZeros,
        found: "Bytes of tensors that do not match their checksums are zeros, in one stretch. Where whole tensors are zeros, another save is asked for first: slots are zeros at the beginning.",
        tensorflow: "Raises DataLossError: \"Checksum does not match\" for the tensors in the hole.",
        causes: &[
            "A download that reserves the whole file first and was interrupted: the size is right, the content is not.",
            "A crash or full disk between reserving space and writing.",
        ],
        next: &[
            "Fetch the file again, or the stretch that is named; what lies outside of it matches its checksums.",
            "ckpt recover PREFIX -o NEW   a copy of what lies outside of it; --from DIR takes the rest from another copy.",
        ],
    },
    Page {
        code: Code::SingleBitFlip,
        found: "The difference of the stored and the computed checksum, of a tensor or of a block of the index, is the one that a single changed bit at the named place leaves.",
        tensorflow: "Raises DataLossError: \"Checksum does not match\".",
        causes: &["Faulty memory in a machine that copied the file.", "A dying disk, or a transfer without checksums."],
        next: &[
            "ckpt recover PREFIX -o NEW   a copy in which the bit is flipped back, or fetch the file again.",
            "In large tensors the place can be a coincidence: the finding says how likely that is.",
            "Test the memory of the machine if it happens again.",
        ],
    },
    Page {
        code: Code::TextModeMangled,
        found: "The shard is longer than its tensors by exactly the number of its CR LF pairs, or shorter and without any, or full of U+FFFD.",
        tensorflow: "Raises \"Checksum does not match\" for every tensor behind the first line end.",
        causes: &[
            "FTP in ASCII mode, or Git with `autocrlf` and no `.gitattributes`.",
            "A program that read the file as text.",
        ],
        next: &[
            "Transfer it again in binary mode; in Git mark the files as `binary`.",
            "A file full of U+FFFD cannot be brought back.",
        ],
    },
    Page {
        code: Code::StringLengthsMismatch,
        found: "String tensors store a checksum of their lengths between the lengths and the strings; it differs.",
        tensorflow: "Raises DataLossError: \"The length checksum does not match\".",
        causes: &[
            "The same as for every damaged shard: an incomplete or changed file.",
            "A wrong pair of index and data.",
        ],
        next: &[
            "Fetch the shard again; the strings of this tensor cannot be told apart, others can be read.",
            "ckpt recover PREFIX -o NEW   a whole copy, where one bit was flipped.",
        ],
    },
    Page {
        code: Code::BadStringTensor,
        found: "The lengths of the strings add up to more or fewer bytes than the entry has.",
        tensorflow: "Raises DataLossError: \"String lengths longer than expected offset\", or reads on into the next tensor.",
        causes: &["An index and data of different saves.", "A file that was edited or made to do harm."],
        next: &["Fetch both files again, from the same save."],
    },
    Page {
        code: Code::NonFinite,
        found: "The values are read and NaN and infinities counted; only if asked for.",
        tensorflow: "Restores them without a word; the first computation spreads them.",
        causes: &["Training diverged: too high a learning rate, a division by zero, float16 that overflowed."],
        next: &[
            "`ckpt print PREFIX NAME` shows where they are.",
            "`ckpt validate` on the checkpoints before this one finds the last good step.",
        ],
    },
];
