//! Pages about object graphs, directories, SavedModels and the run of the program itself.

use super::Page;
use crate::analysis::Code;

pub(super) const PAGES: &[Page] = &[
    Page {
        code: Code::MissingNode,
        found: "Every item of the collections of a .meta is looked for among the nodes of its graph.",
        tensorflow: "`tf.compat.v1.train.import_meta_graph` raises KeyError: \"The name '…' refers to an Operation not in the graph\" (of an output: \"refers to a Tensor which does not exist\"). A Saver of a program that builds the graph itself restores.",
        causes: &[
            "The program put an operation of its own, or a name, into a collection and saved the graph without it, as TFLearn does with its training operations.",
            "The graph was cut down by hand, and its collections were left as they were.",
        ],
        next: &[
            "Build the graph by the program that made it, and restore with tf.compat.v1.train.Saver().",
            "Or take the collection out of the file first: read a copy of it into a MetaGraphDef and take collection_def[NAME] out.",
        ],
    },
    Page {
        code: Code::UnregisteredType,
        found: "The signatures and functions of a SavedModel name types that TensorFlow itself does not register.",
        tensorflow: "`tf.saved_model.load` raises ValueError: \"The type '…' has not been registered\", unless the package was imported before. TensorFlow Serving does not need the types.",
        causes: &[
            "The model was saved by a program of tf_agents, tensorflow_probability or another package with types of its own.",
        ],
        next: &[
            "Import the package that the name begins with, in the version that saved the model, then load it.",
            "Variables and graph can be read without it: `ckpt list DIR`, `ckpt inspect DIR`.",
        ],
    },
    Page {
        code: Code::BadObjectGraph,
        found: "The object graph (the tensor `_CHECKPOINTABLE_OBJECT_GRAPH`) is decoded, and its node numbers are checked.",
        tensorflow: "`tf.train.Checkpoint.restore` raises an error or restores by names; a v1 Saver does not look at it.",
        causes: &["The string tensor is damaged.", "The checkpoint was written or edited by another program."],
        next: &[
            "`ckpt print PREFIX _CHECKPOINTABLE_OBJECT_GRAPH` shows what can be read.",
            "Names and values are not touched by it: `ckpt list PREFIX`.",
        ],
    },
    Page {
        code: Code::GraphKeyMissing,
        found: "Every name in the object graph is looked up in the index; this one is not there.",
        tensorflow: "A restore that reaches the object raises NotFoundError: \"Key … not found in checkpoint\".",
        causes: &[
            "Tensors were removed from the checkpoint, but the graph was left as it was.",
            "A block of the index is lost.",
        ],
        next: &["Save the checkpoint again from the program that removed the tensors."],
    },
    Page {
        code: Code::GraphOrphan,
        found: "No object of the graph names this tensor.",
        tensorflow: "No `tf.train.Checkpoint` restore ever reads it; a restore by name can.",
        causes: &["Tensors were added to the checkpoint by another program."],
        next: &["It harms nothing. `ckpt print PREFIX NAME` shows what it holds."],
    },
    Page {
        code: Code::StateFileUnreadable,
        found: "The file `checkpoint` in the directory is not the text that TensorFlow writes.",
        tensorflow: "`tf.train.latest_checkpoint` logs \"Checkpoint ignored\" and returns None, so training starts from scratch; an empty file raises ValueError.",
        causes: &["It was edited by hand, or cut off by a full disk.", "It is a Git LFS pointer or a web page."],
        next: &[
            "See what the file is before it is replaced: `ckpt inspect DIR`. Old programs saved weights under the name `checkpoint`.",
            "Then write it again: one line `model_checkpoint_path: \"model.ckpt-200\"`; or give the prefix itself everywhere.",
        ],
    },
    Page {
        code: Code::StateFileStale,
        found: "The checkpoint that the file `checkpoint` names has no index.",
        tensorflow: "`tf.train.latest_checkpoint` returns None, although other checkpoints are there.",
        causes: &["The newest checkpoint was deleted or not copied.", "The state file was copied from elsewhere."],
        next: &["`ckpt inspect DIR` lists what is there.", "Name one of those in the state file, or give its prefix."],
    },
    Page {
        code: Code::StateFileMoved,
        found: "The file `checkpoint` holds an absolute path to another directory, and a checkpoint of that name lies here.",
        tensorflow: "`tf.train.latest_checkpoint` looks in the old directory and returns None, or finds an old copy there.",
        causes: &["The directory was moved, renamed or copied from another machine."],
        next: &["Replace the path in the state file by the name alone: then it works wherever the directory lies."],
    },
    Page {
        code: Code::InterruptedSave,
        found: "Files or directories with the temporary names of a save (`.tempstate…`, `_temp`, `.part-…`) lie beside the checkpoints, or those of `ckpt convert` and `ckpt recover` (`.NAME.ckpt-new`). Parts that have an index are checked as a checkpoint is.",
        tensorflow: "Never reads or removes them.",
        causes: &[
            "The process was killed or the disk was full while it saved.",
            "Everything was written, and the rename was refused: a virus scanner, another program that has the file open, a second writer.",
            "The workers have no directory in common, so the chief did not find their parts.",
            "A save is going on right now.",
        ],
        next: &[
            "Keep them: what lies there may be the only copy of the newest save. The finding says whether it is whole, and how to put it in its place.",
            "ckpt recover PREFIX_temp -o NEW   puts the parts together, as a copy; --from DIR names where other workers saved theirs.",
            "Go on from a checkpoint that is intact: `ckpt latest DIR --valid`; only a later one that is intact makes them useless.",
        ],
    },
    Page {
        code: Code::StepDisagrees,
        found: "The number at the end of the prefix is compared with the value of the tensor `global_step`.",
        tensorflow: "Uses the value of the tensor; names mean nothing to it.",
        causes: &["The files were renamed.", "The number counts something else: epochs, or calls of save."],
        next: &["Trust the tensor: `ckpt print PREFIX global_step`."],
    },
    Page {
        code: Code::DerivedValue,
        found: "The data is missing, but the checksum of a scalar in the index determines its value.",
        tensorflow: "Cannot read the value at all: it raises NotFoundError for the missing shard.",
        causes: &["The .data file was not copied, or lies under another name."],
        next: &["Fetch the .data file; until then the value is what the checksum says it is."],
    },
    Page {
        code: Code::BadSavedModel,
        found: "`saved_model.pb`, `saved_model.pbtxt` or the `.meta` file cannot be decoded, or has no graph. The first bytes tell what it is instead.",
        tensorflow: "Raises OSError: \"Cannot parse file\", \"Error parsing message\", or DecodeError.",
        causes: &[
            "Another kind of file under this name: a frozen graph, a label map, a gzip'ed object, a Git LFS pointer, a web page.",
            "A download or copy that stopped early.",
        ],
        next: &[
            "`ckpt inspect DIR` says what the file is; a frozen graph is whole, and is loaded as one.",
            "Fetch the file again if it is cut or a pointer. The variables can be read without it: `ckpt list DIR/variables/variables`.",
        ],
    },
    Page {
        code: Code::FingerprintMismatch,
        found: "`fingerprint.pb` holds a hash of `variables.index`; the one that lies here has another.",
        tensorflow: "Loads the model without a word, with the other variables.",
        causes: &[
            "The variables were replaced, on purpose or by a copy of another version.",
            "Only a part of an update was copied.",
        ],
        next: &[
            "Copy the whole directory of one export again.",
            "`ckpt diff A B` shows which tensors differ, and by how much.",
        ],
    },
    Page {
        code: Code::MissingAsset,
        found: "The files that the SavedModel lists are looked for in its `assets` directory.",
        tensorflow: "Loads the graph, then fails when the initialization reads the file: NotFoundError.",
        causes: &["The `assets` directory was left out of a copy or an archive."],
        next: &["Copy the file from the export; vocabularies must be exactly those of the training."],
    },
    Page {
        code: Code::UnsafeAssetPath,
        found: "The name of an asset is absolute or contains `..`.",
        tensorflow: "Joins it to the directory and reads whatever lies there.",
        causes: &["A SavedModel that was made to read files of whoever loads it.", "An export tool with a fault."],
        next: &["Do not load a model from a source that you do not trust."],
    },
    Page {
        code: Code::ChoiceNote,
        found: "A directory was given, and one of its checkpoints or versions was chosen.",
        tensorflow: "Chooses by the state file alone; TensorFlow Serving by the highest version number.",
        causes: &["More than one checkpoint lies in the directory, or the state file is missing or stale."],
        next: &["Give the prefix, `--step N` or `--version N` to choose another one."],
    },
    Page {
        code: Code::OtherName,
        found: "A soft link of an HDF5 file, or a second name of a group, leads to what is listed under its own name.",
        tensorflow: "h5py follows it; Keras writes none.",
        causes: &["The program that wrote the file gave things more than one name."],
        next: &["Use the name under which it is listed."],
    },
    Page {
        code: Code::UnusualFile,
        found: "A file can be read whole, and has something that its format does not call for or lacks something that other readers want.",
        tensorflow: "Keras ignores what no list has, and cannot load a `.keras` archive without its configuration; the safetensors library refuses gaps.",
        causes: &[
            "The file was written or changed by something other than the library.",
            "A link into a file that was not copied with it, or to nothing.",
        ],
        next: &["The message says what it is; save the model again with the library if it is to be loaded elsewhere."],
    },
    Page {
        code: Code::BadFile,
        found: "The file is read as its first bytes and its name call for it: the superblock of HDF5 and where it leads, the directory at the end of a zip archive, the header of safetensors. Something there is cut off or contradicts itself, so that nothing in it can be found.",
        tensorflow: "Keras raises OSError (\"Unable to synchronously open file\") for HDF5 and BadZipFile for `.keras`; safetensors raises SafetensorError; NumPy BadZipFile or ValueError.",
        causes: &[
            "The copy or download stopped early, or the program was ended while it saved: the directory of an archive is written last.",
            "Another kind of file under this name: a Git LFS pointer, a web page.",
            "A damaged disk or transfer.",
        ],
        next: &[
            "Fetch the file again and compare its size with the source; for Git LFS run `git lfs pull`.",
            "`ckpt inspect PATH` says what the file looks like.",
        ],
    },
    Page {
        code: Code::Unreadable,
        found: "The operating system refused to read a file, or a part of it makes no sense.",
        tensorflow: "Raises an error that names the file, or DataLossError.",
        causes: &["Missing permissions, a broken network file system, a dying disk."],
        next: &["The message says which file and where; try to copy it: `cp FILE /dev/null`."],
    },
    Page {
        code: Code::NothingChecked,
        found: "No tensor was left to check: a checkpoint without tensors, or filters that match none.",
        tensorflow: "Restores nothing and reports success.",
        causes: &["A filter with a slip in it.", "A SavedModel without variables, or the wrong directory."],
        next: &["`ckpt list PATH` shows what there is."],
    },
];
